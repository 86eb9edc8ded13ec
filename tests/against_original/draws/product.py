# ruff: noqa: B905 - Python 3.6 has no strict zip
"""Draws calls of matrix products, dense and sparse."""


def times(d):
    """Ranks and `output_rank` of all kinds, dense."""
    output_rank = d.one(1, 1, 1, 2)
    common = [d.below(1, 4) for _ in range(d.one(1, 1, 1, 2))]
    left = [d.below(1, 4) for _ in range(d.below(0, 3))] + common
    right = common + [d.below(1, 4) for _ in range(output_rank)]
    if d.chance(0.07):
        left = left + [5]
    places = d.one(
        ("batch", "parameter"),
        ("sequence", "parameter"),
        ("parameter", "sequence"),
        ("sequence", "sequence"),
    )
    if d.chance(0.3):
        places = d.one(
            ("parameter", "parameter"),
            ("batch", "batch"),
            ("batch", "sequence"),
            ("sequence", "batch"),
        )
    names = [d.operand(shape, on) for shape, on in zip((left, right), places)]
    more = {} if output_rank == 1 and d.chance(0.6) else {"output_rank": output_rank}
    d.step("times", *names, **more)


def vectors(d):
    """A vector on the left or on the right."""
    width = d.below(1, 5)
    left, right = d.one(
        ([width], [width]),
        ([width], [width, 3]),
        ([3, width], [width]),
        ([], [3]),
        ([width, 1], [3]),
    )
    more = {"output_rank": d.below(0, 2)} if d.chance(0.3) else {}
    d.step("times", d.operand(left), d.operand(right), **more)


def inferred(d):
    """A parameter whose shape the product infers; `infer_input_rank_to_map` says over which axes of
    the other.
    """
    shape = d.shape(1, 3)
    x = d.operand(shape, d.one("batch", "sequence"))
    rank = d.below(0, len(shape) + 1)
    mapped = shape[len(shape) - (len(shape) - rank) :] if rank < len(shape) else [shape[-1]]
    more = {"infer_input_rank_to_map": d.one(-1, rank, rank, 0)}
    d.step("times", x, d.operand(mapped + [3], "parameter"), **more)


def over_sequences(d):
    """Sums over the sequence axis."""
    left = d.operand(
        [d.one(1, 1, 2)] if d.chance(0.9) else [],
        d.one(*["sequence"] * 5 + ["batch"]),
        gradient=False,
    )
    sparse = d.chance(0.5)
    law = d.one(("one_hot",), ("few",)) if sparse else ("uniform", -2, 2)
    right = d.operand(
        [d.below(1, 4)] if sparse else d.shape(1, 2, 3), "sequence", law, sparse=sparse
    )
    d.step("times", left, right, infer_input_rank_to_map=-2)


def sparse_left(d):
    width = d.below(2, 7)
    x = d.operand([width], d.one("batch", "sequence"), d.one(("one_hot",), ("few",)), sparse=True)
    rest = [d.below(1, 4) for _ in range(d.one(1, 1, 1, 1, 0, 2))]
    on = d.one("parameter", "parameter", "parameter", "constant", "batch")
    weight = d.operand([width] + rest, on, gradient=on == "parameter")
    d.step("times", x, weight, **({} if len(rest) == 1 else {"output_rank": len(rest)}))


def sparse_right(d):
    width = d.below(2, 7)
    on = d.one("parameter", "parameter", "parameter", "batch")
    weight = d.operand([d.below(1, 4), width], on, gradient=on == "parameter")
    x = d.operand([width], d.one("batch", "sequence"), d.one(("one_hot",), ("few",)), sparse=True)
    d.step("times_transpose", weight, x)


def sparse_transposed(d):
    width = d.below(2, 7)
    x = d.operand([width], d.one("batch", "sequence"), d.one(("one_hot",), ("few",)), sparse=True)
    on = d.one("parameter", "parameter", "batch")
    d.step("times_transpose", x, d.operand([d.below(1, 4), width], on, gradient=on == "parameter"))


def sparse_elsewhere(d):
    """Sparse operands where one would rather have dense ones; some are refused."""
    width = d.below(2, 6)
    on = d.one("batch", "sequence")
    x = d.operand([width], on, d.one(("one_hot",), ("few",)), sparse=True)
    names = [
        "plus",
        "element_times",
        "reduce_sum",
        "slice",
        "splice",
        "reshape",
        "softmax",
        "abs",
        "minus",
        "alias",
    ]
    names += [
        "element_times",
        "sequence.first",
        "sequence.past_value",
        "reduce_max",
        "tanh",
        "squared_error",
        "equal",
    ]
    name = names[d.number % len(names)]
    if name in ("plus", "minus", "element_times", "splice", "squared_error", "equal"):
        if d.chance(0.6):
            other = d.operand([width], d.one(on, "parameter"))
        else:
            other = d.operand([width], on, d.one(("one_hot",), ("few",)), sparse=True)
        d.step(name, x, other)
    elif name == "slice":
        d.step(name, x, axis=0, begin_index=d.below(0, width), end_index=width)
    elif name == "reshape":
        d.step(name, x, shape=[width, 1])
    else:
        d.step(name, x)


def times_transpose(d):
    width = d.below(1, 5)
    left, right = d.one(
        ([2, width], [3, width]), ([width], [3, width]), ([width], [width]), ([2, width], [width])
    )
    if d.chance(0.15):
        left, right = d.one(
            ([2, width], [3, width + 1]), ([2, 2, width], [3, width]), ([2, width], [3, 2, width])
        )
    d.step("times_transpose", d.operand(left), d.operand(right))


def affine(d):
    width, units = d.below(1, 5), d.below(1, 4)
    x = d.operand([width], d.one("batch", "sequence"))
    product = d.step("times", x, d.operand([width, units], "parameter"))
    d.step(
        d.one("tanh", "relu", "sigmoid", "softmax"),
        d.step("plus", product, d.operand([units], "parameter")),
    )


DRAWN = {
    "times": (26, times),
    "vectors": (10, vectors),
    "inferred": (12, inferred),
    "over_sequences": (8, over_sequences),
    "sparse_left": (16, sparse_left),
    "sparse_right": (10, sparse_right),
    "sparse_transposed": (6, sparse_transposed),
    "sparse_elsewhere": (20, sparse_elsewhere),
    "times_transpose": (12, times_transpose),
    "affine": (6, affine),
    "multiplied": (4, lambda d: d.step("multiplied", d.operand([2, 3]), d.operand([3, 4]))),
}
