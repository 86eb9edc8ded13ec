"""Carries out everything that cntkx, a library written on CNTK, offers; the same code runs with the
original.

Each case makes a function of inputs with fixed numbers, whose parameters are given fixed values as
well. What it gives is kept: the result, the gradients of inputs and parameters, and the parameters
after a few updates.
"""

import contextlib
import sys
import types
import zlib

import cntkx as Cx
import numpy as np
from cntkx.layers.models import vision
from cntkx.learners import (
    CyclicalLearningRate,
    RAdam,
    adam_exponential_warmup_schedule,
    exponential_warmup_schedule,
)
from cntkx.losses import (
    binary_focal_loss,
    cross_entropy_with_softmax,
    focal_loss_with_softmax,
    gaussian_mdn_loss,
    generalised_robust_barron_loss,
)
from cntkx.misc import CTCEncoder, greedy_decoder, to_ctc_encoded

import cntk as C

# The original's gradient of a power reads operands whose memory has been used again, unless memory
# is not shared.
C.cntk_py.disable_forward_values_sharing()

LENGTHS = (4, 2, 3)
OTHER_LENGTHS = (2, 5, 3)
STEPS = 3

L, S, R = Cx.layers, Cx.sequence, Cx.ops.random


def numbers(name, shape, low=-1.0, high=1.0):
    """Fixed numbers that depend on a name and a shape alone."""
    random = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)
    return random.uniform(low, high, shape).astype(np.float32)


class Data:
    """Inputs of a case, made as it asks for them, with what they are fed."""

    def __init__(self, name):
        self.name = name
        self.feed = {}
        self.wanted = []

    def _add(self, variable, data):
        self.feed[variable] = data
        if variable.needs_gradient:
            self.wanted.append(variable)
        return variable

    def batch(self, *shape, **range_):
        """A batch of samples."""
        data = numbers(f"{self.name} {len(self.feed)}", (len(LENGTHS),) + shape, **range_)
        return self._add(C.input_variable(shape, needs_gradient=True), data)

    def sequence(self, *shape, lengths=LENGTHS, axis=None, **range_):
        """A batch of sequences."""
        data = [
            numbers(f"{self.name} {len(self.feed)} {k}", (n,) + shape, **range_)
            for k, n in enumerate(lengths)
        ]
        axes = {} if axis is None else {"sequence_axis": axis}
        return self._add(C.sequence.input_variable(shape, needs_gradient=True, **axes), data)

    def long_sequence(self, *shape):
        """Sequences of another axis."""
        return self.sequence(*shape, lengths=OTHER_LENGTHS, axis=C.Axis("others"))

    def labels(self, classes, sequence=False):
        """One-hot rows, for each sample or for each frame."""
        if not sequence:
            rows = np.eye(classes, dtype=np.float32)[np.arange(len(LENGTHS)) % classes]
            return self._add(C.input_variable(classes), rows)
        rows = [
            np.eye(classes, dtype=np.float32)[(np.arange(n) + k) % classes]
            for k, n in enumerate(LENGTHS)
        ]
        return self._add(C.sequence.input_variable(classes), rows)


def attended(make):
    """A case of three operands that are one sequence."""

    def case(d):
        x = d.sequence(4)
        return make()(x, x, x)

    return case


