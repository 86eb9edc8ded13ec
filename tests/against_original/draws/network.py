"""Draws calls of convolution, pooling, normalisation and layers."""

IMAGE = ("uniform", -2, 2)


def windows(d, sizes):
    """Window, strides and padding for these spatial sizes."""
    window = [d.below(1, min(size, 3) + 1) for size in sizes]
    return window, [d.below(1, 4) for _ in sizes], [d.chance(0.5) for _ in sizes]


def sizes(d, rank=None):
    return [d.below(3, 7) for _ in range(rank or d.one(1, 2, 2, 2, 3))]


def held(d):
    return d.one("parameter", "parameter", "parameter", "constant")


def convolution(d):
    spatial = sizes(d)
    window, strides, padding = windows(d, spatial)
    groups = d.one(1, 1, 1, 2)
    channels, maps = groups * d.below(1, 3), groups * d.below(1, 3)
    x = d.operand([channels] + spatial, d.one("batch", "batch", "sequence"), IMAGE)
    kernel = d.operand([maps, channels // groups] + window, held(d))
    more = {"strides": d.one(strides, [1] + strides, [strides[0]])}
    padded = d.one([False] + padding, [False] + padding, [padding[0]], [True])
    if groups > 1:
        more["groups"] = groups
        padded = [False] + padding
    if d.chance(0.12):
        more["dilation"] = [1] + [d.below(1, 3) for _ in spatial]
    d.step("convolution_of", x, kernel, auto_padding=padded, **more)


def without_channels(d):
    """No axis is summed over: `reduction_rank` 0."""
    spatial = sizes(d, d.one(1, 2))
    window, strides, padding = windows(d, spatial)
    x = d.operand(spatial, d.one("batch", "sequence"))
    maps = [d.below(1, 4)] if d.chance(0.7) else []
    kernel = d.operand(maps + window, held(d))
    d.step("convolution_of", x, kernel, reduction_rank=0, strides=strides, auto_padding=padding)


def convolution_of_one(d):
    """The operand has no batch axis, or channels do not agree."""
    x = d.operand([2, 5, 4], d.one("parameter", "constant", "batch"))
    kernel = d.operand([3, d.one(2, 2, 3), 3, 2], "parameter")
    d.step(
        "convolution_of",
        x,
        kernel,
        strides=d.one([1], [2, 2], [1, 2, 2]),
        auto_padding=d.one([True], [False]),
    )


def transposed(d):
    spatial = [d.below(2, 5) for _ in range(d.one(1, 2, 2, 3))]
    window = [d.below(1, 4) for _ in spatial]
    strides = [d.below(1, min(k, 2) + 1) for k in window]
    padding = [d.chance(0.4) for _ in spatial]
    channels, maps = d.below(1, 4), d.below(1, 3)
    x = d.operand([channels] + spatial, d.one("batch", "batch", "sequence"), IMAGE)
    kernel = d.operand([channels, maps] + window, held(d))
    d.step(
        "transposed_convolution_of",
        x,
        kernel,
        strides=[1] + strides,
        auto_padding=[False] + padding,
    )


def transposed_to_size(d):
    stride = d.one(1, 2)
    x = d.operand([2, 3, 4], "batch", IMAGE)
    kernel = d.operand([2, 3, 3, 3], "parameter")
    padded = [False, True, True]
    size = [3, 3 * stride, 4 * stride]
    if d.chance(0.3):
        size[1] += 1
    d.step(
        "transposed_convolution_of",
        x,
        kernel,
        strides=[1, stride, stride],
        auto_padding=padded,
        output_shape=size,
    )


def along_sequences(d):
    """The first spatial axis is the sequence axis."""
    static = [d.below(2, 5)] if d.chance(0.5) else []
    channels, maps = d.below(1, 3), d.below(1, 3)
    d.lengths["sequence"] = [d.below(2, 7) for _ in d.lengths["sequence"]]
    x = d.operand([channels] + static, "sequence", IMAGE)
    window = [d.below(1, 4)] + [2] * len(static)
    kernel = d.operand([maps, channels] + window, "parameter")
    d.step(
        "sequential_convolution",
        x,
        kernel,
        strides=[d.one(1, 1, 2)] + [1] * len(static),
        auto_padding=[False] + [d.chance(0.6) for _ in window],
    )


def pooling(d):
    spatial = sizes(d)
    window, strides, padding = windows(d, spatial)
    numbers = d.one(("distinct",), IMAGE, ("integers", 0, 3))
    x = d.operand([d.below(1, 3)] + spatial, d.one("batch", "batch", "sequence"), numbers)
    more = {"ceil_out_dim": True} if d.chance(0.3) else {}
    if d.chance(0.3):
        more["include_pad"] = True
    kind = d.one(0, 1)
    d.step(
        "pooling",
        x,
        pooling_type=kind,
        pooling_window_shape=window,
        strides=strides,
        auto_padding=padding,
        **more,
    )


def pooling_settings(d):
    """Defaults, windows over channels, windows that are too large, a parameter."""
    x = d.operand([2, 4, 5], d.one("batch", "parameter"), ("distinct",))
    window = d.one([2, 2], [2, 2, 2], [4, 5], [1, 4, 5], [5, 6], [3])
    strides = d.one({}, {"strides": [2]}, {"strides": [2, 2]}, {"strides": [1, 2, 1]})
    padding = d.one({}, {"auto_padding": [True]}, {"auto_padding": [False, True, True]})
    d.step(
        "pooling",
        x,
        pooling_type=d.one(0, 1),
        pooling_window_shape=window,
        **dict(strides, **padding),
    )


def unpooled(d):
    spatial = sizes(d, d.one(1, 2, 2))
    window, strides, padding = windows(d, spatial)
    x = d.operand([2] + spatial, d.one("batch", "sequence"), ("distinct",))
    d.step("unpooled", x, window=window, strides=strides, auto_padding=padding)


def regions(d):
    image = d.operand([d.below(1, 3), d.below(4, 7), d.below(4, 7)], "batch", ("distinct",))
    rois = d.operand(
        [d.below(1, 4), 4], "constant" if d.chance(0.1) else "batch", ("boxes",), gradient=False
    )
    scale = d.one(1.0, 0.5, 0.7)
    d.step(
        "roipooling",
        image,
        rois,
        pooling_type=0,
        roi_output_shape=d.one([2, 2], [3, 2], [1, 1]),
        spatial_scale=scale,
    )


def normalization(d):
    spatial = d.chance(0.5)
    shape = [d.below(1, 4)] + ([d.below(1, 4), d.below(1, 4)] if spatial or d.chance(0.2) else [])
    kept = shape[:1] if spatial else shape
    x = d.operand(shape, d.one("batch", "batch", "sequence"), gradient=d.chance(0.6))
    scale, bias = d.operand(kept, "parameter", ("uniform", 0.5, 2)), d.operand(kept, "parameter")
    for numbers in (("uniform", -1, 1), ("uniform", 0.5, 2)):
        d.operand(kept, d.one("constant", "constant", "parameter"), numbers, gradient=False)
    more = {
        "spatial": spatial,
        "normalization_time_constant": d.one(5000, 0, -1, 10),
        "epsilon": d.one(1e-5, 0.1),
    }
    if d.chance(0.2):
        more["blend_time_constant"] = d.one(1, 100)
    d.watched = [3, 4]
    if d.chance(0.5):
        count = d.operand([], "constant", ("given", d.one(0.0, 40.0)), gradient=False)
        d.watched.append(5)
        d.step("counted_batch_normalization", x, scale, bias, "x3", "x4", count, **more)
    else:
        d.step("batch_normalization", x, scale, bias, "x3", "x4", **more)
    if not d.operands[0]["gradient"] and d.chance(0.5):
        for k in (1, 2):
            d.operands[k]["gradient"] = False


def local_response(d):
    x = d.operand([d.below(2, 6), d.below(1, 4), d.below(1, 4)], d.one("batch", "sequence"))
    attributes = {
        "depth_radius": d.one(1, 2),
        "bias": d.one(1.0, 2.0),
        "alpha": d.one(0.1, 1e-4),
        "beta": d.one(0.5, 0.75),
    }
    d.step("local_response_normalization", x, **attributes)


def layer(d):
    x = d.operand([d.below(1, 4)], "sequence")
    d.step(
        "layer",
        x,
        kind=d.one("LSTM", "GRU", "RNNStep"),
        units=d.below(1, 4),
        forwards=d.chance(0.5),
    )


def stack(d):
    """A stack of recurrent layers with one parameter for all weights."""
    width, units, layers, both = d.below(1, 4), d.below(1, 3), d.below(1, 3), d.chance(0.5)
    kind = d.one("lstm", "gru", "rnnTanh", "rnnReLU")
    gates = {"lstm": 4, "gru": 3}.get(kind, 1)
    ways, size, incoming = (2 if both else 1), 0, width
    for _ in range(layers):
        size += ways * gates * units * (incoming + units + 2)
        incoming = ways * units
    x, weights = (
        d.operand([width], "sequence"),
        d.operand([size, 1], "parameter", ("uniform", -0.5, 0.5)),
    )
    d.step(
        "optimized_rnnstack",
        x,
        weights,
        hidden_size=units,
        num_layers=layers,
        bidirectional=both,
        recurrent_op=kind,
    )


def small_network(d):
    """Convolution, activation, pooling."""
    x = d.operand([2, 6, 6], "batch")
    f = d.step(
        "convolution_of", x, d.operand([3, 2, 3, 3], "parameter"), auto_padding=[False, True, True]
    )
    f = d.step("plus", f, d.operand([3, 1, 1], "parameter"))
    f = d.step(d.one("relu", "tanh"), f)
    d.step("pooling", f, pooling_type=d.one(0, 1), pooling_window_shape=[2, 2], strides=[2, 2])


DRAWN = {
    "convolution": (30, convolution),
    "convolution_without_channels": (8, without_channels),
    "convolution_of_one": (6, convolution_of_one),
    "convolution_transpose": (16, transposed),
    "convolution_transpose_to_size": (5, transposed_to_size),
    "convolution_along_sequences": (10, along_sequences),
    "pooling": (30, pooling),
    "pooling_settings": (12, pooling_settings),
    "unpooling": (10, unpooled),
    "roipooling": (10, regions),
    "batch_normalization": (24, normalization),
    "local_response_normalization": (5, local_response),
    "layer": (8, layer),
    "small_network": (4, small_network),
    "optimized_rnnstack": (2, stack),
}
