"""Small programs over sequences, as users of CNTK 2 write them; each gives the numbers of its
course.

Runs with the original too, on Python 3.6.
"""

import numpy as np

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    AttentionModel,
    Delay,
    Dense,
    Dropout,
    Embedding,
    Fold,
    For,
    Label,
    Recurrence,
    RecurrenceFrom,
    RNNStep,
    SequenceOver,
    Sequential,
    SequentialConvolution,
    Signature,
    Stabilizer,
    Tensor,
    UnfoldFrom,
    default_options,
)
from tests.programs.small_training import (
    classification,
    course,
    frames,
    one_hot,
    random,
    rate,
    uniform,
    words,
)


def time_series():
    """The next value of a curve from some before it, by the last state of an LSTM."""
    x = C.sequence.input_variable(1)
    with default_options(initial_state=0.1):
        model = Dense(1)(Dropout(0.0)(C.sequence.last(Recurrence(LSTM(5))(x))))
    y = C.input_variable(1, dynamic_axes=model.dynamic_axes)
    rng, minibatches = random(0), []
    for _ in range(3):
        begin = rng.rand(6, 1) * 6
        curves = np.sin(begin + np.arange(6) * 0.3).astype(np.float32)
        minibatches.append({x: list(curves[:, :5, np.newaxis]), y: curves[:, 5:]})
    learner = C.fsadagrad(
        model.parameters,
        lr=rate(0.02),
        minibatch_size=6,
        momentum=C.momentum_schedule(0.9, minibatch_size=6),
        unit_gain=True,
    )
    return course(
        model, (C.squared_error(model, y), C.squared_error(model, y)), learner, minibatches
    )


def language_model():
    """The next word, by stabilized LSTMs, gradients clipped."""
    size = 12
    with default_options(enable_self_stabilization=True):
        layer = lambda: Sequential([Stabilizer(), Recurrence(LSTM(7), go_backwards=False)])  # noqa: E731
        model = Sequential([Embedding(6), For(range(2), layer), Dense(size)])
    x, y = (C.sequence.input_variable(size, is_sparse=True) for _ in range(2))
    scores = model(x)
    rng, minibatches = random(1), []
    for _ in range(3):
        texts = [rng.randint(0, size, rng.randint(2, 9)).tolist() for _ in range(4)]
        following = [text[1:] + [0] for text in texts]
        minibatches.append({x: C.Value.one_hot(texts, size), y: C.Value.one_hot(following, size)})
    learner = C.momentum_sgd(
        scores.parameters,
        rate(0.1),
        C.momentum_schedule(0.9),
        gradient_clipping_threshold_per_sample=2.0,
        gradient_clipping_with_truncation=True,
    )
    return course(scores, classification(scores, y), learner, minibatches)


def translation():
    """An encoder's last states begin a decoder; what it has learned then unfolds word by word."""
    size, hidden, end = 6, 5, 5
    begin = C.Constant(np.eye(size, dtype=np.float32)[3])
    source, target = C.Axis("source"), C.Axis("target")
    embed = Embedding(4, name="embed")
    with default_options(enable_self_stabilization=True, go_backwards=True):
        stack = For(range(1), lambda: Recurrence(LSTM(hidden)))
        last = Fold(LSTM(hidden), return_full_state=True)
        encode = Sequential([embed, Stabilizer(), stack, last, (Label("h"), Label("c"))])
    with default_options(enable_self_stabilization=True):
        before, after, cells = Stabilizer(), Stabilizer(), [LSTM(hidden) for _ in range(2)]
        project = Dense(size, name="project")

    @C.Function
    def decode(history, text):
        states, result = encode(text), before(embed(history))
        for cell in cells:
            result = RecurrenceFrom(cell)(*(states.outputs + (result,)))
        return Label("scores")(project(after(result)))

    @C.Function
    def model(text, translated):
        return decode(Delay(initial_state=begin)(translated), text)

    @C.Function
    @Signature(
        text=SequenceOver[source][Tensor[size]], translated=SequenceOver[target][Tensor[size]]
    )
    def criterion(text, translated):
        wanted = C.sequence.slice(translated, 1, 0)
        scores = model(text, wanted)
        return C.cross_entropy_with_softmax(scores, wanted), C.classification_error(scores, wanted)

    @C.Function
    @Signature(SequenceOver[source][Tensor[size]])
    def greedy(text):
        step = lambda history: decode(history, text) >> C.hardmax  # noqa: E731
        unfold = UnfoldFrom(step, until_predicate=lambda word: word[..., end], length_increase=1.5)
        return unfold(initial_state=begin, dynamic_axes_like=text)

    rng = random(2)

    def texts():
        middles = (rng.randint(0, 3, rng.randint(1, 5)).tolist() for _ in range(3))
        return [np.eye(size, dtype=np.float32)[[3] + middle + [end]] for middle in middles]  # noqa: RUF005

    learner = C.fsadagrad(
        model.parameters,
        lr=rate(0.05),
        momentum=C.momentum_schedule([0.94, 0.9], 10),
        gradient_clipping_threshold_per_sample=2.3,
        gradient_clipping_with_truncation=True,
    )
    minibatches = [criterion.argument_map(texts(), texts()) for _ in range(3)]
    numbers = course(None, criterion, learner, minibatches)
    found = greedy(texts())
    return numbers + [len(x) for x in found] + [int(np.argmax(x, -1).sum()) for x in found]


