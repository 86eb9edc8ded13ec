"""`cntk.debugging.explain`: what runs, and each reason why it does not run faster."""

from __future__ import annotations

import ast
import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._execution import training_step
from cntk._runtime.transfer import MOVES
from cntk.io._text import blocks

SOURCE = Path(__file__).resolve().parents[2] / "src"
AFTER = 4  # minibatches before a step is recorded
MINIBATCHES = 8
# A program: what is trained or evaluated, once it has run.
Program = Callable[[pytest.MonkeyPatch], Any]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_step, "RECORD_AFTER", AFTER)


def explained(target: Any, code: bool = False) -> C.debugging.Explanation:
    return C.debugging.explain(target, code, file=io.StringIO())


def rows(count: int, width: int = 2) -> np.ndarray:
    return np.linspace(-1, 1, count * width, dtype=np.float32).reshape(count, width)


def weight(*shape: int) -> C.Parameter:
    return C.parameter(shape, init=np.full(shape, 0.1, np.float32))


def trained(
    loss: C.Function, feeds: Callable[[int], dict[Any, Any]], times: int = MINIBATCHES
) -> C.Trainer:
    loss = C.reduce_sum(loss) if loss.shape else loss
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01))
    for k in range(times):
        trainer.train_minibatch(feeds(k))
    return trainer


def dense(times: int = MINIBATCHES, size: Callable[[int], int] = lambda _: 3) -> C.Trainer:
    x = C.input_variable(2)
    return trained(C.times(x, weight(2, 2)), lambda k: {x: rows(size(k))}, times)


def recurrence(
    step: Callable[[Any, Any], Any], lengths: Callable[[int], int] = lambda _: 6
) -> C.Trainer:
    s = C.sequence.input_variable(2)
    h = C.layers.Recurrence(step)(s)
    return trained(C.sequence.last(h), lambda k: {s: [rows(lengths(k))]})


# -- training steps --------------------------------------------------------------------------------


class Doubled(C.ops.functions.UserFunction):
    def __init__(self, operand: Any) -> None:
        super().__init__([operand], name="doubled")

    def forward(self, argument, device=None, outputs_to_retain=None):
        return None, 2 * argument

    def backward(self, state, root_gradients):
        return 2 * root_gradients

    def infer_outputs(self):
        return [C.output_variable((2,), np.float32, self.inputs[0].dynamic_axes)]


def user_function(_: Any) -> C.Trainer:
    x = C.input_variable(2)
    doubled = C.user_function(Doubled(C.times(x, weight(2, 2))))
    return trained(doubled, lambda _: {x: rows(3)})


def assignment(_: Any) -> C.Trainer:
    x, total = C.input_variable(2), C.parameter(())
    y = C.times(x, weight(2, 2))
    kept = C.assign(total, total + 1, name="count")
    return trained(C.reduce_sum(y) + C.stop_gradient(kept), lambda _: {x: rows(3)})


def chosen_by_data(_: Any) -> C.Trainer:
    s, which = C.sequence.input_variable(2), C.sequence.input_variable(())
    y = C.sequence.gather(C.times(s, weight(2, 2)), which)
    return trained(C.sequence.reduce_sum(y), lambda _: {s: [rows(4)], which: [[1, 0, 1, 1]]})


def sparse_rows(_: Any) -> C.Trainer:
    from scipy.sparse import csr_matrix

    x = C.input_variable(5, is_sparse=True)
    data = csr_matrix(np.array([[0, 2, 0, 0, 1], [1, 0, 0, 3, 0]], np.float32))
    return trained(C.times(x, weight(5, 2)), lambda _: {x: data})


def checked_mode(_: Any) -> C.Trainer:
    C.debugging.set_checked_mode(True)
    try:
        return dense()
    finally:
        C.debugging.set_checked_mode(False)


def pieces(_: Any) -> C.Trainer:
    s = C.sequence.input_variable(2)
    y = C.times(C.sequence.past_value(s), weight(2, 2))
    return trained(y, lambda k: {s: ([rows(3)], [k == 0])})


def long_loop(monkeypatch: pytest.MonkeyPatch) -> C.Trainer:
    from cntk._compiler.recording import record_training_step

    monkeypatch.setattr(record_training_step, "_LONGEST", 10)
    w = weight(2, 2)
    return recurrence(lambda h, x: C.sin(h + C.times(x, w)))


def many_sizes(monkeypatch: pytest.MonkeyPatch) -> C.Trainer:
    monkeypatch.setattr(training_step, "_MOST_SIZES", 3)
    return dense(size=lambda k: k + 1)


