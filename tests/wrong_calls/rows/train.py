"""Wrong calls of trainers, sessions, evaluators and what reports on them."""

from __future__ import annotations

import numpy as np

import cntk as C
from cntk import logging as G
from cntk.train import distributed as D
from tests.wrong_calls.checker import Wrong, wrong
from tests.wrong_calls.nodes import something
from tests.wrong_calls.trained import X, Y, data, made, session, trainer, weight

ARRAY = np.ones((2, 3))
NAN, INFINITE = float("nan"), float("inf")
MODEL = ("x", 5, 2.5, [], {}, ARRAY)


def of_learners(learners):  # noqa: ANN001, ANN201
    """A call of Trainer with learners made of the model."""

    def call(v):  # noqa: ANN001, ANN202
        m = made()
        return C.Trainer(m.z, (m.loss, m.metric), learners(m))

    return call


def train(**options):  # noqa: ANN003, ANN201
    """A call of Function.train with one wrong argument."""

    def call(v):  # noqa: ANN001, ANN202
        m = made()
        return m.criterion.train(
            **(
                {"minibatch_source": (X, Y), "parameter_learners": [C.sgd(m.z.parameters, 0.1)]}
                | options
            )
        )

    return call


ROWS: list[Wrong] = [
    # Trainers.
    *(wrong("Trainer", lambda v, m=m: (lambda o: C.Trainer(m, o.loss, C.sgd(o.z.parameters, 0.1)))(made()), "model",
      error=TypeError)
      for m in MODEL),
    *(wrong("Trainer", lambda v, c=c: (lambda o: C.Trainer(o.z, c, C.sgd(o.z.parameters, 0.1)))(made()), "criterion|loss",
            error=(TypeError, ValueError)) for c in (None, "x", 5, [], {}, (None, None), something(), ARRAY)),
    wrong("Trainer", lambda v: (lambda o: C.Trainer(o.z, (o.loss, 5), C.sgd(o.z.parameters, 0.1)))(made()), "5|int",
      error=TypeError),
    wrong("Trainer", lambda v: (lambda o: C.Trainer(o.z, [o.loss] * 3, C.sgd(o.z.parameters, 0.1)))(made()), "3",
      error=ValueError),
    *(wrong("Trainer", of_learners(lambda m, b=b: b), "learner", error=NotImplementedError)
      for b in (None, "x", 5, [], [None], {}, ARRAY)),
    wrong("Trainer", of_learners(lambda m: C.sgd([weight()], 0.1)), "'w'", error=ValueError),
    wrong("Trainer", of_learners(lambda m: [C.sgd(m.z.parameters, 0.1)] * 2), "2 different learners", error=ValueError),
    wrong("Trainer", lambda v: C.Trainer(None, C.reduce_sum(v.w), C.sgd([v.w], 0.1)), "no input", error=ValueError),
    *(wrong("Trainer", lambda v, w=w: trainer(writers=w), "progress_writers", "ProgressPrinter", error=NotImplementedError)
      for w in ("x", 5, {}, [None], ARRAY)),
    *(wrong("train_minibatch", lambda v, a=a: trainer().train_minibatch(a), "dictionary|arguments", error=(ValueError, TypeError),
            named="data") for a in (None, "x", 5, [], ARRAY)),
    wrong("train_minibatch", lambda v: trainer().train_minibatch({5: X}), "names as keys", "int",
      error=ValueError, named="arguments"),
    wrong("train_minibatch", lambda v: trainer().train_minibatch({"q": X}), '"q"', "x, y", error=ValueError, named="variable"),
    *(wrong("train_minibatch", lambda v, b=b: (lambda m: trainer(m).train_minibatch({m.x: b, m.y: Y}))(made()), "'x'",
      error=ValueError,
            named="'x'") for b in (None, "x", [], ARRAY, [[1], [1, 2]], something())),
    wrong("train_minibatch", lambda v: (lambda m: trainer(m).train_minibatch({m.x: X}))(made()), "'y'",
      error=ValueError, named="no data"),
    *(wrong("train_minibatch", lambda v, o=o: (lambda m: trainer(m).train_minibatch(m.data, outputs=o))(made()), "outputs",
            error=ValueError, named="outputs") for o in ("x", 5, [None])),
    *(wrong("train_minibatch", lambda v, f=f: (lambda m: trainer(m).train_minibatch(m.data, is_sweep_end=f))(made()),
      "True or False",
            error=NotImplementedError) for f in ("x", 1, ARRAY)),
    wrong("train_minibatch", lambda v: (lambda m: trainer(m).train_minibatch(m.data, device="cpu"))(made()),
      error=TypeError, named="device"),
    *(wrong("test_minibatch", lambda v, a=a: trainer().test_minibatch(a), error=ValueError, named="data")
      for a in (None, "x", {}, ARRAY)),
    *(wrong("save_checkpoint", lambda v, f=f: trainer().save_checkpoint(f), "path", error=ValueError)
      for f in (None, 5, [], "a\0b", ARRAY)),
    *(wrong("restore_from_checkpoint", lambda v, f=f: trainer().restore_from_checkpoint(f), "path", error=ValueError)
      for f in (None, 5, [], "a\0b")),
    *(wrong("total_number_of_units_seen", lambda v, u=u: trainer().total_number_of_units_seen(u), "DataUnit",
      error=NotImplementedError)
      for u in (None, "x", 7, ARRAY)),
    wrong("previous_minibatch_loss_average", lambda v: trainer().previous_minibatch_loss_average, "train_minibatch",
      error=RuntimeError,
          named="no minibatch"),
    # Evaluators.
    *(wrong("Evaluator", lambda v, m=m: C.Evaluator(m), "classification_error", error=(TypeError, ValueError))
      for m in (None, *MODEL)),
    *(wrong("Evaluator", lambda v, w=w: C.Evaluator(made().metric, w), "progress_writers", error=NotImplementedError)
      for w in ("x", 5)),
    *(wrong("test_minibatch", lambda v, a=a: C.Evaluator(made().metric).test_minibatch(a), error=ValueError, named="data")
      for a in (None, "x", {}, ARRAY)),
    wrong("test_minibatch", lambda v: (lambda m: C.Evaluator(m.metric).test_minibatch(m.data, distributed="x"))(made()),
      "True or False",
          error=NotImplementedError),
    # Sessions.
    *(wrong("training_session", lambda v, o=o, b=b: session(**{o: b}), w, error=e) for o, b, w, e in (
        ("trainer", None, "trainer", ValueError), ("trainer", "x", "Trainer", TypeError), ("mb_source", None, "source",
          ValueError),
        ("mb_source", X, "MinibatchSourceFromData", TypeError), ("mb_size", None, "minibatch size", ValueError),
        ("mb_size", "x", "minibatch size", ValueError), ("mb_size", 0, "positive", ValueError), ("mb_size", -1, "positive",
          ValueError),
        ("model_inputs_to_streams", None, "which stream", ValueError), ("model_inputs_to_streams", 5, "dictionary", TypeError),
        ("max_samples", "x", "number", TypeError), ("max_samples", 0, "positive", ValueError), ("max_samples", NAN, "finite",
          TypeError),
        ("progress_frequency", "x", "frequency", TypeError), ("progress_frequency", -1, "negative", ValueError),
        ("progress_frequency", (1, "x"), "DataUnit", TypeError), ("progress_frequency", 2.5, "frequency", TypeError),
        ("checkpoint_config", "x", "CheckpointConfig", TypeError), ("cv_config", 5, "CrossValidationConfig", TypeError),
        ("test_config", {}, "TestConfig", TypeError))),
    *(wrong("CheckpointConfig", lambda v, a=a: C.CheckpointConfig(*a), w, error=e) for a, w, e in (
        ((5,), "path", NotImplementedError), (("",), "empty", ValueError), (("a\0b",), "path", ValueError), (("f", "x"),
          "frequency", TypeError),
        (("f", -1), "negative", ValueError), (("f", 1, ARRAY), "restore", ValueError), (("f", 1, True, ARRAY),
          "preserve_all", ValueError))),
    *(wrong("CrossValidationConfig", lambda v, a=a: C.CrossValidationConfig(**a), w, error=e) for a, w, e in (
        ({"minibatch_source": X}, "criterion", ValueError), ({"frequency": "x"}, "frequency", TypeError),
        ({"frequency": -1}, "negative", NotImplementedError), ({"callback": 5}, "function", TypeError),
        ({"minibatch_size": None}, "minibatch size", ValueError), ({"max_samples": -1}, "positive", NotImplementedError),
        ({"max_samples": "x"}, "number", NotImplementedError), ({"model_inputs_to_streams": 5}, "dictionary", TypeError),
        ({"minibatch_source": (X, Y), "criterion": "x"}, "criterion", TypeError))),
    *(wrong("TestConfig", lambda v, a=a: C.TestConfig(**a), w, error=e) for a, w, e in (
        ({"minibatch_source": X}, "criterion", ValueError), ({"minibatch_size": "x"}, "minibatch size", ValueError),
        ({"model_inputs_to_streams": 5}, "dictionary", TypeError), ({"minibatch_source": X, "criterion": 5}, "criterion",
          TypeError))),
    # Function.train and Function.test.
    *(wrong("train", train(**{o: b}), w, error=e, named=n) for o, b, w, e, n in (
        ("minibatch_source", None, "2 arrays", ValueError, ""), ("minibatch_source", X, "2 arrays", TypeError, ""),
        ("minibatch_source", {}, "2 arrays", ValueError, ""), ("minibatch_source", (X, None), "data", TypeError, ""),
        ("minibatch_source", (X, Y[:2]), "number of items", TypeError, "MinibatchSourceFromData"),
        ("minibatch_source", ([[1], [1, 2]], Y), "items", (TypeError, ValueError), "MinibatchSourceFromData"),
        ("parameter_learners", None, "learners", NotImplementedError, "Trainer"), ("parameter_learners", [], "learner",
          ValueError, "Trainer"),
        ("minibatch_size", None, "minibatch size", ValueError, ""), ("minibatch_size", 0, "positive", ValueError, ""),
        ("minibatch_size", "x", "minibatch size", ValueError, ""), ("streams", 5, "streams", TypeError, ""),
        ("streams", ["x"], "1 streams", (TypeError, ValueError), ""), ("model_inputs_to_streams", {"x": "y"}, "streams",
          ValueError, ""),
        ("callbacks", 5, "callbacks", TypeError, "callbacks"), ("callbacks", [None], "callbacks", TypeError, "callbacks"),
        ("progress_frequency", "x", "frequency", TypeError, ""), ("max_epochs", "x", "max_epochs", (TypeError, ValueError), ""),
        ("max_epochs", NAN, "finite", ValueError, ""), ("max_epochs", INFINITE, "finite", OverflowError, ""),
        ("epoch_size", NAN, "finite", ValueError, ""), ("epoch_size", -1, "positive", ValueError, ""),
        ("max_samples", "x", "max_samples", (TypeError, ValueError), ""), ("max_samples", NAN, "max_samples", TypeError, ""))),
    *(wrong("test", lambda v, o=o, b=b: made().criterion.test(**({"minibatch_source": (X, Y)} | {o: b})), w, error=e, named=n)
      for o, b, w, e, n in (
        ("minibatch_source", None, "2 arrays", ValueError, ""), ("minibatch_source", (X, 5), "data", TypeError, ""),
        ("minibatch_size", 0, "positive", ValueError, ""), ("streams", 5, "streams", TypeError, ""),
        ("callbacks", 5, "callbacks", TypeError, "callbacks"))),
    *(wrong("test", lambda v, m=m: made().criterion.test(data(), model_inputs_to_streams=m), "dictionary", error=TypeError)
      for m in ("x", 5, ["x", "y"])),
    # Distributed learners, in one process.
    *(wrong(n, lambda v, n=n, b=b: getattr(D, n)(b, 4), "learner", error=ValueError)
      for n in ("data_parallel_distributed_learner", "block_momentum_distributed_learner") for b in (None, "x", 5, [])),
    *(wrong("data_parallel_distributed_learner", lambda v, o=o: D.data_parallel_distributed_learner(C.sgd([v.w], 0.1), **o), *o,
            error=NotImplementedError)
      for o in ({"distributed_after": "x"}, {"distributed_after": -1}, {"num_quantization_bits": None},
        {"distributed_after": ARRAY})),
    wrong("data_parallel_distributed_learner",
          lambda v: D.data_parallel_distributed_learner(C.sgd([v.w], 0.1), use_async_buffered_parameter_update=ARRAY),
            "True or False",
          error=NotImplementedError),
    *(wrong("block_momentum_distributed_learner", lambda v, o=o: D.block_momentum_distributed_learner(C.sgd([v.w], 0.1),
      **({"block_size": 4} | o)),
            *(k for k in o if k != "block_size"), error=NotImplementedError)
      for o in ({"block_size": 0}, {"block_size": "x"}, {"block_momentum_as_time_constant": "x"}, {"use_nestrov_momentum": "x"},
                {"reset_sgd_momentum_after_aggregation": 1}, {"block_learning_rate": None}, {"distributed_after": -1})),
    # Progress writers.
    *(wrong("ProgressPrinter", lambda v, o=o, b=b: G.ProgressPrinter(**{o: b}), error=e)
      for o in ("freq", "first", "test_freq", "test_first", "distributed_freq", "distributed_first")
      for b, e in (("x", TypeError), (2.5, TypeError), (-1, OverflowError), (2**70, OverflowError))),
    *(wrong("ProgressPrinter", lambda v, o=o, b=b: G.ProgressPrinter(**{o: b}), o, error=e) for o, b, e in (
        ("log_to_file", 5, TypeError), ("log_to_file", "a\0b", ValueError), ("gen_heartbeat", ARRAY, ValueError),
        ("metric_is_pct", ARRAY, ValueError), ("tag", ARRAY, ValueError))),
    *(wrong("TensorBoardProgressWriter", lambda v, o=o, b=b: G.TensorBoardProgressWriter(**{o: b}), error=e, named="TensorBoard")
      for o, b, e in (("freq", "x", TypeError), ("freq", -1, OverflowError), ("log_dir", 5, TypeError), ("rank", ARRAY, TypeError),
                      ("model", "x", TypeError))),
    *(wrong("ProgressWriter", lambda v, b=b: G.progress_print.ProgressWriter(b), "frequenc", error=e)
      for b, e in (("x", TypeError), (-1, OverflowError))),
    *(wrong("TrainingSummaryProgressCallback", lambda v, a=a: G.TrainingSummaryProgressCallback(*a), error=TypeError)
      for a in ((4, None), (4, 5), ("x", len), (-1, len))),
    *(wrong("log_number_of_parameters", lambda v, m=m: G.log_number_of_parameters(m), "function", error=TypeError)
      for m in (None, "x", 5)),
    wrong("log_number_of_parameters", lambda v: G.log_number_of_parameters(v.f, "x"), "trace_level", error=TypeError),
    *(wrong("set_trace_level", lambda v, b=b: G.set_trace_level(b), error=(TypeError, ValueError)) for b in (None, "x", 2.5)),
]  # fmt: skip
