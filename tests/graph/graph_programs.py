"""Functions of the public vocabulary on some operands, and what their graphs look like.

The module is read by Python 3.6 too, where the original runs: `record_graphs.py` writes down the
graphs there, and `test_graphs.py` compares. A row is a builder, called with the `cntk` module; the
layers of `tests.layers` are rows as well.
"""

import functools
import re

import numpy as np

from tests.layers.layer_cases import applied
from tests.layers.layer_tables import CASES as LAYERS

BATCH, SEQUENCE = "x", "s"


def operand(C, kind, shape, place):
    """An input of a shape: with a batch axis, or a sequence axis too."""
    make = C.input_variable if kind == BATCH else C.sequence.input_variable
    return make(shape, needs_gradient=True, name=kind + str(place))


def function_at(C, path):
    """A public function by its path, such as ``sequence.first``."""
    return functools.reduce(getattr, path.split("."), C)


def call(path, *shapes, **options):
    """A row that calls a public function with inputs of these shapes.

    Args:
        path: where the function is, such as ``sequence.first``.
        *shapes: shapes of inputs with a batch axis; after an ``"s"`` of inputs with a sequence
            axis.
        **options: ``after``: further positional arguments. All others are passed on.
    """
    after = options.pop("after", ())

    def build(C):
        kind, operands = BATCH, []
        for shape in shapes:
            if isinstance(shape, str):
                kind = shape
            else:
                operands.append(operand(C, kind, shape, len(operands)))
        given = {k: v(C) if callable(v) else v for k, v in options.items()}
        return function_at(C, path)(*(operands + list(after)), **given)

    return build


def axis_of(name):
    return lambda C: getattr(C.Axis, name)()


UNARY = """
    abs acos alias asin asinh atan atanh ceil cos cosh element_not elu exp floor leaky_relu log negate ones_like reciprocal
    relu round selu sigmoid sin sinh softplus softsign sqrt square stop_gradient straight_through_impl tan tanh zeros_like
"""
BINARY = """
    element_and element_divide element_max element_min element_or element_times element_xor equal greater greater_equal
    less less_equal log_add_exp mean minus not_equal param_relu plus pow squared_error sum binary_cross_entropy
    cosine_distance
"""
REDUCTIONS = """
    reduce_l1 reduce_l2 reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod reduce_sum reduce_sum_square
"""
ALONG = "argmax argmin softmax log_softmax".split()
ONE = {"name": "it"}

CASES = {}
for _name in UNARY.split():
    CASES[_name] = call(_name, (3, 4))
    CASES[_name + ", named, on sequences"] = call(_name, SEQUENCE, (3,), **ONE)
for _name in BINARY.split():
    CASES[_name] = call(_name, (3, 4), (3, 4))
    CASES[_name + ", named, on sequences"] = call(_name, SEQUENCE, (3,), (3,), **ONE)
for _name in (
    "plus minus element_times element_divide pow log_add_exp element_max less equal element_and "
    "mean sum"
).split():
    CASES[_name + " a number"] = call(_name, (3,), after=(2.5,))
    CASES[_name + " an array"] = call(_name, (3,), after=(np.array([1, 2, 3], np.float32),))
for _name in "plus element_times mean sum element_max log_add_exp".split():
    CASES[_name + " of three"] = call(_name, (3,), (3,), (3,), **ONE)
for _name in REDUCTIONS.split():
    for _label, _options in (
        ("all", {}),
        ("one axis", {"axis": 1}),
        ("a last axis", {"axis": -1, "keepdims": False}),
        ("two axes", {"axis": (0, 2)}),
        ("two axes without them", {"axis": (-1, 0), "keepdims": False, "name": "it"}),
        ("a list of one axis", {"axis": [1]}),
        ("all static axes", {"axis": axis_of("all_static_axes")}),
        ("all axes", {"axis": axis_of("all_axes")}),
        ("the batch", {"axis": axis_of("default_batch_axis")}),
        ("the batch and an axis", {"axis": lambda C: [C.Axis.default_batch_axis(), 1]}),
    ):
        CASES[f"{_name} over {_label}"] = call(_name, (2, 3, 4), **_options)
    CASES[_name + " over a sequence"] = call(
        _name, SEQUENCE, (2, 3), axis=axis_of("default_dynamic_axis")
    )
    CASES[_name + " over a sequence and an axis"] = call(
        _name, SEQUENCE, (2, 3), axis=lambda C: [C.Axis.default_dynamic_axis(), 0]
    )
