"""Right calls of all operations, from which wrong ones are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import cntk as C
from tests.wrong_calls.generated import Right

UNARY = (
    "eye_like gelu mean_variance_normalization softplus softsign squeeze argmax argmin cumsum "
    "flatten reduce_l1 reduce_l2 reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod "
    "reduce_sum reduce_sum_square dropout unpack_batch"
).split()
SEQUENCE = (
    "first last is_first is_last reduce_max reduce_mean reduce_sum reverse length position "
    "positional_encoding softmax"
).split()
FIRST = {"mean_variance_normalization": "operand"}


def _unary(name: str) -> Right:
    node = {"eye_like": "w", "square": "x"}.get(name, "x")
    return Right(name, lambda v: {FIRST.get(name, "x"): getattr(v, node)}, KINDS_OF.get(name, {}))


KINDS_OF: dict[str, Mapping[str, str]] = {
    "dropout": {"dropout_rate": "share"},
    "squeeze": {"axes": "axis"},
    "cumsum": {"axis": "axis"},
}


def _pooling(v: Any) -> dict[str, Any]:
    return {"operand": v.image, "pooling_type": C.MAX_POOLING, "pooling_window_shape": (2, 2)}


RIGHT: list[Right] = [
    *map(_unary, UNARY),
    Right("element_divide", lambda v: {"left": v.x, "right": v.y}),
    *(Right(f"sequence.{name}", lambda v: {"seq": v.s}) for name in SEQUENCE),
    *(Right(name, lambda v: {"operands": [v.x, v.y]}) for name in ("sum", "mean")),
    Right(
        "splice",
        lambda v: {"inputs": [v.x, v.y]},
        accepts={"axis=-99": "axes before the first, as in the original"},
    ),
    Right("combine", lambda v: {"operands": [v.x, v.y]}),
    Right(
        "as_composite",
        lambda v: {"root_function": v.f.root_function},
        {"root_function": "function"},
    ),
    Right("assign", lambda v: {"ref": v.w, "input": np.ones((3, 2), "f")}, {"ref": "holder"}),
    Right(
        "batchmatmul",
        lambda v: {"left": C.reshape(v.m, (1, 3, 4)), "right": C.reshape(v.m, (1, 4, 3))},
    ),
    Right(
        "batch_normalization",
        lambda v: {
            "operand": v.x,
            "scale": C.parameter(3, init=1),
            "bias": C.parameter(3),
            "running_mean": C.constant(0, 3),
            "running_inv_std": C.constant(0, 3),
            "spatial": False,
            "running_count": C.constant(0),
        },
        dict.fromkeys(("scale", "bias", "running_mean", "running_inv_std"), "operand"),
    ),
    Right("cast", lambda v: {"node_input": v.x, "dtype": np.float64}),
    Right(
        "clip",
        lambda v: {"x": v.x, "min_value": 0, "max_value": 1},
        {"min_value": "operand", "max_value": "operand"},
    ),
    Right("constant", lambda v: {"value": 1, "shape": 2}, {"value": "operand"}),
    Right("parameter", lambda v: {"shape": 2}, {"init": "operand"}),
    Right(
        "placeholder",
        lambda v: {},
        {"dynamic_axes": "axes"},
        {"shape=text": "its name alone, as old programs give it"},
    ),
    Right(
        "input_variable",
        lambda v: {"shape": 2},
        {"dynamic_axes": "axes"},
        {"dynamic_axes=texts": "names of axes"},
    ),
    Right(
        "sequence.input_variable",
        lambda v: {"shape": 2},
        {"sequence_axis": "axis"},
        {"sequence_axis=text": "the name of an axis"},
    ),
    Right(
        "output_variable",
        lambda v: {"shape": 2, "dtype": np.float32, "dynamic_axes": [C.Axis.default_batch_axis()]},
        {"dynamic_axes": "axes"},
    ),
    Right(
        "convolution",
        lambda v: {"convolution_map": v.kernel, "operand": v.image},
        {
            "convolution_map": "operand",
            "reduction_rank": "count",
            "groups": "count",
            "max_temp_mem_size_in_samples": "count",
        },
    ),
    Right(
        "convolution_transpose",
        lambda v: {"convolution_map": C.parameter((2, 4, 3, 3), init=1), "operand": v.image},
        {
            "convolution_map": "operand",
            "output_shape": "sizes",
            "reduction_rank": "count",
            "max_temp_mem_size_in_samples": "count",
        },
        {"output_shape=0": "as none: the size that follows"},
    ),
    Right("pooling", _pooling, {"pooling_type": "one of", "pooling_window_shape": "sizes"}),
    Right(
        "unpooling",
        lambda v: {
            "operand": v.pooled,
            "pooling_input": v.image,
            "unpooling_type": C.MAX_UNPOOLING,
            "unpooling_window_shape": (2, 2),
            "strides": (2, 2),
        },
        {"pooling_input": "operand", "unpooling_type": "one of", "unpooling_window_shape": "sizes"},
    ),
    Right(
        "roipooling",
        lambda v: {
            "operand": v.image,
            "rois": C.input_variable((5, 4), name="rois"),
            "pooling_type": C.MAX_POOLING,
            "roi_output_shape": (2, 2),
            "spatial_scale": 0.5,
        },
        {"rois": "operand", "pooling_type": "one of", "roi_output_shape": "sizes"},
    ),
    Right(
        "crop_manual",
        lambda v: {"node_input": v.image, "node_referent": v.pooled, "offset_x": 1, "offset_y": 1},
    ),
    Right(
        "crop_automatic",
        lambda v: {"node_input": v.image, "node_referent": C.pooling(v.image, 0, (3, 3))},
    ),
    Right("delay", lambda v: {"x": v.s}, {"initial_state": "any"}),
    Right("past_value", lambda v: {"x": v.s}, {"initial_state": "any", "time_step": "count"}),
    Right("future_value", lambda v: {"x": v.s}, {"initial_state": "any", "time_step": "count"}),
    Right(
        "depth_to_space",
        lambda v: {"operand": C.reshape(v.image, (8, 3, 3)), "block_size": 2},
        {"block_size": "count"},
    ),
    Right(
        "space_to_depth", lambda v: {"operand": v.image, "block_size": 2}, {"block_size": "count"}
    ),
    Right("einsum", lambda v: {"equation": "i,i->", "operands": [v.x, v.y]}),
    Right(
        "element_select",
        lambda v: {"flag": v.x, "value_if_true": v.y, "value_if_false": v.x},
        {"flag": "operand"},
    ),
    Right("expand_dims", lambda v: {"x": v.x, "axis": 0}),
    Right("gather", lambda v: {"reference": v.w, "indices": v.x}),
    Right("hard_sigmoid", lambda v: {"x": v.x, "alpha": 0.2, "beta": 0.5}),
    Right(
        "image_scaler",
        lambda v: {"x": v.image, "scalar": 1.0, "biases": [0, 0]},
        {"biases": "flags"},
    ),
    Right(
        "layer_normalization",
        lambda v: {"x": v.x, "scale": [1, 1, 1], "bias": [0, 0, 0]},
        {"scale": "operand", "bias": "operand"},
    ),
    Right(
        "local_response_normalization",
        lambda v: {"operand": v.image, "depth_radius": 1, "bias": 1.0, "alpha": 1.0, "beta": 0.5},
        {"depth_radius": "count"},
    ),
    Right("one_hot", lambda v: {"x": v.x, "num_classes": 4}, {"num_classes": "count"}),
    Right(
        "optimized_rnnstack",
        lambda v: {
            "operand": v.s,
            "weights": C.parameter((C.InferredDimension, 4)),
            "hidden_size": 4,
            "num_layers": 1,
        },
        {"hidden_size": "count", "num_layers": "count"},
    ),
    Right("pad", lambda v: {"x": v.x, "pattern": [(1, 1)]}, {"mode": "one of", "pattern": "sizes"}),
    Right("param_relu", lambda v: {"alpha": C.parameter(3), "x": v.x}, {"alpha": "operand"}),
    Right(
        "per_dim_mean_variance_normalize",
        lambda v: {"operand": v.x, "mean": [0, 0, 0], "inv_stddev": [1, 1, 1]},
        {"mean": "operand", "inv_stddev": "operand"},
    ),
    Right(
        "random_sample",
        lambda v: {"weights": [1, 2, 3], "num_samples": 2, "allow_duplicates": True},
        {"num_samples": "count"},
    ),
    Right(
        "random_sample_inclusion_frequency",
        lambda v: {"weights": [1, 2, 3], "num_samples": 2, "allow_duplicates": True},
        {"num_samples": "count"},
    ),
    Right(
        "reconcile_dynamic_axes",
        lambda v: {"x": v.r, "dynamic_axes_as": v.s},
        {"dynamic_axes_as": "operand"},
    ),
    Right(
        "reshape", lambda v: {"x": v.m, "shape": (12,)}, {"begin_axis": "axis", "end_axis": "axis"}
    ),
    Right(
        "slice",
        lambda v: {"x": v.x, "axis": 0, "begin_index": 0, "end_index": 2},
        {"begin_index": "integer", "end_index": "integer"},
    ),
    Right("swapaxes", lambda v: {"x": v.m}, {"axis1": "axis", "axis2": "axis"}),
    Right("times", lambda v: {"left": v.x, "right": v.w}, {"output_rank": "count"}),
    Right("times_transpose", lambda v: {"left": v.x, "right": v.y}),
    Right("to_batch", lambda v: {"x": v.w}),
    Right("to_sequence", lambda v: {"x": v.m}, {"sequence_lengths": "any"}),
    Right(
        "to_sequence_like",
        lambda v: {"x": C.sequence.unpack(v.s, 0, True), "dynamic_axes_like": v.s},
        {"dynamic_axes_like": "operand"},
    ),
    Right("top_k", lambda v: {"x": v.x, "k": 2}, {"k": "count"}),
    Right("transpose", lambda v: {"x": v.m, "perm": (1, 0)}, {"perm": "sizes"}),
    Right(
        "sequence.broadcast_as",
        lambda v: {"operand": v.x, "broadcast_as_operand": v.s},
        {"broadcast_as_operand": "operand"},
    ),
    Right("sequence.delay", lambda v: {"x": v.s}, {"initial_state": "any"}),
    Right(
        "sequence.past_value", lambda v: {"x": v.s}, {"initial_state": "any", "time_step": "count"}
    ),
    Right(
        "sequence.future_value",
        lambda v: {"x": v.s},
        {"initial_state": "any", "time_step": "count"},
    ),
    Right(
        "sequence.gather",
        lambda v: {"seq": v.s, "condition": v.flag},
        {"new_sequence_axis_typeinfo": "any"},
    ),
    Right(
        "sequence.scatter",
        lambda v: {"seq": C.sequence.gather(v.s, v.flag), "condition": v.flag},
        {"new_sequence_axis_typeinfo": "any"},
    ),
    Right("sequence.join", lambda v: {"a": v.s, "b": v.r}),
    Right("sequence.slice", lambda v: {"seq": v.s, "begin_index": 0, "end_index": 1}),
    Right("sequence.stride", lambda v: {"seq": v.s, "step": 2}, {"step": "count"}),
    Right("sequence.unpack", lambda v: {"x": v.s, "padding_value": 0}),
    Right("sequence.where", lambda v: {"condition": v.flag}),
    Right("sequence.window", lambda v: {"seq": v.s, "size": 2}, {"size": "count"}),
    Right(
        "sequence.scaled_dot_product_attention",
        lambda v: {"query": v.s, "key": v.s, "value": v.s},
        {"dropout_rate": "share", "scale": "number"},
    ),
    *(
        Right(
            f"random.{name}",
            lambda v: {"shape": 3},
            {"mean": "share"} if name == "bernoulli" else {},
        )
        for name in ("uniform", "normal", "gumbel", "bernoulli")
    ),
    *(
        Right(
            f"random.{name}_like",
            lambda v: {"x": v.x},
            {"mean": "share"} if name == "bernoulli" else {},
        )
        for name in ("uniform", "normal", "gumbel", "bernoulli")
    ),
    Right("labels_to_graph", lambda v: {"labels": v.s}, {"labels": "operand"}),
    Right(
        "forward_backward",
        lambda v: {"graph": C.labels_to_graph(v.s), "features": v.q, "blankTokenId": 2},
        {"graph": "operand", "features": "operand"},
    ),
    Right(
        "custom_proxy_op",
        lambda v: {
            "custom_op": "mine",
            "output_shape": (3,),
            "output_data_type": np.float32,
            "operands": [v.x],
        },
        {"output_shape": "shape", "output_data_type": "dtype"},
    ),
    Right(
        "as_block",
        lambda v: {
            "composite": v.of_p,
            "block_arguments_map": [(v.p, v.x)],
            "block_op_name": "mine",
        },
        {"composite": "function", "block_arguments_map": "iterable of nodes"},
    ),
]