def many_recordings(monkeypatch: pytest.MonkeyPatch) -> C.Trainer:
    monkeypatch.setattr(training_step, "_MOST_RECORDINGS", 1)
    return dense(2 * AFTER + 2, lambda k: 1 + k % 2)


def moved(_: Any) -> C.Trainer:
    trainer = dense()
    MOVES.count += 1  # as where a parameter is moved to a GPU
    trainer.train_minibatch({trainer._step.inputs[0]: rows(3)})
    return trainer


def unused_parameter(_: Any) -> C.Trainer:
    x, w, unused = C.input_variable(2), weight(2, 1), C.parameter((), name="unused")
    model = C.combine([C.times(x, w), unused * 2])
    loss = C.reduce_sum(model.outputs[0])
    trainer = C.Trainer(model, loss, C.sgd([w, unused], 0.01))
    for _ in range(MINIBATCHES):
        trainer.train_minibatch({x: rows(3)})
    return trainer


def changed_attribute(_: Any) -> C.Trainer:
    x = C.input_variable(2)
    dropped = C.dropout(C.times(x, weight(2, 2)), 0.1, name="d")

    def feeds(k: int) -> dict[Any, Any]:
        dropped.root_function.set_attribute("dropoutRate", 0.1 + 0.01 * k)
        return {x: rows(3)}

    return trained(dropped, feeds)


def failing_recording(monkeypatch: pytest.MonkeyPatch) -> C.Trainer:
    from cntk._compiler.recording import fx_passes

    def fails(*_: Any) -> None:
        raise TypeError("no such call")

    monkeypatch.setattr(fx_passes, "optimize", fails)
    return dense()


STEPS: dict[Program, str] = {
    user_function: "UserFunction 'doubled': it runs code of the program",
    assignment: "Assign 'count' acts when it runs",
    chosen_by_data: "which calls are made, or their sizes, depend on the data",
    sparse_rows: "sparse data that are not one-hot",
    checked_mode: "checked mode is on",
    long_loop: "it comes to more than 10 calls, since its loops have many steps",
    many_sizes: "more than 3 sizes of minibatches have come",
    many_recordings: "1 sizes of minibatches are recorded already",
    pieces: "sequences that go on from the minibatch before",
    moved: "parameters have been moved, and recordings with them dropped",
    unused_parameter: "the loss does not depend on all of the learners' parameters",
    changed_attribute: "attributes of Dropout 'd' changed",
    failing_recording: "recording failed: TypeError: no such call",
}


# -- loops -----------------------------------------------------------------------------------------


def compared(_: Any) -> C.Trainer:
    w = weight(2, 2)
    step = lambda h, x: C.element_select(C.greater(x, h), C.times(h, w), x)  # noqa: E731
    return recurrence(step, lambda k: 4 + k)


def short_sequences(_: Any) -> C.Trainer:
    w = weight(2, 2)
    return recurrence(lambda h, x: C.sin(x + C.times(h, w)), lambda _: 2)


def random_in_loop(_: Any) -> C.Trainer:
    w = weight(2, 2)
    return recurrence(lambda h, x: C.dropout(C.sin(x + C.times(h, w)), 0.2, name="noise"))


def matrix_states(_: Any) -> C.Trainer:
    s, w = C.sequence.input_variable((2, 2)), weight(2, 2)
    h = C.layers.Recurrence(lambda h, x: C.tanh(x + C.times(h, w)))(s)
    return trained(C.sequence.last(h), lambda _: {s: [np.zeros((3, 2, 2), np.float32)]})


def looks_far_back(_: Any) -> C.Trainer:
    s, w = C.sequence.input_variable(2), weight(2, 2)
    placeholder = C.placeholder()
    before = C.sequence.past_value(placeholder, time_step=2)
    h = C.tanh(C.times(s, w) + C.times(before, w))
    h.replace_placeholders({placeholder: h.output})
    return trained(C.sequence.last(h), lambda _: {s: [rows(6)]})


def two_values_read(_: Any) -> C.Trainer:
    s = C.sequence.input_variable(2)
    h = C.layers.Recurrence(C.layers.LSTM(2), return_full_state=True)(s)
    y = C.sequence.last(h.outputs[0]) + C.sequence.last(h.outputs[1])
    return trained(y, lambda _: {s: [rows(4)]})


def peepholes(_: Any) -> C.Trainer:
    return recurrence(C.layers.LSTM(2, use_peepholes=True))


