"""Image transforms: crop, scale, subtract a mean image, jitter colours; and `Pipeline`.

An image is ``[height, width, channels]`` here, uint8 as decoded or float32, its channels blue,
green, red.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._images.resize import resize
from cntk.io._text.listed_names import why

VIEWS = 10
# How often a random crop that does not fit into the image is drawn again.
_TRIES = 10
# Limits for the scaled size before a crop: a very long image would take any amount of memory.
_PIXELS, _RATIO = 1 << 22, 64

Range = tuple[float, float]


class Transform(Protocol):
    """Step from a decoded image to a sample."""

    def apply(self, image: np.ndarray, draws: np.random.Generator, view: int) -> np.ndarray:
        """Return the transformed image.

        Args:
            image: ``[height, width, channels]``.
            draws: random numbers of this image and sweep.
            view: index of the view, for crops with several.
        """
        ...


@dataclass(frozen=True)
class Crop:
    """Crop, which may also mirror the image; see `cntk.io.transforms.crop`.

    Attributes:
        crop_type: ``center``, ``randomside``, ``randomarea`` or ``multiview10``.
        size: width and height in pixels; 0 to use ratios.
        side_ratio: range of the crop's side relative to the shorter side.
        area_ratio: range of the crop's area relative to the image's.
        aspect_ratio: range of width by height, or height by width.
        jitter: whether ratios are drawn from their ranges; else the lower end is used.
    """

    crop_type: str
    size: tuple[int, int]
    side_ratio: Range
    area_ratio: Range
    aspect_ratio: Range
    jitter: bool

    def apply(self, image: np.ndarray, draws: np.random.Generator, view: int) -> np.ndarray:
        """Return the crop."""
        height, width = image.shape[:2]
        wide, high = self._size(width, height, draws)
        free = width - wide, height - high
        is_random = self.crop_type in ("randomside", "randomarea")
        if is_random:
            left, top = (int(draws.integers(f + 1)) for f in free)
            flip = bool(draws.integers(2))
        elif self.crop_type == "multiview10" and view % 5 < 4:
            left, top = free[0] * (view % 5 % 2), free[1] * (view % 5 // 2)
            flip = view >= 5
        else:
            left, top = free[0] // 2, free[1] // 2
            flip = self.crop_type == "multiview10" and view >= 5
        part = image[top : top + high, left : left + wide]
        return part[:, ::-1] if flip else part

    def _size(self, width: int, height: int, draws: np.random.Generator) -> tuple[int, int]:
        if min(self.size) > 0:
            return min(self.size[0], width), min(self.size[1], height)
        if self.side_ratio[0] <= 0 and self.area_ratio[0] <= 0:
            return width, height
        for _ in range(_TRIES):
            if self.side_ratio[0] > 0:
                side = _rounded(min(width, height) * self._drawn(self.side_ratio, draws))
            else:
                side = _rounded(math.sqrt(width * height * self._drawn(self.area_ratio, draws)))
            stretch = math.sqrt(self._drawn(self.aspect_ratio, draws))
            wide, high = int(side * stretch), int(side / stretch)
            if stretch != 1 and draws.integers(2):
                wide, high = high, wide
            if wide <= width and high <= height:
                return max(wide, 1), max(high, 1)
        return width, height

    def _drawn(self, ends: Range, draws: np.random.Generator) -> float:
        low, high = ends
        return float(draws.uniform(low, high)) if self.jitter and low < high else low


def _rounded(x: float) -> int:
    return math.floor(x + 0.5)


@dataclass(frozen=True)
class Scale:
    """Scaling to one size; see `cntk.io.transforms.scale`.

    Attributes:
        width: new width in pixels.
        height: new height in pixels.
        channels: number of channels; 1 decodes images as greyscale.
        interpolation: ``nearest``, ``linear``, ``cubic`` or ``lanczos``.
        mode: ``fill``, ``crop`` or ``pad``.
        pad_value: value of the padding; negative to repeat the border.
    """

    width: int
    height: int
    channels: int
    interpolation: str
    mode: str
    pad_value: int

    def apply(self, image: np.ndarray, draws: np.random.Generator, view: int) -> np.ndarray:
        """Return the scaled image."""
        if self.mode == "fill":
            return resize(image, self.width, self.height, self.interpolation)
        width, height = self._keeping_proportions(image.shape[1], image.shape[0])
        if width * height > max(_PIXELS, _RATIO * self.width * self.height):
            raise DataError(
                f"it is {image.shape[1]} x {image.shape[0]} pixels, and {width} x {height} when it "
                f"covers {self.width} x {self.height}; crop it before, or use scale_mode='fill'"
            )
        scaled = resize(image, width, height, self.interpolation)
        if self.mode == "crop":
            left, top = (width - self.width) // 2, (height - self.height) // 2
            return scaled[top : top + self.height, left : left + self.width]
        left, top = (self.width - width) // 2, (self.height - height) // 2
        borders = ((top, self.height - height - top), (left, self.width - width - left), (0, 0))
        if self.pad_value < 0:
            return np.pad(scaled, borders, mode="edge")
        value = min(self.pad_value, 255) if scaled.dtype == np.uint8 else self.pad_value
        return np.pad(scaled, borders, constant_values=value)

    def _keeping_proportions(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the same proportions that covers the new size, or fits into it."""
        by_width = self.width, max(_rounded(height * self.width / width), 1)
        by_height = max(_rounded(width * self.height / height), 1), self.height
        if self.mode == "crop":
            # Where both are possible, the original chooses by the longer side.
            is_done = by_width[1] >= self.height and (width < height or by_height[0] < self.width)
        else:
            is_done = by_width[1] <= self.height and (width > height or by_height[0] > self.width)
        return by_width if is_done else by_height


