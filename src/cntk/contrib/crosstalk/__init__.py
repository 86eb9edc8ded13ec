"""Values carried between scripts of different toolkits, and compared there.

A script *watches* variables under names, saves their values to a folder, and another script, in
whatever toolkit, loads them into its own variables or compares. `crosstalk_cntk.instance` is for
models of this package, `crosstalk_tensorflow.instance` for TensorFlow; for anything else make a
`Crosstalk` and register functions that get and set values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cntk.contrib.crosstalk._values import read_value, write_value

__all__ = [
    "Conv2DArgs",
    "Conv2DAttr",
    "Crosstalk",
    "CrosstalkError",
    "EmbedAttr",
    "NotWatchedError",
    "RnnArgs",
    "RnnAttr",
]

Array = NDArray[Any]


class CrosstalkError(ValueError, RuntimeError, TypeError, AttributeError):
    """Raised where a value or file does not fit a watched variable, or something has not been set
    up yet.
    """


class NotWatchedError(KeyError, ValueError):
    """Raised where nothing is watched under a name, or a type of variables has no functions."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its text in quotes


class Conv2DAttr(NamedTuple):
    """Options of a convolution in two dimensions over one channel.

    Attributes:
        filter_shape: height and width of the filters.
        num_filters: how many there are.
    """

    filter_shape: tuple[int, int]
    num_filters: int


class Conv2DArgs(NamedTuple):
    """Parameters of a convolution in two dimensions over one channel.

    Attributes:
        W: the filters, ``[num_filters, height, width]``.
        b: the bias, ``[num_filters]``, or None.
    """

    W: Array
    b: Array | None


class RnnAttr(NamedTuple):
    """Options of a recurrent layer.

    Attributes:
        bidirectional: must be True.
        op_type: the cell; ``'lstm'`` is supported.
        input_dim: the input's size.
        hidden_dim: the state's size, for each direction.
        forget_bias: what TensorFlow's cell adds to its bias of the forget gate.
    """

    bidirectional: bool
    op_type: str
    input_dim: int
    hidden_dim: int
    forget_bias: float


class RnnArgs(NamedTuple):
    """Parameters of a bidirectional LSTM, gates in the order input, cell, forget, output.

    Attributes:
        fw_W: those of the input, forward, ``[input_dim, 4 * hidden_dim]``.
        fw_H: those of the state, forward, ``[hidden_dim, 4 * hidden_dim]``.
        fw_b: the bias, forward, ``[4 * hidden_dim]``.
        bw_W: the same backward.
        bw_H: the same backward.
        bw_b: the same backward.
    """

    fw_W: Array
    fw_H: Array
    fw_b: Array
    bw_W: Array
    bw_H: Array
    bw_b: Array


class EmbedAttr(NamedTuple):
    """Options of an embedding.

    Attributes:
        dict: the words, in the order of the rows.
        input_dim: how many there are.
    """

    dict: list[Any]
    input_dim: int


class VarInfo(NamedTuple):
    """A watched variable.

    Attributes:
        var: the variable.
        type: what its functions are registered for.
        attr: its options, passed to the functions.
    """

    var: Any
    type: Any
    attr: Any


class FuncInfo(NamedTuple):
    """Functions that get and set a type of variables.

    Attributes:
        setter: sets the value, called with the variable, the value and the attribute; None if it
            cannot be set.
        getter: returns the value, called with the variable and the attribute.
    """

    setter: Callable[[Any, Any, Any], None] | None
    getter: Callable[[Any, Any], Any] | None


_LAYERS: dict[str, type] = {"Conv2DArgs": Conv2DArgs, "RnnArgs": RnnArgs}


