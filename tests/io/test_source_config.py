"""The dictionary of a minibatch source's options is the original's."""

from __future__ import annotations

import pytest

from cntk.cntk_py import MinibatchSourceConfig, to_dictionary
from cntk.io import (
    CTFDeserializer,
    ImageDeserializer,
    StreamDef,
    StreamDefs,
    UserDeserializer,
    transforms as xf,
)

TEXT = CTFDeserializer(
    "x.ctf", StreamDefs(a=StreamDef("S0", 5, is_sparse=True, defines_mb_size=True))
)
IMAGES = ImageDeserializer(
    "map",
    StreamDefs(
        f=StreamDef(
            "image",
            transforms=[
                xf.crop("randomside", side_ratio=(0.25, 0.5), jitter_type="uniratio"),
                xf.scale(4, 5, 3),
                xf.mean("m.xml"),
                xf.color(0.5, 0.25, 0.125),
            ],
        ),
        l=StreamDef("label", shape=4),
    ),
)


def test_text_in_order():
    assert to_dictionary(MinibatchSourceConfig([TEXT], False)) == {
        "deserializers": [
            {
                "file": "x.ctf",
                "input": {
                    "a": {"alias": "S0", "definesMBSize": True, "dim": 5, "format": "sparse"}
                },
                "module": "CNTKTextFormatReader",
                "type": "CNTKTextFormatDeserializer",
            }
        ],
        "frameMode": False,
        "multiThreadedDeserialization": False,
        "randomize": False,
        "traceLevel": 1,
    }


def test_images_shuffled():
    found = to_dictionary(MinibatchSourceConfig([IMAGES]))
    (images,) = found.pop("deserializers")
    assert found == {
        "frameMode": False,
        "multiThreadedDeserialization": True,
        "randomizationSeed": 0,
        "randomizationWindow": 128,
        "randomize": True,
        "sampleBasedRandomizationWindow": False,
        "traceLevel": 1,
    }
    assert (images["type"], images["module"], images["file"]) == (
        "ImageDeserializer",
        "ImageReader",
        "map",
    )
    assert images["input"] == {
        "f": {
            "transforms": [
                {
                    "areaRatio": "0:0",
                    "aspectRatio": "1:1",
                    "cropSize": "0:0",
                    "cropType": "randomside",
                    "jitterType": "uniratio",
                    "sideRatio": "0.25:0.5",
                    "type": "Crop",
                },
                {
                    "channels": 3,
                    "height": 5,
                    "interpolations": "linear",
                    "padValue": -1,
                    "scaleMode": "fill",
                    "type": "Scale",
                    "width": 4,
                },
                {"meanFile": "m.xml", "type": "Mean"},
                {
                    "brightnessRadius": 0.5,
                    "contrastRadius": 0.25,
                    "saturationRadius": 0.125,
                    "type": "Color",
                },
                {"type": "Transpose"},
            ]
        },
        "l": {"labelDim": 4},
    }


def test_other_options():
    config = MinibatchSourceConfig([TEXT])
    config.randomization_window_in_chunks, config.randomization_window_in_samples = 0, 9
    config.randomization_seed, config.max_errors, config.truncation_length, config.trace_level = (
        4,
        3,
        7,
        0,
    )
    config.is_multithreaded.set(True)
    found = to_dictionary(config)
    del found["deserializers"]
    assert found == {
        "frameMode": False,
        "maxErrors": 3,
        "multiThreadedDeserialization": True,
        "randomizationSeed": 4,
        "randomizationWindow": 9,
        "randomize": True,
        "sampleBasedRandomizationWindow": True,
        "traceLevel": 0,
        "truncated": True,
        "truncationLength": 7,
    }
    assert config.is_multithreaded.is_initialized() and config.is_multithreaded.get()
    config.is_multithreaded.reset()
    assert not config.is_multithreaded.is_initialized()


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"max_samples": 5, "max_sweeps": 2}, "max_samples and max_sweeps"),
        ({"randomization_window_in_samples": 2}, "randomization_window_in_chunks"),
        ({"is_frame_mode_enabled": True, "truncation_length": 3}, "truncation_length"),
    ],
)
def test_options_that_contradict_each_other(options, expected):
    config = MinibatchSourceConfig([TEXT])
    for name, value in options.items():
        setattr(config, name, value)
    with pytest.raises(ValueError, match=expected):
        to_dictionary(config)


def test_what_has_no_description():
    with pytest.raises(ValueError, match="UserDeserializer has no description"):
        to_dictionary(MinibatchSourceConfig([UserDeserializer()]))