CASES = {
    # -- ops ---------------------------------------------------------------------------------------
    "floor_division": lambda d: Cx.floor_division(d.batch(5), d.batch(5, low=0.3)),
    "floor_division constants": lambda d: Cx.floor_division(
        C.constant([-3.0, 1, 2, 3, 4]), C.constant([2.0] * 5)
    ),
    "remainder": lambda d: Cx.remainder(d.batch(5), d.batch(5, low=0.3)),
    "remainder constants": lambda d: Cx.remainder(
        C.constant([-3.0, 1, 2, 3]), C.constant([2.0, 2, -2, 2])
    ),
    "split": lambda d: Cx.split(d.batch(9), 3),
    "split sequence": lambda d: C.splice(*Cx.split(d.sequence(6), 2).outputs),
    "scalar": lambda d: Cx.scalar(d.batch(2, 3)),
    "cumsum": lambda d: Cx.cumsum(d.batch(2, 3)),
    "cumsum axis 0": lambda d: Cx.cumsum(d.batch(2, 3), axis=0),
    "batchmatmul": lambda d: Cx.batchmatmul(d.batch(3, 4, 5), d.batch(3, 5, 2)),
    "batchmatmul tensor": lambda d: Cx.batchmatmul(
        d.batch(3, 4, 5), d.batch(3, 5, 2, 3), output_rank=2
    ),
    "batchmatmul sequence": lambda d: Cx.batchmatmul(d.sequence(3, 4, 5), d.sequence(3, 5, 2)),
    "upsample": lambda d: Cx.upsample(d.batch(3, 4, 4), 2),
    "centre_crop": lambda d: Cx.centre_crop(d.batch(2, 6, 6), d.batch(2, 4, 4)),
    "centre_crop same": lambda d: Cx.centre_crop(d.batch(2, 4, 4), d.batch(2, 4, 4)),
    "centre_crop_and_splice": lambda d: Cx.centre_crop_and_splice(
        d.batch(2, 6, 6), d.batch(3, 4, 4)
    ),
    "swish": lambda d: Cx.swish(d.batch(5, high=3)),
    "mish": lambda d: Cx.mish(d.batch(5, low=-3)),
    "hardmax": lambda d: Cx.hardmax(d.batch(2, 3)),
    "hardmax axis 0": lambda d: Cx.hardmax(d.batch(2, 3), axis=0),
    "erf": lambda d: Cx.erf(d.batch(5, low=-2, high=2)),
    "gelu": lambda d: Cx.gelu(d.batch(5, low=-2, high=2)),
    "gelu sequence": lambda d: Cx.gelu(d.sequence(5)),
    "gelu_fast": lambda d: Cx.gelu_fast(d.batch(5, low=-2, high=2)),
    "scaled_dot_product_attention": attended(lambda: Cx.scaled_dot_product_attention),
    "gaussian_mdn_coeff": lambda d: C.combine(list(Cx.gaussian_mdn_coeff(d.batch(12), 3, 2))),
    # -- random: what can be said without the numbers ----------------------------------------------
    "sample": lambda d: C.reduce_sum(R.sample(d.batch(4))),
    "sample sequence": lambda d: C.reduce_sum(R.sample(d.sequence(4))),
    "sample_with_bias": lambda d: C.reduce_sum(R.sample_with_bias(d.batch(4), bias=1)),
    "sample_top_k": lambda d: C.reduce_sum(R.sample_top_k(d.batch(5), 3, 5)),
    "sample_gaussian_mdn": lambda d: 0 * Cx.sample_gaussian_mdn(d.batch(12), 3, 2),
    # -- sequences ---------------------------------------------------------------------------------
    "sequence length": lambda d: S.length(d.sequence(3)),
    "sequence position": lambda d: S.position(d.sequence(3)),
    "sequence stride": lambda d: S.stride(d.sequence(3), 2),
    "sequence pad": lambda d: S.pad(d.sequence(3), (1, 2)),
    "sequence pad value": lambda d: S.pad(d.sequence(3), (2, 0), constant_value=5),
    "sequence join": lambda d: S.join(d.sequence(3), d.sequence(3)),
    "sequence join axes": lambda d: S.join(d.sequence(3), d.long_sequence(3)),
    "sequence window": lambda d: S.window(d.sequence(2), 2, 2),
    "sequence window new axis": lambda d: S.window(d.sequence(2), 3, 1, new_axis=True),
    "sequence window_causal": lambda d: S.window_causal(d.sequence(2), 2, 2),
    "sequence window_causal new axis": lambda d: S.window_causal(
        d.sequence(2), 3, 1, new_axis=True
    ),
    "sequence reverse": lambda d: S.reverse(d.sequence(2)),
    "sequence zeros_like": lambda d: S.zeros_like(d.sequence(2), 2),
    "sequence zeros_like one": lambda d: S.zeros_like(d.sequence(2), 1),
    "sequence reduce_mean": lambda d: S.reduce_mean(d.sequence(2, 3)),
    "sequence reduce_concat_pool": lambda d: S.reduce_concat_pool(d.sequence(3)),
    "sequence pad_to": lambda d: S.pad_to(
        d.sequence(2, lengths=(2, 2, 1)), d.sequence(3, lengths=(4, 2, 5), axis=C.Axis("others"))
    ),
    "sequence pad_to token": lambda d: S.pad_to(
        d.sequence(2, lengths=(2, 2, 1)),
        d.sequence(3, lengths=(4, 2, 5), axis=C.Axis("others")),
        padding_token=C.constant([7.0, 8.0]),
    ),
    "sequence pad_ctc_labels": lambda d: S.pad_ctc_labels(
        d.sequence(2, lengths=(2, 2, 1)), d.sequence(3, lengths=(4, 2, 5), axis=C.Axis("others"))
    ),
    # -- losses ------------------------------------------------------------------------------------
    "gaussian_mdn_loss one": lambda d: gaussian_mdn_loss(d.batch(9), d.batch(1), 3, 1),
    "gaussian_mdn_loss": lambda d: gaussian_mdn_loss(d.batch(12), d.batch(2), 3, 2),
    "focal_loss_with_softmax": lambda d: focal_loss_with_softmax(d.batch(4), d.labels(4)),
    "focal_loss_with_softmax axis": lambda d: focal_loss_with_softmax(
        d.batch(3, 2, 2), d.batch(3, 2, 2), 0.5, 1.5, 0
    ),
    "binary_focal_loss": lambda d: binary_focal_loss(
        C.sigmoid(d.batch(2, 3)), d.batch(2, 3, low=0)
    ),
    "cross_entropy_with_softmax": lambda d: cross_entropy_with_softmax(d.batch(4), d.labels(4)),
    "cross_entropy_with_softmax smooth": lambda d: cross_entropy_with_softmax(
        d.batch(4), d.labels(4), label_smoothing=0.1
    ),
    "cross_entropy_with_softmax sequence": lambda d: cross_entropy_with_softmax(
        d.sequence(4), d.labels(4, sequence=True), label_smoothing=0.1
    ),
    "barron": lambda d: generalised_robust_barron_loss(d.batch(3), d.batch(3), 1, scale=0.7),
    "barron square": lambda d: generalised_robust_barron_loss(d.batch(3), d.batch(3), 2, scale=0.7),
    "barron cauchy": lambda d: generalised_robust_barron_loss(d.batch(3), d.batch(3), 0, scale=0.7),
    "barron welsch": lambda d: generalised_robust_barron_loss(
        d.batch(3), d.batch(3), -1e9, scale=0.7
    ),
    "barron mcclure": lambda d: generalised_robust_barron_loss(
        d.batch(3), d.batch(3), -2, scale=0.7
    ),
    "barron learned scale": lambda d: generalised_robust_barron_loss(d.batch(3), d.batch(3), 1),
    # -- layers ------------------------------------------------------------------------------------
    "Dense": lambda d: L.Dense(4, activation=C.tanh)(d.batch(3)),
    "Dense map_rank": lambda d: L.Dense(4, map_rank=1, bias=False)(d.batch(2, 3, 2)),
    "Dense input_rank": lambda d: L.Dense((2, 3), input_rank=1)(d.batch(2, 3)),
    "Dense array": lambda d: L.Dense(2, init=np.arange(6, dtype=np.float32).reshape(3, 2))(
        d.batch(3)
    ),
    "Embedding": lambda d: L.Embedding(4)(d.labels(3)),
    "Embedding weights": lambda d: L.Embedding(weights=[[0.5, 0.3], [0.1, 0.4], [0.2, 0.7]])(
        d.labels(3)
    ),
    "Embedding tied": lambda d: (lambda e: e[1](e[0](d.labels(3))))(
        L.Embedding(4, enable_weight_tying=True)
    ),
    "SequentialDense": lambda d: L.SequentialDense(4, window=2, stride=2)(d.sequence(3)),
    "SequentialDense causal": lambda d: L.SequentialDense(4, window=2, stride=1, causal=True)(
        d.sequence(3)
    ),
    "QRNN": lambda d: L.QRNN(window=2, hidden_dim=3)(d.sequence(2)),
    "QRNN state": lambda d: L.QRNN(window=1, hidden_dim=3, return_full_state=True)(d.sequence(2)),
    "SinusoidalPositionalEmbedding": lambda d: L.SinusoidalPositionalEmbedding(4)(d.sequence(4)),
    "SinusoidalPositionalEmbedding odd": lambda d: L.SinusoidalPositionalEmbedding(5)(
        d.sequence(5)
    ),
    "SequentialConvolution": lambda d: L.SequentialConvolution((2, 2), 3, pad=True)(
        d.sequence(2, 4)
    ),
    "SequentialConvolution valid": lambda d: L.SequentialConvolution((2,), 3, pad=False)(
        d.sequence(2, lengths=(4, 2, 3))
    ),
    "SequentialConvolution strides": lambda d: L.SequentialConvolution(
        (3, 3), 2, strides=2, pad=True
    )(d.sequence(2, 5, lengths=(5, 4, 3))),
    "SequentialConvolution groups": lambda d: L.SequentialConvolution(
        (2, 2), 4, pad=True, groups=2, input_num_filters=2
    )(d.sequence(2, 4)),
    "Convolution": lambda d: L.Convolution((3, 3), 3, pad=True)(d.batch(2, 5, 5)),
    "Convolution groups": lambda d: L.Convolution((3, 3), 4, groups=2, input_num_filters=2)(
        d.batch(2, 5, 5)
    ),
    "Convolution strides": lambda d: L.Convolution((3, 3), 2, strides=2, activation=C.relu)(
        d.batch(2, 6, 5)
    ),
    "Convolution no depth": lambda d: L.Convolution((3,), 2, reduction_rank=0, pad=True)(
        d.batch(5)
    ),
    "Convolution2D": lambda d: L.Convolution2D((3, 3), 3, pad=True)(d.batch(2, 5, 5)),
    "Convolution2DStack": lambda d: L.Convolution2DStack(2, (3, 3), 2, pad=True)(d.batch(2, 5, 5)),
    "Conv2DMaxPool": lambda d: L.Conv2DMaxPool(
        2,
        conv_filter_shape=(3, 3),
        pool_filter_shape=(2, 2),
        conv_num_filters=2,
        activation=C.relu,
        conv_pad=True,
        pool_strides=(2, 2),
    )(d.batch(2, 6, 6)),
    "SpatialPyramidPooling": lambda d: L.SpatialPyramidPooling((1, 2, 3))(d.batch(2, 6, 6)),
    "SequentialMaxPooling": lambda d: L.SequentialMaxPooling((2, 2), strides=2)(d.sequence(2, 4)),
    "SequentialMaxPooling valid": lambda d: L.SequentialMaxPooling(
        (2, 2), strides=(1, 2), pad=False
    )(d.sequence(2, 4)),
    "SequentialMaxPooling no axes": lambda d: L.SequentialMaxPooling((3,))(d.sequence(2)),
    "SequentialAveragePooling": lambda d: L.SequentialAveragePooling((3, 2), strides=2)(
        d.sequence(2, 4)
    ),
    "SequentialConcatPooling": lambda d: L.SequentialConcatPooling((2, 2), strides=2)(
        d.sequence(2, 4)
    ),
    "GlobalConcatPooling": lambda d: L.GlobalConcatPooling()(d.batch(3, 4, 4)),
    "GatedLinearUnit": lambda d: L.GatedLinearUnit(window=2, hidden_dim=4)(d.sequence(3)),
    "GatedLinearUnit 1": lambda d: L.GatedLinearUnit(window=1, hidden_dim=2)(d.sequence(3)),
    "PositionalEmbedding": lambda d: L.PositionalEmbedding(3, 10)(d.sequence(2)),
    "BertEmbeddings": lambda d: L.BertEmbeddings(4, 10, dropout_rate=0)(
        d.labels(3, sequence=True), d.labels(2, sequence=True)
    ),
    "BertPooler": lambda d: L.BertPooler(3)(d.sequence(4)),
    "PositionwiseFeedForward": lambda d: L.PositionwiseFeedForward(4, 6, dropout_rate=0)(
        d.sequence(4)
    ),
    "vFSMN": lambda d: L.vFSMN(4, C.relu, 2, 1)(d.sequence(3)),
    "cFSMN": lambda d: L.cFSMN(4, 2, C.tanh, 1, 2)(d.sequence(3)),
    "ThresholdedLinearUnit": lambda d: L.ThresholdedLinearUnit()(d.batch(3)),
    "ThresholdedLinearUnit shape": lambda d: L.ThresholdedLinearUnit((3,), init=0.2)(d.batch(3)),
    "FilterResponseNormalization": lambda d: L.FilterResponseNormalization()(d.batch(2, 4, 4)),
    "FilterResponseNormalization sequence": lambda d: L.FilterResponseNormalization(
        1, seq_axis_is_spatial=True
    )(d.sequence(2, 4)),
    "Boom": lambda d: L.Boom(3, 4)(d.batch(3)),
    "LayerNormalization": lambda d: L.LayerNormalization()(d.batch(5)),
    "LayerNormalization sequence": lambda d: L.LayerNormalization(initial_scale=2, initial_bias=1)(
        d.sequence(5)
    ),
    "SEBlock": lambda d: L.SEBlock(4, r=2)(d.batch(4, 3, 3)),
    "SequenceSEBlock": lambda d: L.SequenceSEBlock(4, r=2)(d.sequence(4, 3)),
    "SIREN": lambda d: L.SIREN(3, omega=30)(d.batch(2)),
    "SeqATAC": lambda d: L.SeqATAC(4, 2)(d.sequence(4, 3)),
    # -- recurrences -------------------------------------------------------------------------------
    "Recurrence": lambda d: L.Recurrence(C.layers.LSTM(3))(d.sequence(2)),
    "Recurrence dropout": lambda d: L.Recurrence(
        C.layers.GRU(3), go_backwards=True, dropout_rate_input=1e-9, dropout_rate_output=1e-9
    )(d.sequence(2)),
    "Recurrence state": lambda d: L.Recurrence(C.layers.LSTM(3), return_full_state=True)(
        d.sequence(2)
    ),
    "BiRecurrence": lambda d: L.BiRecurrence(C.layers.LSTM(3))(d.sequence(2)),
    "BiRecurrence tied": lambda d: L.BiRecurrence(C.layers.LSTM(3), weight_tie=True)(d.sequence(2)),
    "PyramidalBiRecurrence": lambda d: L.PyramidalBiRecurrence(
        C.layers.LSTM(3), C.layers.LSTM(3), 2
    )(d.sequence(2)),
    "VariationalDropout": lambda d: L.VariationalDropout(1e-9)(d.sequence(3)),
    "SequenceDropout": lambda d: L.SequenceDropout(1e-9)(d.sequence(3)),
    "WeightDroppedLSTM": lambda d: L.Recurrence(L.WeightDroppedLSTM(3, 1e-9))(d.sequence(2)),
    "WeightDroppedLSTM peepholes": lambda d: L.Recurrence(
        L.WeightDroppedLSTM(3, 1e-9, cell_shape=4, enable_self_stabilization=True)
    )(d.sequence(2)),
    "IndRNN": lambda d: L.Recurrence(L.IndRNN(3))(d.sequence(2)),
    "IndyLSTM": lambda d: L.Recurrence(L.IndyLSTM(3))(d.sequence(2)),
    "LSTM of PyTorch": lambda d: L.Recurrence(L.LSTM(3))(d.sequence(2)),
    "LSTM of PyTorch dropped": lambda d: L.Recurrence(L.LSTM(3, weight_drop_rate=1e-9))(
        d.sequence(2)
    ),
    "GroupLSTM": lambda d: L.Recurrence(L.GroupLSTM(4, groups=2))(d.sequence(2)),
    "GroupLSTM wide": lambda d: L.Recurrence(L.GroupLSTM(4, groups=2))(d.sequence(4)),
    # -- models ------------------------------------------------------------------------------------
    "LinearAttention": attended(lambda: L.LinearAttention(3, 4)),
    "LinearAttention softmax": attended(lambda: L.LinearAttention(3, 4, kernel_type="softmax")),
    "LinearAttentionModel": lambda d: L.LinearAttentionModel(3, 4)(
        d.sequence(4), d.long_sequence(2)
    ),
    "ScaledDotProductAttention": attended(lambda: L.ScaledDotProductAttention()),
    "ScaledDotProductAttention order": attended(lambda: L.ScaledDotProductAttention(True, 6)),
    "ScaledDotProductAttention axes": lambda d: (
        lambda q, kv: L.ScaledDotProductAttention()(q, kv, kv)
    )(d.sequence(4), d.long_sequence(4)),
    "MultiHeadAttention": attended(lambda: L.MultiHeadAttention(2, 4)),
    "MultiHeadAttention order": attended(lambda: L.MultiHeadAttention(2, 4, True, 6)),
    "MultiHeadAttention axes": lambda d: (lambda q, kv: L.MultiHeadAttention(2, 6)(q, kv, kv))(
        d.sequence(4), d.long_sequence(3)
    ),
    "MultiHeadAttentionBlock": attended(lambda: L.MultiHeadAttentionBlock(2, 4)),
    "TransformerEncoderBlock": lambda d: L.TransformerEncoderBlock(2, 4, 6, 0)(d.sequence(4)),
    "TransformerDecoderBlock": lambda d: L.TransformerDecoderBlock(2, 4, 6, 0, max_seq_len=6)(
        d.long_sequence(4), d.sequence(4)
    ),
    "TransformerEncoder": lambda d: L.TransformerEncoder(2, 2, 4, 6, 0)(d.sequence(4)),
    "TransformerDecoder": lambda d: L.TransformerDecoder(1, 2, 4, 6, 0, 6)(
        d.long_sequence(4), d.sequence(4)
    ),
    "Transformer": lambda d: L.Transformer(1, 1, 2, 2, 4, 4, 6, 6, 0, 0, 6)(
        d.long_sequence(4), d.sequence(4)
    ),
    "GaussianWindowAttention": lambda d: L.GaussianWindowAttention(3)(
        d.sequence(4), d.long_sequence(2)
    ),
    "GaussianAttentionSeqImage": lambda d: L.GaussianAttentionSeqImage(3, 4, 5)(
        d.sequence(2, 4), d.long_sequence(3)
    ),
    "conv_bn_relu": lambda d: vision.conv_bn_relu(d.batch(2, 4, 4), (3, 3), 2),
    "resnet_bottleneck": lambda d: vision.resnet_bottleneck(d.batch(2, 4, 4), 2, 3),
    "resnet_bottleneck_inc": lambda d: vision.resnet_bottleneck_inc(
        d.batch(2, 6, 6), 4, 2, (2, 2), (1, 1)
    ),
    "resnet_bottleneck_stack": lambda d: vision.resnet_bottleneck_stack(d.batch(2, 4, 4), 2, 2, 3),
    "UNET": lambda d: L.UNET(3, 2, pad=True)(d.batch(3, 48, 48)),
}


