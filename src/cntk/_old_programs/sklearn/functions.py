"""Replacements of scikit-learn's former functions and classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis as LDA,
    QuadraticDiscriminantAnalysis as QDA,
)
from sklearn.impute import SimpleImputer

__all__ = [
    "LDA",
    "QDA",
    "Imputer",
    "get_feature_names",
    "jaccard_similarity_score",
    "linear_assignment",
    "plot_confusion_matrix",
    "plot_roc_curve",
    "randomized_pca",
]


class Imputer(SimpleImputer):  # type: ignore[misc]
    """Imputation of missing values, column by column.

    Args:
        missing_values: what counts as a gap; "NaN" for NaN.
        strategy: "mean", "median" or "most_frequent".
        axis: 0; along rows nothing is filled any more.
        verbose: has no effect.
        copy: whether to leave the input as it is.
    """

    def __init__(
        self,
        missing_values: Any = "NaN",
        strategy: str = "mean",
        axis: int = 0,
        verbose: int = 0,
        copy: bool = True,
    ) -> None:
        if axis != 0:
            raise ValueError("Imputer(axis=1): transpose the data and fill along columns")
        self.axis, self.verbose = axis, verbose
        gap = (
            np.nan
            if isinstance(missing_values, str) and missing_values == "NaN"
            else missing_values
        )
        super().__init__(missing_values=gap, strategy=strategy, copy=copy)


def get_feature_names(vectorizer: Any, *arguments: Any) -> list[str]:
    """Return the names of the features."""
    return [str(name) for name in vectorizer.get_feature_names_out(*arguments)]


def jaccard_similarity_score(
    y_true: Any, y_pred: Any, normalize: bool = True, sample_weight: Any = None
) -> float:
    """Return the mean overlap of sets of labels; for single labels, the share that is right."""
    from sklearn.metrics import accuracy_score, jaccard_score

    if np.ndim(y_true) == 2:
        return float(
            jaccard_score(
                y_true, y_pred, average="samples", sample_weight=sample_weight, zero_division=1.0
            )
        )
    return float(accuracy_score(y_true, y_pred, normalize=normalize, sample_weight=sample_weight))


def linear_assignment(X: Any) -> Any:
    """Return pairs of rows and columns with the least sum."""
    from scipy.optimize import linear_sum_assignment

    return np.transpose(linear_sum_assignment(X))


def plot_confusion_matrix(estimator: Any, X: Any, y_true: Any, **options: Any) -> Any:
    """Draw which classes are taken for which."""
    from sklearn.metrics import ConfusionMatrixDisplay

    return ConfusionMatrixDisplay.from_estimator(estimator, X, y_true, **options)


def plot_roc_curve(estimator: Any, X: Any, y: Any, **options: Any) -> Any:
    """Draw the curve of hits and false alarms."""
    from sklearn.metrics import RocCurveDisplay

    return RocCurveDisplay.from_estimator(estimator, X, y, **options)


def randomized_pca(
    n_components: Any = None, copy: bool = True, iterated_power: Any = 2, **options: Any
) -> Any:
    """Return a PCA that is computed by random projections."""
    return PCA(
        n_components, copy=copy, svd_solver="randomized", iterated_power=iterated_power, **options
    )
