"""Layers of transformers: PyTorch's numbers for each sequence alone, gradients, and that sequences
never see each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._execution import training_step
from cntk.layers import (
    Dense,
    Embedding,
    For,
    MultiHeadAttention,
    PositionalEmbedding,
    PositionalEncoding,
    Sequential,
    TransformerBlock,
)

SIZE, HEADS, HIDDEN, OTHER = 6, 3, 10, 5
LENGTHS, OTHER_LENGTHS = (4, 1, 7, 4, 2), (3, 5, 1, 2, 2)
MEMORY_AXIS = C.Axis("memory")


@pytest.fixture(autouse=True)
def _automatic_seeds() -> Iterator[None]:
    yield
    C.cntk_py.reset_random_seed()


def sequences(lengths: tuple[int, ...], size: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng([seed, size])
    return [random.normal(size=(n, size)) for n in lengths]


def inputs(cross: bool) -> tuple[list[Any], list[list[np.ndarray]]]:
    """Variables in float64, and data for them."""
    x = C.sequence.input_variable(SIZE, np.float64, needs_gradient=True, name="x")
    if not cross:
        return [x], [sequences(LENGTHS, SIZE)]
    memory = C.sequence.input_variable(
        OTHER, np.float64, sequence_axis=MEMORY_AXIS, needs_gradient=True, name="memory"
    )
    return [x, memory], [sequences(LENGTHS, SIZE), sequences(OTHER_LENGTHS, OTHER, 1)]


def applied(layer: C.Function, variables: list[Any]) -> C.Function:
    """A layer on variables, its parameters random in float64."""
    random = np.random.default_rng(3)
    function = layer(*variables)
    for p in function.parameters:
        p.value = random.normal(size=p.shape) * 0.4
    return function


def in_float64(make: Any) -> C.Function:
    with C.default_options(dtype=np.float64):
        return make()


def held(function: C.Function, name: str) -> torch.Tensor:
    """The first parameter of some name."""
    return torch.from_numpy(next(p for p in function.parameters if p.name == name).value)


def fill_attention(theirs: torch.nn.MultiheadAttention, ours: C.Function) -> None:
    """Give PyTorch's attention the parameters of ours, whose weights lie the other way round."""
    # A block found by its name has the parameters of all below it as well.
    if "Wq" in {p.name for p in ours.parameters}:
        query = held(ours, "Wq").flatten(1).T
        key, value = held(ours, "Wkv").flatten(2).permute(1, 2, 0)
        biases = torch.cat([held(ours, "bq").flatten(), held(ours, "bkv").flatten()])
    else:
        query, key, value = held(ours, "Wqkv").flatten(2).permute(1, 2, 0)
        biases = held(ours, "bqkv").flatten()
    values = {
        "in_proj_bias": biases,
        "out_proj.weight": held(ours, "Wo").flatten(0, 1).T,
        "out_proj.bias": held(ours, "bo"),
    }
    if theirs.in_proj_weight is not None:
        values["in_proj_weight"] = torch.cat([query, key, value])
    else:
        values |= {"q_proj_weight": query, "k_proj_weight": key, "v_proj_weight": value}
    with torch.no_grad():
        for name, weight in values.items():
            theirs.get_parameter(name).copy_(weight)