# -- models whose weights come from files of other libraries: these stand in for the libraries -----

HIDDEN, MIDDLE, WORDS, PLACES = 4, 6, 5, 8  # a small network of BERT's kind
BERT = {
    "bert/embeddings/LayerNorm/beta": (HIDDEN,),
    "bert/embeddings/LayerNorm/gamma": (HIDDEN,),
    "bert/embeddings/position_embeddings": (PLACES, HIDDEN),
    "bert/embeddings/token_type_embeddings": (2, HIDDEN),
    "bert/embeddings/word_embeddings": (WORDS, HIDDEN),
    "bert/pooler/dense/bias": (HIDDEN,),
    "bert/pooler/dense/kernel": (HIDDEN, HIDDEN),
}
for _layer in ("bert/encoder/layer_0/", "bert/encoder/layer_1/"):
    for _name in ("attention/output/LayerNorm/", "output/LayerNorm/"):
        BERT.update({_layer + _name + "beta": (HIDDEN,), _layer + _name + "gamma": (HIDDEN,)})
    for _name in (
        "attention/output/dense/",
        "attention/self/key/",
        "attention/self/query/",
        "attention/self/value/",
    ):
        BERT.update(
            {_layer + _name + "bias": (HIDDEN,), _layer + _name + "kernel": (HIDDEN, HIDDEN)}
        )
    BERT.update(
        {
            _layer + "intermediate/dense/bias": (MIDDLE,),
            _layer + "intermediate/dense/kernel": (HIDDEN, MIDDLE),
        }
    )
    BERT.update(
        {_layer + "output/dense/bias": (HIDDEN,), _layer + "output/dense/kernel": (MIDDLE, HIDDEN)}
    )
