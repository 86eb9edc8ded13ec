"""What agents take and refuse, evaluate and save: spaces of any make, networks and preprocessings
of a program's own.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.contrib.deeprl.agent.agent import AgentBaseClass
from cntk.contrib.deeprl.agent.agent_factory import make_agent
from cntk.contrib.deeprl.agent.policy_gradient import ActorCritic
from cntk.contrib.deeprl.agent.qlearning import QLearning
from cntk.contrib.deeprl.agent.random_agent import RandomAgent
from cntk.contrib.deeprl.agent.shared import _named, _spaces
from cntk.contrib.deeprl.agent.shared._settings import Settings
from cntk.contrib.deeprl.agent.shared.cntk_utils import huber_loss
from cntk.contrib.deeprl.agent.shared.customized_models import conv_dqn
from cntk.contrib.deeprl.agent.shared.discretize import BoxSpaceDiscretizer
from cntk.contrib.deeprl.agent.shared.models import Models
from cntk.contrib.deeprl.agent.shared.policy_gradient_parameters import PolicyGradientParameters
from cntk.contrib.deeprl.agent.shared.preprocessing import (
    AtariPreprocessing,
    Preprocessing,
    SlidingWindow,
)
from cntk.contrib.deeprl.agent.shared.qlearning_parameters import QLearningParameters
from cntk.contrib.deeprl.agent.shared.replay_memory import ReplayMemory
from cntk.contrib.deeprl.agent.tabular_qlearning import TabularQLearning

TWO = SimpleNamespace(n=2)
BOX = SimpleNamespace(
    low=np.array([-1, -2], np.float32), high=np.array([1, 2], np.float32), shape=(2,)
)
OWN = "programs_own_models"


class MultiBinary:
    """As in gym, where it has no shape."""

    def __init__(self, n: int) -> None:
        self.n = n


class MultiDiscrete:
    """As in old gym, where it has bounds as well."""

    def __init__(self, low: list[int], high: list[int]) -> None:
        self.low, self.high, self.shape = low, high, (len(low),)


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., str]:
    """What writes a configuration file, of sections with their parameters."""

    def write(**sections: dict[str, Any]) -> str:
        path = tmp_path / f"agent{len(list(tmp_path.iterdir()))}.ini"
        lines = []
        for section, parameters in sections.items():
            lines += [f"[{section}]", *(f"{key} = {value}" for key, value in parameters.items())]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def deep(configured: Callable[..., str]) -> Callable[..., QLearning]:
    """What makes a deep Q-learning agent that learns at each step from the second."""

    def make(**parameters: Any) -> QLearning:
        algorithm = {
            "QRepresentation": "dqn",
            "QUpdateFrequency": 1,
            "MinibatchSize": 2,
            **parameters,
        }
        return QLearning(
            configured(QLearningAlgo=algorithm, ExperienceReplay={"StartSize": 2}), BOX, TWO
        )

    return make


@pytest.mark.parametrize(
    ("space", "kind", "shape"),
    [
        (SimpleNamespace(n=3), _spaces.DISCRETE, (3,)),
        (SimpleNamespace(n=np.int64(3), shape=(), start=np.int64(0)), _spaces.DISCRETE, (3,)),
        (MultiBinary(3), _spaces.BINARY, (3,)),
        (SimpleNamespace(n=3, shape=(3,)), _spaces.BINARY, (3,)),
        (SimpleNamespace(n=(2, 3), shape=(2, 3)), _spaces.BINARY, (2, 3)),
        (SimpleNamespace(nvec=np.array([2, 3]), shape=(2,)), _spaces.MULTI_DISCRETE, (2,)),
        (SimpleNamespace(nvec=[2, 3]), _spaces.MULTI_DISCRETE, (2,)),
        (MultiDiscrete([0, 0], [1, 2]), _spaces.MULTI_DISCRETE, (2,)),
        (BOX, _spaces.BOX, (2,)),
    ],
    ids=lambda value: "" if hasattr(value, "__dict__") else str(value),
)
def test_spaces_of_any_make(space: Any, kind: str, shape: tuple[int, ...]) -> None:
    assert (_spaces.kind_of(space), _spaces.shape_of(space)) == (kind, shape)
    agent = RandomAgent(space, TWO)
    assert agent._shape_of_inputs == shape and agent._num_states == (
        3 if kind == _spaces.DISCRETE else None
    )


def refuse(make: Callable[..., Any], error: type[Exception], pattern: str) -> Any:
    return pytest.param(make, error, pattern, id=pattern)


@pytest.mark.parametrize(
    ("make", "error", "pattern"),
    [
        refuse(
            lambda _: RandomAgent(TWO, BOX),
            ValueError,
            "cannot act in .* expected a discrete space, which has n",
        ),
        refuse(
            lambda _: RandomAgent(SimpleNamespace(spaces=[TWO]), TWO),
            ValueError,
            "cannot observe namespace",
        ),
        refuse(
            lambda _: RandomAgent(TWO, SimpleNamespace(n=2, start=1)),
            ValueError,
            "begin with 1; expected",
        ),
        refuse(
            lambda _: RandomAgent(TWO, SimpleNamespace(n=0)),
            ValueError,
            "has 0 values; expected at least one",
        ),
        refuse(
            lambda _: TabularQLearning("", MultiBinary(3), TWO),
            ValueError,
            "cannot be made discrete",
        ),
        refuse(
            lambda f: TabularQLearning(f(QLearningAlgo={"QRepresentation": "dqn"}), TWO, TWO),
            ValueError,
            "QRepresentation is 'dqn'; TabularQLearning has a table",
        ),
        refuse(
            lambda _: QLearning("", BOX, TWO),
            ValueError,
            "QRepresentation must be 'dqn', 'dueling-dqn' or name",
        ),
        refuse(
            lambda f: ActorCritic(
                f(PolicyGradient={"PolicyRepresentation": "os.remove"}), BOX, TWO
            ),
            ValueError,
            "PolicyRepresentation must be 'nn' or name a function: 'os.remove' is in Python's "
            "standard library",
        ),
        refuse(
            lambda f: ActorCritic(
                f(PolicyGradient={"ValueFunctionRepresentation": "not_imported.f"}), BOX, TWO
            ),
            ValueError,
            "ValueFunctionRepresentation must .* which the program has not imported.* put `import "
            "not_imported`",
        ),
        refuse(
            lambda f: ActorCritic(f(General={"PreProcessing": "cntk.relu"}), BOX, TWO),
            ValueError,
            "'cntk.relu' is no preprocessing; expected a class with",
        ),
        refuse(
            lambda f: make_agent(f(General={"Agent": "x"}), BOX, TWO),
            ValueError,
            "is 'x'; expected one of qlearn",
        ),
        refuse(
            lambda f: QLearningParameters(f(QLearningAlgo={"MinibatchSize": 1.5})),
            ValueError,
            r"MinibatchSize in section \[QLearningAlgo\] of .* is '1.5'; expected an integer",
        ),
        refuse(
            lambda f: PolicyGradientParameters(f(PolicyGradient={"UpdateFrequency": 0})),
            ValueError,
            r"UpdateFrequency in section \[PolicyGradient\] of .* is 0; expected at least 1",
        ),
        refuse(
            lambda f: QLearningParameters(f(QLearningAlgo={"ErrorClipping": "maybe"})),
            ValueError,
            "is 'maybe'; expected true or false",
        ),
        refuse(
            lambda f: QLearningParameters(
                f(QLearningAlgo={"DiscretizationResolution": "open('x')"})
            ),
            ValueError,
            "expected an integer or a list of integers",
        ),
        refuse(
            lambda f: PolicyGradientParameters(f(General={"Gamma": "high"})),
            ValueError,
            "'high'; expected a number",
        ),
        refuse(
            lambda _: Models.feedforward_network((2,), 2, "5"),
            TypeError,
            "layers are '5'; expected a list of pos",
        ),
        refuse(
            lambda _: Models.feedforward_network((2,), 2, "[0]"),
            ValueError,
            r"layers are '\[0\]'; expected",
        ),
        refuse(
            lambda _: Models.feedforward_network((2,), 2, "exit()"),
            ValueError,
            r"'exit\(\)' are no list",
        ),
        refuse(
            lambda _: Models.dueling_network((2,), 2, "[5]"),
            ValueError,
            r"expected the sizes .* \[10\], \[10\]\]",
        ),
        refuse(
            lambda _: BoxSpaceDiscretizer(TWO, 2),
            ValueError,
            "cannot be cut into cells; expected a box",
        ),
        refuse(
            lambda _: BoxSpaceDiscretizer(BOX, np.ones(3)),
            ValueError,
            r"shape \(3,\) and the box \(2,\)",
        ),
        refuse(
            lambda _: BoxSpaceDiscretizer(BOX, 0),
            ValueError,
            "resolution is 0; expected at least one part",
        ),
        refuse(
            lambda _: BoxSpaceDiscretizer(BOX, 2).discretize([0]),
            ValueError,
            r"shape \(1,\); expected \(2,\)",
        ),
        refuse(lambda _: ReplayMemory(0), ValueError, "capacity of a replay memory is 0"),
        refuse(
            lambda _: SlidingWindow((2,)).preprocess(np.ones(3)),
            ValueError,
            r"shape \(3,\); expected \(2,\)",
        ),
        refuse(
            lambda _: SlidingWindow((2,)).preprocess(np.ones(2)),
            ValueError,
            r"dtype float64; expected float32: .* as in \(4, 'float64'\)",
        ),
        refuse(
            lambda _: AtariPreprocessing((2, 2, 3)).preprocess(np.ones((2, 2, 3))),
            ValueError,
            "expected uint8",
        ),
        refuse(
            lambda _: Preprocessing((2,)).preprocess(0),
            NotImplementedError,
            "does not say how to preprocess",
        ),
        refuse(
            lambda _: Preprocessing((2,)).output_shape(),
            NotImplementedError,
            "does not say what output_shape is",
        ),
        refuse(
            lambda _: AgentBaseClass(BOX, TWO).start(0),
            NotImplementedError,
            "AgentBaseClass does not say how to",
        ),
        refuse(
            lambda _: AgentBaseClass(BOX, TWO).evaluate(0),
            NotImplementedError,
            "how to choose an action",
        ),
        refuse(
            lambda _: TabularQLearning("", TWO, TWO).start(2),
            IndexError,
            "observation is 2; expected 0 to 1",
        ),
        refuse(
            lambda _: TabularQLearning("", TWO, TWO).start(-1),
            IndexError,
            "observation is -1; expected 0 to 1",
        ),
        refuse(
            lambda _: TabularQLearning("", TWO, TWO).step(1, 0),
            AttributeError,
            r"call start\(\) before step\(\)",
        ),
        refuse(
            lambda _: TabularQLearning("", TWO, TWO).save("x"),
            TypeError,
            r"call set_as_best_model\(\) before",
        ),
        refuse(
            lambda _: ActorCritic("", TWO, TWO).end(1, 0),
            RuntimeError,
            "ActorCritic is in no episode",
        ),
        refuse(
            lambda _: ActorCritic("", TWO, TWO).save("x"),
            AttributeError,
            "ActorCritic has no best model to save",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    make: Callable[..., Any], error: type[Exception], pattern: str, configured: Callable[..., str]
) -> None:
    with pytest.raises(error, match=pattern):
        make(configured)


@pytest.mark.parametrize(
    ("arguments", "error", "pattern"),
    [
        ("(2)", TypeError, r"PreProcessingArgs is '\(2\)'; expected a tuple, as in '\(2,\)'"),
        ("(exit(),)", ValueError, "expected a tuple of plain values"),
        ("(2, 'float32', 1)", TypeError, "positional arguments"),
    ],
)
def test_arguments_of_preprocessing_are_plain(
    arguments: str, error: type[Exception], pattern: str
) -> None:
    with pytest.raises(error, match=pattern):
        _named.preprocessor(
            "cntk.contrib.deeprl.agent.shared.preprocessing.SlidingWindow", arguments, (2,)
        )


def test_a_missing_file_is_told() -> None:
    with pytest.warns(UserWarning, match="there is no configuration file 'nowhere.ini'"):
        assert isinstance(make_agent("nowhere.ini", BOX, TWO), RandomAgent)


# -- names in configuration files ------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "undefined",
        "os.system",
        "subprocess.run",
        "importlib.import_module",
        "cntk.contrib.deeprl.agent.shared.nothing.f",
        "cntk.contrib.deeprl.agent.shared.models.Nothing",
        "cntk.contrib.deeprl.agent.shared.models.np.zeros",
        "cntk.contrib.deeprl.agent.shared..f",
        "cntk.__version__",
        "",
    ],
)
def test_names_that_stand_for_nothing(path: str) -> None:
    with pytest.raises(ValueError, match=f"'{path}' (names no|is in)"):
        _named.named(path)


def test_a_configuration_file_makes_python_import_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "never_imported.py").write_text("raise SystemExit('it ran')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="put `import never_imported` before"):
        _named.named("never_imported.f")
    assert "never_imported" not in sys.modules


def test_networks_and_preprocessings_of_a_program(
    configured: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doubled(Preprocessing):
        def __init__(self, input_shape: tuple[int, ...], factor: float) -> None:
            super().__init__(input_shape)
            self.factor = factor

        def output_shape(self) -> tuple[int, ...]:
            return (2 * self._input_shape[0],)

        def preprocess(self, observation: Any) -> np.ndarray:
            return np.concatenate([observation, self.factor * observation])

    made = []

    def linear(
        shape: Any, count: int, loss: Any = None, use_placeholder_for_input: bool = False
    ) -> dict[str, Any]:
        made.append((shape, count))
        x = C.placeholder(shape) if use_placeholder_for_input else C.input_variable(shape)
        y = C.input_variable(count)
        f = C.layers.Dense(count)(x)
        return {"inputs": x, "outputs": y, "f": f, "loss": (loss or C.squared_error)(f, y)}

    module = ModuleType(OWN)
    vars(module).update(Doubled=Doubled, linear=linear)
    monkeypatch.setitem(sys.modules, OWN, module)
    general = {"PreProcessing": f"{OWN}.Doubled", "PreProcessingArgs": "(3,)"}
    file = configured(
        General=general,
        QLearningAlgo={"QRepresentation": f"{OWN}.linear"},
        PolicyGradient=dict.fromkeys(
            ["PolicyRepresentation", "ValueFunctionRepresentation"], f"{OWN}.linear"
        ),
    )
    for kind in (QLearning, ActorCritic):
        agent = kind(file, BOX, TWO)
        assert agent.start(np.array([0.5, 1]))[0] in (0, 1)
        agent.step(1, [0.25, 1])
    assert made == [((4,), 2), ((4,), 2), ((4,), 1)]
    module.nothing = lambda *_: {"inputs": None, "f": None}
    with pytest.raises(
        ValueError, match=f"'{OWN}.nothing' returned no network; .* with outputs, loss as well"
    ):
        QLearning(configured(QLearningAlgo={"QRepresentation": f"{OWN}.nothing"}), BOX, TWO)
    monkeypatch.setattr(sys.modules["__main__"], "linear", linear, raising=False)
    assert _named.named("__main__.linear") is linear
    np.testing.assert_array_equal(
        agent._preprocess_state([1, 2]), np.array([1, 2, 3, 6], np.float32)
    )
    assert agent._preprocess_state([1, 2]).dtype == np.float32


# -- learning, evaluating and saving ---------------------------------------------------------------


def test_evaluation_is_greedy_and_learns_nothing(deep: Callable[..., QLearning]) -> None:
    agent = deep(InitialEpsilon=1, EpsilonMinimum=1)
    agent.start(BOX.low)
    agent.step(1, BOX.high)
    agent.step(0, BOX.low)
    before = [p.value for p in agent._q.parameters], agent.step_count, agent._replay_memory.size()
    agent.enter_evaluation()
    states = np.random.RandomState(1).uniform(-1, 1, (20, 2))
    values = agent._q.eval({agent._q.arguments[0]: states.astype(np.float32)})
    assert [agent.evaluate(state) for state in states] == values.argmax(axis=1).tolist()
    agent.exit_evaluation()
    after = [p.value for p in agent._q.parameters], agent.step_count, agent._replay_memory.size()
    np.testing.assert_equal(after, before)
    assert agent.step(0, BOX.high)[1] == {"action_behavior": "RANDOM", "epsilon": 1}


@pytest.mark.parametrize("kind", [QLearning, ActorCritic])
def test_the_best_model_is_kept_and_saved(
    kind: type, configured: Callable[..., str], tmp_path: Path
) -> None:
    q = {"QRepresentation": "dueling-dqn", "QUpdateFrequency": 1}
    network = {"HiddenLayerNodes": "[3, [2], [2]]"}
    policy = {"UpdateFrequency": 1}
    file = configured(
        QLearningAlgo=q,
        ExperienceReplay={"StartSize": 1},
        NetworkModel=network,
        PolicyGradient=policy,
    )
    agent = kind(file, BOX, TWO)
    network = agent._q if kind is QLearning else agent._policy_network
    states = np.random.RandomState(1).uniform(-1, 1, (5, 2)).astype(np.float32)
    first = network.eval({network.arguments[0]: states})
    agent.set_as_best_model()
    agent.start(states[0])
    for state in states:
        agent.step(1, state)
    assert np.abs(network.eval({network.arguments[0]: states}) - first).max() > 1e-4
    agent.save(str(tmp_path / "best.model"))
    loaded = C.load_model(str(tmp_path / "best.model"))
    np.testing.assert_array_equal(loaded.eval({loaded.arguments[0]: states}), first)
    agent.save_parameter_settings(str(tmp_path / "saved.ini"))
    assert (
        kind(str(tmp_path / "saved.ini"), BOX, TWO)._parameters.config == agent._parameters.config
    )


def test_a_policy_begins_as_a_saved_one(configured: Callable[..., str], tmp_path: Path) -> None:
    agent = ActorCritic("", BOX, TWO)
    agent.set_as_best_model()
    path = tmp_path / "policy.model"
    agent.save(str(path))
    other = ActorCritic(configured(PolicyGradient={"InitialPolicy": path}), BOX, TWO)
    for parameter, expected in zip(
        other._policy_network.parameters, agent._policy_network.parameters, strict=True
    ):
        np.testing.assert_array_equal(parameter.value, expected.value)
    with pytest.raises((ValueError, RuntimeError)):
        ActorCritic(configured(PolicyGradient={"InitialPolicy": path}), BOX, SimpleNamespace(n=3))


def test_an_agent_that_does_nothing_of_its_own(tmp_path: Path) -> None:
    agent = RandomAgent(BOX, SimpleNamespace(n=3))
    np.random.seed(3)
    actions = [agent.start(BOX.low), *(agent.step(0, BOX.low) for _ in range(40))]
    agent.end(0, BOX.low)
    assert {action for action, _ in actions} == {0, 1, 2} and (
        agent.episode_count,
        agent.step_count,
    ) == (1, 41)
    for call in (agent.set_as_best_model, agent.enter_evaluation, agent.exit_evaluation):
        call()
    agent.save(str(tmp_path / "nothing"))
    agent.save_parameter_settings(str(tmp_path / "nothing"))
    assert not list(tmp_path.iterdir())


def test_worlds_may_use_one_array_for_all_they_show(deep: Callable[..., QLearning]) -> None:
    agent = deep()
    shown = np.zeros(2, np.float32)
    agent.start(shown)
    for k in range(3):
        shown[:] = k + 1
        agent.step(0, shown)
    assert [t.state[0] for _, t in agent._replay_memory.sample_minibatch(9)] == [0, 1, 2]
    window = SlidingWindow((1,), 2)
    window.preprocess(shown[:1])
    shown[:] = 9
    assert window.preprocess(shown[:1]).tolist() == [[3], [9]]


def test_a_policy_learns_what_is_rewarded(configured: Callable[..., str]) -> None:
    eta = dict.fromkeys(["InitialEta", "EtaMinimum"], 0.02)
    file = configured(
        General={"Gamma": 0}, PolicyGradient={"UpdateFrequency": 10}, Optimization=eta
    )
    agent = ActorCritic(file, SimpleNamespace(n=2), TWO)
    np.random.seed(3)
    state = 0
    action, _ = agent.start(state)
    for step in range(300):
        reward, state = float(action == state), step % 2
        if step % 40 == 39:
            agent.end(reward, state)
            action, _ = agent.start(state)
        else:
            action, _ = agent.step(reward, state)
    for state in (0, 1):
        assert agent._choose_action(agent._preprocess_state(state))[1][state] > 0.9


def test_an_episode_that_goes_on_after_its_end_is_refused() -> None:
    agent = ActorCritic("", BOX, TWO)
    agent.start(BOX.low)
    agent.end(1, BOX.low)
    for call in (agent.step, agent.end):
        with pytest.raises(RuntimeError, match="ActorCritic is in no episode"):
            call(1, BOX.low)
    agent.start(BOX.low)
    assert agent.step_count == 1 and agent._value_network_output_buffer == [[1]]


def test_nothing_else_imports_it() -> None:
    """`import cntk` must stay without it, as in the original."""
    package = Path(C.__file__).parent
    others = [path for path in package.rglob("*.py") if package / "contrib" not in path.parents]
    assert len(others) > 100
    found = re.compile(r"^(from|import) .*\bcontrib\b", re.MULTILINE)
    assert not [path for path in others if found.search(path.read_text(encoding="utf-8"))]


# -- the parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 2, 5, 6])
def test_priorities_always_lead_to_a_transition(capacity: int) -> None:
    """At the ends of all that is summed too, while there is room left, where the original fails."""
    for count in range(1, capacity + 1):
        memory = ReplayMemory(capacity, prioritized=True)
        for state in range(count):
            memory.store(state, 0, 0.0, None, 0.1 * (state + 1))
        holding = {0}
        for place in range(capacity - 1, capacity - 1 + count):
            while place:
                holding.add(place)
                place = (place - 1) // 2
        assert {node for node in range(2 * capacity - 1) if memory._holds(node)} == holding
        for priority in (0.0, memory._sum(0), memory._sum(0) * (1 + 1e-9)):
            assert memory._memory[memory._place_of(priority)].state in range(count)
        random.seed(1)
        assert {t.state for _, t in memory.sample_minibatch(200)} == set(range(count))


def test_a_large_memory_takes_no_longer() -> None:
    memory = ReplayMemory(2**20, prioritized=True)
    memory.store(0, 0, 0.0, None, 1.0)
    assert len(memory.sample_minibatch(32)) == 32


def test_priorities_are_drawn_in_proportion() -> None:
    memory = ReplayMemory(4, prioritized=True)
    for priority in (1, 2, 3, 4):
        memory.store(priority, 0, 0.0, None, priority)
    random.seed(2)
    drawn = [transition.state for _, transition in memory.sample_minibatch(1000)]
    assert [abs(drawn.count(p) - 100 * p) <= 2 for p in (1, 2, 3, 4)] == [True] * 4
    memory = ReplayMemory(2)
    memory.store(1, 0, 0.0, None, None)
    memory.update_priority({0: 5})
    assert memory._memory[0].priority is None


def test_a_transition_cannot_count_without_end(configured: Callable[..., str]) -> None:
    replay = {"StartSize": 1, "Prioritized": 1, "PriorityEpsilon": 0}
    file = configured(
        QLearningAlgo={"QRepresentation": "dqn", "QUpdateFrequency": 1}, ExperienceReplay=replay
    )
    agent = QLearning(file, BOX, TWO)
    agent._compute_priority = lambda *_: 0.0
    agent.start(BOX.low)
    with pytest.raises(ValueError, match="PriorityEpsilon must exceed 0"):
        agent.step(0, BOX.low)


def test_gradients_of_the_huber_loss_in_double() -> None:
    x = C.input_variable(4, dtype=np.float64, needs_gradient=True)
    loss = huber_loss(x, C.constant(0, (4,), np.float64))
    at = np.array([[-3, -0.5, 0.25, 2.0]])
    step = 1e-6 * np.eye(4)
    found = [(loss.eval({x: at + s}) - loss.eval({x: at - s})) / 2e-6 for s in step]
    np.testing.assert_allclose(loss.grad({x: at}, wrt=[x])[0], np.ravel(found), atol=1e-8)


def test_pillow_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install 'cntk-torch\\[image\\]' gets it"):
        AtariPreprocessing((2, 2, 3)).preprocess(np.zeros((2, 2, 3), np.uint8))


def test_a_placeholder_for_the_input() -> None:
    for network in (
        conv_dqn((1, 36, 36), 2, None, True),
        Models.dueling_network((3,), 2, "[None, [], []]", None, True),
    ):
        assert [v.is_placeholder for v in network["f"].placeholders] == [True]
        x = C.input_variable(network["inputs"].shape)
        network["f"].replace_placeholder(x)
        assert network["loss"].arguments == (x, network["outputs"])


def test_the_page_lists_every_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    read = {("General", "Agent", "random")}
    readers = {
        name: getattr(Settings, name)
        for name in ("_text", "_number", "_integer", "_flag", "_literal")
    }

    def noted(name: str, settings: Settings, section: str, key: str, default: Any) -> Any:
        text = f"{default:g}" if isinstance(default, float) else str(default)
        read.add((section, key, text.replace("inf", "none")))
        return readers[name](settings, section, key, default)

    for name in readers:
        monkeypatch.setattr(
            Settings, name, partialmethod(lambda self, name, *rest: noted(name, self, *rest), name)
        )
    QLearningParameters("")
    PolicyGradientParameters("")
    page = Path(__file__).resolve().parents[3] / "docs" / "reinforcement-learning.md"
    listed, section = set(), ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| *(`|\| `)", line):
            cells = [cell.strip().strip("`") for cell in line.split("|")[1:4]]
            section = cells[0] or section
            listed.add((section, cells[1], cells[2]))
    assert listed == read
