"""Replacements of Matplotlib's former functions."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def hold(*_: Any) -> None:
    """Do nothing: everything is drawn over what is there."""


def ishold(*_: Any) -> bool:
    """Return True."""
    return True


def over(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Draw over what is there."""
    return function(*arguments, **options)


def spectral() -> None:
    """Make nipy_spectral the colour map."""
    from matplotlib import pyplot

    pyplot.set_cmap("nipy_spectral")


def register_cmap(name: str | None = None, cmap: Any = None, **_: Any) -> None:
    """Give a colour map a name."""
    import matplotlib

    matplotlib.colormaps.register(cmap, name=name, force=True)


def plot_date(
    axes: Any,
    x: Any,
    y: Any,
    fmt: str = "o",
    tz: Any = None,
    xdate: bool = True,
    ydate: bool = False,
    **o: Any,
) -> Any:
    """Draw points over time."""
    if xdate:
        axes.xaxis_date(tz)
    if ydate:
        axes.yaxis_date(tz)
    return axes.plot(x, y, fmt, **o)


def plt_plot_date(x: Any, y: Any, fmt: str = "o", **options: Any) -> Any:
    """Draw points over time in the current axes."""
    from matplotlib import pyplot

    return plot_date(pyplot.gca(), x, y, fmt, **options)


def set_facecolor(axes: Any, color: Any) -> None:
    """Set the colour behind the axes."""
    axes.set_facecolor(color)


def get_facecolor(axes: Any) -> Any:
    """Return the colour behind the axes."""
    return axes.get_facecolor()


def set_window_title(canvas: Any, title: str) -> None:
    """Set the title of the window, if there is one."""
    if canvas.manager is not None:
        canvas.manager.set_window_title(title)


def is_string_like(thing: object) -> bool:
    """Tell whether a thing is a string."""
    return isinstance(thing, str)


def is_numlike(thing: object) -> bool:
    """Tell whether a thing is a number."""
    return isinstance(thing, numbers.Number)


def mkdirs(newdir: str, mode: int = 0o777) -> None:
    """Make a folder and those above it, if there are none."""
    os.makedirs(newdir, mode, exist_ok=True)


def normpdf(x: ArrayLike, *args: float) -> Any:
    """Return the normal density for a mean and a deviation."""
    mean, deviation = args
    return np.exp(-0.5 * ((np.asarray(x) - mean) / deviation) ** 2) / (
        math.sqrt(2 * math.pi) * deviation
    )


def bivariate_normal(
    X: Any,
    Y: Any,
    sigmax: float = 1.0,
    sigmay: float = 1.0,
    mux: float = 0.0,
    muy: float = 0.0,
    sigmaxy: float = 0.0,
) -> Any:
    """Return the normal density of two variables."""
    x, y, rho = X - mux, Y - muy, sigmaxy / (sigmax * sigmay)
    z = x**2 / sigmax**2 + y**2 / sigmay**2 - 2 * rho * x * y / (sigmax * sigmay)
    return np.exp(-z / (2 * (1 - rho**2))) / (2 * np.pi * sigmax * sigmay * np.sqrt(1 - rho**2))


def find(condition: ArrayLike) -> NDArray[np.intp]:
    """Return where a condition, flattened, is true."""
    return np.flatnonzero(condition)


def prctile(x: Any, p: Any = (0.0, 25.0, 50.0, 75.0, 100.0)) -> Any:
    """Return percentiles."""
    return np.percentile(x, p)


def griddata(x: Any, y: Any, z: Any, xi: Any, yi: Any, interp: str = "nn") -> Any:
    """Return values on a grid, between those of points."""
    from scipy.interpolate import griddata as grid

    if np.ndim(xi) == 1:
        xi, yi = np.meshgrid(xi, yi)
    values = grid((np.ravel(x), np.ravel(y)), np.ravel(z), (xi, yi), method="linear")
    return np.ma.masked_invalid(values)


def movavg(x: Any, n: int) -> Any:
    """Return means of `n` values after one another."""
    return np.convolve(x, np.full(n, 1.0 / n), mode="valid")


def rms_flat(a: Any) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.abs(a) ** 2)))


def frange(
    xini: float, xfin: float | None = None, delta: float | None = None, **options: Any
) -> NDArray[Any]:
    """Return numbers in even steps, the last one included unless `closed` is 0."""
    start, stop = (0.0, xini) if xfin is None else (xini, xfin)
    step = delta or 1.0
    closed = options.get("closed", 1)
    count = options.get("npts") or round((stop - start) / step) + (1 if closed else 0)
    return start + np.arange(count) * (
        (stop - start) / (count - 1) if options.get("npts") and closed else step
    )


def amap(function: Callable[..., Any], *arguments: Any) -> NDArray[Any]:
    """Return what a function gives for each value as an array."""
    return np.array(list(map(function, *arguments)))


def entropy(y: Any, bins: Any) -> float:
    """Return the entropy of a histogram, in bits."""
    counts, edges = np.histogram(y, bins)
    shares = counts[counts > 0] / counts.sum()
    return float(-np.sum(shares * np.log2(shares)) + np.log2(edges[1] - edges[0]))
