"""The builders that a description's steps name: public functions, and small programs where one
needs more than a call.
"""

import numpy as np

import cntk as C

AXES = {
    "batch": C.Axis.default_batch_axis,
    "sequence": C.Axis.default_dynamic_axis,
    "all": C.Axis.all_axes,
    "all_static": C.Axis.all_static_axes,
    "new_leading": C.Axis.new_leading_axis,
}
FORMATS = {"float16": np.float16, "float32": np.float32, "float64": np.float64}


def decoded(value):
    """An attribute as the function wants it: JSON has no axes and no number formats."""
    if isinstance(value, dict):
        return AXES[value["axis"]]() if "axis" in value else FORMATS[value["format"]]
    return [decoded(x) for x in value] if isinstance(value, list) else value


def public(path):
    """The builder that calls a public function, for instance `sequence.first`."""

    def build(*operands, **attributes):
        function = C
        for name in path.split("."):
            function = getattr(function, name)
        given = {key: decoded(value) for key, value in attributes.items()}
        extra = given.pop("arguments", [])
        return function(*(list(operands) + extra), **given)

    return build


ELEMENTWISE = """
    abs acos alias asin asinh atan atanh ceil clip cos cosh elu exp floor hard_sigmoid leaky_relu log negate param_relu
    reciprocal relu round selu sigmoid sin sinh softplus softsign sqrt square tan tanh stop_gradient
    straight_through_impl zeros_like ones_like eye_like cast dropout plus minus element_times element_divide pow
    log_add_exp element_max element_min sum mean equal not_equal less less_equal greater greater_equal element_and
    element_or element_xor element_not element_select per_dim_mean_variance_normalize
"""  # noqa: E501
REDUCTIONS = """
    reduce_l1 reduce_l2 reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod reduce_sum reduce_sum_square
    argmax argmin softmax log_softmax hardmax
"""  # noqa: E501
ARRANGEMENTS = """
    slice splice reshape transpose swapaxes pad gather one_hot top_k squeeze expand_dims flatten depth_to_space
    space_to_depth combine crop_manual reconcile_dynamic_axes unpack_batch to_batch to_sequence to_sequence_like
    image_scaler
"""  # noqa: E501
NETWORKS = """
    times times_transpose convolution convolution_transpose pooling unpooling roipooling batch_normalization
    local_response_normalization mean_variance_normalization optimized_rnnstack
"""  # noqa: E501
SEQUENCES = """
    sequence.broadcast_as sequence.delay sequence.first sequence.future_value sequence.gather sequence.is_first
    sequence.is_last sequence.last sequence.past_value sequence.reduce_max sequence.reduce_sum sequence.scatter
    sequence.slice sequence.softmax sequence.unpack sequence.where
"""  # noqa: E501
RANDOM = """
    random.uniform random.normal random.gumbel random.bernoulli random.uniform_like random.normal_like
    random.gumbel_like random.bernoulli_like random_sample random_sample_inclusion_frequency
"""  # noqa: E501
LOSSES = """
    binary_cross_entropy cosine_distance cosine_distance_with_negative_samples cross_entropy_with_softmax squared_error
    lambda_rank weighted_binary_cross_entropy classification_error edit_distance_error ndcg_at_1 fmeasure
    labels_to_graph forward_backward nce_loss
"""  # noqa: E501

PLACES = {name: "losses." + name for name in ("fmeasure", "lambda_rank", "nce_loss")}

BUILDERS = {
    path: public(PLACES.get(path, path))
    for path in " ".join(
        [ELEMENTWISE, REDUCTIONS, ARRANGEMENTS, NETWORKS, SEQUENCES, RANDOM, LOSSES]
    ).split()
}


def builder(function):
    """Make a function below known by its name."""
    BUILDERS[function.__name__] = function
    return function


@builder
def counted_batch_normalization(x, scale, bias, mean, variance, count, **attributes):
    """With the count of samples so far, which moves as the running statistics do."""
    return C.batch_normalization(x, scale, bias, mean, variance, running_count=count, **attributes)


@builder
def recurrence(x, weight, initial, forwards=True, time_step=1):
    """h(t) = tanh(x(t) + h(t - k) W)."""
    state = C.placeholder(weight.shape[:1])
    delay = C.sequence.past_value if forwards else C.sequence.future_value
    before = delay(state, initial, time_step)
    after = C.tanh(x + C.times(before, weight))
    return after.replace_placeholders({state: after.output})


