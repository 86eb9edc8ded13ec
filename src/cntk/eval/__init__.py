"""Evaluation of models on test data."""

from cntk._graph.names.late_names import hand_on
from cntk.eval.evaluator import Evaluator

__all__ = ["Evaluator"]

hand_on(globals())
