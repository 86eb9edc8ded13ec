"""What agents are asked to do, here and with the original: the same spaces, files, observations and
random numbers.

Runs on the original's Python, 3.6, too.
"""

import contextlib
import io
import os
import random

import numpy as np

import cntk as C
from cntk.contrib.deeprl.agent.agent_factory import make_agent
from cntk.contrib.deeprl.agent.shared.cntk_utils import huber_loss, negative_of_entropy_with_softmax
from cntk.contrib.deeprl.agent.shared.customized_models import conv_dqn
from cntk.contrib.deeprl.agent.shared.discretize import BoxSpaceDiscretizer
from cntk.contrib.deeprl.agent.shared.models import Models
from cntk.contrib.deeprl.agent.shared.policy_gradient_parameters import PolicyGradientParameters
from cntk.contrib.deeprl.agent.shared.preprocessing import AtariPreprocessing, SlidingWindow
from cntk.contrib.deeprl.agent.shared.qlearning_parameters import QLearningParameters
from cntk.contrib.deeprl.agent.shared.replay_memory import ReplayMemory


class Discrete:
    """A space of n values. The original knows spaces by their full names alone."""

    def __init__(self, n):
        self.n = n


class Box:
    """A space of arrays between bounds."""

    def __init__(self, low, high):
        self.low, self.high = np.asarray(low), np.asarray(high)
        self.shape = self.low.shape


class MultiBinary:
    """A space of n bits."""

    def __init__(self, n):
        self.n = n


Discrete.__module__ = "gym.spaces.discrete"
Box.__module__ = "gym.spaces.box"
MultiBinary.__module__ = "gym.spaces.multi_binary"

SHARED = "cntk.contrib.deeprl.agent.shared."
WINDOW = f"PreProcessing = {SHARED}preprocessing.SlidingWindow\nPreProcessingArgs = "
PLANE = Box(np.array([-1, -2], np.float32), np.array([1, 2], np.float32))

DEEP = """[General]
Agent = qlearning
Gamma = 0.9
%s
[QLearningAlgo]
QRepresentation = %s
InitialEpsilon = 0.5
EpsilonDecayStepCount = 40
EpsilonMinimum = 0.1
TargetQUpdateFrequency = 12
QUpdateFrequency = 2
MinibatchSize = 5
%s
[ExperienceReplay]
Capacity = 20
StartSize = 8
%s
[Optimization]
InitialEta = 0.02
EtaMinimum = %s
EtaDecayStepCount = 50
%s
[NetworkModel]
HiddenLayerNodes = %s
"""
CRITIC = """[General]
Agent = Actor_Critic
%s
[PolicyGradient]
UpdateFrequency = 5
SharedRepresentation = %s
%s
[Optimization]
InitialEta = 0.05
EtaMinimum = %s
EtaDecayStepCount = 60
[NetworkModel]
PolicyNetworkHiddenLayerNodes = [4]
ValueNetworkHiddenLayerNodes = [3, 2]
"""
TABLE = """[General]
Agent = tabular_qlearning
[QLearningAlgo]
InitialQ = 0.25
InitialEpsilon = 0.6
EpsilonMinimum = 0.2
EpsilonDecayStepCount = 70
DiscretizationResolution = %s
[Optimization]
InitialEta = 0.5
EtaMinimum = 0.1
EtaDecayStepCount = 60
"""

