"""A picture of a training: loss, errors, the confusion matrix, and the digits that were misread."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from cntk._cli.data import CLASSES, Digits

if TYPE_CHECKING:
    from cntk._cli.demo import Course, Outcome

INK, GREY, BLUE, ORANGE = "#222222", "#8a8f98", "#2f6db5", "#e07b39"
MISREAD_AT_MOST = 12


def draw(digits: Digits, outcome: Outcome, file: IO[bytes]) -> None:
    """Write the picture as PNG, 1,400 x 900 pixels. No screen is needed."""
    figure = Figure(figsize=(14, 9), dpi=100, facecolor="white")
    right = float((outcome.guesses == digits.test_labels).mean())
    figure.suptitle(
        f"{digits.title}: {right:.2%} of {len(digits.test_labels):,} new digits read correctly",
        x=0.05,
        y=0.965,
        ha="left",
        fontsize=17,
        color=INK,
        fontweight="bold",
        parse_math=False,
    )
    grid = figure.add_gridspec(
        3,
        2,
        left=0.065,
        right=0.97,
        top=0.89,
        bottom=0.04,
        width_ratios=(1, 1.05),
        height_ratios=(1, 1, 0.42),
        wspace=0.16,
        hspace=0.5,
    )
    _draw_losses(figure.add_subplot(grid[0, 0]), outcome.course)
    _draw_errors(figure.add_subplot(grid[1, 0]), outcome.course, len(digits.test_labels))
    _draw_confusion(figure.add_subplot(grid[0:2, 1]), digits.test_labels, outcome.guesses)
    _draw_misread(figure, grid[2, :], digits, outcome.guesses)
    figure.savefig(file, format="png")


def _draw_losses(axes: Axes, course: Course) -> None:
    losses = np.array(course.minibatch_losses)
    epochs = len(course.test_errors) * (1 + np.arange(len(losses))) / len(losses)
    width = max(1, len(losses) // 60)
    smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
    axes.semilogy(
        epochs,
        np.maximum(losses, 1e-6),
        color=GREY,
        alpha=0.35,
        linewidth=0.8,
        label="each minibatch",
    )
    axes.semilogy(epochs[width - 1 :], smooth, color=BLUE, linewidth=2, label=f"mean of {width}")
    axes.set_ylim(bottom=max(1e-4, float(smooth.min()) / 3))
    _tidy(axes, "loss (cross entropy)", "epochs")


def _draw_errors(axes: Axes, course: Course, count: int) -> None:
    epochs = np.arange(1, len(course.test_errors) + 1)
    # No error at all, which a logarithm cannot show, is drawn as half an error among the new
    # digits.
    train, test = (
        np.maximum(errors, 0.5 / count) for errors in (course.train_errors, course.test_errors)
    )
    axes.semilogy(
        epochs, train, color=GREY, marker="o", markersize=3, label="while training, with dropout"
    )
    axes.semilogy(
        epochs, test, color=ORANGE, marker="o", markersize=4, linewidth=2, label="on new digits"
    )
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _tidy(axes, "errors", "epochs")


def _draw_confusion(axes: Axes, labels: NDArray[np.uint8], guesses: NDArray[np.intp]) -> None:
    table = np.zeros((CLASSES, CLASSES), int)
    np.add.at(table, (labels, guesses), 1)
    # Rows as shares, and the root of them: a single mistake among a thousand should still be seen.
    shares = np.sqrt(table / np.maximum(table.sum(axis=1, keepdims=True), 1))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(table):
        colour = "white" if shares[row, column] > 0.6 else INK if row == column else "#b3312c"
        axes.text(
            column,
            row,
            f"{table[row, column]}",
            ha="center",
            va="center",
            color=colour,
            fontsize=11,
        )
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xticks(np.arange(CLASSES - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(CLASSES - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_title(
        "new digits: what it was, and what it was read as", loc="left", fontsize=12, color=INK
    )
    axes.set_xlabel("read as", color=INK)
    axes.set_ylabel("was", color=INK)


def _draw_misread(
    figure: Figure, place: SubplotSpec, digits: Digits, guesses: NDArray[np.intp]
) -> None:
    wrong = np.flatnonzero(guesses != digits.test_labels)
    shown = wrong[:MISREAD_AT_MOST]
    strip = place.subgridspec(1, MISREAD_AT_MOST, wspace=0.25)
    for position, index in enumerate(shown):
        axes = figure.add_subplot(strip[position])
        axes.imshow(digits.test_images[index, 0], cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(
            f"{digits.test_labels[index]} read as {guesses[index]}", fontsize=10, color=INK
        )
        axes.set_axis_off()
    label = f"misread ({len(shown)} of {len(wrong)} shown)" if len(wrong) else "nothing was misread"
    box = place.get_position(figure)
    figure.text(box.x0 - 0.005, box.y1 + 0.028, label, fontsize=12, color=INK)


def _tidy(axes: Axes, title: str, across: str) -> None:
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.set_xlabel(across, color=INK)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.legend(frameon=False, fontsize=10)