class Crosstalk:
    """Watches variables; gets, sets, saves, loads and compares their values.

    A value is an array, a list or a dictionary of arrays, a `Conv2DArgs` or a `RnnArgs`.

    Attributes:
        vars: what is watched, by name.
        funcs: the functions, by type of variables.
        passes: how often `next_pass` has been called; names of files begin with it.

    Example:
        >>> talk = Crosstalk()
        >>> talk.register_funcs(
        ...     list,
        ...     setter=lambda v, value, attr: v.__setitem__(0, value),
        ...     getter=lambda v, attr: v[0],
        ... )
        >>> here = [np.zeros(2)]
        >>> talk.watch(here, "here")
        >>> talk.set_workdir("exchange")
        >>> talk.save_all()
        >>> talk.assign("here", np.ones(2))
        >>> here
        [array([1., 1.])]
        >>> bool(talk.compare("here"))
        False
        >>> talk.load(["here"])
        >>> here
        [array([0., 0.])]
    """

    vars: dict[str, VarInfo]
    passes: int

    def __init__(self) -> None:
        self.funcs: dict[Any, FuncInfo] = {}
        self.work_dir: str | None = None
        self.reset()

    def set_workdir(self, dir: str) -> None:
        """Set the folder of the files; create it if needed.

        Args:
            dir: the path.
        """
        os.makedirs(dir, exist_ok=True)
        self.work_dir = dir

    def next_pass(self) -> None:
        """Begin new files, so that those saved so far are kept."""
        self.passes += 1

    def watch(self, var: Any, name: str, var_type: Any = None, attr: Any = None) -> None:
        """Watch a variable under a name.

        Args:
            var: the variable, of whatever kind the toolkit has.
            name: the name.
            var_type: which functions get and set its value; those for ``type(var)`` by default.
            attr: what these need to know: a `Conv2DAttr`, `RnnAttr` or `EmbedAttr` with
                ``var_type`` of that name.

        Raises:
            CrosstalkError: (a ValueError) if something is watched under the name already.
        """
        if name in self.vars:
            raise CrosstalkError(
                f"'{name}' is watched already; choose another name, or call reset()"
            )
        self.vars[name] = VarInfo(var, type(var) if var_type is None else var_type, attr)

    def register_funcs(self, var_type: Any, setter: Any = None, getter: Any = None) -> None:
        """Register the functions that get and set a type of variables.

        Args:
            var_type: the type; see `watch`.
            setter: called with the variable, the value and the attribute; None if values cannot be
                set.
            getter: called with the variable and the attribute; returns the value.
        """
        self.funcs[var_type] = FuncInfo(setter, getter)

    def load_raw_value(self, name: str) -> Any:
        """Return the value that a file of the current pass holds.

        Args:
            name: the name that it was saved under.

        Raises:
            DataError: (a ValueError and RuntimeError) if the file is damaged or pickled.
            FileNotFoundError: if there is none.
        """
        return read_value(self._get_filename(name), _LAYERS)

    def assign(
        self, name: str, value: Any = None, load: bool = False, load_name: str | None = None
    ) -> None:
        """Set a variable's value.

        Args:
            name: the variable's name.
            value: the value, of the kind that `fetch` returns.
            load: whether to take it from a file instead.
            load_name: the file's name, if it is another.

        Raises:
            NotWatchedError: (a KeyError) for an unknown name.
            CrosstalkError: (a ValueError) if the value is of another kind or shape, or cannot be
                set.
        """
        watched, functions = self._known(name)
        if load and value is not None:
            raise CrosstalkError(f"assign '{name}': give a value, or load=True, not both")
        if load:
            value = self.load_raw_value(load_name or name)
        else:
            old = self.fetch(name)
            if type(old) is not type(value) and not (
                isinstance(old, list) and isinstance(value, list)
            ):
                raise CrosstalkError(
                    f"assign '{name}': expected a {type(old).__name__}, got a "
                    f"{type(value).__name__}"
                )
        if functions.setter is None:
            raise CrosstalkError(
                f"assign '{name}': it is computed, or its functions have no setter"
            )
        functions.setter(watched.var, value, watched.attr)

    def fetch(self, name: str, save: bool = False) -> Any:
        """Return a variable's value.

        Args:
            name: the variable's name.
            save: whether to write it to a file of that name, too.

        Raises:
            NotWatchedError: (a KeyError) for an unknown name, and for a variable that has no
                functions yet.
        """
        watched, functions = self._known(name)
        if functions.getter is None:
            raise CrosstalkError(f"fetch '{name}': its functions have no getter")
        value = functions.getter(watched.var, watched.attr)
        if save:
            write_value(self._get_filename(name), value, _LAYERS)
        return value

    def compare(
        self,
        name: str,
        compare_name: str | None = None,
        rtol: float = 1e-05,
        atol: float = 1e-08,
        equal_nan: bool = False,
    ) -> bool:
        """Return whether a variable has the value that a file holds.

        A list of sequences may be compared with one array in which they are padded: what is beyond
        their ends does not count.

        Args:
            name: the variable's name.
            compare_name: the file's name, if it is another.
            rtol: relative tolerance, as in `numpy.isclose`.
            atol: absolute tolerance.
            equal_nan: whether nan counts as equal to nan.

        Raises:
            NotWatchedError: (a KeyError) for an unknown name.
            CrosstalkError: (a ValueError) if the two are of different kinds or shapes.
        """
        actual = self.fetch(name)
        expected = self.load_raw_value(compare_name or name)

        def close(a: Any, b: Any) -> bool:
            return bool(np.isclose(a, b, rtol, atol, equal_nan).all())

        return _compare(f"compare '{name}'", actual, expected, close)

    def load(self, names: Iterable[str]) -> None:
        """Set variables from the files of their names.

        Args:
            names: the names; those that are not watched are passed over.
        """
        for name in names:
            if name in self.vars:
                self.assign(name, load=True)

    def save(self, names: Iterable[str]) -> None:
        """Save the values of variables to files of their names.

        Args:
            names: the names; those that are not watched are passed over.
        """
        for name in names:
            if name in self.vars:
                self.fetch(name, save=True)

    def save_all(self) -> None:
        """Write the values of all that is watched to files."""
        self.save(list(self.vars))

    def reset(self) -> None:
        """Forget all watched variables, and begin with pass 0; registered functions stay."""
        self.vars = {}
        self.passes = 0

    def _get_filename(self, name: str) -> str:
        if self.work_dir is None:
            raise CrosstalkError(f"'{name}': say first where files are: set_workdir(path)")
        return os.path.join(self.work_dir, f"{self.passes}_{name}")

    def _watched(self, name: str) -> VarInfo:
        if name not in self.vars:
            raise NotWatchedError(f"nothing is watched under the name '{name}'")
        return self.vars[name]

    def _known(self, name: str) -> tuple[VarInfo, FuncInfo]:
        watched = self._watched(name)
        functions = self.funcs.get(watched.type)
        if functions is None:
            kind = getattr(watched.type, "__name__", watched.type)
            raise NotWatchedError(
                f"'{name}': no functions are registered for {kind}; call set_data or register_funcs"
            )
        return watched, functions


