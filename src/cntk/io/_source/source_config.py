"""`MinibatchSourceConfig`: a source's options as the original's native layer has them.

`to_dictionary` writes them under the names of the original's configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cntk.errors import DataError
from cntk.io._corpus.streams import configurations
from cntk.io._images.deserializer import Base64ImageDeserializer, ImageDeserializer
from cntk.io._images.transforms import Color, Crop, Mean, Scale, Transform
from cntk.io._source.minibatch_source import (
    DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS,
    INFINITELY_REPEAT,
)
from cntk.io._text.deserializer import CTFDeserializer


class OptionalBool:
    """Bool that may be unset.

    Args:
        value: the bool; None if it is unset.
    """

    def __init__(self, value: bool | None = None) -> None:
        self._value = value

    def set(self, value: bool) -> None:
        """Set the bool."""
        self._value = bool(value)

    def get(self) -> bool | None:
        """Return the bool; None if it is unset."""
        return self._value

    def reset(self) -> None:
        """Unset the bool."""
        self._value = None

    def is_initialized(self) -> bool:
        """Return whether the bool is set."""
        return self._value is not None


class MinibatchSourceConfig:
    """Options of a minibatch source: those of `cntk.io.MinibatchSource`, as attributes.

    Args:
        deserializers: where the data are.
        randomize: whether to shuffle.

    Example:
        >>> config = MinibatchSourceConfig([], randomize=False)
        >>> config.randomization_window_in_chunks
        0
    """

    def __init__(self, deserializers: Sequence[Any], randomize: bool = True) -> None:
        self.deserializers = list(deserializers)
        self.randomization_window_in_chunks = (
            DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS if randomize else 0
        )
        self.randomization_window_in_samples = 0
        self.randomization_seed = 0
        self.max_samples = INFINITELY_REPEAT
        self.max_sweeps = INFINITELY_REPEAT
        self.max_errors = 0
        self.is_frame_mode_enabled = False
        self.is_multithreaded = OptionalBool()
        self.trace_level = 1
        self.truncation_length = 0


def to_dictionary(config: MinibatchSourceConfig) -> dict[str, Any]:
    """Return options of a minibatch source under the names of the original's native readers.

    Args:
        config: the options.

    Raises:
        ValueError: if options contradict each other, or a deserializer has no such description.
    """
    exclusive = (
        (
            "max_samples",
            config.max_samples != INFINITELY_REPEAT,
            "max_sweeps",
            config.max_sweeps != INFINITELY_REPEAT,
        ),
        (
            "randomization_window_in_chunks",
            config.randomization_window_in_chunks,
            "randomization_window_in_samples",
            config.randomization_window_in_samples,
        ),
        (
            "is_frame_mode_enabled",
            config.is_frame_mode_enabled,
            "truncation_length",
            config.truncation_length,
        ),
    )
    for one, has_one, other, has_other in exclusive:
        if has_one and has_other:
            raise DataError(
                f"MinibatchSourceConfig: {one} and {other} exclude each other; give one of them"
            )
    window = config.randomization_window_in_chunks or config.randomization_window_in_samples
    threads = config.is_multithreaded.get()
    reads_images = any(
        isinstance(d, (ImageDeserializer, Base64ImageDeserializer)) for d in config.deserializers
    )
    described = {
        "deserializers": [_described(d) for d in config.deserializers],
        "frameMode": bool(config.is_frame_mode_enabled),
        "multiThreadedDeserialization": reads_images if threads is None else threads,
        "randomize": window > 0,
        "traceLevel": int(config.trace_level),
    }
    if window:
        described["randomizationWindow"] = window
        described["sampleBasedRandomizationWindow"] = config.randomization_window_in_samples > 0
        described["randomizationSeed"] = config.randomization_seed
    if config.max_errors:
        described["maxErrors"] = config.max_errors
    if config.truncation_length:
        described["truncated"] = True
        described["truncationLength"] = config.truncation_length
    return described


def _described(deserializer: Any) -> dict[str, Any]:
    if isinstance(deserializer, CTFDeserializer):
        streams = {
            s.name: {
                "alias": s.stream_alias,
                "definesMBSize": s.defines_mb_size,
                "dim": s.dim,
                "format": "sparse" if s.is_sparse else "dense",
            }
            for s in configurations(deserializer.streams, "CTFDeserializer")
        }
        kind, module = "CNTKTextFormatDeserializer", "CNTKTextFormatReader"
    elif isinstance(deserializer, (ImageDeserializer, Base64ImageDeserializer)):
        streams = {
            name: {"labelDim": stream["dim"]}
            if stream["stream_alias"] == "label"
            else {"transforms": [*map(_step, stream.get("transforms", ())), {"type": "Transpose"}]}
            for name, stream in deserializer.streams.items()
        }
        kind, module = type(deserializer).__name__, "ImageReader"
    else:
        raise DataError(
            f"MinibatchSourceConfig: {type(deserializer).__name__} has no description; expected "
            f"CTFDeserializer, ImageDeserializer or Base64ImageDeserializer"
        )
    return {"type": kind, "module": module, "file": str(deserializer.filename), "input": streams}


def _step(step: Transform) -> dict[str, Any]:
    if isinstance(step, Crop):
        return {
            "type": "Crop",
            "cropType": step.crop_type,
            "cropSize": _ends(step.size),
            "sideRatio": _ends(step.side_ratio),
            "areaRatio": _ends(step.area_ratio),
            "aspectRatio": _ends(step.aspect_ratio),
            "jitterType": "uniratio" if step.jitter else "none",
        }
    if isinstance(step, Scale):
        return {
            "type": "Scale",
            "width": step.width,
            "height": step.height,
            "channels": step.channels,
            "interpolations": step.interpolation,
            "scaleMode": step.mode,
            "padValue": step.pad_value,
        }
    if isinstance(step, Mean):
        return {"type": "Mean", "meanFile": step.filename}
    if isinstance(step, Color):
        return {
            "type": "Color",
            "brightnessRadius": step.brightness_radius,
            "contrastRadius": step.contrast_radius,
            "saturationRadius": step.saturation_radius,
        }
    raise DataError(f"MinibatchSourceConfig: {step!r} has no description")


def _ends(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}:{ends[1]:g}"
