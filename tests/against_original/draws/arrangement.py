# ruff: noqa: B905 - Python 3.6 has no strict zip
"""Draws calls of what arranges numbers anew: slices, splices, shapes, padding, gathering, dynamic
axes.
"""

SMALL = ("uniform", -2, 2)


def out_of_range(d, axis, rank):
    """The axis, or rarely one that is not there."""
    return rank + d.below(0, 2) if d.chance(0.06) else axis


def cut(d):
    shape = d.shape(1)
    k = d.below(0, len(shape))
    size = shape[k]
    begin = d.below(0, size)
    end = d.one(begin + 1, size, 0, d.below(begin, size + 1))
    if d.chance(0.4):
        begin, end = begin - size, (end - size if 0 < end < size else 0)
    if d.chance(0.08):
        begin, end = d.one((size, size + 1), (0, size + 2), (-size - 1, 0), (1, 1))
    axis = out_of_range(d, d.one(k, k - len(shape)), len(shape))
    more = {"strides": d.one(1, 1, 2, 3, -1, -1, -2)} if d.chance(0.4) else {}
    d.step("slice", d.operand(shape), axis=axis, begin_index=begin, end_index=end, **more)


def cut_several(d):
    shape = [d.below(2, 5) for _ in range(d.below(2, 4))]
    axes = [int(k) for k in d.random.permutation(len(shape))[: d.below(2, len(shape) + 1)]]
    begin = [d.below(0, shape[k]) for k in axes]
    end = [d.below(b + 1, shape[k] + 1) for b, k in zip(begin, axes)]
    more = {"strides": [d.one(1, 2, -1) for _ in axes]} if d.chance(0.5) else {}
    d.step("slice", d.operand(shape), axis=axes, begin_index=begin, end_index=end, **more)


def brackets(d):
    shape = d.shape(1, 3)
    begin = d.below(-shape[0], shape[0])
    more = d.one(
        {}, {"end": shape[0]}, {"end": d.below(1, shape[0] + 1)}, {"end": shape[0], "stride": 2}
    )
    d.step("item", d.operand(shape), begin=begin, **more)


def cut_dynamic(d):
    """A slice along the batch or the sequence axis by the general function."""
    x = d.operand(d.shape(0, 2), "sequence")
    d.lengths = {"sequence": [d.below(2, 6) for _ in d.lengths["sequence"]], "other": []}
    begin, end = d.one((0, 1), (0, 2), (-1, 0), (1, 0), (0, -1), (1, 2))
    d.step("slice", x, axis={"axis": "sequence"}, begin_index=begin, end_index=end)


def splice(d):
    shape = d.shape(1, 3)
    axis = d.below(0, len(shape))
    names = []
    for _ in range(d.below(1, 4)):
        own = list(shape)
        own[axis] = d.below(1, 4)
        if d.chance(0.07):
            own = [size + 1 for size in own]
        names.append(d.operand(own, d.one("parameter", "constant", "batch", "sequence")))
    d.step("splice", *names, axis=out_of_range(d, d.one(axis, axis - len(shape)), len(shape)))


def splice_same_place(d):
    """Operands that all stand alike; also along an axis of their own."""
    on, shape = d.place(), d.shape(1, 2)
    names = [d.operand(shape, on) for _ in range(d.below(1, 4))]
    d.step("splice", *names, axis=d.one(-1, 0, {"axis": "new_leading"}))


