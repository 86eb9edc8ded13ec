"""All layers that are compared with the original's, under their names."""

from tests.layers import (
    convolution_layers,
    drawn_recurrences,
    feed_forward_layers,
    layers_of_layers,
    recurrent_layers,
)

CASES = {}
for table in (
    feed_forward_layers,
    convolution_layers,
    recurrent_layers,
    layers_of_layers,
    drawn_recurrences,
):
    CASES.update(table.CASES)