# Name -> file, observations, how many steps.
AGENTS = {
    "random": ("[General]\nAgent = random\n", Discrete(5), 20),
    "table": (TABLE % "10", Discrete(5), 120),
    "table_of_cells": (TABLE % "[3, 4]", PLANE, 120),
    "dqn": (DEEP % ("", "dqn", "", "", 0.02, "", "[4]"), PLANE, 60),
    "dqn_squared": (DEEP % ("", "dqn", "ErrorClipping = no", "", 0.001, "", "[4, 3]"), PLANE, 60),
    "dqn_double": (DEEP % ("", "dqn", "DoubleQLearning = "
                                      "yes", "", 0.02, "Momentum = 0.8", "[4]"), PLANE, 60),
    "dqn_clipped": (DEEP % ("", "dqn", "ReplaysPerUpdate = "
                                       "2", "", 0.02, "GradientClippingThreshold = 0.05", "[4]"),
                    PLANE, 60),
    "dqn_one_hot": (DEEP % ("", "dqn", "", "", 0.02, "", "[]"), Discrete(5), 60),
    "dqn_bits": (DEEP % ("", "dqn", "", "", 0.02, "", "[4]"), MultiBinary(3), 60),
    "dqn_by_priority": (DEEP % ("", "dqn", "", "Prioritized = true", 0.02, "", "[4]"), PLANE, 60),
    "dueling": (DEEP % ("", "dueling-dqn", "", "", 0.02, "", "[4, [3], [2]]"), PLANE, 60),
    "dueling_all": (DEEP % (WINDOW + "(2,)", "dueling-dqn", "DoubleQLearning = 1",
                            "Prioritized = 1\nPriorityAlpha = 0.9\nPriorityBeta = 0.3", 0.001,
                            "GradientClippingThreshold = 0.5", "[None, [3], [None]]"), PLANE, 60),
    "critic": (CRITIC % ("", "no", "", 0.05), PLANE, 42),
    "critic_shared": (CRITIC % ("Gamma = 0.8", "yes", "RelativeStepSize = "
                                                      "0.3\nRegularizationWeight = 0.1", 0.01),
                      PLANE, 42),
    "critic_window": (CRITIC % (WINDOW + "(3, 'float32')", "no", "", 0.05), PLANE, 42),
    "critic_one_hot": (CRITIC % ("", "no", "", 0.05), Discrete(5), 42),
}  # fmt: skip

EVERY_KEY_OF_Q = """[General]
Gamma = 0.5
PreProcessing = a.b
PreProcessingArgs = (1, 'x')
Unknown Key: kept
[QLearningAlgo]
QRepresentation=dqn
InitialEpsilon=1
EpsilonDecayStepCount = 7
EpsilonMinimum = 1e-3
InitialQ = -1
DiscretizationResolution = [2, 3]
TargetQUpdateFrequency = 8
MinibatchSize = 9
ReplaysPerUpdate = 10
QUpdateFrequency = 11
ErrorClipping = off
DoubleQLearning = on
[Optimization]
InitialEta = 0.25
EtaDecayStepCount = 12
EtaMinimum = 0.125
Momentum = 0.75
GradientClippingThreshold = 2
[ExperienceReplay]
Capacity = 13
StartSize = 14
Prioritized = yes
PriorityAlpha = 0.1
PriorityBeta = 0.2
PriorityEpsilon = 0.3
[NetworkModel]
HiddenLayerNodes = [5,
    6]
"""
EVERY_KEY_OF_POLICY = """[DEFAULT]
Gamma = 0.25
[General]
PreProcessing = a.b
PreProcessingArgs = (2,)
[PolicyGradient]
SharedRepresentation = true
PolicyRepresentation = m.f
ValueFunctionRepresentation = m.g
RelativeStepSize = 2
RegularizationWeight = 3
UpdateFrequency = 4
InitialPolicy = some.model
; a comment
[NetworkModel]
PolicyNetworkHiddenLayerNodes = [1]
ValueNetworkHiddenLayerNodes = [2]
[Optimization]
InitialEta = 0.25
EtaDecayStepCount = 12
EtaMinimum = 0.125
Momentum = 0.75
"""
PARAMETERS = {
    "q_defaults": (QLearningParameters, ""),
    "q": (QLearningParameters, EVERY_KEY_OF_Q),
    "policy_defaults": (PolicyGradientParameters, ""),
    "policy": (PolicyGradientParameters, EVERY_KEY_OF_POLICY),
}