# Of the language model's recurrences, which it insists on.
SIZES = [
    (400, 1150),
    (1150, 1150),
    (1150, 400),
]
LANGUAGE = {"0.encoder.weight": (7, 400)}
for _number, (_inner, _outer) in enumerate(SIZES):
    for _name, _shape in (("bias_hh_l0", (4 * _outer,)), ("bias_ih_l0", (4 * _outer,))):
        LANGUAGE[f"0.rnns.{_number}.module.{_name}"] = _shape
    LANGUAGE[f"0.rnns.{_number}.module.weight_hh_l0_raw"] = (4 * _outer, _outer)
    LANGUAGE[f"0.rnns.{_number}.module.weight_ih_l0"] = (4 * _outer, _inner)


@contextlib.contextmanager
def stand_in(name, **members):
    """A module of this name while a model is made."""
    before = sys.modules.get(name)
    sys.modules[name] = types.ModuleType(name)
    for key, member in members.items():
        setattr(sys.modules[name], key, member)
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def with_bert(make):
    """A case whose weights are those of `BERT`."""
    train = types.SimpleNamespace(
        list_variables=lambda path: [(name, list(shape)) for name, shape in sorted(BERT.items())],
        load_variable=lambda path, name: numbers(name, BERT[name]),
    )

    def case(d):
        with stand_in("tensorflow", train=train):
            return make(d)

    return case


