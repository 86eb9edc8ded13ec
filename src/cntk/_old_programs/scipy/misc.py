"""Replacements of `scipy.misc`'s functions for pictures, by Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLING = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "scipy.misc's functions for pictures need Pillow; install it with: pip install pillow"
        ) from None
    return Image


def bytescale(
    data: ArrayLike,
    cmin: float | None = None,
    cmax: float | None = None,
    high: int = 255,
    low: int = 0,
) -> NDArray[np.uint8]:
    """Return an array as bytes from `low` to `high`, its least value (or `cmin`) being `low`; bytes
    stay as they are.

    Raises:
        ValueError: the bounds are crossed or beyond a byte's.

    Example:
        >>> bytescale([0.0, 0.5, 1.0])
        array([  0, 128, 255], dtype=uint8)
    """
    array = np.asarray(data)
    if array.dtype == np.uint8:
        return array
    if high > 255:
        raise ValueError("`high` should be less than or equal to 255.")
    if low < 0:
        raise ValueError("`low` should be greater than or equal to 0.")
    if high < low:
        raise ValueError("`high` should be greater than or equal to `low`.")
    least = array.min() if cmin is None else cmin
    most = array.max() if cmax is None else cmax
    width = most - least
    if width < 0:
        raise ValueError("`cmax` should be larger than `cmin`.")
    scaled = (array - least) * (float(high - low) / (width or 1)) + low
    return (scaled.clip(low, high) + 0.5).astype(np.uint8)


def toimage(
    arr: ArrayLike,
    high: int = 255,
    low: int = 0,
    cmin: float | None = None,
    cmax: float | None = None,
    pal: ArrayLike | None = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Any:
    """Return an array as a picture of Pillow.

    Args:
        arr: height x width, or with an axis of 3 or 4 channels.
        high: the byte of the greatest value.
        low: the byte of the least value.
        cmin: what counts as the least value; by default the array's.
        cmax: what counts as the greatest value.
        pal: colours for mode P, 256 x 3.
        mode: Pillow's mode; by default L, RGB or RGBA.
        channel_axis: which axis holds the channels; by default the first one of length 3, else of
            length 4.

    Raises:
        ValueError: the array is complex or of another shape.
    """
    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot convert a complex-valued array.")
    if data.ndim == 3 and (3 in data.shape or 4 in data.shape):
        axis = (
            channel_axis
            if channel_axis is not None
            else data.shape.index(3 if 3 in data.shape else 4)
        )
        if data.shape[axis] not in (3, 4):
            raise ValueError("Channel axis dimension is not valid.")
        pixels = np.moveaxis(bytescale(data, cmin, cmax, high, low), axis, 2)
        mode = mode or ("RGB" if pixels.shape[2] == 3 else "RGBA")
        needed = 4 if mode in ("RGBA", "CMYK") else 3
        if mode not in ("RGB", "RGBA", "YCbCr", "CMYK") or pixels.shape[2] != needed:
            raise ValueError(f"Invalid array shape for mode {mode!r}.")
        return _from_bytes(mode, pixels)
    if data.ndim != 2:
        raise ValueError("'arr' does not have a suitable array shape for any mode.")
    if mode == "F":
        return _from_bytes(mode, data.astype(np.float32))
    if mode in (None, "L", "P"):
        image = _from_bytes("L" if mode is None else mode, bytescale(data, cmin, cmax, high, low))
        if mode == "P":
            colours = (
                np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
                if pal is None
                else np.asarray(pal, np.uint8)
            )
            image.putpalette(colours.tobytes())
        return image
    if mode == "1":
        return _from_bytes("L", np.where(data > high, 255, 0).astype(np.uint8)).convert(
            "1", dither=0
        )
    if mode == "I":
        least, most = (data.min() if cmin is None else cmin), (data.max() if cmax is None else cmax)
        return _from_bytes(
            mode, ((data * 1.0 - least) * (high - low) / (most - least) + low).astype(np.int32)
        )
    raise ValueError(f"Unknown mode {mode!r}; it may be '1', 'F', 'I', 'L' or 'P'.")


def _from_bytes(mode: str, pixels: NDArray[Any]) -> Any:
    return _pillow().frombytes(
        mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes()
    )


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> NDArray[Any]:
    """Return a picture as an array; `flatten` gives greys as float32."""
    if mode is not None:
        im = im if mode == im.mode else im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im)


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> NDArray[Any]:
    """Read a picture as an array."""
    with _pillow().open(name) as image:
        return fromimage(image, flatten, mode)


def imsave(name: Any, arr: ArrayLike, format: str | None = None) -> None:
    """Write an array as a picture; other values than bytes are scaled from their least to their
    greatest.
    """
    toimage(arr, channel_axis=2 if np.ndim(arr) == 3 else None).save(
        name, **({} if format is None else {"format": format})
    )


def imresize(
    arr: ArrayLike, size: Any, interp: str = "bilinear", mode: str | None = None
) -> NDArray[np.uint8]:
    """Return a picture in another size.

    Args:
        arr: the picture; other values than bytes are scaled from their least to their greatest.
        size: an integer for percents, a float for a factor, or (height, width).
        interp: 'nearest', 'lanczos', 'bilinear', 'bicubic' or 'cubic'.
        mode: as for `toimage`.
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        target = tuple((np.array(image.size) * (size / 100.0)).astype(int).tolist())
    elif isinstance(size, (float, np.floating)):
        target = tuple((np.array(image.size) * size).astype(int).tolist())
    else:
        target = (int(size[1]), int(size[0]))
    return fromimage(image.resize(target, resample=RESAMPLING[interp]))


def imrotate(arr: ArrayLike, angle: float, interp: str = "bilinear") -> NDArray[np.uint8]:
    """Return a picture turned against the clock, in its own size."""
    return fromimage(toimage(arr).rotate(angle, resample=RESAMPLING[interp]))


def imfilter(arr: ArrayLike, ftype: str) -> NDArray[np.uint8]:
    """Return a picture after one of Pillow's filters, as 'blur' or 'find_edges'.

    Raises:
        ValueError: there is no such filter.
    """
    from PIL import ImageFilter

    kind = getattr(ImageFilter, ftype.upper(), None)
    if kind is None:
        raise ValueError("Unknown filter type.")
    return fromimage(toimage(arr).filter(kind))


def imshow(arr: ArrayLike) -> None:
    """Show a picture in another program."""
    toimage(arr).show()
