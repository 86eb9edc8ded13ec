"""Wrong calls of what looks into graphs, of devices, of tools and of contributed packages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

import cntk as C
from cntk import debugging, device
from cntk.contrib.deeprl.agent import agent_factory, random_agent
from cntk.contrib.deeprl.agent.shared import (
    cntk_utils,
    customized_models,
    discretize,
    models,
    policy_gradient_parameters as gradients,
    preprocessing,
    qlearning_parameters,
    replay_memory,
)
from cntk.contrib.netopt import custom_convolution_ops as bits, factorization, quantization
from cntk.logging import graph
from cntk.misc import converter, optimized_rnnstack_converter
from tests.wrong_calls.checker import Wrong, wrong
from tests.wrong_calls.nodes import something

ARRAY = np.ones((2, 3))
NAN = float("nan")
OBJECTS = (None, "x", 5, [], ARRAY)
PY = C.cntk_py

ROWS: list[Wrong] = [
    # Graphs.
    *(wrong(n, lambda v, n=n, a=a, o=o: getattr(graph, n)(o, *a), "function", error=TypeError)
      for n, a in (("depth_first_search", (bool,)), ("find_all_with_name", ("x",)), ("find_by_name", ("x",)), ("find_by_uid",
        ("x",)),
                   ("get_node_outputs", ()), ("plot", ())) for o in OBJECTS),
    *(wrong("depth_first_search", lambda v, f=f: graph.depth_first_search(v.f, f), "visitor", error=TypeError) for f in OBJECTS),
    *(wrong("depth_first_search", lambda v, d=d: graph.depth_first_search(v.f, bool, d), "depth", error=TypeError)
      for d in (None, "x", [])),
    *(wrong("find_by_name", lambda v, n=n: graph.find_by_name(v.f, n), "node_name", "string", error=ValueError)
      for n in (None, 5, [], ARRAY)),
    *(wrong("find_by_uid", lambda v, n=n: graph.find_by_uid(v.f, n), "node_uid", "string", error=ValueError)
      for n in (None, 5, [])),
    wrong("find_by_name", lambda v: graph.find_by_name(C.plus(C.plus(v.x, 1, name="p"), 2, name="p"), "p"), "2 nodes",
      error=ValueError),
    *(wrong("plot", lambda v, f=f: graph.plot(v.f, f), "path|suffix|svg", error=(TypeError, ValueError))
      for f in (5, NAN, ARRAY, "f.txt")),
    # Debugging.
    *(wrong("dump_function", lambda v, o=o: debugging.dump_function(o), "function", error=TypeError) for o in OBJECTS),
    *(wrong("debug_model", lambda v, o=o: debugging.debug_model(o), "one output", error=TypeError) for o in OBJECTS),
    wrong("debug_model", lambda v: debugging.debug_model(v.f, 5), "in_stream", error=TypeError),
    wrong("debug_model", lambda v: debugging.debug_model(v.f, exit_func=5), "exit_func", error=TypeError),
    *(wrong("save_as_legacy_model", lambda v, o=o: debugging.save_as_legacy_model(o, "f"), "function", error=TypeError)
      for o in OBJECTS),
    *(wrong("save_as_legacy_model", lambda v, f=f: debugging.save_as_legacy_model(v.f, f), "path", error=TypeError)
      for f in (None, 5, "a\0b")),
    *(wrong(n, lambda v, n=n, b=b: getattr(debugging, n)(b), "True or False", error=TypeError)
      for n, b in (("set_checked_mode", None), ("set_checked_mode", 1), ("set_node_timing", ARRAY))),
    *(wrong("set_computation_network_trace_level", lambda v, b=b: debugging.set_computation_network_trace_level(b), "integer",
            error=TypeError) for b in (None, "x", 2.5, ARRAY)),
    *(wrong("force_deterministic", lambda v, b=b: debugging.force_deterministic(b), "seed", error=e)
      for b, e in ((None, TypeError), ("x", TypeError), (2.5, TypeError), (-1, OverflowError), (2**70, OverflowError),
        (ARRAY, TypeError))),
    *(wrong("start_profiler", lambda v, o=o: debugging.start_profiler(**o), *o, error=(TypeError, ValueError))
      for o in ({"dir": None}, {"dir": 5}, {"reserve_mem": "x"}, {"reserve_mem": -1}, {"sync_gpu": ARRAY})),
    # Devices.
    *(wrong("gpu", lambda v, n=n: C.gpu(n), error=e)
      for n, e in ((None, TypeError), ("a", TypeError), (2.5, TypeError), ([], TypeError), (-1, ValueError), (10**6,
        ValueError))),
    *(wrong("get_gpu_properties", lambda v, d=d: device.get_gpu_properties(d), "device", error=TypeError) for d in OBJECTS),
    wrong("get_gpu_properties", lambda v: device.get_gpu_properties(C.cpu()), "CPU", error=ValueError),
    *(wrong("try_set_default_device", lambda v, d=d: C.try_set_default_device(d), r"cntk\.cpu\(\)", error=NotImplementedError)
      for d in (*OBJECTS, "cpu", something())),
    wrong("try_set_default_device", lambda v: C.try_set_default_device(C.cpu(), "x"), "True or False", error=NotImplementedError),
    *(wrong("set_excluded_devices", lambda v, d=d: device.set_excluded_devices(d), "list of devices", error=TypeError)
      for d in (None, "x", 5, [None], ARRAY)),
    # What programs reach past the public face.
    *(wrong(n, lambda v, n=n, b=b: getattr(PY, n)(b), "seed", error=e) for n in ("set_fixed_random_seed", "reset_random_seed")
      for b, e in ((None, TypeError), ("x", TypeError), (2.5, TypeError), (-1, OverflowError), (2**70, OverflowError))),
    *(wrong(n, lambda v, n=n, b=b: getattr(PY, n)(b), "True or False", error=TypeError)
      for n, b in (("use_sparse_gradient_aggregation_in_data_parallel_sgd", "x"), ("set_dropout_compatibility", ARRAY))),
    *(wrong(n, lambda v, n=n, b=b: getattr(PY, n)(b), "level", "integer", error=TypeError)
      for n in ("set_gpumemory_allocation_trace_level", "set_math_lib_trace_level") for b in (None, "x", 2.5)),
    # Converters.
    *(wrong("convert", lambda v, o=o: converter.convert(o, bool, bool), "function", error=TypeError) for o in OBJECTS),
    wrong("convert", lambda v: converter.convert(v.f, 5, bool), "filter", error=TypeError),
    wrong("convert", lambda v: converter.convert(v.f, bool, "x"), "converter", error=TypeError),
    *(wrong("convert_optimized_rnnstack", lambda v, o=o: optimized_rnnstack_converter.convert_optimized_rnnstack(o), "function",
            error=TypeError) for o in OBJECTS),
    *(wrong("factor_dense", lambda v, o=o: factorization.factor_dense(o, len), "model", error=TypeError) for o in OBJECTS),
    wrong("factor_dense", lambda v: factorization.factor_dense(v.f), "projection_function", error=ValueError),
    *(wrong("factor_dense", lambda v, o=o: factorization.factor_dense(v.f, **({"projection_function": len} | o)), *o,
      error=TypeError)
      for o in ({"projection_function": 5}, {"filter_function": "x"}, {"factor_function": 5})),
    wrong("factor_dense", lambda v: factorization.factor_dense(C.layers.Dense(2)(v.x), lambda W: "x"), "projection_function",
      "'x'",
          error=ValueError),
    *(wrong("svd_subprojection", lambda v, a=a: factorization.svd_subprojection(*a), error=TypeError)
      for a in ((None, 1), ("x", 1), ([[1], [1, 2]], 1), (ARRAY, "x"), (ARRAY, 2.5))),
    *(wrong("dense_factored", lambda v, o=o: factorization.dense_factored(**({"shapes": (2, 2)} | o)), *o,
      error=(ValueError, TypeError))
      for o in ({"shapes": None}, {"shapes": (2,)}, {"shapes": "xy"}, {"init": None}, {"init": {}}, {"bias": ARRAY},
        {"activation": "x"})),
    *(wrong(n, lambda v, n=n, a=a, o=o: getattr(quantization, n)(o, *a), "model", error=TypeError) for n, a in (
        ("convert_to_binary_convolution", ()), ("binarize_convolution", (len,))) for o in OBJECTS),
    *(wrong("convert_to_native_binary_convolution", lambda v, o=o: quantization.convert_to_native_binary_convolution(o),
      "function",
            error=TypeError, named="convert") for o in (None, "x")),
    wrong("convert_to_binary_convolution", lambda v: quantization.convert_to_binary_convolution(v.f, 5), "filter_function",
      error=TypeError),
    wrong("binarize_convolution", lambda v: quantization.binarize_convolution(v.f, "x"), "train_function", error=ValueError),
    *(wrong("binary_convolution", lambda v, o=o: quantization.binary_convolution(**({"filter_shape": (3, 3)} | o)), *o,
      error=ValueError)
      for o in ({"filter_shape": None}, {"filter_shape": 0}, {"num_filters": "x"}, {"channels": -1}, {"strides": 0},
        {"strides": "x"},
                {"pad": ARRAY}, {"init": "x"}, {"name": 5})),
    *(wrong(n, lambda v, n=n, o=o: getattr(bits, n)(o, 1), "variable", error=TypeError)
      for n in ("CustomMultibit", "CustomMultibitKernel") for o in OBJECTS),
    *(wrong("CustomMultibit", lambda v, b=b: bits.CustomMultibit(v.x, b), "bit_map", error=(TypeError, ValueError))
      for b in (None, "x", [1], ARRAY)),
    wrong("CustomMultibit", lambda v: bits.CustomMultibit(v.x, 1, ARRAY), "mean_bits", error=ValueError),
    # Agents.
    *(wrong("ReplayMemory", lambda v, n=n: replay_memory.ReplayMemory(n), error=(TypeError, ValueError), named="replay memory")
      for n in (None, "x", 2.5, 0, -1)),
    wrong("ReplayMemory", lambda v: replay_memory.ReplayMemory(4, ARRAY), "prioritized", error=ValueError),
    *(wrong("SlidingWindow", lambda v, a=a: preprocessing.SlidingWindow(*a), error=(TypeError, ValueError))
      for a in ((None,), ("x",), (-1,), ((2,), None), ((2,), "x"), ((2,), 0), ((2,), 4, "x"))),
    *(wrong("AtariPreprocessing", lambda v, a=a: preprocessing.AtariPreprocessing(*a), error=(TypeError, ValueError))
      for a in ((None,), ("x",), ((210, 160, 3), "x"), ((210, 160, 3), 0))),
    *(wrong(n, lambda v, n=n: getattr(models.Models, n)((2,), 2, 5), error=(TypeError, ValueError), named="layers")
      for n in ("feedforward_network", "dueling_network")),
    wrong("feedforward_network", lambda v: models.Models.feedforward_network((2,), 2, "[2]", "x"),
      error=TypeError, named="loss_function"),
    wrong("conv_dqn", lambda v: customized_models.conv_dqn((4, 84, 84), 2, 5), error=TypeError, named="loss_function"),
    *(wrong(c.__name__, lambda v, c=c, f=f: c(f), "path", error=TypeError, named="configuration")
      for c in (qlearning_parameters.QLearningParameters, gradients.PolicyGradientParameters) for f in (None, 5, b"x", [None])),
    wrong("make_agent", lambda v: agent_factory.make_agent(None, SimpleNamespace(n=2), SimpleNamespace(n=2)), "path",
      error=TypeError,
          named="configuration"),
    wrong("make_agent", lambda v: agent_factory.make_agent("", SimpleNamespace(n=2), None), "discrete",
      error=ValueError, named="RandomAgent"),
    *(wrong(n, lambda v, n=n, b=b, k=k: getattr(cntk_utils, n)(*[b] * k), "operand", error=ValueError)
      for n, k in (("huber_loss", 2), ("negative_of_entropy_with_softmax", 1)) for b in (None, "x", [])),
    *(wrong("BoxSpaceDiscretizer", lambda v, b=b: discretize.BoxSpaceDiscretizer(b, 10), "box", error=ValueError)
      for b in OBJECTS),
    *(wrong(n, lambda v, n=n, b=b: getattr(bits, n)(b), "operand", error=TypeError) for n in ("CustomSign", "CustomPySign")
      for b in (None, "x", [])),
    *(wrong("RandomAgent", lambda v, b=b: random_agent.RandomAgent(SimpleNamespace(n=2), b), "discrete", error=ValueError)
      for b in (None, "x", 5)),
    # Samples.
    *(wrong("install_samples", lambda v, a=a: C.sample_installer.install_samples(*a), error=(TypeError, ValueError))
      for a in ((5,), ("x",), ("file:///f.zip", 5), ("file:///f.zip", "a\0b"), ("file:///f.zip", "no_such_folder", ARRAY))),
]  # fmt: skip