def language_model(d):
    """The language model, its weights small."""
    with stand_in(
        "h5py",
        File=lambda path, mode: {name: 0.1 * numbers(name, s) for name, s in LANGUAGE.items()},
    ):
        return L.PretrainedWikitext103LanguageModel("model")(d.labels(7, sequence=True))


GIVEN = {
    "PreTrainedBertEmbeddings": with_bert(
        lambda d: L.PreTrainedBertEmbeddings("model", 0)(
            d.labels(WORDS, sequence=True), d.labels(2, sequence=True)
        )
    ),
    "PretrainedBertPooler": with_bert(
        lambda d: L.PretrainedBertPooler("model")(d.sequence(HIDDEN))
    ),
    "PreTrainedBertEncoder": with_bert(
        lambda d: L.PreTrainedBertEncoder("model", 2, 0)(d.sequence(HIDDEN))
    ),
    "PreTrainedBertModel": with_bert(
        lambda d: L.PreTrainedBertModel("model", 2, 0)(
            d.labels(WORDS, sequence=True), d.labels(2, sequence=True)
        )
    ),
    "PretrainedWikitext103LanguageModel": language_model,
}
LARGE = {
    "VGG16": lambda d: L.VGG16(3)(d.batch(3, 48, 48)),
    "VGG19": lambda d: L.VGG19(3)(d.batch(3, 48, 48)),
    "create_imagenet_model_bottleneck": lambda d: vision.create_imagenet_model_bottleneck(
        d.batch(3, 224, 224), [1, 0, 0, 0], 3, (2, 2), (1, 1)
    ),
}
# Of the large ones, and of one that drops values while it trains, the result alone.
RESULT_ALONE = {"PreTrainedBertModel", "PretrainedWikitext103LanguageModel", *LARGE}
CASES.update(GIVEN)
CASES.update(LARGE)