def text_of(path):
    with open(path, newline="") as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def observations(space, rng):
    """Yield observations of a space without end."""
    while True:
        if isinstance(space, Discrete):
            yield rng.randint(space.n)
        elif isinstance(space, MultiBinary):
            yield rng.randint(2, size=space.n)
        else:
            yield rng.uniform(space.low, space.high).astype(np.float32)


def set_parameters(network, rng):
    for parameter in network.parameters:
        parameter.value = rng.uniform(-0.7, 0.7, parameter.shape).astype(np.float32)


def live(agent, space, steps):
    """Let an agent act in episodes of seven steps, every third of which it leaves without an end;
    return its actions.

    Rewards depend on actions, so that agents that act differently learn differently.
    """
    rng = np.random.RandomState(5)
    seen = observations(space, rng)
    actions, epsilons = [], []
    for step in range(steps):
        if step % 7 == 0:
            action, said = agent.start(next(seen))
        elif step % 7 == 6 and step % 21 != 20:
            agent.end(rng.uniform(-1, 1) + action, next(seen))
            continue
        else:
            action, said = agent.step(rng.uniform(-1, 1) + action, next(seen))
        actions.append(action)
        epsilons.append(said.get("epsilon", -1))
    return {"actions": actions, "epsilons": epsilons}


def run_agent(name, folder):
    """Return what an agent does, what it has learned and, of tables, what it writes, by name."""
    text, space, steps = AGENTS[name]
    with contextlib.redirect_stdout(io.StringIO()):
        agent = make_agent(write(os.path.join(folder, name + ".ini"), text), space, Discrete(3))
    np.random.seed(3)
    random.seed(3)
    rng = np.random.RandomState(11)
    networks = {}
    drawn = []
    if name.startswith(("dqn", "dueling")):
        set_parameters(agent._q, rng)
        agent._target_q = agent._q.clone("clone")
        networks = {"q": agent._q}
        draw = agent._replay_memory.sample_minibatch

        def sample_minibatch(size):
            minibatch = draw(size)
            drawn.extend(place for place, _ in minibatch)
            return minibatch

        agent._replay_memory.sample_minibatch = sample_minibatch
    elif name.startswith("critic"):
        set_parameters(agent._policy_network, rng)
        set_parameters(agent._value_network, rng)
        networks = {"policy": agent._policy_network, "value": agent._value_network}
    done = live(agent, space, steps)
    done["drawn"] = drawn
    agent.enter_evaluation()
    probes = observations(space, np.random.RandomState(9))
    done["evaluated"] = [agent.evaluate(next(probes)) for _ in range(12)]
    agent.exit_evaluation()
    for key, network in networks.items():
        for index, parameter in enumerate(network.parameters):
            done[f"learned_{key}_{index}"] = parameter.value
    if name.startswith("table"):
        done["learned"] = agent._q
        agent.set_as_best_model()
        path = os.path.join(folder, name + ".txt")
        agent.save(path)
        done["saved"] = text_of(path)
    if name == "dqn_by_priority":
        done["learned_priorities"] = [t.priority for t in agent._replay_memory._memory[19:]]
    return done


def run_parameters(name, folder):
    """Return the parameters of a file by name, and the file that they are saved to."""
    kind, text = PARAMETERS[name]
    parameters = kind(write(os.path.join(folder, name + ".ini"), text) if text else "")
    path = os.path.join(folder, name + "_saved.ini")
    parameters.save(path)
    found = {
        key: value
        for key, value in vars(parameters).items()
        if not key.startswith("_") and key != "config"
    }
    return {
        "parameters": repr(sorted((k, np.asarray(v).tolist()) for k, v in found.items())),
        "saved": text_of(path),
    }


def run_memory(capacity, prioritized):
    """Return where a memory draws from as it fills, and the priorities that it sums."""
    memory = ReplayMemory(capacity, prioritized)
    random.seed(capacity)
    rng = np.random.RandomState(capacity)
    places, states, sums = [], [], []
    for state in range(2 * capacity + 1):
        memory.store(state, 0, 0.0, None, rng.uniform(0.1, 2))
        minibatch = memory.sample_minibatch(4)
        places.extend(place for place, _ in minibatch)
        states.extend(transition.state for _, transition in minibatch)
        memory.update_priority({place: rng.uniform(0.1, 2) for place, _ in minibatch})
        if prioritized and capacity > 1:
            sums.append(memory._memory[0])
    return {"places": places, "states": states, "sums": sums}


