"""Right calls of losses and metrics, from which wrong ones are made."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.wrong_calls.generated import Right


def number(v: Any) -> Any:
    """An input of one element, as scores of a ranking are."""
    return C.input_variable(1)


RIGHT: list[Right] = [
    *(Right(f"losses.{name}", lambda v: {"output": v.x, "target": v.y}, {"output": "operand", "target": "operand"})
      for name in ("binary_cross_entropy", "squared_error")),
    Right("losses.weighted_binary_cross_entropy", lambda v: {"output": v.x, "target": v.y, "weight": v.y},
          dict.fromkeys(("output", "target", "weight"), "operand")),
    Right("losses.cross_entropy_with_softmax", lambda v: {"output_vector": v.x, "target_vector": v.y},
          {"output_vector": "operand", "target_vector": "operand"}),
    Right("losses.cosine_distance", lambda v: {"x": v.x, "y": v.y}),
    Right("losses.cosine_distance_with_negative_samples", lambda v: {"x": v.x, "y": v.y, "shift": 1, "num_negative_samples": 1},
          {"shift": "count", "num_negative_samples": "count"}),
    *(Right(name, lambda v: {"output": number(v), "gain": number(v), "group": number(v)}, dict.fromkeys(("output", "gain",
      "group"), "operand"))
      for name in ("losses.lambda_rank", "metrics.ndcg_at_1")),
    Right("losses.nce_loss",
          lambda v: {"weights": C.parameter((4, 3)), "biases": C.parameter((4, 1)), "inputs": v.x,
                     "labels": C.input_variable(4, is_sparse=True), "noise_distribution": np.ones(4)},
          {"biases": "operand", "labels": "operand", "noise_distribution": "data", "num_samples": "count"}),
    Right("metrics.classification_error", lambda v: {"output_vector": v.x, "target_vector": v.y},
          {"output_vector": "operand", "target_vector": "operand", "topN": "count"}),
    Right("metrics.edit_distance_error", lambda v: {"input_a": v.s, "input_b": v.q},
          {"input_a": "operand", "input_b": "operand", "subPen": "number", "delPen": "number", "insPen": "number",
            "squashInputs": "flag",
           "tokensToIgnore": "axes"}, {"tokensToIgnore=list": "a list of tokens"}),
]  # fmt: skip
