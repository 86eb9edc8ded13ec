"""What draws one call: random choices that depend on the call's name alone, and the description
that they fill.
"""

import zlib

import numpy as np


class Draw:
    """One call in the making.

    Every choice comes from a generator that the call's name seeds, so that a call stays what it is
    when others are added.

    Args:
        operation: the operation's name.
        number: which of its calls.
    """

    def __init__(self, operation, number):
        self.name, self.number = f"{operation}/{number}", number
        self.operation = operation
        self.random = np.random.RandomState(zlib.crc32(self.name.encode()) & 0xFFFFFFFF)
        self.operands, self.steps, self.watched = [], [], []
        self.dtype = self.one("float32", "float32", "float64")
        samples = self.below(1, 5)
        self.lengths = {"sequence": [self.below(1, 6) for _ in range(samples)]}
        self.lengths["other"] = [self.below(1, 5) for _ in range(samples)]
        self.root = self.one("ones", "random")

    def one(self, *options):
        """One of the options."""
        return options[self.random.randint(len(options))]

    def chance(self, share):
        """Whether something of this probability happens."""
        return bool(self.random.uniform() < share)

    def below(self, low, high):
        """A whole number from `low` to `high - 1`."""
        return int(self.random.randint(low, high))

    def shape(self, least=0, most=4, largest=5):
        """A random shape of a rank from `least` to `most`, never with many elements."""
        rank = self.below(least, most + 1)
        return [self.below(1, 1 + max(2, largest - rank + 1)) for _ in range(rank)]

    def place(self, *options):
        """Where an operand stands: nowhere, on the batch axis, on the sequence axis."""
        return self.one(*(options or ("parameter", "batch", "sequence", "sequence")))

    def operand(self, shape, on=None, numbers=("uniform", -2, 2), gradient=True, **more):
        """Add an operand; its name.

        Args:
            shape: its static shape.
            on: `parameter`, `constant`, `batch`, `sequence`, or `other` for a second sequence axis.
            numbers: the law that its numbers are drawn by.
            gradient: whether its gradient is wanted.
        """
        on = on or self.place()
        described = {"on": on, "shape": list(shape), "numbers": list(numbers)}
        described["gradient"] = bool(gradient) and on != "constant" and not more.get("sparse")
        described.update(more)
        self.operands.append(described)
        return f"x{len(self.operands) - 1}"

    def step(self, builder, *applied_to, **attributes):
        """Add a step; its name."""
        self.steps.append([builder, list(applied_to), attributes])
        return f"f{len(self.steps) - 1}"

    def description(self):
        """The finished call."""
        described = {
            "name": self.name,
            "dtype": self.dtype,
            "lengths": self.lengths,
            "operands": self.operands,
        }
        described.update(steps=self.steps, root=self.root)
        if self.watched:
            described["watch"] = self.watched
        return described
