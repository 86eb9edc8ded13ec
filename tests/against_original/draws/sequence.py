"""Draws calls of operations along sequences, delays and recurrences."""


def plain(d):
    """An operation whose only operand is a sequence; now and then something without a sequence
    axis.
    """
    on = "sequence" if d.number else d.one("batch", "parameter")
    d.step(
        d.operation,
        d.operand(d.shape(0, 3), on, d.one(("uniform", -2, 2), ("distinct",), ("uniform", -9, 9))),
    )


def cut(d):
    d.lengths["sequence"] = [d.below(2, 6) for _ in d.lengths["sequence"]]
    x = d.operand(d.shape(0, 2), "sequence")
    begin, end = d.one(
        (0, 1),
        (0, 2),
        (-1, 0),
        (1, 0),
        (0, -1),
        (-2, 0),
        (-2, -1),
        (1, 2),
        (0, 0),
        (0, 4),
        (3, 0),
        (-3, 0),
    )
    d.step("sequence.slice", x, begin_index=begin, end_index=end)


def delay(d):
    shape = d.shape(0, 2)
    x = d.operand(shape, "sequence")
    initial = d.one("none", "number", "constant", "parameter", "batch", "sequence")
    shape_of_initial = shape if initial in ("batch", "sequence") else d.one(shape, [])
    step = d.below(1, 4)
    names = [x]
    if initial == "number":
        d.step(d.operation, *names, initial_state=d.one(0.3, -2), time_step=step)
        return
    if initial != "none":
        names.append(d.operand(shape_of_initial, initial))
    d.step(d.operation, *names, time_step=step)


def general_delay(d):
    """`delay` looks back, ahead, or nowhere."""
    d.step(
        "sequence.delay",
        d.operand(d.shape(0, 2), "sequence"),
        time_step=d.below(-2, 4),
        initial_state=d.one(0.3, 2),
    )


def kept(d, x):
    """A condition that keeps at least one frame of each sequence: a frame that is first, last, or
    marked.
    """
    edge = d.step(d.one("sequence.is_first", "sequence.is_last"), x)
    if d.chance(0.3):
        return edge
    marks = d.operand([], "sequence", ("integers", 0, 2), gradient=False)
    return d.step("element_or", edge, marks)


def gathered(d):
    x = d.operand(d.shape(0, 2), "sequence")
    condition = (
        kept(d, x)
        if d.chance(0.7)
        else d.operand([], "sequence", ("integers", 0, 2), gradient=False)
    )
    f = d.step("sequence.gather", x, condition)
    if d.chance(0.5):
        d.step(d.one("sequence.last", "sequence.reduce_sum", "square", "sequence.past_value"), f)


def scattered(d):
    x = d.operand(d.shape(0, 2), "sequence")
    condition = kept(d, x)
    short = d.step("sequence.gather", x, condition)
    d.step("sequence.scatter", d.step("square", short), condition)


def where(d):
    x = d.operand([], "sequence", gradient=False)
    d.step("sequence.where", kept(d, x) if d.chance(0.8) else d.step("greater", x, arguments=[0.0]))


def broadcast(d):
    x = d.operand(d.shape(0, 2), d.one("batch", "batch", "parameter", "sequence", "other"))
    like = d.operand(d.shape(0, 2), d.one("sequence", "sequence", "other", "batch"), gradient=False)
    d.step("sequence.broadcast_as", x, like)


def attention(d):
    """Weights along each sequence, and the mean that they make."""
    x = d.operand([d.below(1, 4)], "sequence")
    scores = d.step(
        "reduce_sum",
        d.step("element_times", x, d.operand(d.operands[0]["shape"], "parameter")),
        axis=0,
    )
    weights = d.step("sequence.softmax", scores)
    d.step("sequence.reduce_sum", d.step("element_times", weights, x))


def two_axes(d):
    """What is on two sequence axes meets, or may not."""
    shape = d.shape(0, 2)
    x, y = d.operand(shape, "sequence"), d.operand(shape, "other")
    way = d.below(0, 4)
    if way == 0:
        d.step("plus", x, y)
    elif way == 1:
        d.step("plus", d.step("sequence.last", x), d.step("sequence.first", y))
    elif way == 2:
        d.step("plus", x, d.step("sequence.broadcast_as", d.step("sequence.last", y), x))
    else:
        d.step("element_times", d.step("sequence.reduce_sum", x), y)


def recurrence(d):
    width = d.below(1, 4)
    x, weight = (
        d.operand([width], "sequence"),
        d.operand([width, width], "parameter", ("uniform", -0.7, 0.7)),
    )
    initial = d.operand(d.one([width], []), d.one("parameter", "constant", "batch"))
    d.step("recurrence", x, weight, initial, forwards=d.chance(0.6), time_step=d.one(1, 1, 2))


def loop(d):
    x = d.operand(d.shape(0, 2), "sequence")
    name = d.one("running_sum", "running_maximum", "fibonacci", "running_sum")
    if name == "running_maximum":
        f = d.step(name, x, d.operand([], "constant"))
    elif name == "fibonacci":
        f = d.step(name, x)
    else:
        f = d.step(name, x, forwards=d.chance(0.5), decay=d.one(1.0, 0.5))
    if d.chance(0.4):
        d.step(
            d.one("sequence.last", "sequence.first", "sequence.reduce_sum", "sequence.reduce_max"),
            f,
        )


def window(d):
    x = d.operand([d.below(1, 4)], "sequence")
    d.step("windowed", x, past=d.below(1, 4))


def composition(d):
    """Two or three operations along sequences, one on another."""
    f = d.operand(d.shape(0, 2), "sequence")
    for _ in range(d.below(2, 4)):
        name = d.one(
            "sequence.past_value",
            "sequence.future_value",
            "sequence.softmax",
            "tanh",
            "running_sum",
            "square",
        )
        f = d.step(name, f)
    if d.chance(0.5):
        d.step(
            d.one("sequence.first", "sequence.last", "sequence.reduce_sum", "sequence.reduce_max"),
            f,
        )


def aligned(d):
    """A batch axis alone beside a sequence axis: what broadcasts by itself, and what does not."""
    shape = d.shape(0, 2)
    names = (
        "plus minus element_times element_divide pow log_add_exp element_max element_min equal "
        "less greater"
    )
    names = (names + " squared_error element_and").split()
    x, y = (
        d.operand(shape, "sequence", ("uniform", 0.5, 2)),
        d.operand(shape, "batch", ("uniform", 0.5, 2)),
    )
    d.step(names[d.number % len(names)], *d.one((x, y), (y, x)))


ENDS = "first last is_first is_last reduce_max reduce_sum softmax".split()
DRAWN = {"sequence." + name: (6, plain) for name in ENDS}
DRAWN.update(dict.fromkeys(("sequence.past_value", "sequence.future_value"), (14, delay)))
DRAWN.update(
    {
        "sequence.slice": (14, cut),
        "sequence.delay": (6, general_delay),
        "sequence.gather": (12, gathered),
        "sequence.scatter": (8, scattered),
        "sequence.where": (5, where),
        "sequence.broadcast_as": (8, broadcast),
        "attention": (4, attention),
        "two_axes": (8, two_axes),
        "recurrence": (12, recurrence),
        "loop": (12, loop),
        "windowed": (5, window),
        "sequence_composition": (12, composition),
        "aligned": (26, aligned),
    }
)