def triangle(n: int, m: int) -> torch.Tensor:
    return torch.ones(n, m, dtype=torch.bool).triu(1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_attention_is_pytorchs_for_each_sequence_alone(cross: bool, causal: bool) -> None:
    variables, data = inputs(cross)
    ours = applied(
        in_float64(lambda: MultiHeadAttention(HEADS, SIZE, cross=cross, causal=causal)), variables
    )
    others = {"kdim": OTHER, "vdim": OTHER} if cross else {}
    theirs = torch.nn.MultiheadAttention(
        SIZE, HEADS, batch_first=True, dtype=torch.float64, **others
    )
    fill_attention(theirs, ours)
    found = ours.eval(dict(zip(variables, data, strict=True)))
    for k, result in enumerate(found):
        query, key = torch.from_numpy(data[0][k]), torch.from_numpy(data[-1][k])
        mask = triangle(len(query), len(key)) if causal else None
        wanted = theirs(query[None], key[None], key[None], attn_mask=mask, need_weights=False)[0][0]
        np.testing.assert_allclose(result, wanted.detach(), rtol=1e-9, atol=1e-11)


def fill_block(theirs: torch.nn.Module, ours: C.Function) -> None:
    """Give a layer of PyTorch's the parameters of a block."""
    blocks = {
        name: ours.find_by_name(name, depth=-1) for name in ("self_attention", "cross_attention")
    }
    fill_attention(theirs.self_attn, blocks["self_attention"])
    norms = ["self_attention_norm", "dense_norm"]
    if blocks["cross_attention"] is not None:
        fill_attention(theirs.multihead_attn, blocks["cross_attention"])
        norms.insert(1, "cross_attention_norm")
    with torch.no_grad():
        for k, name in enumerate(norms, 1):
            norm = ours.find_by_name(name, depth=-1)
            theirs.get_parameter(f"norm{k}.weight").copy_(held(norm, "scale"))
            theirs.get_parameter(f"norm{k}.bias").copy_(held(norm, "bias"))
        for k, name in enumerate(("expand", "contract"), 1):
            dense = ours.find_by_name(name, depth=-1)
            theirs.get_parameter(f"linear{k}.weight").copy_(held(dense, "W").T)
            theirs.get_parameter(f"linear{k}.bias").copy_(held(dense, "b"))


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("normalize_first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder_block_is_pytorchs(causal: bool, normalize_first: bool, activation: str) -> None:
    variables, data = inputs(cross=False)
    make = getattr(C, activation)
    ours = applied(
        in_float64(
            lambda: TransformerBlock(
                HEADS,
                SIZE,
                HIDDEN,
                activation=make,
                causal=causal,
                normalize_first=normalize_first,
                epsilon=0.01,
            )
        ),
        variables,
    )
    theirs = torch.nn.TransformerEncoderLayer(
        SIZE, HEADS, HIDDEN, 0.0, activation, 0.01, True, normalize_first, dtype=torch.float64
    )
    fill_block(theirs, ours)
    for result, x in zip(ours.eval({variables[0]: data[0]}), data[0], strict=True):
        mask = triangle(len(x), len(x)) if causal else None
        wanted = theirs(torch.from_numpy(x)[None], src_mask=mask)[0]
        np.testing.assert_allclose(result, wanted.detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("normalize_first", [False, True])
def test_decoder_block_is_pytorchs(normalize_first: bool) -> None:
    x = C.sequence.input_variable(SIZE, np.float64)
    memory = C.sequence.input_variable(SIZE, np.float64, sequence_axis=MEMORY_AXIS)
    data = sequences(LENGTHS, SIZE), sequences(OTHER_LENGTHS, SIZE, 1)
    ours = applied(
        in_float64(
            lambda: TransformerBlock(
                HEADS,
                SIZE,
                HIDDEN,
                cross=True,
                causal=True,
                normalize_first=normalize_first,
                epsilon=0.01,
            )
        ),
        [x, memory],
    )
    theirs = torch.nn.TransformerDecoderLayer(
        SIZE, HEADS, HIDDEN, 0.0, "relu", 0.01, True, normalize_first, dtype=torch.float64
    )
    fill_block(theirs, ours)
    for result, target, source in zip(ours.eval({x: data[0], memory: data[1]}), *data, strict=True):
        wanted = theirs(
            torch.from_numpy(target)[None],
            torch.from_numpy(source)[None],
            tgt_mask=triangle(len(target), len(target)),
        )[0]
        np.testing.assert_allclose(result, wanted.detach(), rtol=1e-9, atol=1e-11)


def cases() -> list[Any]:
    return [
        pytest.param(lambda: MultiHeadAttention(HEADS, SIZE), False, id="attention"),
        pytest.param(
            lambda: MultiHeadAttention(HEADS, SIZE, causal=True, bias=False),
            False,
            id="causal attention",
        ),
        pytest.param(
            lambda: MultiHeadAttention(HEADS, SIZE, cross=True), True, id="cross attention"
        ),
        pytest.param(
            lambda: TransformerBlock(HEADS, SIZE, HIDDEN, activation=C.gelu), False, id="encoder"
        ),
        pytest.param(
            lambda: TransformerBlock(HEADS, SIZE, 7, normalize_first=False, activation=C.tanh),
            False,
            id="post",
        ),
        pytest.param(
            lambda: TransformerBlock(HEADS, SIZE, 7, cross=True, causal=True, activation=C.tanh),
            True,
            id="decoder",
        ),
        pytest.param(lambda: PositionalEncoding(), False, id="waves"),
        pytest.param(lambda: PositionalEmbedding(7, SIZE), False, id="learned places"),
    ]


@pytest.mark.parametrize(("make", "cross"), cases())
def test_gradients_are_those_of_finite_differences(make: Any, cross: bool) -> None:
    variables, data = inputs(cross)
    function = applied(in_float64(make), variables)
    weights = np.random.default_rng(5).uniform(0.5, 1.5, SIZE)
    weighted = C.element_times(function, C.constant(weights))
    feed = dict(zip(variables, data, strict=True))
    wanted = [*variables, *function.parameters]
    found = weighted.grad(feed, wrt=wanted)
    found = found if isinstance(found, dict) else {wanted[0]: found}
    random = np.random.default_rng(6)

    def total() -> float:
        return float(sum(part.sum() for part in weighted.eval(feed)))

    size = 1e-6
    for variable in wanted:
        # Along one random direction all elements are tested at once.
        if variable in feed:
            arrays, gradients = feed[variable], found[variable]
            directions = [random.normal(size=a.shape) for a in arrays]
            slope = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
            ends = []
            for sign in (1, -1):
                feed[variable] = [
                    a + sign * size * d for a, d in zip(arrays, directions, strict=True)
                ]
                ends.append(total())
            feed[variable] = arrays
        else:
            value, direction = variable.value, random.normal(size=variable.shape)
            slope = float((found[variable] * direction).sum())
            ends = []
            for sign in (1, -1):
                variable.value = value + sign * size * direction
                ends.append(total())
            variable.value = value
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * size), slope, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("make", "cross"), cases())
def test_a_minibatch_is_its_sequences_one_by_one(make: Any, cross: bool) -> None:
    variables, data = inputs(cross)
    function = applied(in_float64(make), variables)
    together = function.eval(dict(zip(variables, data, strict=True)))
    for k, result in enumerate(together):
        (alone,) = function.eval({v: [d[k]] for v, d in zip(variables, data, strict=True)})
        np.testing.assert_allclose(result, alone, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("make", "cross"), cases())
def test_sequences_never_see_each_other(make: Any, cross: bool) -> None:
    variables, data = inputs(cross)
    function = applied(in_float64(make), variables)
    before = function.eval(dict(zip(variables, data, strict=True)))
    changed = [
        [np.full_like(d[k], np.nan) if k == 2 else d[k] for k in range(len(d))] for d in data
    ]
    after = function.eval(dict(zip(variables, changed, strict=True)))
    for k in (0, 1, 3, 4):
        np.testing.assert_array_equal(before[k], after[k])
    assert np.isnan(after[2]).all()


def test_a_causal_block_does_not_see_what_comes() -> None:
    (x,), (data,) = inputs(cross=False)
    for causal in (True, False):
        block = applied(
            in_float64(lambda causal=causal: TransformerBlock(HEADS, SIZE, causal=causal)), [x]
        )
        before = block.eval({x: data})[2]
        changed = [d.copy() for d in data]
        changed[2][4] += 1
        after = block.eval({x: changed})[2]
        assert np.array_equal(before[:4], after[:4]) == causal
        assert not np.allclose(before[4:], after[4:])


@pytest.mark.parametrize("lengths", [(1,), (1, 1, 1), (5, 5), (300, 2, 250, 3, 1)])
def test_lengths_of_all_kinds(lengths: tuple[int, ...]) -> None:
    x = C.sequence.input_variable(SIZE, np.float64)
    data = sequences(lengths, SIZE)
    for causal in (False, True):
        function = applied(
            in_float64(lambda causal=causal: MultiHeadAttention(HEADS, SIZE, causal=causal)), [x]
        )
        for result, one in zip(function.eval({x: data}), data, strict=True):
            np.testing.assert_allclose(result, function.eval({x: [one]})[0], rtol=1e-10, atol=1e-12)


def waves(places: int, size: int) -> np.ndarray:
    result = np.zeros((places, size))
    for place in range(places):
        for k in range(size):
            angle = place / 10000 ** (2 * (k // 2) / size)
            result[place, k] = np.cos(angle) if k % 2 else np.sin(angle)
    return result


@pytest.mark.parametrize("size", [1, 5, 6])
def test_positional_encoding_is_that_of_the_paper(size: int) -> None:
    x = C.sequence.input_variable(size, np.float64)
    data = sequences(LENGTHS, size)
    found = PositionalEncoding()(x).eval({x: data})
    for result, one in zip(found, data, strict=True):
        np.testing.assert_allclose(result, one + waves(len(one), size), rtol=1e-12, atol=1e-12)


def test_longer_sequences_than_there_are_places_are_refused() -> None:
    x = C.sequence.input_variable(2)
    embed = PositionalEmbedding(3, 2)(x)
    with pytest.raises(ValueError, match="outside of the table, whose entries go from 0 to 2"):
        embed.eval({x: [np.zeros((4, 2), np.float32)]})


def test_dropout_drops_while_training_alone_and_scales_what_stays() -> None:
    x = C.sequence.input_variable(SIZE, needs_gradient=True)
    data = [d.astype(np.float32) for d in sequences((3, 60, 8, 5), SIZE)]
    value = C.sequence.input_variable(SIZE, needs_gradient=True)
    ones = [np.ones_like(d) for d in data]
    for causal in (False, True):
        attend = C.sequence.scaled_dot_product_attention(
            x, x, value, causal=causal, dropout_rate=0.5, seed=3
        )
        for result in attend.eval({x: data, value: ones}):
            np.testing.assert_allclose(result, 1, rtol=1e-5)
        # With values of 1 the gradient for a value is the sum of the weights with which it was
        # looked at.
        _, outputs = attend.forward({x: data, value: ones}, [attend.output], {attend.output})
        found = np.concatenate([r.ravel() for r in outputs[attend.output]])
        assert 0.1 < found.std()
        assert abs(found.mean() - 1) < 0.15


def test_dropped_weights_go_on_after_saving_and_loading(tmp_path: Path) -> None:
    x = C.sequence.input_variable(SIZE, needs_gradient=True, name="x")
    data = [d.astype(np.float32) for d in sequences((3, 6, 2, 300), SIZE)]
    attend = C.sequence.scaled_dot_product_attention(x, x, x, dropout_rate=0.5, seed=3)

    def dropped(function: C.Function) -> np.ndarray:
        _, outputs = function.forward(
            {function.arguments[0]: data}, function.outputs, function.outputs
        )
        return np.concatenate(outputs[function.output])

    first = dropped(attend)
    attend.save(str(tmp_path / "attend"))
    loaded = C.load_model(str(tmp_path / "attend"))
    assert operations(loaded) == operations(attend) == ["Sequence::Attention"]
    again = [dropped(attend) for _ in range(2)]
    np.testing.assert_array_equal([dropped(loaded) for _ in range(2)], again)
    assert not np.array_equal(first, again[0])


def test_blocks_with_dropout_draw_the_same_for_the_same_seed() -> None:
    def losses() -> list[float]:
        C.cntk_py.set_fixed_random_seed(7)
        C.cntk_py.reset_random_seed(0)
        return train(dropout_rate=0.2, steps=4)

    first, second = losses(), losses()
    assert first == second
    assert first != train(dropout_rate=0.0, steps=4)


def train(dropout_rate: float, steps: int, causal: bool = False) -> list[float]:
    """Losses of a small model that finds whether the first word comes again."""
    random = np.random.default_rng(1)
    vocabulary, size = 6, 32
    words = C.sequence.input_variable(vocabulary, is_sparse=True)
    tags = C.sequence.input_variable(2, is_sparse=True)
    model = Sequential(
        [
            Embedding(size),
            PositionalEncoding(),
            For(
                range(2),
                lambda: TransformerBlock(4, size, dropout_rate=dropout_rate, causal=causal),
            ),
            Dense(2),
        ]
    )(words)
    learner = C.adam(model.parameters, 0.01, 0.9, minibatch_size=C.learners.IGNORE)
    trainer = C.Trainer(model, C.cross_entropy_with_softmax(model, tags), [learner])
    result = []
    for _ in range(steps):
        batch = [random.integers(vocabulary, size=n).tolist() for n in random.integers(1, 12, 16)]
        wanted = [[int(w == s[0]) for w in s] for s in batch]
        trainer.train_minibatch(
            {words: C.Value.one_hot(batch, vocabulary), tags: C.Value.one_hot(wanted, 2)}
        )
        result.append(trainer.previous_minibatch_loss_average)
    return result


@pytest.mark.parametrize("lengths", [(5, 5, 5), (2, 60, 3, 1)])
@pytest.mark.parametrize("dropout_rate", [0.0, 0.3])
def test_a_recorded_training_step_is_the_eager_one(
    dropout_rate: float, lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def course(record_after: int) -> tuple[list[float], int]:
        monkeypatch.setattr(training_step, "RECORD_AFTER", record_after)
        C.cntk_py.set_fixed_random_seed(3)
        x, y = (C.sequence.input_variable(SIZE, np.float64) for _ in range(2))
        model = in_float64(
            lambda: TransformerBlock(HEADS, SIZE, dropout_rate=dropout_rate, causal=True)
        )(x)
        trainer = C.Trainer(
            model,
            C.squared_error(model, y),
            [C.sgd(model.parameters, C.learning_parameter_schedule(0.01))],
        )
        losses = []
        for seed in range(8):
            trainer.train_minibatch(
                {x: sequences(lengths, SIZE, seed), y: sequences(lengths, SIZE, seed + 1)}
            )
            losses.append(trainer.previous_minibatch_loss_average)
        return losses, sum(r is not None for _, r in trainer._step._recordings.values())

    (eager, none), (recorded, one) = course(10**9), course(3)
    assert (none, one) == (0, 1)
    np.testing.assert_allclose(recorded, eager, rtol=1e-9)


@pytest.mark.parametrize("causal", [False, True])
def test_training_learns_to_compare_with_the_first_word(causal: bool) -> None:
    C.cntk_py.set_fixed_random_seed(1)
    losses = train(dropout_rate=0.0, steps=150, causal=causal)
    assert np.mean(losses[-10:]) < 0.25 * np.mean(losses[:5])


def test_a_decoder_learns_to_copy_a_sequence_on_another_axis() -> None:
    C.cntk_py.set_fixed_random_seed(1)
    random = np.random.default_rng(1)
    source = C.sequence.input_variable(4, sequence_axis=C.Axis("source"))
    target, wanted = C.sequence.input_variable(4), C.sequence.input_variable(4)
    block = TransformerBlock(2, 16, cross=True, causal=True)
    model = Dense(4)(
        block(PositionalEncoding()(Dense(16)(target)), PositionalEncoding()(Dense(16)(source)))
    )
    loss = C.cross_entropy_with_softmax(model, wanted)
    trainer = C.Trainer(
        model, loss, [C.adam(model.parameters, 0.01, 0.9, minibatch_size=C.learners.IGNORE)]
    )
    losses = []
    for _ in range(150):
        batch = [
            np.eye(4, dtype=np.float32)[random.integers(4, size=n)]
            for n in random.integers(1, 6, 16)
        ]
        empty = [np.zeros_like(s) for s in batch]
        trainer.train_minibatch({source: batch, target: empty, wanted: batch})
        losses.append(trainer.previous_minibatch_loss_average)
    assert np.mean(losses[-10:]) < 0.25 * np.mean(losses[:5])


@pytest.mark.parametrize(("make", "cross"), cases())
def test_saved_layers_load_as_they_were(make: Any, cross: bool, tmp_path: Path) -> None:
    variables, data = inputs(cross)
    function = applied(in_float64(make), variables)
    function.save(str(tmp_path / "layer.model"))
    loaded = C.load_model(str(tmp_path / "layer.model"))
    by_name = {v.name: d for v, d in zip(variables, data, strict=True)}
    found = loaded.eval({v: by_name[v.name] for v in loaded.arguments})
    for one, other in zip(
        found, function.eval(dict(zip(variables, data, strict=True))), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    assert operations(loaded) == operations(function)


def operations(function: C.Function) -> list[str]:
    """What a graph runs, fused operations as themselves."""
    found, pending = [], [function.root_function]
    for root in pending:
        for primitive in C.logging.graph.depth_first_search(
            root, lambda n: isinstance(n, C.Function), depth=0
        ):
            if primitive.is_block:
                pending.append(primitive.block_root)
            else:
                found.append(primitive.op_name)
    return sorted(found)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: MultiHeadAttention(3, 8),
            r"model_dim \(8\) must be a positive multiple of num_heads \(3\)",
        ),
        (lambda: MultiHeadAttention(0, 8), r"num_heads \(0\)"),
        (
            lambda: MultiHeadAttention(2, 8, dropout_rate=1),
            r"MultiHeadAttention: dropout_rate must be in",
        ),
        (lambda: MultiHeadAttention(2, 8, init=None), "init must not be None"),
        (lambda: TransformerBlock(3, 8), r"must be a positive multiple"),
        (
            lambda: TransformerBlock(2, 8, dropout_rate=-0.1),
            r"TransformerBlock: dropout_rate must be in",
        ),
        (lambda: PositionalEmbedding(0, 3), "max_length must be at least 1, got 0"),
        (
            lambda: MultiHeadAttention(2, 8)(C.input_variable(4)),
            "expected an operand with a sequence axis",
        ),
        (
            lambda: TransformerBlock(2, 8)(C.sequence.input_variable(6)),
            "LayerNormalized: scale must have as many",
        ),
        (
            lambda: PositionalEncoding()(C.sequence.input_variable((2, 3))),
            "must have one static axis",
        ),
        (
            lambda: C.sequence.positional_encoding(C.sequence.input_variable(2), base=0),
            "positive base, got 0",
        ),
    ],
)
def test_what_is_refused(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()