for _name in ALONG:
    CASES[_name] = call(_name, (3, 4))
    CASES[_name + " along an axis"] = call(_name, (3, 4), axis=0, **ONE)
    CASES[_name + " along the last axis"] = call(_name, (3, 4), axis=-1)

CASES.update({
    "hardmax": call("hardmax", (3, 4), **ONE),
    "elu with alpha": call("elu", (3,), alpha=0.5, **ONE),
    "selu with numbers": call("selu", (3,), scale=2.0, alpha=0.25, **ONE),
    "leaky relu with alpha": call("leaky_relu", (3,), after=(0.1,), **ONE),
    "hard sigmoid": call("hard_sigmoid", (3,), after=(0.2, 0.5), **ONE),
    "softplus with steepness": call("softplus", (3,), steepness=2, **ONE),
    "softsign with steepness": call("softsign", (3,), steepness=2, **ONE),
    "clip": call("clip", (3,), after=(-1, 1), **ONE),
    "clip by inputs": call("clip", (3,), (3,), (3,), **ONE),
    "cast": call("cast", (3,), after=(np.float64,), **ONE),
    "eye like": call("eye_like", SEQUENCE, (3,), sparse_output=False, **ONE),
    "dropout": call("dropout", (3,), dropout_rate=0.25, seed=5, **ONE),
    "dropout of its own seed": call("dropout", (3,), dropout_rate=0.25),
    "select": call("element_select", (3,), (3,), (3,), **ONE),
    "assign": lambda C: C.assign(C.parameter((3,), name="held"), C.input_variable(3, dynamic_axes=[], name="x"), name="it"),
    "slice": call("slice", (4, 5), after=(1, 1, 3), **ONE),
    "slice, strides": call("slice", (4, 5), after=(1, 0, 5), strides=2),
    "slice of two axes": call("slice", (4, 5), after=([0, 1], [1, 0], [3, 4]), **ONE),
    "slice of a "
    "sequence": lambda C: C.slice(operand(C, SEQUENCE, (3,), 0), C.Axis.default_dynamic_axis(), 0, 1, name="it"),
    "slice of a sequence, "
    "some": lambda C: C.slice(operand(C, SEQUENCE, (3,), 0), C.Axis.default_dynamic_axis(), 1, -1),
    "splice": call("splice", (3, 4), (3, 4), axis=0, **ONE),
    "splice along the last axis": call("splice", (3, 4), (3, 4)),
    "splice along a new axis": call("splice", (3, 4), (3, 4), axis=axis_of("new_leading_axis")),
    "reshape": call("reshape", (3, 4), after=((4, 3),), **ONE),
    "reshape with an open axis": call("reshape", (3, 4), after=((2, -1),)),
    "reshape from an axis": call("reshape", (3, 4, 5), after=((20,), 1), **ONE),
    "transpose": call("transpose", (3, 4, 5), after=((2, 0, 1),), **ONE),
    "transpose, backwards": call("transpose", (3, 4), after=((-1, -2),)),
    "swapaxes": call("swapaxes", (3, 4, 5), after=(0, 2), **ONE),
    "pad": call("pad", (3, 4), after=([(0, 1), (2, 0)],), constant_value=1.5, **ONE),
    "pad by mirror": call("pad", (3, 4), after=([(0, 1), (2, 0)], 1)),
    "expand dims": call("expand_dims", (3, 4), after=(1,), **ONE),
    "expand dims at the end": call("expand_dims", (3, 4), after=(-1,)),
    "squeeze": call("squeeze", (3, 1, 4), after=([1],), **ONE),
    "squeeze all": call("squeeze", (1, 3, 1)),
    "flatten": call("flatten", (2, 3, 4), **ONE),
    "flatten at an axis": call("flatten", (2, 3, 4), axis=1, **ONE),
    "flatten at the end": call("flatten", (2, 3, 4), axis=-1),
    "gather": lambda C: C.gather(C.parameter((5, 2), name="table"), operand(C, BATCH, (3,), 0), name="it"),
    "gather along an axis": lambda C: C.gather(
        C.parameter((5, 2), name="table"), operand(C, BATCH, (3,), 0), axis=1, name="it"
    ),
    "gather from an "
    "array": lambda C: C.gather(np.ones((5, 2), np.float32), operand(C, BATCH, (3,), 0)),
    "one hot": call("one_hot", (3,), after=(6,), **ONE),
    "one hot, sparse, first axis": call("one_hot", (3,), after=(6, True, 0)),
    "top k": call("top_k", (3, 6), after=(2,), **ONE),
    "top k along an axis": call("top_k", (6, 3), after=(2,), axis=0),
    "depth to space": call("depth_to_space", (8, 3, 5), after=(2,), **ONE),
    "space to depth": call("space_to_depth", (2, 4, 6), after=(2,), **ONE),
    "combine": lambda C: C.combine([operand(C, BATCH, (3,), 0) + 1, operand(C, BATCH, (2,), 1)], name="it"),
    "crop by offsets": call("crop_manual", (1, 5, 6), (1, 3, 4), after=(1, 2), **ONE),
    "reconcile": call("reconcile_dynamic_axes", SEQUENCE, (3,), (2,), **ONE),
    "unpack batch": call("unpack_batch", (3,), **ONE),
    "to batch": lambda C: C.to_batch(C.parameter((4, 3), name="p"), name="it"),
    "to sequence": call("to_sequence", (4, 3), **ONE),
    "to sequence by "
    "lengths": call("to_sequence", (4, 3), (), sequence_axis_name_prefix="mine_", **ONE),
    "to sequence like": call("to_sequence_like", (4, 3), SEQUENCE, (2,), **ONE),
    "image scaler": call("image_scaler", (3, 4, 5), after=(2.0, [1.0, 2.0, 3.0]), **ONE),
    "local response "
    "normalization": call("local_response_normalization", (3, 4, 5), after=(1, 1.0, 0.1, 0.75), **ONE),
    "mean variance normalization": call("mean_variance_normalization", (3, 4, 5), **ONE),
    "mean variance normalization across": call(
        "mean_variance_normalization", (3, 4, 5), epsilon=0.1, use_stats_across_channels=True, name="it"
    ),
    "mean normalization": call("mean_variance_normalization", (3, 4, 5), do_variance_scaling=False),
    "per dim normalization": call(
        "per_dim_mean_variance_normalize", (3,), after=(np.ones(3, np.float32), np.ones(3, np.float32)), **ONE
    ),
    "times": call("times", (3, 4), (4, 5), **ONE),
    "times of rank 2": call("times", (3, 4), (4, 5, 2), output_rank=2),
    "times of axes kept": call("times", (3, 4), (4, 5), infer_input_rank_to_map=1),
    "times transpose": call("times_transpose", (3, 4), (5, 4), **ONE),
    "convolution": lambda C: C.convolution(C.parameter((4, 3, 2, 3), name="W"), operand(C, BATCH, (3, 5, 6), 0), name="it"),
    "convolution, more": lambda C: C.convolution(
        C.parameter((4, 1, 2, 3), name="W"), operand(C, BATCH, (2, 5, 6), 0), strides=(2, 1), auto_padding=[False, True, False],
        groups=2, max_temp_mem_size_in_samples=3,
    ),
    "convolution of sequences": lambda C: C.convolution(
        C.parameter((4, 3, 3), name="W"), operand(C, SEQUENCE, (3,), 0), sequential=True, name="it"
    ),
    "convolution of sequences, unpadded": lambda C: C.convolution(
        C.parameter((4, 3, 3), name="W"), operand(C, SEQUENCE, (3,), 0), sequential=True, auto_padding=[False], strides=2
    ),
    "transposed convolution": lambda C: C.convolution_transpose(
        C.parameter((3, 4, 2, 3), name="W"), operand(C, BATCH, (3, 5, 6), 0), strides=(2, 2), auto_padding=[False], name="it"
    ),
    "pooling": lambda C: C.pooling(operand(C, BATCH, (3, 5, 6), 0), C.MAX_POOLING, (2, 3), strides=(1, 2), name="it"),
    "average pooling": lambda C: C.pooling(
        operand(C, BATCH, (3, 5, 6), 0), C.AVG_POOLING, (2, 3), auto_padding=[True], ceil_out_dim=True, include_pad=True
    ),
    "unpooling": lambda C: C.unpooling(
        C.pooling(operand(C, BATCH, (3, 4, 6), 0), C.MAX_POOLING, (2, 2), (2, 2)), operand(C, BATCH, (3, 4, 6), 1),
        C.MAX_UNPOOLING, (2, 2), (2, 2), name="it",
    ),
    "roi pooling": lambda C: C.roipooling(
        operand(C, BATCH, (3, 5, 6), 0), operand(C, BATCH, (2, 4), 1), C.MAX_POOLING, (2, 2), 0.5, name="it"
    ),
    "batch normalization": lambda C: C.batch_normalization(
        operand(C, BATCH, (3, 4), 0), C.parameter(3, name="scale"), C.parameter(3, name="bias"), C.constant(0, (3,), name="mean"),
        C.constant(0, (3,), name="variance"), spatial=True, normalization_time_constant=10, epsilon=0.5,
        running_count=C.constant(0, name="count"), name="it",
    ),
    "rnn stack": lambda C: C.optimized_rnnstack(
        operand(C, SEQUENCE, (3,), 0), C.parameter((C.InferredDimension, 2), name="W"), 2, 1, recurrent_op="rnnTanh", name="it"
    ),
    "cross entropy": call("cross_entropy_with_softmax", (4,), (4,), **ONE),
    "cross entropy along an "
    "axis": call("cross_entropy_with_softmax", (4, 3), (4, 3), axis=0, **ONE),
    "classification error": call("classification_error", (4,), (4,), **ONE),
    "classification error among two": call("classification_error", (4,), (4,), topN=2),
    "classification error along an "
    "axis": call("classification_error", (4, 3), (4, 3), axis=0, **ONE),
    "weighted binary cross entropy": call("weighted_binary_cross_entropy", (3,), (3,), (3,), **ONE),
    "negative samples": call("cosine_distance_with_negative_samples", (3,), (3,), after=(1, 2), **ONE),
    "lambda rank": call("losses.lambda_rank", (1,), (1,), (1,), **ONE),
    "ndcg": call("ndcg_at_1", (1,), (1,), (1,), **ONE),
    "f measure": call("losses.fmeasure", (3,), (3,)),
    "f measure with beta": call("losses.fmeasure", (3,), (3,), beta=2),
    "nce": lambda C: C.losses.nce_loss(
        C.parameter((5, 3), name="W"), C.parameter(5, name="b"), operand(C, BATCH, (3,), 0),
        C.input_variable(5, is_sparse=True, name="label"), np.full(5, 0.2), num_samples=2, seed=3, name="it",
    ),
    "hierarchical softmax": lambda C: C.losses.hierarchical_softmax_layer(
        operand(C, BATCH, (3,), 0), operand(C, BATCH, (1,), 1), 6
    )[0],
    "edit distance": call("edit_distance_error", SEQUENCE, (4,), (4,), after=(2, 1, 3, True, [1]), **ONE),
    "forward backward": lambda C: C.forward_backward(
        C.labels_to_graph(operand(C, SEQUENCE, (4,), 0)), operand(C, SEQUENCE, (4,), 1), 3, 2, name="it"
    ),
    "random sample": call("random_sample", after=(np.ones(4, np.float32), 2, True, 3), **ONE),
    "inclusion frequency": call("random_sample_inclusion_frequency", after=(np.ones(4, np.float32), 2, False, 3), **ONE),
})  # fmt: skip
for _name, _arguments in (
    ("uniform", (-1.0, 2.0)),
    ("normal", (1.0, 2.0)),
    ("gumbel", (1.0, 2.0)),
    ("bernoulli", (0.25,)),
):
    _first = ((2, 3), np.float32) + _arguments
    CASES["random " + _name] = call("random." + _name, after=_first, seed=4, **ONE)
    CASES[f"random {_name} like"] = call(f"random.{_name}_like", (3,), after=_arguments, **ONE)