def settled(function):
    """The function, its parameters given fixed values that depend on their number and shape."""
    for k, parameter in enumerate(function.parameters):
        parameter.value = numbers(f"parameter {k}", parameter.shape, -0.7, 0.7)
    return function


def arrays(result):
    """A result as a list of arrays: one for each sequence, or a single one."""
    return [np.asarray(x) for x in (result if isinstance(result, list) else [result])]


def evaluated(function, feed):
    """Every output's arrays."""
    if len(function.outputs) == 1:
        return arrays(function.eval(feed))
    found = function.eval(feed)
    return [x for output in function.outputs for x in arrays(found[output])]


def trained(function, feed, learner_of):
    """Parameters after a few updates that make the first output's squares small."""
    loss = C.reduce_sum(C.square(function.outputs[0]))
    trainer = C.Trainer(function, (loss, None), [learner_of(loss.parameters)])
    needed = {v: data for v, data in feed.items() if v in loss.arguments}
    for _ in range(STEPS):
        trainer.train_minibatch(needed)
    return [p.value for p in loss.parameters] + [
        np.float32(trainer.previous_minibatch_loss_average)
    ]


def momentum(parameters):
    """The learner of all cases."""
    return C.momentum_sgd(
        parameters, C.learning_parameter_schedule_per_sample(0.002), C.momentum_schedule(0.5)
    )


