"""Profiles, traces of what operations compute, dumps of graphs, and fixed seeds."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import cntk as C
from cntk import debugging


def model():
    x, y = C.input_variable(2, name="x"), C.input_variable(1, name="y")
    z = C.layers.Dense(1, init=0.5, name="d")(x)
    return C.Trainer(z, C.squared_error(z, y), C.sgd(z.parameters, 0.1)), {x: [[1, 2]], y: [[1]]}


@pytest.fixture
def no_trace():
    yield
    debugging.set_computation_network_trace_level(0)
    debugging.stop_profiler()


def test_a_profile_is_a_trace_for_chrome(tmp_path, no_trace):
    trainer, data = model()
    debugging.start_profiler(tmp_path / "p", True)
    trainer.train_minibatch(data)  # not enabled yet
    debugging.enable_profiler()
    debugging.enable_profiler()
    trainer.train_minibatch(data)
    debugging.disable_profiler()
    trainer.train_minibatch(data)
    debugging.enable_profiler()
    C.exp(C.constant([1.0])).eval()
    debugging.stop_profiler()
    debugging.stop_profiler()
    names = sorted(path.name[20:] for path in (tmp_path / "p").iterdir())
    assert names == ["detail_.json", "detail_1.json", "summary_.txt"]
    first, second = (
        {e["name"] for e in json.loads(p.read_text())["traceEvents"]}
        for p in sorted((tmp_path / "p").glob("*.json"))
    )
    assert any("aten::" in name for name in first)
    assert "aten::exp" in second - first
    (summary,) = (tmp_path / "p").glob("*.txt")
    assert "aten::exp" in summary.read_text()


def test_a_profile_that_was_not_enabled_is_empty(tmp_path, no_trace):
    for call in (debugging.enable_profiler, debugging.disable_profiler, debugging.stop_profiler):
        assert call() is None  # nothing has been started
    debugging.start_profiler(str(tmp_path))
    with pytest.raises(RuntimeError, match="call stop_profiler first"):
        debugging.start_profiler(str(tmp_path))
    debugging.stop_profiler()
    (trace,) = tmp_path.glob("*.json")
    assert json.loads(trace.read_text()) == {"traceEvents": []}
    with pytest.raises(TypeError, match="the path of a folder"):
        debugging.start_profiler(3)
    with pytest.raises(ValueError, match="reserve_mem"):
        debugging.start_profiler("p", True, -1)


def test_trace_levels(capsys, no_trace):
    trainer, data = model()
    told = {}
    for level in (0, 1, 1000, 1000000):
        debugging.set_computation_network_trace_level(level)
        trainer.train_minibatch(data)
        told[level] = capsys.readouterr().err
    assert told[0] == ""
    assert "forward Minus" in told[1] and "sum" not in told[1]
    assert "absolute sum" in told[1000] and "backward" in told[1000]
    assert len(told[1000000].splitlines()) > len(told[1000].splitlines())
    with pytest.raises(TypeError, match="level: expected an integer"):
        debugging.set_computation_network_trace_level("a")


def test_steps_that_are_recorded_are_told_too(capsys, no_trace):
    trainer, data = model()
    for _ in range(45):
        trainer.train_minibatch(data)
    debugging.set_computation_network_trace_level(1)
    trainer.train_minibatch(data)
    assert "forward" in capsys.readouterr().err


def test_a_recurrence_as_the_original_dumps_it(capsys):
    s = C.layers.Recurrence(C.layers.RNNStep(2), name="rr")(C.sequence.input_variable(2, name="s"))
    debugging.dump_function(s)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for line in lines:  # uids are others in each process
        if line[0] == "Input":
            line.pop(2)
    assert [" ".join(line) for line in lines] == [
        "rr: Composite(s: Sequence[Tensor[2]]) -> Sequence[Tensor[2]]",
        "Axis defaultDynamicAxis == n*",
        "NoOp rr (a:[b*,n*](2,)) -> (rr:[b*,n*](2,))",
        "RNNStep b (W:(2, 2), H:(2, 2), b:(2,), c:[b*,n*](2,), s:[b*,n*](2,)) -> (a:[b*,n*](2,))",
        "PastValue d (a:[b*,n*](2,), e:(1,)) -> (c:[b*,n*](2,))",
        "Constant e (1,)",
        "Input s [b*,n*](2,)",
        "StableSigmoid f (h:[b*,n*](2,)) -> (g:[b*,n*](2,))",
        "Plus i (j:[b*,n*](2,), b:(2,)) -> (h:[b*,n*](2,))",
        "Plus k (l:[b*,n*](2,), m:[b*,n*](2,)) -> (j:[b*,n*](2,))",
        "Times n (s:[b*,n*](2,), W:(2, 2)) -> (l:[b*,n*](2,))",
        "Parameter W (2, 2)",
        "Times o (p:[b*,n*](2,), H:(2, 2)) -> (m:[b*,n*](2,))",
        "Parameter H (2, 2)",
        "Parameter b (2,)",
    ]


def test_dumps(capsys):
    dense = C.layers.Dense(3, name="d")(C.input_variable(2, name="x"))
    debugging.dump_signature(dense, "tag")
    assert capsys.readouterr().out == "d: Dense(x: Tensor[2]) -> Tensor[3]\n"
    debugging.dump_function(C.layers.Dense(2))
    assert "(W:(-1, 2), b:(2,), x:[?](-2,)) -> (b:[?](-2,))" in capsys.readouterr().out
    with pytest.raises(TypeError, match="expected a function, got 3"):
        debugging.dump_function(3)


def test_force_deterministic():
    before = torch.are_deterministic_algorithms_enabled()
    try:
        drawn = []
        for _ in range(2):
            debugging.force_deterministic(5)
            drawn.append(C.random.uniform((3,)).eval())
        np.testing.assert_array_equal(*drawn)
        assert C.cntk_py.should_force_deterministic_algorithms()
    finally:
        C.cntk_py.reset_random_seed(0)
        torch.use_deterministic_algorithms(before)
    for seed, error in (("a", TypeError), (2.5, TypeError), (None, TypeError), (-1, OverflowError)):
        with pytest.raises(error, match="force_deterministic"):
            debugging.force_deterministic(seed)


def test_switches_of_the_native_layer():
    native = C.cntk_py
    assert (native.number_of_workers(), native.worker_global_rank()) == (1, 0)
    for name in (
        "forward_values_sharing",
        "gradient_accumulation_optimization",
        "cpueval_optimization",
    ):
        assert (
            getattr(native, f"enable_{name}")() is None
            and getattr(native, f"disable_{name}")() is None
        )
    native.set_math_lib_trace_level(0)
    native.set_gpumemory_allocation_trace_level(0)


@pytest.mark.parametrize("value", [1, 0, None, "on"], ids=str)
def test_checked_mode_is_on_or_off(value):
    with pytest.raises(TypeError, match="expected True or False"):
        debugging.set_checked_mode(value)