for _name in "first last is_first is_last reduce_max reduce_sum softmax where".split():
    CASES["sequence " + _name] = call(
        "sequence." + _name, SEQUENCE, () if _name == "where" else (3,), **ONE
    )
CASES.update({
    "sequence delay": call("sequence.delay", SEQUENCE, (3,)),
    "sequence delay by "
    "two": call("sequence.delay", SEQUENCE, (3,), initial_state=0.5, time_step=2, **ONE),
    "sequence delay ahead": call("sequence.delay", SEQUENCE, (3,), time_step=-1, **ONE),
    "sequence delay by none": call("sequence.delay", SEQUENCE, (3,), time_step=0, **ONE),
    "past value": call("sequence.past_value", SEQUENCE, (3,), initial_state=0.5, time_step=2, **ONE),
    "future value": call("sequence.future_value", SEQUENCE, (3,), **ONE),
    "sequence gather": call("sequence.gather", SEQUENCE, (3,), (), **ONE),
    "sequence gather, known length": call(
        "sequence.gather", SEQUENCE, (3,), (), new_sequence_axis_typeinfo=(0, 1), **ONE
    ),
    "sequence scatter": lambda C: C.sequence.scatter(
        C.sequence.gather(operand(C, SEQUENCE, (3,), 0), operand(C, SEQUENCE, (), 1)), operand(C, SEQUENCE, (), 2), name="it"
    ),
    "sequence slice": call("sequence.slice", SEQUENCE, (3,), after=(1, 3), **ONE),
    "sequence slice from the end": call("sequence.slice", SEQUENCE, (3,), after=(-2, 0)),
    "sequence slice of one": call("sequence.slice", SEQUENCE, (3,), after=(0, 1)),
    "sequence slice of all": call("sequence.slice", SEQUENCE, (3,), after=(0, 0)),
    "sequence slice to the last": call("sequence.slice", SEQUENCE, (3,), after=(1, -1)),
    "sequence unpack": call("sequence.unpack", SEQUENCE, (3,), after=(0.5,), **ONE),
    "sequence unpack without a "
    "mask": call("sequence.unpack", SEQUENCE, (3,), after=(0, True), **ONE),
    "broadcast": call("sequence.broadcast_as", (2,), SEQUENCE, (3,), **ONE),
    "broadcast a constant": lambda C: C.sequence.broadcast_as(1.0, operand(C, SEQUENCE, (3,), 0)),
    "alias of a function": lambda C: C.alias(operand(C, BATCH, (3,), 0) + 1, name="it"),
    "block of a function": lambda C: block_function(C)(operand(C, BATCH, (3,), 0)),
    "block in a "
    "block": lambda C: block_function(C, lambda z: C.leaky_relu(block_function(C)(z)))(operand(C, BATCH, (3,), 0)),
    "clone of leaky "
    "relu": lambda C: C.leaky_relu(operand(C, BATCH, (3,), 0), 0.1, name="it").clone("clone"),
    "leaky relu, put together "
    "later": lambda C: C.leaky_relu(C.placeholder(name="later"), 0.1).replace_placeholder(
        operand(C, BATCH, (3,), 0)
    ),
    "slice of a sequence, put together "
    "later": lambda C: C.sequence.slice(C.placeholder(name="later"), 1, 3).replace_placeholder(
        operand(C, SEQUENCE, (3,), 0)
    ),
    "reduction, put together "
    "later": lambda C: C.reduce_mean(C.placeholder(name="later"), (0, 1)).replace_placeholder(
        operand(C, BATCH, (3, 4), 0)
    ),
    "flatten, put together "
    "later": lambda C: C.flatten(C.placeholder(name="later"), 1).replace_placeholder(
        operand(C, BATCH, (3, 4), 0)
    ),
})  # fmt: skip


