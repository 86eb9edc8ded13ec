"""Evaluation of models on test data."""

from cntk.eval.evaluator import Evaluator

__all__ = ["Evaluator"]
