"""Whole programs, written as users of CNTK 2 write them, run here and learn what they are meant to
learn.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.programs import (
    cart_pole,
    digits_convnet,
    digits_mlp,
    logistic_regression,
    sequence_classifier,
    slot_tagger,
)


def test_logistic_regression_finds_the_best_line() -> None:
    result = logistic_regression.train()

    # For two round clouds of equal spread the best classifier is known: its weights are the
    # difference of the centers, and at a distance of 3 it errs in 6.7% of the cases.
    left, right = logistic_regression.CENTERS
    weights, bias = result["parameters"]["weights"], result["parameters"]["bias"]
    np.testing.assert_allclose(weights[:, 1] - weights[:, 0], right - left, atol=0.4)
    assert bias[1] - bias[0] == pytest.approx((left @ left - right @ right) / 2, abs=0.3)
    assert 0.04 < result["test_error"] < 0.09
    assert np.mean(result["losses"][-50:]) < 0.5 * result["losses"][0]
    assert result["samples_seen"] == 600 * 25


def test_logistic_regression_reports_the_error_of_its_own_probabilities() -> None:
    result = logistic_regression.train(num_minibatches=50)
    wrong = result["probabilities"].argmax(axis=1) != result["test_classes"].argmax(axis=1)
    np.testing.assert_allclose(result["probabilities"].sum(axis=1), 1, atol=1e-5)
    assert result["test_error"] == pytest.approx(wrong.mean(), abs=1e-6)


@pytest.mark.parametrize(("program", "highest_error"), [(digits_mlp, 0.08), (digits_convnet, 0.09)])
def test_digit_networks_generalize(program, highest_error: float) -> None:
    result = program.train()
    assert result["test_error"] < highest_error
    assert np.mean(result["losses"][-5:]) < 0.15 * result["losses"][0]

    # Dropout and batch normalization are in their evaluating form outside training: same answers
    # twice, and each image alone is classified as it is among the others.
    model, images = result["model"], result["test_images"][:40]
    together = model.eval({model.arguments[0]: images})
    np.testing.assert_array_equal(together, model.eval({model.arguments[0]: images}))
    alone = np.concatenate(
        [model.eval({model.arguments[0]: image[np.newaxis]}) for image in images]
    )
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-4)


def test_sequence_classifier_remembers_the_first_key() -> None:
    result = sequence_classifier.train()
    # As good as guessing.
    assert result["losses"][0] == pytest.approx(np.log(sequence_classifier.NUM_KEYS), abs=0.15)
    assert np.mean(result["losses"][-20:]) < 0.2
    assert result["test_error"] < 0.05


@pytest.mark.parametrize("sparse", [True, False])
def test_slot_tagger_learns_the_grammar(sparse: bool) -> None:
    result = slot_tagger.train(sparse)
    assert np.mean(result["losses"][-20:]) < 0.1 < 1 < result["losses"][0]
    assert result["test_error"] < 0.02
    assert result["tag"]("show flights to cheap denver not on sunday from old boston") == [
        "O", "O", "O", "O", "destination", "O", "O", "excluded_day", "O", "O", "origin",
    ]  # fmt: skip
    assert result["tag"]("show flights from denver to boston") == [
        "O",
        "O",
        "O",
        "origin",
        "O",
        "destination",
    ]


def test_slot_tagger_is_the_same_for_sparse_and_dense_words() -> None:
    sparse, dense = (
        slot_tagger.train(sparse, num_minibatches=2)["losses"] for sparse in (True, False)
    )
    # Momentum of rows without gradient makes later ones differ.
    np.testing.assert_allclose(sparse, dense, rtol=1e-5)


def test_cart_pole_learns_to_balance() -> None:
    result = cart_pole.train()
    assert np.mean(result["by_chance"]) < 30
    assert np.mean(result["lengths"][:10]) < 40
    assert np.mean(result["learned"]) > 120
