"""Programs in the manner of the original's examples that look for an answer in a text: BiDAF, and
pointing by attention.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import numpy as np

import cntk as C
from cntk import Trainer, Value
from cntk.logging import log_number_of_parameters
from tests.programs.tutorials.tutorial_files import averages


def reading_comprehension(folder):
    """BiDAF: blocks of placeholders, highways, words from letters, spans' loss, a running mean of
    all parameters.
    """
    rng, dim, words, letters, width = np.random.RandomState(3), 3, 9, 6, 7
    axes = {name: C.Axis.new_unique_dynamic_axis(name) for name in ("c", "q")}
    b = C.Axis.default_batch_axis()
    cw, qw = (
        C.input_variable(words, dynamic_axes=[b, axes[n]], is_sparse=True, name=n + "w")
        for n in ("c", "q")
    )
    cc, qc = (
        C.input_variable((1, width), dynamic_axes=[b, axes[n]], name=n + "c") for n in ("c", "q")
    )
    ab, ae = (C.input_variable(1, dynamic_axes=[b, axes["c"]], name=n) for n in ("ab", "ae"))

    def highway(x):
        gate = C.layers.Dense(2 * dim, activation=C.sigmoid, init_bias=-1, name="gate")(x)
        new = C.layers.Dense(2 * dim, activation=C.relu, name="new")(x)
        return gate * new + (1 - gate) * x

    def both_ways(x):
        forwards = C.layers.Recurrence(C.layers.LSTM(dim))(x)
        backwards = C.layers.Recurrence(C.layers.LSTM(dim), go_backwards=True)(x)
        return C.splice(forwards, backwards)

    def input_layer():
        ph = {name: C.placeholder() for name in ("cw", "cc", "qw", "qc")}
        chars, known = C.placeholder(shape=(1, width, letters)), C.placeholder(shape=(words,))
        embedding = C.parameter(shape=(words, dim), init=C.glorot_uniform(), name="TrainableE")
        conv = C.layers.Convolution2D(
            (3, 2), dim, activation=C.relu, init=C.glorot_uniform(), name="charcnn_conv"
        )
        seen = C.reduce_max(conv(C.layers.Embedding(2)(chars)), axis=1)
        embedded = C.splice(C.reshape(seen, dim), C.times(known, embedding), name="splice_embed")
        processed = both_ways(highway(embedded))
        told = {
            n: C.one_hot(ph[n + "c"], num_classes=letters, sparse_output=False) for n in ("c", "q")
        }
        found = [
            processed.clone(C.CloneMethod.share, {chars: told[n], known: ph[n + "w"]})
            for n in ("c", "q")
        ]
        given = [(ph["cw"], cw), (ph["cc"], cc), (ph["qw"], qw), (ph["qc"], qc)]
        return C.as_block(C.combine(found), given, "input_layer", "input_layer")

    def attention_layer(context, query):
        q, c = C.placeholder(shape=(2 * dim,)), C.placeholder(shape=(2 * dim,))
        qvw, qvw_mask = C.sequence.unpack(q, padding_value=0).outputs
        ws = [
            C.parameter(shape=shape, init=C.glorot_uniform())
            for shape in ((2 * dim, 1), (2 * dim, 1), (1, 2 * dim))
        ]
        att_bias = C.parameter(shape=(), init=0)
        wh, wu = C.times(c, ws[0]), C.reshape(C.times(qvw, ws[1]), (-1,))
        whu = C.reshape(C.reduce_sum(c * C.sequence.broadcast_as(qvw * ws[2], c), axis=1), (-1,))
        s = wh + whu + C.sequence.broadcast_as(wu, c) + att_bias
        s = C.element_select(C.sequence.broadcast_as(qvw_mask, c), s, C.constant(-1e30))
        q_attn = C.reshape(C.softmax(s), (-1, 1))
        c2q = C.reshape(C.reduce_sum(C.sequence.broadcast_as(qvw, q_attn) * q_attn, axis=0), (-1))
        c_attn = C.sequence.softmax(C.reduce_max(s))
        q2c = c * C.sequence.broadcast_as(C.sequence.reduce_sum(c * c_attn), c)
        return C.as_block(
            C.splice(c, c2q, c * c2q, q2c),
            [(c, context), (q, query)],
            "attention_layer",
            "attention_layer",
        )

    def seq_loss(logits, y):
        return C.layers.Fold(C.log_add_exp, initial_state=C.constant(-1e30, logits.shape))(
            logits
        ) - C.sequence.last(C.sequence.gather(logits, y))

    def seq_hardmax(logits):
        seq_max = C.layers.Fold(C.element_max, initial_state=C.constant(-1e30, logits.shape))(
            logits
        )
        s = C.equal(logits, C.sequence.broadcast_as(seq_max, logits))
        s_acc = C.layers.Recurrence(C.plus)(s)
        return s * C.equal(s_acc, 1)

    def all_spans_loss(start_logits, start_y, end_logits, end_y):
        logz = (
            C.layers.Recurrence(C.log_add_exp, initial_state=C.constant(-1e30, start_logits.shape))(
                start_logits
            )
            + end_logits
        )
        logz = C.layers.Fold(C.log_add_exp, initial_state=C.constant(-1e30, start_logits.shape))(
            logz
        )
        begin = C.sequence.last(C.sequence.gather(start_logits, start_y))
        return logz - begin - C.sequence.last(C.sequence.gather(end_logits, end_y))

    c_processed, q_processed = input_layer().outputs
    attended = attention_layer(c_processed, q_processed)
    start = C.layers.Dense(1, name="out_start")(attended)
    chosen = C.sequence.last(C.sequence.gather(attended, seq_hardmax(start)))
    end_input = C.splice(attended, attended * C.sequence.broadcast_as(chosen, attended))
    end = C.layers.Dense(1, name="out_end")(both_ways(end_input))
    z, loss = C.combine([start, end]), all_spans_loss(start, ab, end, ae)
    parts = seq_loss(start, ab) + seq_loss(end, ae)
    ema, dummies = {}, []
    for p in z.parameters:
        ema[p.uid] = C.constant(0, shape=p.shape, dtype=p.dtype, name="ema_" + p.uid)
        dummies.append(C.reduce_sum(C.assign(ema[p.uid], 0.9 * ema[p.uid] + 0.1 * p)))
    dummy = C.combine(dummies)
    trainer = Trainer(
        z, (loss, parts), C.adadelta(z.parameters, C.learning_parameter_schedule(1.0))
    )
    log_number_of_parameters(z)

    def minibatch():
        fed = {v: [] for v in (cw, qw, cc, qc, ab, ae)}
        for _ in range(3):
            count = rng.randint(3, 6)
            begin = rng.randint(0, count)
            for n, w, c in ((count, cw, cc), (rng.randint(1, 4), qw, qc)):
                fed[w].append(rng.randint(0, words, n).tolist())
                fed[c].append(rng.randint(0, letters, (n, 1, width)).astype(np.float32))
            for variable, place in ((ab, begin), (ae, rng.randint(begin, count))):
                fed[variable].append((np.arange(count) == place).astype(np.float32)[:, np.newaxis])
        return {v: Value.one_hot(data, words) if v in (cw, qw) else data for v, data in fed.items()}

    told = []
    for _ in range(4):
        trainer.train_minibatch(minibatch())
        dummy.eval()
        told += averages(trainer)
    told.append(float(sum(np.abs(e.value).sum() for e in ema.values())))
    kept = {p.uid: p.value for p in z.parameters}
    for p in trainer.model.parameters:
        p.value = ema[p.uid].value
    told += _spans(C.combine([*z.outputs, loss.output]), minibatch())
    for p in trainer.model.parameters:
        p.value = kept[p.uid]
    return [*told, len(z.parameters), trainer.test_minibatch(minibatch())]


def _spans(model, data):
    """How far the best spans, found by a gradient, are those that were wanted; and the loss."""
    begin_logits, end_logits, loss = model.outputs
    root = C.as_composite(loss.owner)
    begin_label, end_label = (
        [a for a in root.arguments if a.name == name][0] for name in ("ab", "ae")
    )  # noqa: RUF015
    begin, end = (
        C.sequence.input_variable(1, sequence_axis=label.dynamic_axes[1], needs_gradient=True)
        for label in (begin_label, end_label)
    )
    running = C.layers.Recurrence(C.element_max, initial_state=-float("inf"))(begin)
    best = C.layers.Fold(C.element_max, initial_state=C.constant(-1e30))(running + end)
    predicted = C.layers.Recurrence(C.plus)(begin - C.sequence.past_value(end))
    wanted = C.layers.Recurrence(C.plus)(begin_label - C.sequence.past_value(end_label))
    common = C.sequence.reduce_sum(C.element_min(predicted, wanted))
    f1 = 2 * common / (C.sequence.reduce_sum(predicted) + C.sequence.reduce_sum(wanted))
    match = C.sequence.reduce_sum(C.element_min(begin, begin_label))
    stats = C.splice(
        *(
            C.reduce_sum(x, axis=C.Axis.all_axes())
            for x in (f1, common, match, C.greater(common, 0))
        )
    )
    out = model.eval(data, outputs=[begin_logits, end_logits, loss], as_numpy=False)
    fed = {begin: out[begin_logits], end: out[end_logits]}
    g = best.grad(fed, wrt=[begin, end], as_numpy=False)
    found = stats.eval(
        {begin: g[begin], end: g[end], begin_label: data[begin_label], end_label: data[end_label]}
    )
    span = predicted.eval({begin: g[begin], end: g[end]})
    places = [int(np.argwhere(one)[:, 0].min()) for one in span]
    return [*np.asarray(found).ravel(), *places, float(np.sum(out[loss].asarray()))]


def question_answering(folder):
    """ReasoNet's and BiDAF's manner: one sequence unpacked and looked at by another, the answer a
    place in it.
    """
    rng, tested, size = np.random.RandomState(4), [], 8
    eye = np.eye(size, dtype=np.float32)
    context_axis, query_axis = C.Axis("context"), C.Axis("query")
    context = C.sequence.input_variable(size, sequence_axis=context_axis)
    query = C.sequence.input_variable(size, sequence_axis=query_axis)
    place = C.sequence.input_variable(1, sequence_axis=context_axis)
    embed = C.layers.Embedding(4)
    both = (
        C.layers.Recurrence(C.layers.GRU(5)),
        C.layers.Recurrence(C.layers.GRU(5), go_backwards=True),
    )
    c = C.splice(*(r(embed(context)) for r in both))
    q = C.splice(*(r(embed(query)) for r in both))
    rows, mask = C.sequence.unpack(q, padding_value=0).outputs
    rows, mask = C.sequence.broadcast_as(rows, c), C.sequence.broadcast_as(mask, c)
    likeness = C.reshape(C.times_transpose(rows, C.reshape(c, (1, 10))), (C.FreeDimension,))
    weights = C.softmax(C.element_select(mask, likeness, mask * 0 - 1e6), axis=0)
    seen = C.reshape(C.times(C.reshape(weights, (1, C.FreeDimension)), rows), (10,))
    scores = C.layers.Dense(1)(C.splice(c, seen, c * seen))
    log_z = C.sequence.reduce_sum(C.sequence.softmax(scores) * place)
    loss = -C.log(log_z)
    wrong = C.not_equal(
        C.sequence.reduce_sum(
            place * C.equal(scores, C.sequence.broadcast_as(C.sequence.reduce_max(scores), scores))
        ),
        1,
    )
    model = C.combine([scores])
    trainer = C.Trainer(
        model, (loss, wrong), [C.adam(model.parameters, C.learning_parameter_schedule(0.05), 0.9)]
    )

    def minibatch():
        contexts = [rng.permutation(size)[: rng.randint(3, 8)] for _ in range(6)]
        asked = [rng.randint(0, len(words)) for words in contexts]
        queries = [
            [words[i], *rng.randint(0, size, rng.randint(0, 3))]
            for words, i in zip(contexts, asked)
        ]
        places = [
            np.eye(len(words), dtype=np.float32)[i][:, np.newaxis]
            for words, i in zip(contexts, asked)
        ]
        return {
            context: [eye[w] for w in contexts],
            query: [eye[w] for w in queries],
            place: places,
        }

    for _ in range(8):
        trainer.train_minibatch(minibatch())
        tested += averages(trainer)
    return [*tested, trainer.test_minibatch(minibatch())]


PROGRAMS = [reading_comprehension, question_answering]
