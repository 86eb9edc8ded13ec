"""Draws calls of reductions, softmaxes and what else works along an axis."""

SMALL = ("uniform", -2, 2)


def axis(d, rank, on):
    """An axis or axes to reduce, now and then one that is not there."""
    options = [None]
    if rank:
        options += [d.below(0, rank), -d.below(1, rank + 1), d.below(0, rank)]
        options += [{"axis": "all_static"}]
    if rank > 1:
        first = d.below(0, rank - 1)
        options += [[first, rank - 1], [rank - 1, first], [-1, first]]
    if on == "batch":
        options += [{"axis": "batch"}] * 2
    if on != "parameter":
        options += [{"axis": "all"}]
    if on == "sequence":
        options += [{"axis": "sequence"}]
    if d.chance(0.07):
        options = [rank, rank + 1, {"axis": "sequence"}, {"axis": "batch"}, [0, 0], [0, rank]]
    return d.one(*options)


def reduction(d):
    on = d.place("parameter", "batch", "sequence", "sequence")
    shape = d.shape(1 if d.chance(0.8) else 0)
    numbers = d.one(SMALL, ("distinct",), ("integers", -2, 3), SMALL)
    if d.number == 0:
        numbers = ("extreme",)
    if d.operation == "reduce_prod" and numbers[0] == "distinct":
        numbers = ("uniform", 0.5, 2)
    along = axis(d, len(shape), on)
    keepdims = d.chance(0.5) if isinstance(along, int) else d.chance(0.9)
    d.step(d.operation, d.operand(shape, on, numbers), axis=along, keepdims=keepdims)


def chosen_place(d):
    """`argmax` and `argmin`: what is largest is plain, or the first of several."""
    shape, on = d.shape(0 if d.chance(0.2) else 1), d.place("parameter", "batch", "sequence")
    x = d.operand(shape, on, d.one(("distinct",), ("distinct",), ("integers", 0, 3)))
    d.step(d.operation, x, axis=axis(d, len(shape), on))


def softmax(d):
    shape = d.shape(0 if d.chance(0.15) else 1)
    x = d.operand(
        shape, numbers=d.one(SMALL, ("uniform", -8, 8), ("extreme",), ("integers", -1, 2))
    )
    rank = len(shape)
    d.step(
        d.operation,
        x,
        axis=d.one(None, -1, d.below(-rank, rank) if rank else 0, rank if d.chance(0.2) else 0),
    )


def hardmax(d):
    numbers = d.one(("distinct",), ("integers", 0, 3), SMALL)
    d.step("hardmax", d.operand(d.shape(0 if d.chance(0.15) else 1), numbers=numbers))


def top_k(d):
    shape = d.shape(1, 3)
    x = d.operand(shape, numbers=d.one(("distinct",), SMALL))
    along = d.one(-1, d.below(0, len(shape)))
    d.step("top_k", x, k=d.below(1, shape[along] + 1 + d.chance(0.1)), axis=along)
    if d.chance(0.5):
        d.step("scaled", f"f0.{d.below(0, 2)}", factor=2.0)


def centred(d):
    """What a layer normalisation is made of."""
    x = d.operand(d.shape(1, 3))
    mean = d.step("reduce_mean", x, axis=None, keepdims=True)
    residue = d.step("minus", x, mean)
    d.step("reduce_sum", d.step("square", residue), axis=-1, keepdims=d.chance(0.5))


def mean_variance(d):
    x = d.operand(d.shape(1, 3), d.place("batch", "sequence", "parameter"))
    epsilon, everywhere, scaled = d.one(1e-5, 0.1), d.chance(0.5), d.chance(0.6)
    d.step(
        "mean_variance_normalization",
        x,
        epsilon=epsilon,
        use_stats_across_channels=everywhere,
        do_variance_scaling=scaled,
    )


REDUCTIONS = (
    "reduce_l1 reduce_l2 reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod "
    "reduce_sum"
)
DRAWN = dict.fromkeys(REDUCTIONS.split() + ["reduce_sum_square"], (14, reduction))
DRAWN.update(dict.fromkeys(("argmax", "argmin"), (8, chosen_place)))
DRAWN.update(dict.fromkeys(("softmax", "log_softmax"), (10, softmax)))
DRAWN.update(
    hardmax=(6, hardmax),
    top_k=(10, top_k),
    centred=(5, centred),
    mean_variance_normalization=(8, mean_variance),
    layer_normalization=(
        3,
        lambda d: d.step(
            "layer_normalization", d.operand(d.shape(1, 2), d.one("batch", "sequence"))
        ),
    ),
)