@dataclass(frozen=True)
class Mean:
    """Subtraction of a mean image; see `cntk.io.transforms.mean`.

    Attributes:
        filename: path of a file in OpenCV's XML format.
    """

    filename: str

    def apply(self, image: np.ndarray, draws: np.random.Generator, view: int) -> np.ndarray:
        """Return the image minus the mean image; warn and return the image if sizes differ."""
        if image.shape != self.image.shape:
            sizes = " x ".join(map(str, self.image.shape)), " x ".join(map(str, image.shape))
            warnings.warn(
                f"{self.filename}: the mean image is {sizes[0]} (height x width x channels), "
                f"images are {sizes[1]}; it is not subtracted, as in the original. Scale images to "
                f"its size before the mean, or leave it out",
                stacklevel=2,
            )
            return image.astype(np.float32)
        difference: np.ndarray = image.astype(np.float32) - self.image
        return difference

    @cached_property
    def image(self) -> np.ndarray:
        """The mean image, float32 ``[height, width, channels]``, the order of numbers in the file.

        Raises:
            DataError: if the file is no mean image.
        """
        from xml.etree import ElementTree

        if not self.filename:
            raise DataError("transforms.mean: no file was given")
        try:
            with opened(self.filename) as file:
                root = ElementTree.parse(file).getroot()
            shape = [int(root.findtext(name) or "") for name in ("Row", "Col", "Channel")]
            numbers = np.array((root.findtext("MeanImg/data") or "").split(), np.float32)
            if min(shape) < 1 or math.prod(shape) != len(numbers) or not np.isfinite(numbers).all():
                raise ValueError
            return numbers.reshape(shape)
        except OSError as error:
            raise DataError(
                f"transforms.mean: cannot read {self.filename}: {why(error, self.filename)}"
            ) from error
        # LookupError is raised for an unknown encoding.
        except (ElementTree.ParseError, ValueError, LookupError):
            raise DataError(
                f"{self.filename}: expected a mean image in OpenCV's XML format, with Channel, "
                f"Row, Col and, in MeanImg, as many numbers as these say, all of them finite"
            ) from None


@dataclass(frozen=True)
class Color:
    """Random change of brightness, contrast and saturation; see `cntk.io.transforms.color`.

    Attributes:
        brightness_radius: largest change of brightness, relative to the image's mean.
        contrast_radius: largest relative change of contrast.
        saturation_radius: largest relative change of saturation.
    """

    brightness_radius: float
    contrast_radius: float
    saturation_radius: float

    def apply(self, image: np.ndarray, draws: np.random.Generator, view: int) -> np.ndarray:
        """Return the changed image."""
        brightness, contrast, saturation = draws.uniform(-1, 1, 3)
        image = image.astype(np.float32)
        if self.brightness_radius or self.contrast_radius:
            shift = np.float32(brightness * self.brightness_radius * image.mean(dtype=np.float64))
            image = np.clip(image * np.float32(1 + contrast * self.contrast_radius) + shift, 0, 255)
        if self.saturation_radius and image.shape[2] == 3:
            image = _scale_saturation(image, np.float32(1 + saturation * self.saturation_radius))
        return image


def _scale_saturation(image: np.ndarray, factor: np.float32) -> np.ndarray:
    """Multiply the saturation of an image (in HSV: Smith, 1978), to at most 1."""
    value = image.max(2, keepdims=True)
    depth = value - image.min(2, keepdims=True)
    factor_of = np.minimum(factor, value / np.maximum(depth, np.float32(1e-6)))
    changed: np.ndarray = value - (value - image) * factor_of
    return changed


@dataclass(frozen=True)
class Pipeline:
    """The transforms of one stream, one after another.

    Attributes:
        steps: the transforms.
    """

    steps: tuple[Transform, ...]

    def sample(self, image: np.ndarray, seed: tuple[int, ...], view: int) -> np.ndarray:
        """Transform an image to a sample, float32 ``[channels, height, width]``.

        Args:
            image: uint8 ``[height, width, channels]``.
            seed: seed of random numbers. Each kind of transform has its own, so that streams with
                the same crop get the same part, whatever their other transforms are.
            view: index of the image's view.
        """
        kinds: list[type] = []
        for step in self.steps:
            kind = type(step)
            draws = np.random.default_rng([*seed, _KINDS.index(kind), kinds.count(kind)])
            image = step.apply(image, draws, view)
            kinds.append(kind)
        return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)

    @property
    def views(self) -> int:
        """Number of samples of each image."""
        return (
            VIEWS
            if any(isinstance(s, Crop) and s.crop_type == "multiview10" for s in self.steps)
            else 1
        )

    @property
    def channels(self) -> int:
        """Number of channels of the image: 1 or 3."""
        return next((s.channels for s in self.steps if isinstance(s, Scale)), 3)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, ``(-2,)`` if it depends on the image."""
        sizing = [s for s in self.steps if isinstance(s, (Scale, Crop))]
        if not sizing or not isinstance(sizing[-1], Scale):
            return (-2,)
        return self.channels, sizing[-1].height, sizing[-1].width

    def prepare(self) -> None:
        """Read the files that transforms need.

        Raises:
            DataError: if one cannot be read, or a crop contradicts itself.
        """
        for step in self.steps:
            if (
                isinstance(step, Crop)
                and not min(step.size)
                and step.side_ratio[0] > 0
                and step.area_ratio[0] > 0
            ):
                raise DataError(
                    "transforms.crop: side_ratio and area_ratio exclude each other; give one of "
                    "them"
                )
            if isinstance(step, Mean):
                _ = step.image


_KINDS: list[type] = [Crop, Scale, Mean, Color]
