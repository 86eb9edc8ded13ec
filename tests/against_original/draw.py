"""All calls, drawn: the same ones on every machine and every Python from 3.6.

Each family's file holds a table `DRAWN` of an operation's name, how many calls it gets, and what
draws one.
"""

from tests.against_original.drawing import Draw
from tests.against_original.draws import (
    arrangement as draw_arrangement,
    criteria as draw_criteria,
    elementwise as draw_elementwise,
    loss as draw_loss,
    network as draw_network,
    product as draw_product,
    reduction as draw_reduction,
    sequence as draw_sequence,
)

FAMILIES = (
    draw_elementwise,
    draw_reduction,
    draw_arrangement,
    draw_product,
    draw_network,
    draw_sequence,
    draw_loss,
    draw_criteria,
)


def descriptions():
    """The description of every call, by its name."""
    found = {}
    for family in FAMILIES:
        for operation, (count, fill) in family.DRAWN.items():
            for number in range(count):
                draw = Draw(operation, number)
                fill(draw)
                if draw.name in found:
                    raise ValueError(f"two operations are drawn under the name {operation}")
                found[draw.name] = draw.description()
    return found
