"""Transforms of images for `cntk.io.ImageDeserializer`.

`StreamDef` takes a list of them, which are applied in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._arguments import as_integer, as_path, as_real, shown
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError, RangeError, SettingError
from cntk.io._images.resize import INTERPOLATIONS
from cntk.io._images.transforms import Color, Crop, Mean, Scale

_CROPS = ("center", "randomside", "randomarea", "multiview10")
_JITTERS = ("none", "uniratio")
_MODES = ("fill", "crop", "pad")


def crop(
    crop_type: str = "center",
    crop_size: Any = 0,
    side_ratio: Any = 0.0,
    area_ratio: Any = 0.0,
    aspect_ratio: Any = 1.0,
    jitter_type: str = "none",
) -> Crop:
    """Crop each image.

    A random crop that does not fit is drawn again up to ten times; then the whole image is used.

    Args:
        crop_type: ``'center'``; ``'randomside'`` or ``'randomarea'``, both anywhere, mirrored half
            of the time; or ``'multiview10'``: ten samples of each image, from its corners and its
            centre, and the same mirrored.
        crop_size: side in pixels, or width and height, at most those of the image. With it ratios
            are ignored.
        side_ratio: side of the crop relative to the image's shorter side, up to 1, or a range of
            such ratios.
        area_ratio: area of the crop relative to the image's, up to 1, or a range. It excludes
            ``side_ratio``.
        aspect_ratio: width of the crop by its height, or at random its inverse; or a range.
        jitter_type: ``'uniratio'`` draws ratios uniformly from their ranges; ``'none'`` uses the
            lower ends.

    Returns:
        A transform.

    Raises:
        ValueError: if an argument has another value.

    Example:
        >>> crop("randomside", side_ratio=(0.8, 1.0), jitter_type="uniratio").side_ratio
        (0.8, 1.0)
    """
    kind, jitter = str(crop_type).lower(), str(jitter_type).lower()
    _one_of("crop", "crop_type", kind, _CROPS)
    _one_of("crop", "jitter_type", jitter, _JITTERS)
    size = _pair("crop", "crop_size", crop_size)
    if any(int(n) != n or n < 0 for n in size):
        raise SettingError(
            f"transforms.crop: crop_size must be integers (pixels), 0 or more, got "
            f"{shown(crop_size)}"
        )
    side, area, aspect = (
        _range("crop", name, x)
        for name, x in (
            ("side_ratio", side_ratio),
            ("area_ratio", area_ratio),
            ("aspect_ratio", aspect_ratio),
        )
    )
    for name, ends in (("side_ratio", side), ("area_ratio", area)):
        if ends != (0, 0) and not 0 < ends[0] <= ends[1] <= 1:
            raise ValueError(
                f"transforms.crop: {name} must be above 0 and no more than 1, got {ends}"
            )
    if aspect[0] <= 0:
        raise ValueError(f"transforms.crop: aspect_ratio must be above 0, got {aspect_ratio!r}")
    return Crop(kind, (int(size[0]), int(size[1])), side, area, aspect, jitter == "uniratio")


def scale(
    width: int,
    height: int,
    channels: int,
    interpolations: str = "linear",
    scale_mode: str = "fill",
    pad_value: int = -1,
) -> Scale:
    """Scale each image to the same size.

    Args:
        width: width in pixels.
        height: height in pixels.
        channels: 3 for colours, 1 to decode images as greyscale.
        interpolations: ``'nearest'``, ``'linear'``, ``'cubic'`` or ``'lanczos'``.
        scale_mode: ``'fill'`` ignores the proportions; ``'crop'`` keeps them and crops the centre;
            ``'pad'`` keeps them and pads both sides.
        pad_value: value of the padding, 0 to 255; -1 repeats the border.

    Returns:
        A transform.

    Raises:
        ValueError: if an argument has another value.

    Example:
        >>> scale(width=224, height=224, channels=3, scale_mode="crop").width
        224
    """
    for name, number in (
        ("width", width),
        ("height", height),
        ("channels", channels),
        ("pad_value", pad_value),
    ):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
            raise ArgumentError(f"transforms.scale: {name} must be an integer, got {shown(number)}")
        as_integer(number, f"transforms.scale: {name}", most=2**16 - 1)
    if width <= 0 or height <= 0:
        raise RangeError(
            f"transforms.scale: width and height must be 1 or more, got {width} and {height}"
        )
    if channels not in (1, 3):
        raise ValueError(
            f"transforms.scale: channels must be 3, or 1 for greyscale, got {channels}"
        )
    interpolation, mode = str(interpolations).lower(), str(scale_mode).lower()
    _one_of("scale", "interpolations", interpolation, INTERPOLATIONS)
    _one_of("scale", "scale_mode", mode, _MODES)
    return Scale(int(width), int(height), int(channels), interpolation, mode, int(pad_value))


def mean(filename: str) -> Mean:
    """Subtract a mean image from each image.

    Args:
        filename: the mean image in OpenCV's XML format: ``Channel``, ``Row``, ``Col``, and in
            ``MeanImg`` its numbers, for each pixel blue, green, red. It is not subtracted from
            images of another size; they cause a warning.

    Returns:
        A transform.

    Example:
        >>> mean("mean.xml").filename
        'mean.xml'
    """
    return Mean(as_path(filename, "transforms.mean: filename"))


def color(
    brightness_radius: float = 0.0, contrast_radius: float = 0.0, saturation_radius: float = 0.0
) -> Color:
    """Change the brightness, contrast and saturation of each image at random (colour jitter).

    Changes are drawn uniformly. Results are clipped to 0 and 255.

    Args:
        brightness_radius: adds or subtracts up to this part, 0 to 1, of the image's mean.
        contrast_radius: multiplies by 1 plus or minus up to this, 0 to 1.
        saturation_radius: multiplies the saturation by 1 plus or minus up to this, 0 to 1.

    Returns:
        A transform.

    Raises:
        ValueError: if a radius is not from 0 to 1.

    Example:
        >>> color(brightness_radius=0.2).brightness_radius
        0.2
    """
    radii = {
        "brightness": brightness_radius,
        "contrast": contrast_radius,
        "saturation": saturation_radius,
    }
    for name, radius in radii.items():
        if not 0 <= as_real(radius, f"transforms.color: {name}_radius", finite=False) <= 1:
            raise RangeError(f"transforms.color: {name}_radius must be from 0 to 1, got {radius!r}")
    return Color(float(brightness_radius), float(contrast_radius), float(saturation_radius))


def _one_of(function: str, name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(
            f"transforms.{function}: {name} must be one of {', '.join(allowed)}, got {value!r}"
        )


def _pair(function: str, name: str, value: Any) -> tuple[Any, Any]:
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or not all(
        isinstance(x, (int, float, np.number)) and not isinstance(x, bool) for x in pair
    ):
        raise ArgumentError(
            f"transforms.{function}: {name} must be a number or a tuple of two numbers, got "
            f"{shown(value)}"
        )
    for number in pair:
        as_real(number, f"transforms.{function}: {name}", most=2**31 - 1)
    return pair[0], pair[1]


def _range(function: str, name: str, value: Any) -> tuple[float, float]:
    low, high = _pair(function, name, value)
    if low > high:
        raise ValueError(
            f"transforms.{function}: {name} must be a range with its lower end first, got {value!r}"
        )
    return float(low), float(high)


hand_on(globals())