def stage(found, name, action):
    """Keep what an action gives, or the kind of what it raises."""
    try:
        found[name] = [np.asarray(x, np.float32) for x in action()]
    except Exception as error:  # whatever it is: that is the finding
        found[name] = type(error).__name__
        found[f"{name} message"] = str(error)


def run(name):
    """What a case gives: for each stage its arrays, or the kind of error."""
    data, found = Data(name), {}
    try:
        function = CASES[name](data)
        function = C.combine(
            [function] if isinstance(function, C.Variable) else list(function.outputs)
        )
    except Exception as error:  # whatever it is: that is the finding
        return {"build": type(error).__name__, "build message": str(error)}
    if name not in GIVEN:
        settled(function)
    feed = {v: x for v, x in data.feed.items() if v in function.arguments}
    stage(found, "output", lambda: evaluated(function, feed))
    if name in RESULT_ALONE:
        return found
    wanted = [v for v in data.wanted if v in feed] + list(function.parameters)
    if wanted and isinstance(found["output"], list):

        def gradients():
            loss = C.reduce_sum(C.square(function.outputs[0]))
            used = [v for v in wanted if v in loss.inputs]
            slopes = loss.grad({v: x for v, x in feed.items() if v in loss.arguments}, used)
            return [x for v in used for x in arrays(slopes if len(used) == 1 else slopes[v])]

        stage(found, "gradients", gradients)
    if function.parameters and isinstance(found["output"], list):
        stage(found, "trained", lambda: trained(function, feed, momentum))
    return found


