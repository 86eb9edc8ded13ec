"""Draws calls of criteria of sequences and rankings, of random numbers, and of axes made static and
back.
"""

SMALL = ("uniform", -2, 2)


def ranking(d):
    """Scores and gains of documents, and the query that each belongs to."""
    d.lengths["sequence"] = [1] * d.below(2, 7)
    scores, gains = (
        d.operand([1], "batch"),
        d.operand([1], "batch", ("integers", 0, 4), gradient=False),
    )
    groups = d.operand([1], "batch", ("given", 1.0), gradient=False)
    d.step(d.operation, scores, gains, groups)


def edit_distance(d):
    width = d.below(3, 6)
    names = [d.operand([width], "sequence", ("one_hot",), gradient=False) for _ in range(2)]
    more = d.one(
        {},
        {"subPen": 1.0, "delPen": 2.0, "insPen": 0.5},
        {"squashInputs": True},
        {"tokensToIgnore": [0, 2]},
    )
    d.step("edit_distance_error", *names, **more)


def connectionist(d):
    """A label on every frame, the last of all classes standing for none."""
    width = d.below(3, 5)
    d.lengths["sequence"] = [d.below(3, 7) for _ in d.lengths["sequence"]]
    labels = d.operand([width], "sequence", ("one_hot",), gradient=False)
    d.step(
        "connectionist",
        labels,
        d.operand([width], "sequence"),
        blank=width - 1,
        delay=d.one(-1, -1, 1),
    )


def noise_contrastive(d):
    width, classes = d.below(1, 4), d.below(3, 6)
    x, y = d.operand([width], "batch"), d.operand([classes], "batch", ("one_hot",), sparse=True)
    weights, biases = d.operand([classes, width], "parameter"), d.operand([classes, 1], "parameter")
    for operand in d.operands:
        operand["gradient"] = False
    d.step("noise_contrastive", x, y, weights, biases, seed=d.below(1, 99), num_samples=d.one(2, 4))


def unpacked(d):
    x = d.operand(d.shape(0, 2), "sequence")
    more = {"no_mask_output": True} if d.chance(0.5) else {}
    d.step("unpacked", x, padding_value=d.one(0, -1.5), **more)


def packed_again(d):
    """Axes made static and dynamic again."""
    name = d.one("packed_again", "packed_like", "packed_like", "rebatched")
    d.step(name, d.operand(d.shape(0, 2), "batch" if name == "rebatched" else "sequence"))


def to_sequence(d):
    x = d.operand([d.below(2, 5)] + d.shape(0, 2), "batch")
    if d.chance(0.5):
        d.step("to_sequence", x)
        return
    lengths = d.operand([], "batch", ("integers", 1, d.operands[0]["shape"][0] + 1), gradient=False)
    d.step("to_sequence", x, lengths)


def to_batch(d):
    d.step(
        "to_batch",
        d.operand([d.below(1, 5)] + d.shape(0, 2), d.one("parameter", "constant", "batch")),
    )


def unpack_batch(d):
    f = d.step(
        "unpack_batch", d.operand(d.shape(0, 2), d.one("batch", "batch", "parameter", "sequence"))
    )
    if d.chance(0.5):
        d.step("reduce_sum", f, axis=0)


def scaled_image(d):
    x = d.operand([d.below(1, 4), 2, 3], d.one("batch", "sequence"))
    d.step(
        "image_scaler",
        x,
        scalar=d.one(2.0, 0.5),
        biases=[0.5, -1.0, 2.0][: d.operands[0]["shape"][0]],
    )


def cropped(d):
    d.step("crop_automatic", d.operand([d.below(1, 3), d.below(4, 7), d.below(4, 7)], "batch"))


SETTINGS = {
    "uniform": {"low": -1.0, "high": 2.0},
    "normal": {"mean": 0.5, "scale": 2.0},
    "gumbel": {"loc": 0.5, "scale": 2.0},
    "bernoulli": {"mean": 0.3},
}


def drawn_numbers(d):
    settings = dict(SETTINGS[d.operation.split(".")[1]], seed=d.below(1, 999))
    d.step(d.operation, shape=d.shape(0, 3), dtype={"format": d.dtype}, **settings)


def numbers_like(d):
    settings = dict(SETTINGS[d.operation.split(".")[1][:-5]], seed=d.below(1, 999))
    d.step(d.operation, d.operand(d.shape(0, 3), gradient=False), **settings)


def samples(d):
    weights = d.operand(
        [d.below(3, 7)], d.one("constant", "parameter"), ("uniform", 0.1, 2), gradient=False
    )
    d.step(
        d.operation,
        weights,
        num_samples=d.below(1, 4),
        allow_duplicates=d.chance(0.5),
        seed=d.below(1, 999),
    )


DRAWN = {
    "lambda_rank": (5, ranking),
    "ndcg_at_1": (5, ranking),
    "edit_distance_error": (8, edit_distance),
    "connectionist": (8, connectionist),
    "noise_contrastive": (4, noise_contrastive),
    "unpacked": (8, unpacked),
    "packed_again": (8, packed_again),
    "to_sequence": (6, to_sequence),
    "to_batch": (5, to_batch),
    "unpack_batch": (5, unpack_batch),
    "image_scaler": (4, scaled_image),
    "crop_automatic": (3, cropped),
    "random_sample": (5, samples),
    "random_sample_inclusion_frequency": (4, samples),
}
DRAWN.update({"random." + name: (4, drawn_numbers) for name in SETTINGS})
DRAWN.update({f"random.{name}_like": (4, numbers_like) for name in SETTINGS})