def block_function(C, body=None):
    @C.BlockFunction("Mine", "mine")
    def mine(z):
        return body(z) if body else z * C.sigmoid(z)

    return mine


def layer_row(case):
    return lambda C: applied(C, case)[1]


CASES.update({"layer: " + _key: layer_row(_case) for _key, _case in LAYERS.items()})


def built(C, name):
    """A row's function, with automatic seeds started afresh."""
    C.cntk_py.reset_random_seed(1)
    return CASES[name](C)


def facts(C, function, with_attributes=True):
    """The graph of a function as lines, and what a search through it finds."""
    searched = C.logging.graph.depth_first_search(function, lambda node: True, depth=-1)
    return {
        "graph": Drawing(C, with_attributes).drawn(function.root_function),
        "search": [
            node.op_name if isinstance(node, C.Function) else leaf_text(node) for node in searched
        ],
        "constants": [list(v.shape) for v in function.constants],
        "parameters": [v.name for v in function.parameters],
    }


class Drawing:
    """A graph as lines, one an operation, the root first; what is inside a block follows it,
    further right.
    """

    def __init__(self, C, with_attributes):
        self.C, self.with_attributes = C, with_attributes
        self.lines, self.labels, self.values = [], {}, {}

    def drawn(self, root, depth=0):
        """Add the lines of a graph."""
        waiting = []
        self.label(root, waiting)
        self.values.update(
            {v.uid: v.value for v in self.C.as_composite(root).constants if v.shape == ()}
        )
        while waiting:
            function = waiting.pop(0)
            operands = ", ".join(self.operand(v, waiting) for v in function.inputs)
            line = "{}{} = {} {!r}".format(
                "  " * depth, self.labels[function.uid], function.op_name, function.name
            )
            attributes = attributes_text(function) if self.with_attributes else "{}"
            self.lines.append(f"{line} {attributes}({operands})")
            if function.is_block:
                for inner, outer in function.block_arguments_mapping:
                    self.lines[-1] += f" {inner.name!r}"
                    self.labels[inner.uid] = self.operand(outer, [])
                self.drawn(function.block_root, depth + 1)
        return self.lines

    def label(self, function, waiting):
        """A number for a function; a new one is to be drawn."""
        if function.uid not in self.labels:
            self.labels[function.uid] = f"%{len(self.labels)}"
            waiting.append(function)
        return self.labels[function.uid]

    def operand(self, v, waiting):
        """What an operand is called."""
        if v.uid in self.labels:
            return self.labels[v.uid]
        if v.uid in self.values:
            return " ".join(filter(None, ["constant", v.name, f"{float(self.values[v.uid]):.6g}"]))
        if not v.is_output:
            return leaf_text(v)
        owner = v.owner.root_function
        place = [w.uid for w in owner.outputs].index(v.uid)
        return self.label(owner, waiting) + (f".{place}" if place else "")


def leaf_text(v):
    """A variable that nothing computes: its kind, name and shape."""
    kind = next(
        kind
        for kind in ("parameter", "constant", "placeholder", "input", "output")
        if getattr(v, "is_" + kind)
    )
    name = "" if kind == "placeholder" else v.name
    return " ".join(filter(None, [kind, name, str(list(v.shape)).replace(" ", "")]))


def attributes_text(function):
    """A function's attributes, as files have them; without the running numbers in names of axes."""
    found = dict(function.attributes)
    text = ", ".join(f"{key}: {plain(found[key])}" for key in sorted(found))
    return "{" + re.sub(r"([A-Z][A-Za-z]+)\d+((_Output_\d+)?')", r"\1#\2", text) + "}"


def plain(value):
    """An attribute's value in Python's own types."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "dimensions"):
        return list(value.dimensions)
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value if isinstance(value, (bool, int, str)) else str(value)
