"""Draws calls of what works element by element: functions of one and of several operands,
comparisons, logic.
"""

SPECIAL = ("extreme",)
SMALL = ("uniform", -2, 2)
WHOLE = ("integers", -2, 3)
INSIDE = ("uniform", -0.95, 0.95)


def unary(low=-2.0, high=2.0, **settings):
    """Calls of a function of one operand; each setting is a list that one value is drawn from."""

    def draw(d):
        numbers = (SPECIAL, ("uniform", low, high), WHOLE, ("uniform", low, high))[d.number % 4]
        x = d.operand(d.shape(), numbers=numbers)
        d.step(d.operation, x, **{key: d.one(*values) for key, values in settings.items()})

    return draw


def broadcastable(d, count=2, largest=4):
    """Shapes that meet: axes of size 1 and missing leading axes here and there."""
    full = d.shape(0, 3, largest)
    shapes = []
    for _ in range(count):
        kept = full[d.below(0, len(full) + 1) :] if d.chance(0.3) else full
        shapes.append([1 if d.chance(0.2) else size for size in kept])
    return shapes


def laws(d, count, *usual):
    """Extreme numbers for the first calls, then the usual laws."""
    if d.number % 4 == 0:
        return [SPECIAL] * count
    return [d.one(*usual) for _ in range(count)]


def binary(*usual):
    """Calls of a function of two operands."""

    def draw(d):
        first, second = broadcastable(d)
        one, two = laws(d, 2, *usual)
        x, y = d.operand(first, numbers=one), d.operand(second, numbers=two)
        d.step(d.operation, x, y)

    return draw


def several(d):
    """Calls of a function of one to four operands."""
    shapes = broadcastable(d, d.below(1, 5))
    d.step(d.operation, *[d.operand(shape, numbers=d.one(SMALL, WHOLE)) for shape in shapes])


def same_operand(d):
    """One variable as both operands."""
    x = d.operand(d.shape(), numbers=d.one(SPECIAL, SMALL))
    d.step(
        d.one(
            "plus", "minus", "element_times", "element_divide", "log_add_exp", "element_max", "pow"
        ),
        x,
        x,
    )


def power(d):
    first, second = broadcastable(d)
    bases = (SPECIAL, WHOLE, ("uniform", 0.1, 3), SMALL)[d.number % 4]
    exponents = d.one(("integers", -3, 4), ("uniform", -2, 3), ("chosen", [0, 1, 2, 0.5, -1]))
    d.step("pow", d.operand(first, numbers=bases), d.operand(second, numbers=exponents))


def clip(d):
    low = d.one(-1.0, 0.3, -0.7)
    x = d.operand(d.shape(), numbers=d.one(SPECIAL, SMALL, WHOLE))
    if d.chance(0.5):
        d.step("clip", x, min_value=low, max_value=low + d.one(0.0, 1.0, 2.0))
        return
    shape = d.operands[0]["shape"]
    bounds = [
        d.operand(shape, d.one("constant", "parameter", "batch"), ("uniform", v, v + 0.4))
        for v in (-1, 1)
    ]
    d.step("clip", x, *bounds)


def select(d):
    flag, one, two = broadcastable(d, 3)
    condition = d.operand(flag, numbers=d.one(("integers", 0, 2), ("chosen", [0, 1, -1, 0.5])))
    d.step("element_select", condition, d.operand(one), d.operand(two))


def param_relu(d):
    alpha, x = broadcastable(d)
    d.step(
        "param_relu",
        d.operand(alpha, d.one("parameter", "constant", "batch")),
        d.operand(x, numbers=WHOLE),
    )


def cast(d):
    x = d.operand(d.shape(), numbers=d.one(SMALL, WHOLE))
    f = d.step(
        "cast", x, dtype={"format": d.one("float32", "float64", "float32", "float64", "float16")}
    )
    if d.chance(0.4):
        d.step(
            "cast", d.step("scaled", f, factor=1.5), dtype={"format": d.one("float32", "float64")}
        )


def eye_like(d):
    x = d.operand(
        [d.below(1, 5)] if d.chance(0.6) else d.shape(2, 2), d.place("parameter", "batch")
    )
    d.step("eye_like", x, sparse_output=d.chance(0.5))


def normalized(d):
    shape = d.shape(0, 3)
    mean, deviation = (
        d.operand(shape, "constant"),
        d.operand(shape, "constant", ("uniform", 0.5, 2)),
    )
    x = d.operand(shape)
    d.step("per_dim_mean_variance_normalize", x, mean, deviation)


def assign(d):
    shape = d.shape(0, 3)
    x = d.operand(shape, d.place("parameter", "parameter", "constant", "batch"))
    held = d.operand(
        shape if d.chance(0.8) else d.shape(),
        d.one("parameter", "parameter", "constant"),
        gradient=False,
    )
    d.step("assign", x, held, plus=d.one(0.0, 1.0))
    d.watched = [1]


def dropout(d):
    """At rate 0, and when nothing is trained, nothing is dropped."""
    x = d.operand(d.shape(), gradient=False)
    d.step("dropout", x, dropout_rate=d.one(0.0, 0.3, 0.9))


def numbers_as_operands(d):
    x = d.operand(d.shape(0, 2))
    f = d.step("scaled", x, factor=d.one(0.1, 2, -1.5))
    f = d.step("shifted", f, by=d.one(0.1, 2, -1.5))
    d.step(
        d.one("plus", "minus", "element_times", "element_divide", "pow"),
        f,
        arguments=[d.one(2, 0.1, -3.0)],
    )


SIGMOIDS = (
    "sigmoid tanh relu selu softplus softsign elu exp sin cos cosh sinh tan atan asinh".split()
)
PLAIN = (
    "abs alias ceil floor negate round square stop_gradient straight_through_impl zeros_like "
    "ones_like"
).split()
DRAWN = {name: (6, unary()) for name in SIGMOIDS + PLAIN}
DRAWN.update({name: (5, unary(-0.95, 0.95)) for name in ("acos", "asin", "atanh")})
DRAWN.update({name: (5, unary(0.05, 3)) for name in ("log", "sqrt", "reciprocal")})
DRAWN.update(
    hard_sigmoid=(5, unary(alpha=[0.2, 1.0], beta=[0.5, 0.0])),
    leaky_relu=(5, unary(alpha=[0.01, 0.3])),
    elu=(6, unary(alpha=[1.0, 0.5])),
    selu=(5, unary(scale=[1.0507009873554805, 2.0])),
    softplus=(6, unary(steepness=[1, 4])),
    softsign=(6, unary(steepness=[1, 4])),
)
BINARY = "plus minus element_times element_divide log_add_exp element_max element_min".split()
DRAWN.update({name: (12, binary(SMALL, WHOLE)) for name in BINARY})
COMPARISONS = "equal not_equal less less_equal greater greater_equal".split()
DRAWN.update({name: (6, binary(WHOLE, SMALL)) for name in COMPARISONS})
DRAWN.update(
    {
        name: (5, binary(("integers", 0, 2), SMALL, WHOLE))
        for name in "element_and element_or element_xor".split()
    }
)
DRAWN.update(dict.fromkeys(("sum", "mean"), (5, several)))
DRAWN.update(
    element_not=(5, unary()),
    same_operand=(6, same_operand),
    pow=(12, power),
    clip=(8, clip),
    element_select=(10, select),
    param_relu=(5, param_relu),
    cast=(8, cast),
    eye_like=(6, eye_like),
    per_dim_mean_variance_normalize=(4, normalized),
    assign=(8, assign),
    dropout=(4, dropout),
    numbers_as_operands=(6, numbers_as_operands),
)
