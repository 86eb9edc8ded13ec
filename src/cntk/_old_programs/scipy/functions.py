"""Replacements of SciPy's former functions, by their successors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


def derivative(
    func: Callable[..., Any],
    x0: float,
    dx: float = 1.0,
    n: int = 1,
    args: Sequence[Any] = (),
    order: int = 3,
) -> Any:
    """Return the n-th derivative at a place, by central differences over `order` points, `dx`
    apart.

    Raises:
        ValueError: `order` is even or not above `n`.
    """
    if order < n + 1 or order % 2 == 0:
        raise ValueError(
            "'order' (the number of points used to compute the derivative) must be odd and at "
            "least n + 1"
        )
    steps = np.arange(order) - order // 2
    powers = steps[None, :].astype(float) ** np.arange(order)[:, None]
    factorial = float(np.prod(np.arange(1, n + 1)))
    weights = np.linalg.solve(powers, np.eye(order)[n] * factorial)
    return sum(w * func(x0 + k * dx, *args) for w, k in zip(weights, steps, strict=True)) / dx**n


def nanstd(x: Any, axis: int | None = 0, bias: bool = False) -> Any:
    """Return the standard deviation of what is not NaN."""
    return np.nanstd(x, axis=axis, ddof=0 if bias else 1)


def ss(a: ArrayLike, axis: int | None = 0) -> Any:
    """Return the sum of squares."""
    return np.sum(np.square(a), axis=axis)


def itemfreq(a: ArrayLike) -> NDArray[Any]:
    """Return each value and how often it occurs."""
    return np.array(np.unique(a, return_counts=True)).T


def binom_test(x: Any, n: Any = None, p: float = 0.5, alternative: str = "two-sided") -> float:
    """Return the p-value of a binomial test."""
    from scipy.stats import binomtest

    successes, trials = (x[0], x[0] + x[1]) if np.ndim(x) else (x, n)
    return float(binomtest(int(successes), int(trials), p, alternative).pvalue)


def median_absolute_deviation(
    x: ArrayLike,
    axis: int | None = 0,
    center: Any = np.median,
    scale: float = 1.4826,
    nan_policy: str = "propagate",
) -> Any:
    """Return the median distance from the median, times `scale`."""
    from scipy.stats import median_abs_deviation

    return median_abs_deviation(x, axis=axis, center=center, nan_policy=nan_policy) * scale


def threshold(
    a: ArrayLike, threshmin: Any = None, threshmax: Any = None, newval: float = 0
) -> NDArray[Any]:
    """Return a copy with what lies beyond the bounds replaced."""
    array = np.array(a)
    beyond = np.zeros(array.shape, bool)
    if threshmin is not None:
        beyond |= array < threshmin
    if threshmax is not None:
        beyond |= array > threshmax
    array[beyond] = newval
    return array


def cumtrapz(
    y: ArrayLike, x: Any = None, dx: float = 1.0, axis: int = -1, initial: float | None = None
) -> Any:
    """Return running integrals by trapezoids; `initial` is put first as it is."""
    from scipy.integrate import cumulative_trapezoid

    integrals = cumulative_trapezoid(y, x=x, dx=dx, axis=axis)
    if initial is None:
        return integrals
    shape = list(integrals.shape)
    shape[axis] = 1
    return np.concatenate([np.full(shape, initial, dtype=integrals.dtype), integrals], axis=axis)


def simps(y: ArrayLike, x: Any = None, dx: float = 1.0, axis: int = -1, even: str = "avg") -> Any:
    """Return the integral by Simpson's rule; an even count of points is integrated as SciPy does
    today.
    """
    from scipy.integrate import simpson

    return simpson(y, x=x, dx=dx, axis=axis)


def romberg(
    function: Callable[..., float], a: float, b: float, args: tuple[Any, ...] = (), **_: Any
) -> float:
    """Return a function's integral."""
    from scipy.integrate import quad

    return float(quad(function, a, b, args=args)[0])


def quadrature(
    func: Callable[..., Any],
    a: float,
    b: float,
    args: tuple[Any, ...] = (),
    tol: float = 1.49e-8,
    **_: Any,
) -> tuple[float, float]:
    """Return the integral of a function, which takes arrays, and how far off it may be."""
    from scipy.integrate import quad

    integral = quad(
        lambda x: float(np.ravel(func(np.array([x]), *args))[0]), a, b, epsabs=tol, epsrel=tol
    )
    return float(integral[0]), float(integral[1])