def run_cells():
    """Return the cells in which observations lie, on bounds, between and beyond, with infinite
    bounds too.
    """
    boxes = [
        (PLANE, 7),
        (PLANE, np.array([3, 5])),
        (Box([-np.inf, 0.0, -3.4e38], [1.0, np.inf, 3.4e38]), 4),
        (Box(np.zeros((2, 2)), np.ones((2, 2))), np.array([[2, 3], [4, 5]])),
    ]
    found = {}
    for index, (box, resolution) in enumerate(boxes):
        cells = BoxSpaceDiscretizer(box, resolution)
        rng = np.random.RandomState(index)
        probes = [box.low, box.high, *rng.uniform(-2.5, 2.5, (40,) + box.shape)]
        probes += [probe.astype(np.float32) for probe in rng.uniform(-1, 1, (20,) + box.shape)]
        with np.errstate(all="ignore"):
            found[f"cells_{index}"] = [cells.num_states] + [
                cells.discretize(probe) for probe in probes
            ]
    return found


def run_preprocessing():
    """Return what networks see of screens and of a window, before and after the window is full."""
    rng = np.random.RandomState(2)
    atari = AtariPreprocessing((210, 160, 3), 2)
    screens = rng.randint(0, 256, (4, 21, 16, 3)).astype(np.uint8).repeat(10, 1).repeat(10, 2)
    seen = [atari.preprocess(screen) for screen in screens]
    window = SlidingWindow((2,), 3, "float64")
    shown = [window.preprocess(x) for x in rng.uniform(size=(4, 2))]
    return {
        "screens": np.array([s[:, ::7, ::7] for s in seen]).astype(np.uint8),
        "screens_dtypes": " ".join(s.dtype.name for s in seen),
        "window": np.array(shown),
    }


def run_losses():
    """Return values and gradients of the losses, at the corners too, and of networks with given
    parameters.
    """
    x, y = C.input_variable(3, needs_gradient=True), C.input_variable(3)
    rng = np.random.RandomState(4)
    outputs = np.concatenate([[[0, 1, -1], [2, -2, 0.5]], rng.uniform(-2, 2, (6, 3))]).astype(
        np.float32
    )
    targets = np.concatenate([np.zeros((2, 3)), rng.uniform(-2, 2, (6, 3))]).astype(np.float32)
    huber, entropy = huber_loss(x, y), negative_of_entropy_with_softmax(x)
    found = {
        "learned_huber": huber.eval({x: outputs, y: targets}),
        "learned_huber_gradient": huber.grad({x: outputs, y: targets}, wrt=[x]),
        "learned_entropy": entropy.eval({x: outputs}),
        "learned_entropy_gradient": entropy.grad({x: outputs}, wrt=[x]),
    }
    networks = {
        "plain": Models.feedforward_network((2,), 3, "[4, 5]"),
        "dueling": Models.dueling_network((2, 2), 4, "[3, 2, [5], [None]]", huber_loss),
        "convolution": conv_dqn((1, 36, 36), 2),
    }
    for name in sorted(networks):
        network = networks[name]
        shape = network["inputs"].shape
        set_parameters(network["f"], rng)
        samples = rng.uniform(0, 2, (3,) + shape).astype(np.float32) * (
            120 if name == "convolution" else 1
        )
        wanted = rng.uniform(-1, 1, (3,) + network["outputs"].shape).astype(np.float32)
        given = {network["inputs"]: samples}
        scale = 1e-6 if name == "convolution" else 1
        found["learned_" + name] = scale * network["f"].eval(given)
        given[network["outputs"]] = wanted
        found[f"learned_{name}_loss"] = scale * scale * network["loss"].eval(given)
    return found