def attention():
    """A decoder whose step looks back at all of the encoder's states."""
    size, hidden = 6, 5
    x, y = (
        C.sequence.input_variable(size, sequence_axis=C.Axis(name)) for name in ("source", "target")
    )
    with default_options(enable_self_stabilization=True):
        states = Recurrence(LSTM(hidden), go_backwards=True, return_full_state=True)
        encode = Sequential(
            [Embedding(4), Stabilizer(), Recurrence(LSTM(hidden)), states, (Label("h"), Label("c"))]
        )
        look, cell, project = AttentionModel(4), LSTM(hidden), Dense(size)
    embed = Embedding(3)

    @C.Function
    def decode(history, text):
        encoded = encode(text)

        @C.Function
        def step(h, c, word):
            return cell(h, c, C.splice(word, look(encoded.outputs[0], h)))

        return project(Recurrence(step)(embed(history)))

    scores = decode(Delay(initial_state=np.eye(size, dtype=np.float32)[0])(y), x)
    rng = random(3)
    minibatches = [
        {x: words(rng, rng.randint(2, 6, 3), size), y: words(rng, rng.randint(1, 5, 3), size)}
        for _ in "ab"
    ]
    return course(
        scores, classification(scores, y), C.adam(scores.parameters, rate(0.01), 0.9), minibatches
    )


def tagger():
    """Both directions side by side, spliced."""
    both = (Recurrence(LSTM(4)), Recurrence(LSTM(4), go_backwards=True))
    model = Sequential([Embedding(5), both, C.splice, Dense(3)])
    x, y = C.sequence.input_variable(8), C.sequence.input_variable(3)
    scores, rng, minibatches = model(x), random(4), []
    for _ in range(3):
        lengths = rng.randint(1, 6, 4)
        minibatches.append({x: words(rng, lengths, 8), y: words(rng, lengths, 3)})
    return course(
        scores, classification(scores, y), C.adam(scores.parameters, rate(0.02), 0.9), minibatches
    )


def hand_written_attention():
    """A weighted mean of states, the weights by a softmax over the sequence."""
    x, y = C.sequence.input_variable(4), C.input_variable(2)
    states = Recurrence(GRU(5))(x)
    weights = C.sequence.softmax(Dense(1)(C.tanh(Dense(3)(states))))
    scores = Dense(2)(C.sequence.reduce_sum(states * weights))
    return course(
        scores,
        classification(scores, y),
        C.adagrad(scores.parameters, rate(0.1)),
        _labelled(5, x, y),
    )


def loop_by_placeholder():
    """A plain recurrence from primitive operations."""
    x, y = C.sequence.input_variable(4), C.input_variable(2)
    w, r, b = (C.parameter(shape, init=C.glorot_uniform()) for shape in ((4, 5), (5, 5), (5, 1)))
    before = C.placeholder(5)
    state = C.tanh(C.times(x, w) + C.times(C.sequence.past_value(before), r) + C.reshape(b, (5,)))
    state = state.replace_placeholders({before: state.output})
    scores = Dense(2)(C.sequence.last(state))
    learner = C.sgd(scores.parameters, C.learning_rate_schedule(0.1, C.UnitType.minibatch))
    return course(scores, classification(scores, y), learner, _labelled(6, x, y))


def chosen_frames():
    """A recurrence over those frames alone that meet a condition."""
    x, y = C.sequence.input_variable(4), C.input_variable(2)
    large = C.reshape(C.greater(C.slice(x, 0, 0, 1), 0.5), ())
    chosen = C.sequence.gather(x, C.element_max(C.sequence.is_first(x), large))
    scores = Dense(2)(C.sequence.reduce_sum(Recurrence(RNNStep(3, activation=C.tanh))(chosen)))
    return course(
        scores, classification(scores, y), C.sgd(scores.parameters, rate(0.1)), _labelled(7, x, y)
    )