@builder
def running_sum(x, forwards=True, decay=1.0):
    """s(t) = x(t) + decay s(t - 1), from zero."""
    state = C.placeholder(x.shape)
    before = (C.sequence.past_value if forwards else C.sequence.future_value)(state)
    after = x + decay * before
    return after.replace_placeholders({state: after.output})


@builder
def running_maximum(x, initial):
    """m(t) = max(x(t), m(t - 1))."""
    state = C.placeholder(x.shape)
    after = C.element_max(x, C.sequence.past_value(state, initial))
    return after.replace_placeholders({state: after.output})


@builder
def fibonacci(x):
    """s(t) = x(t) + s(t - 1) - s(t - 2) / 2: two delays of the same state."""
    state = C.placeholder(x.shape)
    after = x + C.sequence.past_value(state) - 0.5 * C.sequence.past_value(state, time_step=2)
    return after.replace_placeholders({state: after.output})


@builder
def layer(x, kind="LSTM", units=2, forwards=True):
    """A recurrent layer whose weights are all alike."""
    with C.layers.default_options(init=0.3, dtype=x.dtype):
        cell = getattr(C.layers, kind)(units)
        return C.layers.Recurrence(cell, go_backwards=not forwards)(x)


@builder
def assign(x, held, plus=0.0):
    """The sum of an assignment's result and the value held."""
    return C.assign(held, x) + plus


@builder
def scaled(x, factor):
    return x * factor


@builder
def shifted(x, by):
    return by + x


@builder
def item(x, begin, end=None, stride=None):
    """A slice by brackets."""
    return x[begin] if end is None and stride is None else x[begin:end:stride]


@builder
def multiplied(x, y):
    return x @ y


@builder
def windowed(x, past=2):
    """`PastValueWindow` gives values and which of them are there."""
    with C.layers.default_options(dtype=x.dtype):
        return C.combine(C.layers.PastValueWindow(past, axis=-2)(x).outputs)


@builder
def layer_normalization(x):
    with C.layers.default_options(dtype=x.dtype):
        return C.layers.LayerNormalization()(x)


@builder
def sequential_convolution(x, kernel, **attributes):
    return C.convolution(kernel, x, sequential=True, **attributes)


@builder
def convolution_of(x, kernel, **attributes):
    return C.convolution(kernel, x, **attributes)


@builder
def transposed_convolution_of(x, kernel, **attributes):
    return C.convolution_transpose(kernel, x, **attributes)


@builder
def unpooled(x, **attributes):
    """Pooled and put back."""
    shared = {key: attributes[key] for key in ("strides", "auto_padding") if key in attributes}
    pooled = C.pooling(x, C.MAX_POOLING, attributes["window"], **shared)
    return C.unpooling(pooled, x, C.MAX_UNPOOLING, attributes["window"], **shared)


@builder
def crop_automatic(x):
    """A picture cut to what a convolution leaves of it."""
    kernel = C.constant(np.ones((1, x.shape[0], 3, 2), x.dtype))
    return C.crop_automatic(C.square(x), C.convolution(kernel, x, auto_padding=[False]))


@builder
def connectionist(labels, scores, blank, delay=-1):
    """The criterion of connectionist temporal classification."""
    return C.forward_backward(
        C.labels_to_graph(labels), scores, blankTokenId=blank, delayConstraint=delay
    )


@builder
def noise_contrastive(x, labels, weights, biases, **attributes):
    shares = np.ones(weights.shape[0], x.dtype)
    return C.losses.nce_loss(weights, biases, x, labels, shares, **attributes)


@builder
def unpacked(x, **attributes):
    """Both outputs of `sequence.unpack`, or the only one."""
    result = C.sequence.unpack(x, **attributes)
    return result if attributes.get("no_mask_output") else C.combine(result.outputs)


@builder
def packed_again(x, **attributes):
    """To a rectangle and back."""
    rows, mask = C.sequence.unpack(x, 0).outputs
    lengths = C.stop_gradient(C.reduce_sum(mask, axis=0, keepdims=False))
    return C.to_sequence(C.square(rows), lengths, **attributes)


@builder
def packed_like(x):
    return C.to_sequence_like(C.square(C.sequence.unpack(x, 0, True)), x)


@builder
def rebatched(x):
    return C.to_batch(C.square(C.unpack_batch(x)))