def spline(
    xk: ArrayLike, yk: ArrayLike, xnew: ArrayLike, order: int = 3, *_: Any, **__: Any
) -> Any:
    """Return values of the spline through points."""
    from scipy.interpolate import make_interp_spline

    return make_interp_spline(xk, yk, k=order)(xnew)


def sph_harm(m: Any, n: Any, theta: Any, phi: Any) -> Any:
    """Return spherical harmonics; `theta` is the azimuth, `phi` the polar angle."""
    from scipy.special import sph_harm_y

    return sph_harm_y(n, m, phi, theta)


def wminkowski(u: ArrayLike, v: ArrayLike, p: float, w: ArrayLike) -> float:
    """Return Minkowski's distance, each difference times its weight."""
    from scipy.spatial.distance import minkowski

    return float(minkowski(u, v, p, np.asarray(w) ** p))


def _dense(matrix: Any) -> Any:
    return matrix.toarray()


def _adjoint(matrix: Any) -> Any:
    return matrix.conj().T


dense, adjoint = property(_dense), property(_adjoint)


class Interp2d:
    """An interpolation over a plane.

    Args:
        x: places along the columns of `z`, or of each point.
        y: places along the rows of `z`, or of each point.
        z: values: len(y) x len(x) on a grid, or one for each point.
        kind: 'linear', 'cubic' or 'quintic'.
        copy: has no effect.
        bounds_error: whether to refuse places outside.
        fill_value: what to give outside; None for the nearest value inside.
    """

    def __init__(
        self, x: ArrayLike, y: ArrayLike, z: ArrayLike, kind: str = "linear", copy: bool = True,
        bounds_error: bool = False, fill_value: float | None = None,
    ) -> None:  # fmt: skip
        from scipy.interpolate import RectBivariateSpline, bisplev, bisplrep

        across, down, values = np.ravel(x), np.ravel(y), np.asarray(z)
        degree = {"linear": 1, "cubic": 3, "quintic": 5}[kind]
        self.bounds_error, self.fill_value = bounds_error, fill_value
        self.x_min, self.x_max, self.y_min, self.y_max = (
            across.min(),
            across.max(),
            down.min(),
            down.max(),
        )
        if values.size == across.size * down.size:
            columns, rows = np.argsort(across), np.argsort(down)
            grid = values.reshape(down.size, across.size)[np.ix_(rows, columns)]
            interpolation = RectBivariateSpline(
                across[columns], down[rows], grid.T, kx=degree, ky=degree
            )
            self._values: Callable[[Any, Any], Any] = lambda x, y: interpolation(x, y).T
        else:
            spline = bisplrep(across, down, np.ravel(values), kx=degree, ky=degree, s=0.0)
            self._values = lambda x, y: (
                np.atleast_2d(bisplev(x, y, spline)).reshape(len(x), len(y)).T
            )

    def __call__(
        self, x: ArrayLike, y: ArrayLike, dx: int = 0, dy: int = 0, assume_sorted: bool = False
    ) -> NDArray[Any]:
        """Return values on the grid of places, rows first; of one row, without its axis.

        Raises:
            ValueError: places lie outside and are to be refused.
        """
        across, down = (
            np.atleast_1d(one) if assume_sorted else np.sort(np.atleast_1d(one)) for one in (x, y)
        )
        outside_x, outside_y = (
            (across < self.x_min) | (across > self.x_max),
            (down < self.y_min) | (down > self.y_max),
        )
        if self.bounds_error and (outside_x.any() or outside_y.any()):
            ranges = f"x must be in [{self.x_min}, {self.x_max}], y in [{self.y_min}, {self.y_max}]"
            raise ValueError(f"Values out of range; {ranges}")
        values = np.array(self._values(across, down))
        if self.fill_value is not None:
            values[:, outside_x] = self.fill_value
            values[outside_y, :] = self.fill_value
        return values[0] if len(values) == 1 else values


def interp2d_again(today: Any, row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return what makes `interp2d` for programs; SciPy's own only raises an error."""

    def interp2d(*arguments: Any, **options: Any) -> Any:
        if not is_served():
            return today(*arguments, **options)
        teller.row(row)
        return Interp2d(*arguments, **options)

    return interp2d
