"""Names that libraries import though they are not public: they are where the original has them, and
do what it does.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py
from cntk.initializer import Initializer
from cntk.internal import native_names
from cntk.internal.names import NAMES, name_in

# As the original has them, by module.
OF_THE_ORIGINAL = {
    "cntk.layers.blocks": (
        "_inject_name _initializer_for _INFERRED _get_initial_state_or_default _as_tuple "
        "_RecurrentBlock"
    ),
    "cntk.layers.layers": "_initializer_for _INFERRED _as_tuple _pad_to_shape _window",
    "cntk.layers.typing": "_as_tuple",
    "cntk.ops.functions": (
        "_as_tuple _py_dict_to_cntk_dict _to_cntk_dict_value _value_as_sequence_or_array"
    ),
    "cntk.train.trainer": "_py_dict_to_cntk_dict _value_as_sequence_or_array",
    "cntk.train.training_session": "_as_tuple",
    "cntk.io": "_py_dict_to_cntk_dict",
    "cntk.layers.higher_order_layers": "_inject_name",
    "cntk.layers.models.attention": "_inject_name",
    "cntk.layers.sequence": (
        "_santize_step_function _sanitize_function _get_initial_state_or_default _inject_name "
        "RecurrenceFrom"
    ),
    "cntk.internal": "_as_tuple",
    "cntk.internal.sanitize": "_as_tuple",
    "cntk.learners": "_infer_learning_rate_schedule_and_ref_minibatch_size "
    "_infer_learning_parameter_schedule _verify_momentum_type _verify_learning_rate_type "
    "_infer_ref_minibatch_size_from_legacy_use_mean_gradient _prepare_training_parameter_list",
    "cntk.cntk_py": "AdditionalLearningOptions SizeTWrapper Learner sgd_learner "
    "momentum_sgd_learner nesterov_learner ada_grad_learner ada_delta_learner adam_learner "
    "fsada_grad_learner rmsprop_learner universal_learner",
    "cntk.misc": "convert convert_optimized_rnnstack",
}


def named(module: str, name: str):
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", OF_THE_ORIGINAL)
def test_names_are_where_the_original_has_them(module):
    for name in OF_THE_ORIGINAL[module].split():
        assert named(module, name) is not None


def test_the_table_says_what_modules_hand_out():
    for module, names in NAMES.items():
        for name, value in names.items():
            assert named(module, name) is value
        with pytest.raises(AttributeError, match="has no attribute '_nothing'"):
            name_in(module, "_nothing")
        assert not hasattr(importlib.import_module(module), "_nothing")
        assert not hasattr(importlib.import_module(module), "nothing")


def test_windows():
    sizes, window = (
        named("cntk.layers.layers", "_pad_to_shape"),
        named("cntk.layers.layers", "_window"),
    )
    assert (sizes((3, 3), 1, "s"), sizes((3, 3), (1, 2), "s"), sizes((3,), True, "s")) == (
        (1, 1),
        (1, 2),
        (True,),
    )
    with pytest.raises(ValueError, match="strides parameter"):
        sizes((3, 3, 3), (1, 2), "strides")
    x = C.sequence.input_variable(3)
    for state, edge in ((None, 0), (9, 9)):
        found = window(x, 0, -1, 2, 1, 1, initial_state=state).eval(
            {x: [np.arange(6, dtype="f").reshape(2, 3)]}
        )
        ends = [edge] * 3
        assert found[0].tolist() == [[*ends, 0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, *ends]]
    with pytest.raises(NotImplementedError):
        window(x, 0, -1, 2, 1, 2)


RECURRENT = {
    "LSTM": [("b", (12,)), ("W", (-1, 12)), ("H", (3, 12))],
    "GRU": [("b", (9,)), ("W", (-1, 9)), ("H", (3, 6)), ("H1", (3, 3))],
    "RNNStep": [("W", (-1, 3)), ("H", (3, 3)), ("b", (3,))],
}


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_blocks(kind):
    made = named("cntk.layers.blocks", "_RecurrentBlock")(
        kind, 3, None, C.tanh, False, 0.1, 0, False, name="step"
    )
    assert [(p.name, p.shape) for p in made.parameters] == RECURRENT[kind] and made.name == "step"
    with pytest.raises(KeyError):
        named("cntk.layers.blocks", "_RecurrentBlock")(
            "RNNUnit", 3, None, C.tanh, False, 0.1, 0, False
        )


def test_lists_of_values():
    pairs = named("cntk.learners", "_prepare_training_parameter_list")
    assert (pairs([0.1, 0.2]), pairs([(2, 0.1), 0.2]), pairs(0.5)) == (
        [(1, 0.1), (1, 0.2)],
        [(2, 0.1), (1, 0.2)],
        0.5,
    )


@pytest.mark.parametrize("name", native_names.names())
def test_names_of_the_native_layer(name):
    assert getattr(cntk_py, name) is not None
    assert not hasattr(cntk_py, f"{name}_")


def test_native_names_do_what_public_ones_do():
    from cntk.cntk_py import re_lu, square

    x = C.input_variable(2)
    for make, expected in ((square, [[9, 4]]), (re_lu, [[0, 2]])):
        assert (
            make(x, "q").name == "q"
            and make(x).eval({x: np.array([[-3, 2]], "f")}).tolist() == expected
        )
    assert isinstance(RATE, cntk_py.training_double_parameter_schedule) and not isinstance(
        1, cntk_py.Evaluator
    )
    assert cntk_py.training_double_parameter_schedule(0.1)[0] == 0.1
    sizes = cntk_py.minibatch_size_schedule(3)
    assert sizes[0] == 3 and isinstance(sizes, cntk_py.minibatch_size_schedule)
    assert isinstance(C.train.minibatch_size_schedule(3), cntk_py.minibatch_size_schedule)
    assert [C.constant(1).kind(), C.parameter(2).kind(), x.kind()] == [
        cntk_py.VariableKind_Constant, cntk_py.VariableKind_Parameter, cntk_py.VariableKind_Input,
    ]  # fmt: skip
    assert (x.has_batch_axis(), x.has_sequence_axis(), x.as_string()) == (True, False, repr(x))
    assert C.parameter((2,), init=3).get_value().asarray().tolist() == [3, 3]
    cntk_py.use_sparse_gradient_aggregation_in_data_parallel_sgd(False)
    assert cntk_py.should_use_sparse_gradient_aggregation_in_data_parallel_sgd() is False


def test_tuples():
    as_tuple = named("cntk.internal", "_as_tuple")
    for value, expected in (
        (1, (1,)),
        ((1, 2), (1, 2)),
        ([1, 2], (1, 2)),
        ("ab", ("ab",)),
        (1.5, (1.5,)),
        (range(2), (0, 1)),
        ({1: 2}, (1,)),
    ):
        assert as_tuple(value) == expected
    assert as_tuple(np.array([1, 2])) == (1, 2)
    with pytest.raises(TypeError):
        as_tuple(None)
    assert named("cntk.layers.blocks", "_INFERRED") == (-1,)


def test_names_are_given():
    inject = named("cntk.layers.blocks", "_inject_name")
    x = C.input_variable(2, name="x")
    f = C.relu(x, name="a")
    assert inject(f, "") is f and inject(f, "b").name == "b"
    assert str(inject(f, "b")) == "b: Composite(x: Tensor[2]) -> Tensor[2]"
    assert (
        str(inject(C.combine([f, x * 1]), "q"))
        == "q: Composite(x: Tensor[2]) -> Tuple[Tensor[2], Tensor[2]]"
    )
    with pytest.raises(NotImplementedError):
        inject(x, "b")


def test_first_values_and_states():
    first = named("cntk.layers.blocks", "_initializer_for")
    given, array = C.glorot_uniform(), np.ones(2)
    assert isinstance(first(3), Initializer) and isinstance(first(0.5), Initializer)
    assert first(given) is given and first(array) is array
    assert first(given, {"output_rank": 1}) != given
    for wrong, kind in ((None, ValueError), ("a", NotImplementedError)):
        with pytest.raises(kind):
            first(wrong)
    state = named("cntk.layers.sequence", "_get_initial_state_or_default")
    x = C.input_variable(2)
    assert state(x) is x and state(array) is array
    assert (state(None).shape, state(None).value.tolist()) == ((), 0)
    assert (state(3).shape, state(3).value.tolist()) == ((1,), [3])


def test_steps_are_functions():
    step = named("cntk.layers.sequence", "_santize_step_function")
    cell, several = C.layers.LSTM(2), [C.relu]
    assert step(cell) is cell and step(several) is several
    assert str(step(lambda a, b: a + b)).startswith("Plus(a: ")


PER_SAMPLE = C.learning_rate_schedule(0.1, C.UnitType.sample)
# Whether the mean gradient is asked for, the learner's size, the rate; the schedule's size and the
# learner's.
SIZES = [
    (None, None, 0.1, 0, None),
    (None, None, C.learning_parameter_schedule(0.1, minibatch_size=3), 3, None),
    (None, None, PER_SAMPLE, 1, None),
    (None, 0, 0.1, 0, 0),
    (None, 5, [0.1, 0.2], 5, 5),
    (None, 5, C.learning_parameter_schedule(0.1), 5, 5),
    (None, 5, C.learning_parameter_schedule(0.1, minibatch_size=3), 3, 5),
    (False, 5, PER_SAMPLE, 1, 5),
    (None, 5, C.learning_rate_schedule(0.1, C.UnitType.minibatch), 0, 5),
    (True, None, 0.1, 0, 0),
    (True, None, PER_SAMPLE, 0, 0),
    (True, 5, PER_SAMPLE, 0, 5),
    (True, 5, 0.1, 5, 5),
]


@pytest.mark.parametrize(("mean", "size", "rate", "of_schedule", "of_learner"), SIZES)
def test_reference_sizes(mean, size, rate, of_schedule, of_learner):
    infer = named("cntk.learners", "_infer_learning_rate_schedule_and_ref_minibatch_size")
    schedule, found = infer(mean, size, rate, None)
    assert (schedule[0], schedule.minibatch_size, found) == (0.1, of_schedule, of_learner)


def test_schedules_are_asked_for():
    named("cntk.learners", "_verify_momentum_type")(C.momentum_schedule(0.9))
    for name in ("_verify_momentum_type", "_verify_learning_rate_type"):
        for wrong in (0.9, "a"):
            with pytest.raises(ValueError, match="expected a schedule"):
                named("cntk.learners", name)(wrong)
    with pytest.raises(ValueError, match="training schedule"):
        named("cntk.learners", "_infer_learning_parameter_schedule")("a", 1, None)


RATE, M, V = (
    C.learning_parameter_schedule(0.05),
    C.momentum_schedule(0.9),
    C.momentum_schedule(0.99),
)


def options() -> cntk_py.AdditionalLearningOptions:
    made = cntk_py.AdditionalLearningOptions()
    made.l1_regularization_weight, made.l2_regularization_weight = 0.01, 0.1
    made.gradient_clipping_threshold_per_sample, made.gradient_clipping_with_truncation = 0.3, False
    made.dict_options["MinibatchSize"] = cntk_py.SizeTWrapper(1).value
    return made


# The loss of the fourth minibatch, from the original.
NATIVE = [
    (lambda p: cntk_py.sgd_learner(p, RATE), 0.92694),
    (lambda p: cntk_py.sgd_learner(p, RATE, options()), 1.91419),
    (lambda p: cntk_py.momentum_sgd_learner(p, RATE, M), 1.68467),
    (lambda p: cntk_py.momentum_sgd_learner(p, RATE, M, False), 1.06338),
    (lambda p: cntk_py.momentum_sgd_learner(p, RATE, M, True, options()), 2.11015),
    (lambda p: cntk_py.nesterov_learner(p, RATE, M), 1.53368),
    (lambda p: cntk_py.nesterov_learner(p, RATE, M, False, options()), 1.60194),
    (lambda p: cntk_py.ada_grad_learner(p, RATE), 1.48462),
    (lambda p: cntk_py.ada_grad_learner(p, RATE, False), 1.96543),
    (lambda p: cntk_py.ada_delta_learner(p, RATE), 2.16653),
    (lambda p: cntk_py.ada_delta_learner(p, RATE, 0.9, 1e-6), 2.16570),
    (lambda p: cntk_py.adam_learner(p, RATE, M), 1.90520),
    (lambda p: cntk_py.adam_learner(p, RATE, M, False, V, 1e-4, False), 1.06758),
    (lambda p: cntk_py.adam_learner(p, RATE, M, True, V, 1e-8, True, options()), 1.89919),
    (lambda p: cntk_py.fsada_grad_learner(p, RATE, M), 2.07407),
    (lambda p: cntk_py.fsada_grad_learner(p, RATE, M, False, V), 1.57406),
    (lambda p: cntk_py.rmsprop_learner(p, RATE, 0.9, 1.2, 0.7, 10.0, 0.1), 1.39301),
    (lambda p: cntk_py.rmsprop_learner(p, RATE, 0.9, 1.2, 0.7, 10.0, 0.1, False), 2.13112),
]


@pytest.mark.parametrize(("make", "loss"), NATIVE)
def test_learners_of_the_native_layer(make, loss):
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, init=0.5)(x)
    trainer = C.Trainer(z, (C.squared_error(z, y), None), [make(z.parameters)])
    for _ in range(4):
        trainer.train_minibatch(
            {x: np.array([[1, 2], [3, 1], [0, 1]], "f"), y: np.array([[1], [0], [2]], "f")}
        )
    assert trainer.previous_minibatch_loss_average == pytest.approx(loss, abs=2e-5)


@pytest.mark.parametrize(("size", "sees_the_mean"), [(0, True), (2, False)])
def test_reference_size_of_the_native_layer(size, sees_the_mean):
    made, w = cntk_py.AdditionalLearningOptions(), C.parameter((2, 1), init=0.5)
    made.dict_options[cntk_py.Learner._MINIBATCH_SIZE] = cntk_py.SizeTWrapper(size)
    learner = cntk_py.sgd_learner([w], C.learning_parameter_schedule_per_sample(0.1), made)
    assert (learner.minibatch_size, learner.is_compatible_mode()) == (size, sees_the_mean)
    x = C.input_variable(2)
    loss = C.reduce_sum(C.square(C.times(x, w)))
    C.Trainer(loss, (loss, None), [learner]).train_minibatch(
        {x: np.array([[1, 2], [3, 1], [0, 1]], "f")}
    )
    np.testing.assert_allclose(w.value, [[-1], [-0.6]], atol=1e-6)  # as the original's


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: cntk_py.sgd_learner([C.parameter(2)], 0.1),
        lambda: cntk_py.momentum_sgd_learner([C.parameter(2)], RATE, 0.9),
        lambda: cntk_py.adam_learner([C.parameter(2)], RATE, M, True, 0.9),
        lambda: cntk_py.sgd_learner([C.parameter(2)], RATE, {}),
        lambda: cntk_py.SizeTWrapper("a"),
        lambda: cntk_py.SizeTWrapper(1.5),
    ],
)
def test_the_native_layer_takes_nothing_else(misuse):
    with pytest.raises(NotImplementedError):
        misuse()