# -- learners, and what computes without a graph ---------------------------------------------------


def of_learner(make, steps=None):
    """What a learner makes of the parameters of a small network."""
    data = Data("learner")
    function = settled(C.layers.Dense(2)(data.batch(3)))
    return trained(function, data.feed, make)


def cyclical(policy, **more):
    """Rates, and the parameters that they lead to."""
    data, rates = Data("learner"), []
    function = settled(C.layers.Dense(2)(data.batch(3)))
    loss = C.reduce_sum(C.square(function))
    learner = C.sgd(loss.parameters, C.learning_parameter_schedule(0.1))
    cycle = CyclicalLearningRate(
        learner, 0.01, 0.1, ramp_up_step_size=3, lr_policy=policy, record_history=True, **more
    )
    trainer = C.Trainer(loss, (loss, None), [learner])
    for _ in range(8):
        rates.append(learner.learning_rate())
        trainer.train_minibatch(data.feed)
        cycle.batch_step(trainer.previous_minibatch_loss_average)
    return [p.value for p in loss.parameters] + [rates, cycle.get_lr_schedule(1)]


def encoded():
    """What an encoder of labels gives, and back."""
    encoder = CTCEncoder(["a", "b", "c"])
    rows = encoder.transform(["a", "b", "b", "c"], 7)
    back = encoder.inverse_transform(rows) + encoder.network_output_to_labels(rows)
    return [rows, [ord(x) for x in back], to_ctc_encoded(np.eye(3, dtype=np.float32)[[0, 0, 1]])]


def decoded():
    """What a decoder gives, each word being the likeliest after those before."""
    d = Data("decoder")
    source, target = d.sequence(3), d.long_sequence(3)
    model = settled(
        C.layers.Recurrence(C.plus)(L.Dense(3)(target))
        + C.sequence.broadcast_as(C.sequence.last(source), target)
    )
    decoder = C.combine([model]).clone("share", {source: C.placeholder(), target: C.placeholder()})
    decoder = decoder.replace_placeholders(
        {decoder.placeholders[0]: source, decoder.placeholders[1]: target}
    )
    first = np.eye(3, dtype=np.float32)[:1]
    return greedy_decoder(
        decoder, numbers("source", (4, 3)), first, np.array([9.0, 9, 9], np.float32), 3
    )


ALONE = {
    "RAdam": lambda: of_learner(lambda p: RAdam(p, 0.01, epoch_size=3)),
    "RAdam options": lambda: of_learner(
        lambda p: RAdam(
            p,
            0.01,
            0.8,
            epoch_size=3,
            l1_regularization_weight=0.01,
            l2_regularization_weight=0.1,
            gradient_clipping_threshold_per_sample=0.5,
            minibatch_size=2,
            unit_gain=False,
        )
    ),
    "RAdam mean": lambda: of_learner(
        lambda p: RAdam(p, 0.01, epoch_size=3, use_mean_gradient=True, adamax=True)
    ),
    "exponential_warmup_schedule": lambda: [exponential_warmup_schedule(0.1, 5)[:20]],
    "adam_exponential_warmup_schedule": lambda: [adam_exponential_warmup_schedule(0.1, 0.9)[:20]],
    "cyclical triangular": lambda: cyclical("triangular"),
    "cyclical triangular2": lambda: cyclical("triangular2", warm_up_lr=0.005, warm_up_size=2),
    "cyclical exp_range": lambda: cyclical("exp_range", gamma=0.9, minibatch_size=2),
    "CTCEncoder": encoded,
    "greedy_decoder": decoded,
}


def result(name):
    """What a case of either kind gives."""
    if name in CASES:
        return run(name)
    found = {}
    stage(found, "output", ALONE[name])
    return found