def relu_unit(_: Any) -> C.Trainer:
    return recurrence(C.layers.GRU(2, activation=C.relu))


LOOPS: dict[Program, str] = {
    compared: "its calls write into memory",
    short_sequences: "sequences of fewer than 4 steps",
    random_in_loop: "Dropout 'noise' depends on the run",
    matrix_states: "its states are no vectors",
    looks_far_back: "it looks back more than one step",
    two_values_read: "more of its values are read outside than one state",
    peepholes: "no LSTM: a slice in a gate's sum",
    relu_unit: "no GRU: its state is not (1 - sigmoid(z)) * tanh(c) + sigmoid(z) * h'",
}


@pytest.mark.parametrize("program", [*STEPS, *LOOPS], ids=lambda p: p.__name__)
def test_each_reason_is_kept_and_told_once(program, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG, "cntk")
    expected = {**STEPS, **LOOPS}[program]
    explanation = explained(program(monkeypatch))
    (reason,) = [r for r in explanation.reasons if expected in r]
    assert reason in str(explanation)
    told = [r for r in caplog.records if r.name == "cntk" and r.getMessage() == reason]
    is_fault = program is failing_recording
    assert [r.levelname for r in told] == ["WARNING" if is_fault else "INFO"]
    traces = [r for r in caplog.records if r.name == "cntk" and r.exc_info is not None]
    assert bool(traces) is (is_fault or program is chosen_by_data)
    assert all(r.levelname == "DEBUG" for r in traces)


# -- what runs -------------------------------------------------------------------------------------


def test_nothing_is_told_in_a_usual_training(caplog):
    caplog.set_level(logging.DEBUG, "cntk")
    trainer = dense()
    s = C.sequence.input_variable(2)
    for cell in (C.layers.LSTM(2), C.layers.GRU(2), C.layers.RNNStep(2)):
        y = C.sequence.last(C.layers.Recurrence(cell)(s))
        sequences = trained(y, lambda _: {s: [rows(5), rows(5)]})
        assert explained(sequences).reasons == ()
    assert explained(trainer).reasons == ()
    assert [r for r in caplog.records if r.name == "cntk"] == []


def test_the_tiers_and_sizes_of_a_training():
    text = str(explained(dense(9, lambda k: 5 if k == 0 else 3)))
    assert "9 minibatches: 4 eager, 5 recorded" in text
    assert "3 samples: recorded, 5 times since; 1 thread" in text
    assert f"5 samples: eager; came 1 times of the {AFTER} before it is recorded" in text


def test_sizes_that_never_repeat():
    w = weight(2, 2)
    trainer = recurrence(lambda h, x: C.sin(x + C.times(h, w)), lambda k: 4 + k)
    text = str(explained(trainer))
    assert "8 minibatches: 8 eager, 0 recorded" in text
    assert "sequences of 8 different lengths and numbers: eager" in text
    assert "8 runs with gradients, 3 of them by recorded steps; 1 recording" in text


def test_a_watched_training_is_recorded():
    trainer = dense(2)
    x = trainer._step.inputs[0]
    with C.debugging.watch_nan(trainer):
        for _ in range(6):
            trainer.train_minibatch({x: rows(3)})
    assert "8 minibatches: 3 eager, 5 recorded" in str(explained(trainer))


def test_the_code_of_recordings_is_shown_when_asked_for():
    w = weight(2, 2)
    trainer = recurrence(lambda h, x: C.sin(x + C.times(h, w)), lambda k: 5)
    assert "def forward" not in str(explained(trainer))
    assert "# a training step of 1 sequences of 5 frames" in str(explained(trainer, code=True))
    loops = recurrence(lambda h, x: C.sin(x + C.times(h, w)), lambda k: 4 + k)
    assert "torch.ops.aten.sin.default" in str(explained(loops, code=True))


def test_a_function_that_has_not_run_is_compiled():
    x = C.input_variable(3, name="x")
    model = C.layers.Dense(2, name="d")(x)
    text = str(explained(model))
    assert "in Dense 'd': [2] on [batch]" in text and "%1 = Affine(x, W, b)" in text
    assert "fuse_bias: 1 change" in text and "only training is recorded" in text
    assert str(explained(model.output)).splitlines()[1:] == text.splitlines()[1:]


def test_a_function_of_free_dimensions_is_compiled_once_it_runs():
    x = C.input_variable(C.FreeDimension, name="x")
    y = C.exp(x)
    assert "not compiled yet" in str(explained(y))
    y.eval({x: [[1, 2, 3]]})
    assert "[3] on [batch]" in str(explained(y))