def _compare(what: str, actual: Any, expected: Any, close: Callable[[Any, Any], bool]) -> bool:
    """Return whether two values have the same type and are close."""
    arrays, lists = isinstance(actual, np.ndarray), isinstance(actual, list)
    if arrays and isinstance(expected, np.ndarray):
        try:
            np.broadcast_shapes(actual.shape, expected.shape)
        except ValueError:
            raise CrosstalkError(
                f"{what}: its shape is {actual.shape}, and the file's {expected.shape}"
            ) from None
        return close(expected, actual)
    if arrays and isinstance(expected, list):
        return _compare_padded(what, expected, actual, close)
    if lists and isinstance(expected, np.ndarray):
        return _compare_padded(what, actual, expected, close)
    if type(actual) is type(expected) and isinstance(actual, tuple):
        pairs = zip(actual, expected, strict=True)
        return all(
            a is b if a is None or b is None else _compare(what, a, b, close) for a, b in pairs
        )
    if lists and isinstance(expected, list) and len(actual) == len(expected):
        return all(_compare(what, a, b, close) for a, b in zip(actual, expected, strict=True))
    if isinstance(actual, dict) and isinstance(expected, dict) and actual.keys() == expected.keys():
        return all(_compare(what, actual[key], expected[key], close) for key in actual)
    raise CrosstalkError(
        f"{what}: its value is {_outline(actual)}, and the file holds {_outline(expected)}"
    )


def _compare_padded(
    what: str, rows: list[Array], padded: Array, close: Callable[[Any, Any], bool]
) -> bool:
    """Return whether sequences equal a padded array; print the first difference."""
    if len(rows) != len(padded) or any(
        row.shape[1:] != padded.shape[2:] or len(row) > padded.shape[1] for row in rows
    ):
        raise CrosstalkError(
            f"{what}: {len(rows)} sequences of shapes {[row.shape for row in rows[:3]]} ... do not "
            f"fit into a padded array of shape {padded.shape}"
        )
    for k, (row, whole) in enumerate(zip(rows, padded, strict=True)):
        other = whole[: len(row)]
        if not close(other, row):
            distance = ((other - row) ** 2).reshape(len(row), -1).sum(1)
            print(f"{what}: sequence {k} differs most in step {int(distance.argmax())}")
            return False
    return True


def _outline(value: Any) -> str:
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, (list, dict)) else f"a {kind}"
