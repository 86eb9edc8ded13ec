"""All programs in the manner of the original's tutorials and examples, and how one is run.

Runs with the original too, on Python 3.6.
"""

import numpy as np

import cntk as C
from tests.programs.tutorials import (
    tutorial_comprehension,
    tutorial_examples,
    tutorial_first_steps,
    tutorial_images,
    tutorial_language_models,
    tutorial_networks,
    tutorial_sequences,
    tutorial_speech,
    tutorial_translation,
    tutorial_variations,
)

PROGRAMS = [
    *tutorial_comprehension.PROGRAMS,
    *tutorial_examples.PROGRAMS,
    *tutorial_first_steps.PROGRAMS,
    *tutorial_images.PROGRAMS,
    *tutorial_language_models.PROGRAMS,
    *tutorial_networks.PROGRAMS,
    *tutorial_sequences.PROGRAMS,
    *tutorial_speech.PROGRAMS,
    *tutorial_translation.PROGRAMS,
    *tutorial_variations.PROGRAMS,
]


def numbers_of(program, folder):
    """A program's numbers, its metric last, with the same random numbers every time."""
    C.cntk_py.set_fixed_random_seed(11)
    np.random.seed(0)
    return [float("%.7g" % number) for number in program(folder)]
