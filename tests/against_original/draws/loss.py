"""Draws calls of losses and metrics, and compositions of several kinds of operation."""

SMALL = ("uniform", -2, 2)


def placed(d, *shapes_and_laws, **more):
    """Operands that stand alike, or nearly always do."""
    on = d.place("parameter", "batch", "batch", "sequence", "sequence", "sequence")
    names = []
    for shape, numbers in shapes_and_laws:
        names.append(
            d.operand(shape, d.place("constant", "batch") if d.chance(0.1) else on, numbers)
        )
    return names


def entropy(d):
    shape = d.shape(1, 3)
    logits = d.one(SMALL, ("uniform", -9, 9), ("chosen", [1e4, -1e4, 0, 3]))
    names = placed(d, (shape, logits), (shape, d.one(("one_hot",), ("probabilities",), SMALL)))
    more = {"axis": d.below(-len(shape), len(shape))} if d.chance(0.5) else {}
    d.step("cross_entropy_with_softmax", *names, **more)


def sparse_entropy(d):
    width = d.below(2, 6)
    on = d.one("batch", "sequence")
    x, y = d.operand([width], on), d.operand([width], on, ("one_hot",), sparse=True)
    d.step(
        d.one(
            "cross_entropy_with_softmax",
            "cross_entropy_with_softmax",
            "classification_error",
            "squared_error",
        ),
        x,
        y,
    )


def wrong_shapes(d):
    shape = d.shape(1, 2)
    other = d.one(
        shape[:-1], shape + [1], [size + 1 for size in shape], [1] + shape, [1] * len(shape)
    )
    name = d.one(
        "cross_entropy_with_softmax",
        "classification_error",
        "squared_error",
        "binary_cross_entropy",
    )
    name = d.one(name, "cosine_distance")
    on = d.place("parameter", "batch", "sequence")
    d.step(
        name,
        d.operand(shape, on, ("uniform", 0.1, 0.9)),
        d.operand(other, on, ("uniform", 0.1, 0.9)),
    )


def classification(d):
    shape = d.shape(1, 3)
    numbers = d.one(("distinct",), SMALL, ("integers", 0, 3))
    names = placed(d, (shape, numbers), (shape, d.one(("one_hot",), ("probabilities",))))
    more = {"axis": d.below(-len(shape), len(shape))} if d.chance(0.4) else {}
    if d.chance(0.4) and not more:
        more["topN"] = d.below(1, shape[-1] + 1)
    d.step("classification_error", *names, **more)


def squared(d):
    shape = d.shape(0, 3)
    d.step("squared_error", *placed(d, (shape, SMALL), (shape, SMALL)))


def binary(d):
    shape = d.shape(0, 2) if d.operation[0] == "b" or d.chance(0.2) else d.one([], [1])
    laws = (("uniform", 0.05, 0.95), d.one(("integers", 0, 2), ("uniform", 0, 1)))
    if d.number % 3 == 0:
        laws = (("chosen", [0, 1, 0.5, 1e-9]), ("integers", 0, 2))
    names = placed(d, *[(shape, law) for law in laws])
    if d.operation.startswith("weighted"):
        d.operands[1]["gradient"] = d.chance(0.1)
        on = None if d.chance(0.1) else d.operands[0]["on"]
        names.append(d.operand(shape, on, ("uniform", 0.5, 2), gradient=False))
    d.step(d.operation, *names)


def cosine(d):
    shape = d.shape(1, 2)
    first = d.one(SMALL, SMALL, ("integers", -1, 2))
    d.step("cosine_distance", *placed(d, (shape, first), (shape, SMALL)))


def negative_samples(d):
    shape = [d.below(1, 4)]
    on = d.one("batch", "sequence")
    x, y = d.operand(shape, on), d.operand(shape, on)
    shift, count = d.below(1, 3), d.below(1, 3)
    d.lengths = {"sequence": [d.below(2, 5) for _ in range(4)], "other": []}
    d.step("cosine_distance_with_negative_samples", x, y, shift=shift, num_negative_samples=count)


def measure(d):
    shape = d.shape(1, 2)
    laws = [("integers", 0, 2)] * 2 if d.chance(0.5) else [("uniform", 0.1, 1)] * 2
    names = [d.operand(shape, d.one("batch", "parameter"), law) for law in laws]
    d.step("fmeasure", *names, beta=d.one(1, 2))


def classifier(d):
    """A small classifier with its loss."""
    width, classes = d.below(1, 4), d.below(2, 5)
    on = d.one("batch", "sequence")
    x, y = d.operand([width], on), d.operand([classes], on, ("one_hot",), gradient=False)
    hidden = d.step("tanh", d.step("times", x, d.operand([width, 3], "parameter")))
    scores = d.step(
        "plus",
        d.step("times", hidden, d.operand([3, classes], "parameter")),
        d.operand([classes], "parameter"),
    )
    loss = d.step(
        d.one("cross_entropy_with_softmax", "classification_error", "squared_error"), scores, y
    )
    if d.chance(0.4):
        d.step("reduce_mean", loss, axis={"axis": "all"})


def composition(d):
    """A random expression of two to four operations over two operands."""
    shape = d.shape(1, 3)
    values = [d.operand(shape), d.operand(shape, d.one("parameter", "constant", "batch"))]
    for _ in range(d.below(2, 5)):
        if d.chance(0.5):
            unary = d.one(
                "tanh",
                "sigmoid",
                "square",
                "negate",
                "exp",
                "relu",
                "softplus",
                "abs",
                "sin",
                "elu",
                "softmax",
            )
            values.append(d.step(unary, values[-1]))
        else:
            pair = d.one("plus", "minus", "element_times", "element_max", "log_add_exp")
            values.append(d.step(pair, values[-1], d.one(*values[:-1])))
    if d.chance(0.4):
        d.step(
            d.one("reduce_sum", "reduce_log_sum_exp", "reduce_mean", "reduce_max"),
            values[-1],
            axis=d.one(0, -1, None),
        )


def mixture(d):
    """Arrangements and arithmetic together."""
    shape = [d.below(1, 4), d.below(1, 4), d.below(1, 4)]
    f = d.operand(shape)
    f = d.step("transpose", f, perm=d.one([2, 0, 1], [1, 0, 2], [0, 2, 1]))
    f = d.step("plus", f, d.operand([1], "parameter"))
    f = d.step("reshape", f, shape=d.one([-1], [-1, 1]))
    if d.chance(0.5):
        f = d.step("splice", f, d.step("negate", f), axis=0)
    f = d.step("slice", f, axis=0, begin_index=0, end_index=-1) if d.chance(0.3) else f
    d.step(d.one("softmax", "square", "reduce_sum", "log_softmax"), f)


DRAWN = {
    "cross_entropy_with_softmax": (20, entropy),
    "sparse_entropy": (10, sparse_entropy),
    "losses_of_wrong_shapes": (14, wrong_shapes),
    "classification_error": (16, classification),
    "squared_error": (8, squared),
    "binary_cross_entropy": (8, binary),
    "weighted_binary_cross_entropy": (8, binary),
    "cosine_distance": (8, cosine),
    "cosine_distance_with_negative_samples": (8, negative_samples),
    "fmeasure": (5, measure),
    "classifier": (8, classifier),
    "composition": (40, composition),
    "mixture": (10, mixture),
}