def factors(d, size):
    """Two numbers whose product is this."""
    first = d.one(*[k for k in range(1, size + 1) if size % k == 0])
    return [first, size // first]


def reshape(d):
    shape = d.shape(1)
    size = 1
    for k in shape:
        size *= k
    if d.number % 2:
        new = factors(d, size)
        if d.chance(0.4):
            new[d.below(0, 2)] = -1
        if d.chance(0.08):
            new = [size + 1]
        d.step("reshape", d.operand(shape), shape=new)
        return
    begin = d.below(0, len(shape))
    end = d.below(begin + 1, len(shape) + 1)
    size = 1
    for k in shape[begin:end]:
        size *= k
    new = d.one(factors(d, size), [size], [1, size, 1], [-1], [-1, 1])
    if d.chance(0.3):
        begin -= len(shape)
    d.step("reshape", d.operand(shape), shape=new, begin_axis=begin, end_axis=d.one(end, end, None))


def swapaxes(d):
    shape = d.shape(2)
    axes = [d.below(0, len(shape)), d.below(0, len(shape)) - (len(shape) if d.chance(0.3) else 0)]
    d.step("swapaxes", d.operand(shape), axis1=out_of_range(d, axes[0], len(shape)), axis2=axes[1])


def transpose(d):
    shape = d.shape(1)
    order = [int(k) for k in d.random.permutation(len(shape))]
    if d.chance(0.3):
        order = [k - len(shape) for k in order]
    if d.chance(0.08):
        order = d.one(order[:-1], [0] * len(shape), order + [0])
    d.step("transpose", d.operand(shape), perm=order)


def pad(d):
    shape = [d.below(2, 5) for _ in range(d.below(1, 4))]
    pattern = [[d.below(0, 3), d.below(0, 3)] for _ in shape]
    mode = d.one(0, 0, 1, 2)
    if mode == 1:
        pattern = [[min(a, size - 1), min(b, size - 1)] for (a, b), size in zip(pattern, shape)]
    if d.chance(0.06):
        pattern = pattern + [[1, 1]]
    d.step("pad", d.operand(shape), pattern=pattern, mode=mode, constant_value=d.one(0, 1.5))


def gather(d):
    shape = d.shape(2, 3) if d.chance(0.8) else d.shape(1, 1)
    axis = d.one(None, None, d.below(0, len(shape)))
    size = shape[0 if axis is None else axis]
    indices = d.operand(
        d.shape(0, 2), d.one("constant", "batch", "sequence"), ("integers", 0, size), gradient=False
    )
    reference = d.operand(shape, d.one("parameter", "parameter", "batch"))
    d.step("gather", reference, indices, axis=axis)


def one_hot(d):
    width, shape = d.below(1, 6), d.shape(0, 3)
    numbers = d.one(("integers", 0, width), ("integers", -1, width + 2), ("uniform", 0, width))
    more = {"axis": d.below(-len(shape) - 1, len(shape) + 1)} if d.chance(0.5) else {}
    x = d.operand(shape, d.one("constant", "batch", "sequence"), numbers, gradient=False)
    d.step("one_hot", x, num_classes=width, sparse_output=d.chance(0.3), **more)


def squeeze(d):
    shape = [d.one(1, 1, d.below(2, 5)) for _ in range(d.below(1, 5))]
    ones = [k for k, size in enumerate(shape) if size == 1]
    axes = d.one(None, ones, ones[:1], [k - len(shape) for k in ones], [0])
    d.step("squeeze", d.operand(shape), **({} if axes is None else {"axes": axes}))


def expand_dims(d):
    shape = d.shape(0, 3)
    d.step(
        "expand_dims",
        d.operand(shape),
        axis=d.below(-len(shape) - d.chance(0.2), len(shape) + d.chance(0.2)) if shape else 0,
    )


def flatten(d):
    shape = d.shape(0)
    more = {"axis": d.below(-len(shape), len(shape) + 2)} if d.chance(0.7) else {}
    d.step("flatten", d.operand(shape), **more)


def blocks(d):
    size = d.below(1, 4)
    if d.operation == "depth_to_space":
        shape = [size * size * d.below(1, 3), d.below(1, 4), d.below(1, 4)]
    else:
        shape = [d.below(1, 3), size * d.below(1, 3), size * d.below(1, 3)]
    if d.chance(0.1):
        shape[d.below(0, 3)] += 1
    d.step(d.operation, d.operand(shape), block_size=size)


def crop(d):
    shape = [d.below(1, 3), d.below(3, 6), d.below(3, 6)]
    small = [d.below(1, 3), d.below(1, 3), d.below(1, 3)]
    on = d.place("batch", "sequence")
    offsets = {"offset_x": d.below(0, 3), "offset_y": d.below(0, 3)}
    d.step("crop_manual", d.operand(shape, on), d.operand(small, on), **offsets)


def combine(d):
    names = [d.operand(d.shape(0, 2), gradient=k == 0) for k in range(d.below(1, 4))]
    functions = [d.step(d.one("negate", "square", "alias"), x) for x in names]
    d.step("combine", *functions)


def reconciled(d):
    first = d.one("sequence", "batch", "sequence", "parameter", "other")
    x = d.operand(d.shape(0, 2), first)
    like = d.operand(d.shape(0, 2), d.one("sequence", "sequence", "batch"), gradient=False)
    if first == "other" and d.chance(0.6):
        d.lengths["other"] = list(d.lengths["sequence"])
    d.step("reconcile_dynamic_axes", x, like)


def free_axes(d):
    """An axis whose size is known only when it is fed."""
    shape = d.shape(2, 3)
    x = d.operand(shape, d.one("batch", "sequence"), free=[d.below(0, len(shape))])
    name = d.one(
        "reduce_sum",
        "softmax",
        "swapaxes",
        "flatten",
        "times",
        "splice",
        "slice",
        "reduce_mean",
        "plus",
    )
    if name == "times":
        d.step("times", x, d.operand([shape[-1], 3], "parameter"))
    elif name in ("splice", "plus"):
        d.step(name, x, d.operand(shape, d.operands[0]["on"]))
    elif name == "slice":
        d.step("slice", x, axis=d.below(0, len(shape)), begin_index=-1, end_index=0)
    else:
        d.step(name, x, **({} if name in ("flatten", "swapaxes") else {"axis": d.one(-1, 0)}))


DRAWN = {
    "slice": (24, cut),
    "slice_several": (8, cut_several),
    "item": (8, brackets),
    "slice_dynamic": (3, cut_dynamic),
    "splice": (14, splice),
    "splice_same_place": (8, splice_same_place),
    "reshape": (20, reshape),
    "swapaxes": (7, swapaxes),
    "transpose": (9, transpose),
    "pad": (14, pad),
    "gather": (14, gather),
    "one_hot": (12, one_hot),
    "squeeze": (8, squeeze),
    "expand_dims": (8, expand_dims),
    "flatten": (8, flatten),
    "depth_to_space": (6, blocks),
    "space_to_depth": (6, blocks),
    "crop_manual": (7, crop),
    "combine": (5, combine),
    "reconcile_dynamic_axes": (10, reconciled),
    "free_axes": (14, free_axes),
}