def test_an_evaluator_and_a_loop_in_it():
    s = C.sequence.input_variable(2)
    h = C.layers.Recurrence(C.layers.LSTM(2), name="r")(s)
    text = str(explained(C.eval.Evaluator(C.reduce_sum(C.sequence.last(h)))))
    assert text.startswith("evaluator ReduceElements")
    assert "the fused kernel FusedLSTM" in text


def test_threads_follow_sizes(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    x = C.input_variable(512)
    text = str(explained(C.layers.Dense(512)(x)))
    (line,) = [line for line in text.splitlines() if "where there is too little to do" in line]
    assert line.strip().startswith("1 thread for minibatches of fewer than 1,0")
    assert line.endswith("2 threads for larger ones")


def text_file(tmp_path: Path, text: str, dtype: Any = np.float32) -> C.io.MinibatchSource:
    file = tmp_path / "data.ctf"
    file.write_text(text)
    streams = C.io.StreamDefs(x=C.io.StreamDef("x", 2), y=C.io.StreamDef("y", 3, is_sparse=True))
    return C.io.MinibatchSource(C.io.CTFDeserializer(str(file), streams), randomize=False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("|x 1 2 |y 0:1\n|x 3 4 |y 1:1\n", None),
        ("|x\x0b1 2 |y 0:1\n", "lines that are not entirely regular"),
    ],
    ids=["regular", "irregular"],
)
def test_a_reader_tells_how_it_reads(text, reason, tmp_path, monkeypatch, caplog):
    # Which others may have loaded.
    monkeypatch.setattr(blocks, "compiled_module", lambda size: None)
    caplog.set_level(logging.INFO, "cntk")
    source = text_file(tmp_path, text)
    source.next_minibatch(4)
    explanation = explained(source)
    assert "data.ctf: streams x, y" in str(explanation)
    assert "compiled code: " in str(explanation)
    assert [r for r in explanation.reasons if reason and reason in r] == list(explanation.reasons)
    assert bool(explanation.reasons) is (reason is not None)
    assert [r.getMessage() for r in caplog.records] == list(explanation.reasons)


def test_a_reader_of_the_program():
    class Endless(C.io.UserMinibatchSource):
        def stream_infos(self):
            return [C.io.StreamInformation("x", 0, "dense", np.float32, (1,))]

    assert "Endless is code of the program" in str(explained(Endless()))


def test_a_function_of_placeholders_is_refused():
    with pytest.raises(ValueError, match="is a placeholder; put a variable in its place"):
        explained(C.exp(C.placeholder()))


def test_it_is_printed_and_given_back(capsys):
    x = C.input_variable(1)
    explanation = C.debugging.explain(C.exp(x))
    assert capsys.readouterr().out == f"{explanation}\n"
    assert repr(explanation).endswith(": 0 reasons>")


@pytest.mark.parametrize("target", [None, 3, "model"])
def test_anything_else_is_refused(target):
    with pytest.raises(TypeError, match="expected a function, trainer, evaluator or minibatch"):
        C.debugging.explain(target)


def test_an_input_is_refused():
    with pytest.raises(TypeError, match="computed by no function"):
        C.debugging.explain(C.input_variable(2))


# -- nothing is passed over in silence -------------------------------------------------------------

# file -> why it may pass over any exception
SWALLOWS = {
    "_graph/define.py": "annotations may be anything: what they are besides types is not ours",
}


def _broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = {"Exception", "BaseException"}
    return any(n is None or (isinstance(n, ast.Name) and n.id in broad) for n in names)


def _swallowing(tree: ast.Module) -> Iterator[int]:
    for handler in (n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)):
        does = list(ast.walk(handler))
        raises = any(isinstance(n, ast.Raise) for n in does)
        called = {n.func.attr for n in does if isinstance(n, ast.Call) and hasattr(n.func, "attr")}
        if _broad(handler) and not raises and not called & {"keep", "set_exception"}:
            yield handler.lineno


def test_no_exception_is_passed_over_in_silence():
    found = {}
    for file in sorted((SOURCE / "cntk").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if not re.search(r"except(:|.*Exception)", text):  # most files, which need not be parsed
            continue
        if lines := list(_swallowing(ast.parse(text))):
            found[file.relative_to(SOURCE / "cntk").as_posix()] = lines
    assert set(found) == set(SWALLOWS), found
