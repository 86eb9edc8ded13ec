"""Replacement of `sklearn.cross_validation`: splits that are created with their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import model_selection
from sklearn.model_selection import (
    check_cv,
    cross_val_predict,
    cross_val_score,
    permutation_test_score,
    train_test_split,
)

__all__ = [
    "KFold",
    "LabelKFold",
    "LeaveOneLabelOut",
    "LeaveOneOut",
    "LeavePOut",
    "ShuffleSplit",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "check_cv",
    "cross_val_predict",
    "cross_val_score",
    "permutation_test_score",
    "train_test_split",
]

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


class Splits:
    """Pairs of indices for training and test; for today's functions, a list of such pairs."""

    def __init__(self, splitter: Any, n: int, y: Any = None, groups: Any = None) -> None:
        self.n, self._splitter, self._y, self._groups = n, splitter, y, groups

    def __iter__(self) -> Iterator[Split]:
        yield from self._splitter.split(np.zeros((self.n, 1)), self._y, self._groups)

    def __len__(self) -> int:
        return int(self._splitter.get_n_splits(np.zeros((self.n, 1)), self._y, self._groups))


class KFold(Splits):
    """Each of `n_folds` stretches of `n` samples is tested with once."""

    def __init__(
        self, n: int, n_folds: int = 3, shuffle: bool = False, random_state: Any = None
    ) -> None:
        self.n_folds = n_folds
        super().__init__(
            model_selection.KFold(
                n_folds, shuffle=shuffle, random_state=random_state if shuffle else None
            ),
            n,
        )


class StratifiedKFold(Splits):
    """As `KFold`, each fold with the classes in their shares."""

    def __init__(
        self, y: Any, n_folds: int = 3, shuffle: bool = False, random_state: Any = None
    ) -> None:
        self.n_folds = n_folds
        state = random_state if shuffle else None
        super().__init__(
            model_selection.StratifiedKFold(n_folds, shuffle=shuffle, random_state=state), len(y), y
        )


class LeaveOneOut(Splits):
    """Each sample is tested with once."""

    def __init__(self, n: int) -> None:
        super().__init__(model_selection.LeaveOneOut(), n)


class LeavePOut(Splits):
    """Each set of `p` samples is tested with once."""

    def __init__(self, n: int, p: int) -> None:
        super().__init__(model_selection.LeavePOut(p), n)


class LabelKFold(Splits):
    """As `KFold`, with the samples of one label in one fold."""

    def __init__(self, labels: Any, n_folds: int = 3) -> None:
        super().__init__(model_selection.GroupKFold(n_folds), len(labels), groups=labels)


class LeaveOneLabelOut(Splits):
    """The samples of each label are tested with once."""

    def __init__(self, labels: Any) -> None:
        super().__init__(model_selection.LeaveOneGroupOut(), len(labels), groups=labels)


class ShuffleSplit(Splits):
    """Random splits, `n_iter` times."""

    def __init__(
        self,
        n: int,
        n_iter: int = 10,
        test_size: Any = 0.1,
        train_size: Any = None,
        random_state: Any = None,
    ) -> None:
        self.n_iter = n_iter
        super().__init__(
            model_selection.ShuffleSplit(
                n_iter, test_size=test_size, train_size=train_size, random_state=random_state
            ),
            n,
        )


class StratifiedShuffleSplit(Splits):
    """Random splits with the classes in their shares, `n_iter` times."""

    def __init__(
        self,
        y: Any,
        n_iter: int = 10,
        test_size: Any = 0.1,
        train_size: Any = None,
        random_state: Any = None,
    ) -> None:
        self.n_iter = n_iter
        made = model_selection.StratifiedShuffleSplit(
            n_iter, test_size=test_size, train_size=train_size, random_state=random_state
        )
        super().__init__(made, len(y), y)