def convolution_along_sequences():
    """Windows over frames that are matrices."""
    x, y = C.sequence.input_variable((2, 5)), C.input_variable(2)
    layer = SequentialConvolution(
        (3, 3), 4, reduction_rank=1, pad=True, activation=C.relu, strides=(1, 2)
    )
    scores = Sequential([layer, C.sequence.last, Dense(2)])(x)
    rng = random(8)
    seen = [[uniform(rng, n, 2, 5) for n in (3, 5, 4)] for _ in "ab"]
    minibatches = [{x: each, y: one_hot(rng, 3, 2)} for each in seen]
    return course(
        scores, classification(scores, y), C.sgd(scores.parameters, rate(0.1)), minibatches
    )


def two_towers():
    """Questions and answers on axes of their own, told apart from negative examples by their
    cosine.
    """
    size = 9
    x, y = (
        C.sequence.input_variable(size, sequence_axis=C.Axis(name))
        for name in ("question", "answer")
    )
    tower = lambda: [  # noqa: E731
        Embedding(5),
        Recurrence(LSTM(6)),
        C.sequence.last,
        Dense(4, activation=C.tanh),
    ]  # noqa: E731
    model = C.combine([Sequential(tower())(x), Sequential(tower())(y)])
    likeness = C.cosine_distance_with_negative_samples(model.outputs[0], model.outputs[1], 1, 2)
    rng = random(9)
    minibatches = [
        {x: words(rng, rng.randint(2, 5, 4), size), y: words(rng, (2, 3, 1, 4), size)}
        for _ in "abc"
    ]
    return course(model, (1 - likeness, None), C.sgd(model.parameters, rate(0.05)), minibatches)


def speech():
    """Labels without a time, by connectionist temporal classification."""
    x, y = C.sequence.input_variable(7), C.sequence.input_variable(4)
    scores = Sequential([Recurrence(LSTM(6)), Dense(4)])(x)
    loss = C.forward_backward(C.labels_to_graph(y), scores, 3, delayConstraint=2)
    error = C.edit_distance_error(scores, y, squashInputs=True, tokensToIgnore=[3])
    rng, minibatches = random(10), []
    for _ in range(2):
        lengths = rng.randint(4, 8, 3)
        told = [np.eye(4, dtype=np.float32)[rng.randint(0, 3, n)] * 2 for n in lengths]
        for labels in told:
            labels[0] *= 0.5
        minibatches.append({x: frames(rng, lengths, 7), y: told})
    learner = C.momentum_sgd(scores.parameters, rate(0.01), C.momentum_schedule(0.9))
    return course(scores, (loss, error), learner, minibatches)


def policy_gradient():
    """Gradients asked for, gathered over two games, and handed to a learner."""
    seen, act, worth = (
        C.sequence.input_variable(4),
        C.sequence.input_variable(1),
        C.sequence.input_variable(1),
    )
    policy = Sequential([Dense(6, activation=C.relu), Dense(1, activation=C.sigmoid)])(seen)
    loss = -C.reduce_mean(C.log(C.square(act - policy) + 1e-4) * worth, axis=0)
    learner, rng, numbers = C.sgd(policy.parameters, rate(0.1)), random(11), []
    for _ in range(3):
        gathered = dict.fromkeys(policy.parameters, 0)
        for steps in (5, 3):
            game = {seen: frames(rng, [steps], 4), act: [np.round(uniform(rng, steps, 1))]}
            game[worth] = frames(rng, [steps], 1)
            for parameter, gradient in loss.grad(game, wrt=policy.parameters).items():
                gathered[parameter] = gathered[parameter] + gradient
        learner.update({p: np.ascontiguousarray(g) for p, g in gathered.items()}, 8)
        numbers += [float(p.value.sum()) for p in policy.parameters]
    return numbers


def _labelled(seed, x, y):
    """Minibatches of sequences with a class each."""
    rng = random(seed)
    return [{x: frames(rng, rng.randint(1, 6, 3), 4), y: one_hot(rng, 3, 2)} for _ in range(3)]


PROGRAMS = [
    time_series,
    language_model,
    translation,
    attention,
    tagger,
    hand_written_attention,
    loop_by_placeholder,
    chosen_frames,
    convolution_along_sequences,
    two_towers,
    speech,
    policy_gradient,
]
