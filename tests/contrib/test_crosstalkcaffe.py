"""Networks of Caffe converted: what comes out is what Caffe computes, and files are read with
care.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._persist.protobuf.wire import Message
from cntk.contrib.crosstalkcaffe import CaffeConverter
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffeimpl import CaffeResolver
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffemodel import read_message
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.prototxt import read_text
from cntk.contrib.crosstalkcaffe.utils.globalconf import load_conf
from tests.contrib.caffe_networks import (
    Array,
    caffemodel,
    convolved,
    image_input,
    layer,
    normalized,
    pooled,
    write,
)

IMAGE = np.random.RandomState(0).randn(3, 9, 8).astype(np.float32)
FILTERS = np.random.RandomState(1).randn(4, 3, 3, 3).astype(np.float32)
BIAS = np.random.RandomState(2).randn(4).astype(np.float32)


def convert(
    folder: Path, network: str, layers: dict[str, Any], old: bool = False, **more: Any
) -> C.Function:
    CaffeConverter.from_model(str(write(folder, network, layers, old, **more)))
    return C.load_model(folder / "net.model")


def computed(folder: Path, network: str, layers: dict[str, Any], image: Array = IMAGE) -> Array:
    model = convert(folder, image_input(*image.shape) + network, layers)
    return model.eval({model.arguments[0]: image[None]})[0]  # type: ignore[no-any-return]


CONVOLUTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("kernel_size: 3", {}),
    "padded": ("kernel_size: 3 pad: 1", {"p": (1, 1)}),
    "strides": ("kernel_size: 3 pad: 1 stride: 2", {"p": (1, 1), "s": (2, 2)}),
    "another margin than the automatic one": (
        "kernel_size: 3 pad: 2 stride: 2",
        {"p": (2, 2), "s": (2, 2)},
    ),
    "two numbers": (
        "kernel_size: [3, 3] stride: 1 stride: 2 pad: 1 pad: 0",
        {"p": (1, 0), "s": (1, 2)},
    ),
    "by height and width": (
        "kernel_h: 3 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 1",
        {"p": (0, 1), "s": (2, 1)},
    ),
    "dilated": ("kernel_size: 3 dilation: 2", {"d": (2, 2)}),
    "dilated and padded": ("kernel_size: 3 dilation: 2 pad: 2", {"d": (2, 2), "p": (2, 2)}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str, tmp_path: Path) -> None:
    text, options = CONVOLUTIONS[name]
    network = layer("Convolution", f"convolution_param {{ num_output: 4 {text} }}")
    wanted = convolved(IMAGE, FILTERS, BIAS, **{"s": (1, 1), "p": (0, 0), **options})
    np.testing.assert_allclose(
        computed(tmp_path, network, {"y": [FILTERS, BIAS]}), wanted, atol=1e-5
    )


def test_convolutions_in_groups_and_without_bias(tmp_path: Path) -> None:
    image = np.concatenate([IMAGE, IMAGE[:1] + 1])
    network = layer(
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 group: 2 bias_term: false }",
    )
    found = computed(tmp_path, network, {"y": [FILTERS[:, :2]]}, image)
    np.testing.assert_allclose(
        found, convolved(image, FILTERS[:, :2], None, (1, 1), (0, 0), group=2), atol=1e-5
    )


@pytest.mark.parametrize("average", [False, True], ids=["maximum", "average"])
@pytest.mark.parametrize(
    ("k", "s", "p"),
    [
        ((2, 2), (2, 2), (0, 0)),
        ((3, 3), (2, 2), (0, 0)),
        ((3, 3), (2, 2), (1, 1)),
        ((3, 2), (3, 2), (1, 0)),
        ((2, 2), (2, 2), (1, 1)),
    ],
)
def test_pooling(k: Any, s: Any, p: Any, average: bool, tmp_path: Path) -> None:
    """The last window may hang over the end, and averages count margins: what the original's
    converter leaves out.
    """
    text = (
        f"kernel_h: {k[0]} kernel_w: {k[1]} stride_h: {s[0]} stride_w: {s[1]} pad_h: {p[0]} pad_w: "
        f"{p[1]}"
    )
    found = computed(
        tmp_path,
        layer("Pooling", f"pooling_param {{ pool: {'AVE' if average else 'MAX'} {text} }}"),
        {},
    )
    np.testing.assert_allclose(found, pooled(IMAGE, k, s, p, average), atol=1e-6)


SCALES = np.float32([2, -1, 0.5])
MEAN, VARIANCE, COUNT = np.float32([1, -2, 3]), np.float32([4, 2, 1]), np.float32([2])
BATCH_NORM = (IMAGE - (MEAN / 2)[:, None, None]) / np.sqrt((VARIANCE / 2)[:, None, None] + 0.01)
WEIGHTS = np.random.RandomState(3).randn(5, 216).astype(np.float32) / 10
DENSE = WEIGHTS @ IMAGE.ravel() + np.arange(5)
SOFTMAX = np.exp(IMAGE) / np.exp(IMAGE).sum(0)
NORMALIZE = layer("BatchNorm", "batch_norm_param { eps: 0.01 }", top="b", name="b")
RELU = layer("ReLU", top="r", name="r")

LAYERS: dict[str, tuple[str, dict[str, Any], Array]] = {
    "relu": (layer("ReLU"), {}, np.maximum(IMAGE, 0)),
    "leaky": (
        layer("ReLU", "relu_param { negative_slope: 0.5 }"),
        {},
        np.where(IMAGE > 0, IMAGE, IMAGE / 2),
    ),
    "pooling of all": (
        layer("Pooling", "pooling_param { pool: AVE global_pooling: true }"),
        {},
        IMAGE.mean((1, 2), keepdims=True),
    ),
    "dense": (
        layer("InnerProduct", "inner_product_param { num_output: 5 }"),
        {"y": [WEIGHTS, np.arange(5)]},
        DENSE,
    ),
    "dense, transposed": (
        layer("InnerProduct", "inner_product_param { num_output: 5 transpose: true }"),
        {"y": [WEIGHTS.T, np.arange(5)]},
        DENSE,
    ),
    "dense without bias": (
        layer("InnerProduct", "inner_product_param { num_output: 5 bias_term: false }"),
        {"y": [WEIGHTS]},
        DENSE - np.arange(5),
    ),
    "softmax": (layer("Softmax"), {}, SOFTMAX),
    "lrn": (
        layer("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 2 }"),
        {},
        normalized(IMAGE, 3, 0.5, 0.6, 2),
    ),
    "lrn over more than there is": (layer("LRN"), {}, normalized(IMAGE, 5, 1, 0.75, 1)),
    "batch normalization": (NORMALIZE, {"b": [MEAN, VARIANCE, COUNT]}, BATCH_NORM),
    "scales": (
        NORMALIZE
        + layer("Scale", "scale_param { bias_term: true }", bottom="b")
        + layer("ReLU", bottom="y", top="y", name="r"),
        {"b": [MEAN, VARIANCE, COUNT], "y": [SCALES, MEAN]},
        np.maximum(BATCH_NORM * SCALES[:, None, None] + MEAN[:, None, None], 0),
    ),
    "scales in place, without bias": (
        layer("BatchNorm", "batch_norm_param { eps: 0.01 }") + layer("Scale", bottom="y", name="s"),
        {"y": [MEAN, VARIANCE, COUNT], "s": [SCALES]},
        BATCH_NORM * SCALES[:, None, None],
    ),
    "no statistics": (
        layer("BatchNorm", "batch_norm_param { eps: 1 }"),
        {"y": [MEAN, VARIANCE, np.float32([0])]},
        IMAGE,
    ),
    "sum of three": (
        RELU
        + 'layer { name: "y" type: "Eltwise" bottom: "r" bottom: "data" bottom: "r" top: "y" }',
        {},
        2 * np.maximum(IMAGE, 0) + IMAGE,
    ),
    "concat": (
        RELU
        + (
            'layer { name: "y" type: "Concat" bottom: "data" bottom: "r" top: "y" concat_param { '
            "axis: 1 } }"
        ),
        {},
        np.concatenate([IMAGE, np.maximum(IMAGE, 0)]),
    ),
    "dropout": (layer("Dropout", "dropout_param { dropout_ratio: 0.7 }"), {}, IMAGE),
    "split": (
        'layer { name: "s" type: "Split" bottom: "data" top: "a" top: "b" }\n'
        'layer { name: "y" type: "Eltwise" bottom: "a" bottom: "b" top: "y" }',
        {},
        2 * IMAGE,
    ),
    "rules": (
        layer("Accuracy", "include { phase: TRAIN }", name="a")
        + layer("Softmax", "exclude { phase: TEST }", name="b", top="b")
        + layer("ReLU", "include { phase: TRAIN } include { phase: TEST }"),
        {"nobody": [MEAN]},
        np.maximum(IMAGE, 0),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, tmp_path: Path) -> None:
    network, layers, wanted = LAYERS[name]
    np.testing.assert_allclose(computed(tmp_path, network, layers), wanted, atol=2e-5, rtol=1e-5)


def test_names_are_the_originals(tmp_path: Path) -> None:
    network = layer(
        "Convolution", "convolution_param { num_output: 4 kernel_size: 3 }", top="c", name="c"
    )
    network += layer(
        "InnerProduct", "inner_product_param { num_output: 2 }", bottom="c", top="d", name="d"
    )
    network += layer("Softmax", bottom="d", top="p", name="p") + layer(
        "ReLU", bottom="c", top="r", name="r"
    )
    weights = np.zeros((2, 4 * 7 * 6), np.float32)
    model = convert(
        tmp_path,
        image_input(3, 9, 8) + network,
        {"c": [FILTERS, BIAS], "d": [weights, np.zeros(2)]},
    )
    found = C.logging.depth_first_search(model, lambda f: isinstance(f, C.Function))
    assert [(f.op_name, f.name) for f in found] == [
        ("Combine", "outputs"),
        ("Softmax", "p"),
        ("linear", "d"),
        ("Convolution", "c"),
        ("ReLU", "r"),
    ]
    assert [p.name for p in model.parameters] == ["d.sc", "d.b", "c.W", "c.b"] and model.arguments[
        0
    ].name == "data"


def test_old_files(tmp_path: Path) -> None:
    """Files from before 2014 have other layers; so have those that name inputs beside the
    layers.
    """
    network = """
    name: 'old'  # with inputs of their own
    input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 8
    layers < name: "c" type: CONVOLUTION bottom: "data" top: "c"
             convolution_param < num_output: 0x4, kernel_size: 3; weight_filler { type: "gaussian" std: 1e-2f } > >
    layers { name: "r" type: RELU bottom: "c" top: "c" blobs_lr: 1 blobs_lr: 2 }
    """  # noqa: E501
    model = convert(tmp_path, network, {"c": [FILTERS, BIAS]}, old=True)
    wanted = np.maximum(convolved(IMAGE, FILTERS, BIAS, (1, 1), (0, 0)), 0)
    np.testing.assert_allclose(model.eval([IMAGE])[0], wanted, atol=1e-5)


def test_shapes_of_inputs_from_the_configuration(tmp_path: Path) -> None:
    network = layer("Data", top="data", name="d").replace('bottom: "data" ', "") + layer("ReLU")
    solver = {"CntkTensor": {"data": [3, 9, 8]}}
    assert convert(tmp_path, network, {}, ModelSolver=solver).shape == (3, 9, 8)
    with pytest.raises(ValueError, match="input 'data'.*CntkTensor"):
        convert(tmp_path, network, {})


def test_results_are_written_down_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    valid = {
        "SavePath": str(tmp_path / "results"),
        "ValInputs": {"data": [[-1, 1]]},
        "ValNodes": {"y": "a/b"},
    }
    convert(tmp_path, image_input(3, 9, 8) + layer("ReLU"), {}, ValidSolver=valid)
    x, y = (np.load(tmp_path / "results" / f"{name}.npy") for name in ("data", "a.b"))
    assert (
        x.shape == (1, 3, 9, 8)
        and x.min() >= -1
        and x.max() <= 1
        and np.array_equal(y, np.maximum(x, 0))
    )
    assert "Caffe is not installed" in capsys.readouterr().out

    def forward() -> None:
        blobs["a.b"].data = np.maximum(blobs["data"].data, 0) + 0.5

    blobs = {
        "data": SimpleNamespace(data=np.zeros((1, 3, 9, 8))),
        "a.b": SimpleNamespace(data=None),
    }
    net = SimpleNamespace(inputs=["data"], blobs=blobs, forward=forward)
    monkeypatch.setattr(CaffeResolver, "caffe", SimpleNamespace(Net=lambda *paths: net, TEST=1))
    given = {**valid, "ValInputs": {"data": [IMAGE.tolist()]}}
    convert(tmp_path, image_input(3, 9, 8) + layer("ReLU"), {}, ValidSolver=given)
    assert "a.b: root mean square of the differences 0.5" in capsys.readouterr().out
    np.testing.assert_array_equal(np.load(tmp_path / "results" / "data.npy")[0], IMAGE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ValInputs": {"z": [[0, 1]]}}, "'z'"),
        ({"ValNodes": {"data": "data"}}, "'data' is an input"),
        ({"ValInputs": {}}, r"needs values of \['data'\]"),
        ({"ValInputs": {"data": [[1, 2, 3]]}}, "has 3 values"),
    ],
)
def test_checks_that_cannot_be_done(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    valid = {
        "SavePath": str(tmp_path / "r"),
        "ValInputs": {"data": [[0, 1]]},
        "ValNodes": {"y": "y"},
        **change,
    }
    with pytest.raises(ValueError, match=words):
        convert(tmp_path, image_input(3, 9, 8) + layer("ReLU"), {}, ValidSolver=valid)


CONV = "convolution_param { num_output: 4 kernel_size: 3 }"
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "type": (layer("SoftmaxWithLoss"), {}, "'y': layers of type SoftmaxWithLoss.*deployed"),
    "unknown blob": (layer("ReLU", bottom="x"), {}, "'y' reads 'x'"),
    "two outputs": (layer("ReLU", 'top: "z"'), {}, "one output"),
    "same name": (RELU + layer("ReLU", name="r"), {}, "a name of its own"),
    "no kernel": (
        layer("Convolution", "convolution_param { num_output: 4 }"),
        {},
        "kernel_size is missing",
    ),
    "kernel of 0": (layer("Pooling", "pooling_param { kernel_size: 0 }"), {}, "too small"),
    "kernel too large": (
        layer("Convolution", "convolution_param { num_output: 4 kernel_size: 30 }"),
        {},
        "does not fit",
    ),
    "three numbers": (
        layer("Convolution", "convolution_param { num_output: 4 kernel_size: [1, 2, 3] }"),
        {},
        "height and width",
    ),
    "groups": (
        layer("Convolution", "convolution_param { num_output: 4 kernel_size: 3 group: 2 }"),
        {},
        "in 2 groups",
    ),
    "no image": (
        layer("InnerProduct", "inner_product_param { num_output: 5 }")
        + layer("Convolution", CONV, "y", "c", "c"),
        {},
        r"channels, height and width, and has shape \[5\]",
    ),
    "no weights": (layer("Convolution", CONV), {}, "has 0 parameters in the file"),
    "no bias": (layer("Convolution", CONV), {"y": [FILTERS]}, "needs 2"),
    "other weights": (
        layer("Convolution", CONV),
        {"y": [FILTERS[:, :2], BIAS]},
        "has 72 numbers.*wants",
    ),
    "stochastic": (
        layer("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"),
        {},
        "maxima and averages",
    ),
    "product": (layer("Eltwise", "eltwise_param { operation: PROD }"), {}, "plain sums"),
    "factors": (layer("Eltwise", "eltwise_param { coeff: 2 }"), {}, "plain sums"),
    "scale alone": (layer("Scale"), {}, "right behind a batch normalization"),
    "scaled twice": (
        NORMALIZE + layer("Scale", bottom="b") + layer("Scale", bottom="y", name="z"),
        {},
        "right behind a batch normalization",
    ),
    "before scaling": (
        NORMALIZE + layer("Scale", bottom="b", top="s", name="s") + layer("ReLU", bottom="b"),
        {},
        "'y' reads 'b'",
    ),
    "axis": (layer("Softmax", "softmax_param { axis: 2 }"), {}, "only axis 1"),
    "region": (
        layer("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }"),
        {},
        "odd number of channels",
    ),
    "even": (layer("LRN", "lrn_param { local_size: 4 }"), {}, "odd number of channels"),
    "shapes": (
        layer("Pooling", "pooling_param { kernel_size: 2 }", top="p", name="p")
        + 'layer { name: "y" type: "Eltwise" bottom: "p" bottom: "data" top: "y" }',
        {},
        "must have one shape",
    ),
    "nothing": ("", {}, "no layers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused(name: str, tmp_path: Path) -> None:
    network, layers, words = REFUSED[name]
    with pytest.raises(AssertionError, match=words):
        convert(tmp_path, image_input(3, 9, 8) + network, layers)
    assert not (tmp_path / "net.model").exists()


TEXTS: dict[str, tuple[str, str]] = {
    "open": ("layer {", "line 1: expected the name of a field, got 'the end'"),
    "closed": ("}", "line 1: expected the name of a field, got '}'"),
    "no value": ("\nname:", "line 2: expected a value"),
    "no colon": ('name "x"', "expected :"),
    "number": ("name: 3", "'name' cannot be 3"),
    "word": ("layer { convolution_param { num_output: many } }", "'num_output' cannot be many"),
    "fraction": ("input_dim: 1.5", "cannot be 1.5"),
    "flag": ("layer { convolution_param { bias_term: 7 } }", "cannot be 7"),
    "message": ("layer: 3", "expected a message in brackets"),
    "no message": ("name { }", "'name' is no message"),
    "character": ("name: \x01", "nothing that can stand here"),
    "open string": ('name: "x', "nothing that can stand here"),
    "list": ("input_dim: [1 2]", "expected ',' or ']'"),
    "deep": ("a {" * 100, "more than 32 deep"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_no_networks(name: str, tmp_path: Path) -> None:
    text, words = TEXTS[name]
    with pytest.raises(ValueError, match=words):
        read_text("NetParameter", text)
    with pytest.raises(RuntimeError, match="net.prototxt"):
        convert(tmp_path, text, {})


def test_texts() -> None:
    text = r"""
    name: "a" 'b\n'   # strings in a row are one
    layer { name: "p" pooling_param { pool: AVE kernel_size: 3, } unknown: [1, 2] other: -inf more { a: "}" } }
    layer { type: "LRN"; lrn_param { alpha: 1e-4 beta: .75f k: 2 } include: { phase: TEST } }
    """  # noqa: E501
    net = read_text("NetParameter", text)
    assert net.name == "ab\n" and [one.name for one in net.layer] == ["p", ""]
    assert (net.layer[0].pooling_param.pool, net.layer[0].pooling_param.kernel_size) == (1, [3])
    assert (
        net.layer[1].lrn_param.alpha,
        net.layer[1].lrn_param.beta,
        net.layer[1].lrn_param.local_size,
    ) == (
        1e-4,
        0.75,
        5,
    )
    assert net.layer[1].include[0].phase == 1 and net.layer[0].include == []
    with pytest.raises(AttributeError, match="no field 'x'"):
        _ = net.x


def test_parameters_in_all_forms() -> None:
    """Packed, number by number, in doubles; and views of the file, not copies."""
    single, double = Message(), Message()
    for value in (1.5, -2):
        single.single(5, value)
        double.double(8, value)
    for message in (single, double, Message().data(5, np.float32([1.5, -2]).tobytes())):
        blob = read_message("BlobProto", memoryview(message.to_bytes()))
        assert (blob.data if "data" in blob.values else blob.double_data).tolist() == [1.5, -2]
    data = caffemodel({"y": [FILTERS]})
    array = read_message("NetParameter", memoryview(data)).layer[0].blobs[0].data
    assert not array.flags.owndata and array.size == FILTERS.size


def test_damaged_parameters(tmp_path: Path) -> None:
    """Whatever is cut off or changed, the network is refused or converted; nothing else happens."""
    good = caffemodel({"y": [FILTERS[:1, :1], BIAS[:1]]})
    conf = write(tmp_path, image_input(1, 9, 8) + layer("Convolution", CONV.replace("4", "1")), {})
    random = np.random.RandomState(0)
    refused = 0
    changed = [
        bytes(b ^ (k == at) * int(random.randint(1, 256)) for k, b in enumerate(good))
        for at in range(24)
    ]
    for content in [good[:n] for n in range(0, len(good), 7)] + changed:
        (tmp_path / "net.caffemodel").write_bytes(content)
        try:
            CaffeConverter.from_model(str(conf))
        except (ValueError, RuntimeError):
            refused += 1
    assert refused > 20
    huge = Message().message(
        100, Message().data(1, "y").message(7, Message().message(7, Message().number(1, 2**60)))
    )
    (tmp_path / "net.caffemodel").write_bytes(huge.to_bytes())
    with pytest.raises(ValueError, match="a parameter of shape .* has 0 numbers"):
        CaffeConverter.from_model(str(conf))


def test_configurations(tmp_path: Path) -> None:
    path = tmp_path / "conf.json"
    path.write_text(
        json.dumps(
            {
                "SourceSolver": {"Source": "Caffe", "Phase": 0, "New": 1},
                "valid_solver": {"save_path": "x"},
            }
        )
    )
    conf = load_conf(str(path))
    assert (conf.source_solver.source, conf.source_solver.phase, conf.valid_solver.save_path) == (
        "Caffe",
        0,
        "x",
    )
    assert conf.model_solver.cntk_tensor is None and conf.valid_solver.val_nodes == {}
    for text, words in [
        ("[1]", "an object in JSON"),
        ("{", "no JSON"),
        ('{"SourceSolver": 3}', "SourceSolverConf, got 3"),
        ('{"SourceSolver": {"Source": "Torch"}}', "must be one of"),
        ('{"SourceSolver": {"Source": "Caffe"}}', "ModelPath"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            CaffeConverter.from_model(str(path))
    with pytest.raises(FileNotFoundError):
        CaffeConverter.from_model(str(tmp_path / "none.json"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_networks_that_windows_wrote(tmp_path: Path, encoding: str) -> None:
    network = image_input(3, 9, 8) + layer(
        "Convolution", "convolution_param { num_output: 4 kernel_size: 3 }"
    )
    conf = write(tmp_path, network, {"y": [FILTERS, BIAS]})
    for path, text in [
        (tmp_path / "net.prototxt", f"# für Bilder\n{network}"),
        (conf, conf.read_text()),
    ]:
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    CaffeConverter.from_model(str(conf))
    model = C.load_model(tmp_path / "net.model")
    wanted = convolved(IMAGE, FILTERS, BIAS, s=(1, 1), p=(0, 0))
    np.testing.assert_allclose(model.eval({model.arguments[0]: IMAGE[None]})[0], wanted, atol=1e-5)
