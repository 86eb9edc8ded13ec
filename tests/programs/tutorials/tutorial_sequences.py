"""Programs in the manner of the original's tutorials and examples over words: classes, tags,
answers.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
from cntk import cntk_py
from cntk.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Embedding,
    Recurrence,
    Sequential,
    default_options,
)
from cntk.layers.typing import Sequence, Tensor
from cntk.logging import log_number_of_parameters
from tests.programs.tutorials.tutorial_files import (
    averages,
    numbers_in_log,
    sparse,
    write_sequences,
    write_text,
)

WORDS, TAGS = 14, 4


def _sentences(rng, count, length=None):
    """Sequences of words, and the tag of each: its own, or the one that the word before asks
    for.
    """
    sentences = [rng.randint(1, WORDS, length or rng.randint(2, 8)).tolist() for _ in range(count)]
    tags = [
        [before % TAGS if before > 9 else word % 3 for before, word in zip([0, *s], s)]
        for s in sentences
    ]
    return sentences, tags


def guided_tour(folder):
    """200: a class for each sequence, by `Function.train` with a log, checkpoints, and a rate that
    validation sets.
    """
    rng = np.random.RandomState(0)

    def data(count):
        sentences, tags = _sentences(rng, count)
        lines = []
        for number, (sentence, told) in enumerate(zip(sentences, tags)):
            for row, word in enumerate(sentence):
                lines.append(
                    f"{number} " + sparse("x", word) + ("" if row else " " + sparse("y", told[-1]))
                )
        return write_text(folder, f"{count}.ctf", lines)

    def create_reader(path, is_training):
        streams = C.io.StreamDefs(
            x=C.io.StreamDef("x", shape=WORDS, is_sparse=True),
            y=C.io.StreamDef("y", shape=TAGS, is_sparse=True),
        )
        sweeps = C.io.INFINITELY_REPEAT if is_training else 1
        return C.io.MinibatchSource(
            C.io.CTFDeserializer(path, streams), randomize=is_training, max_sweeps=sweeps
        )

    train, test = data(60), data(40)
    with C.layers.default_options(initial_state=0.1):
        model = C.layers.Sequential(
            [
                C.layers.Embedding(6, name="embed"),
                C.layers.Fold(C.layers.LSTM(8)),
                C.layers.Dense(TAGS, name="classify"),
            ]
        )

    @C.Function
    def criterion(data, label_one_hot):
        z = model(data)
        loss = C.cross_entropy_with_softmax(z, label_one_hot)
        metric = C.classification_error(z, label_one_hot)
        return loss, metric

    x_axis = C.sequence.input_variable(WORDS, is_sparse=True)
    y = C.input_variable(TAGS, is_sparse=True)
    loss = criterion(x_axis, y)
    learner = C.sgd(model.parameters, C.learning_parameter_schedule(0.5))
    log = os.path.join(folder, "tour.log")
    writer = C.logging.ProgressPrinter(freq=3, tag="Training", log_to_file=log)
    seen = []

    def adjust(index, average_error, cv_num_samples, cv_num_minibatches):
        seen.extend(
            [index, average_error, cv_num_samples, cv_num_minibatches, learner.learning_rate()]
        )
        learner.reset_learning_rate(C.learning_parameter_schedule(0.5 / (index + 2)))
        return index < 3

    reader, validation = create_reader(train, True), create_reader(test, True)
    checkpoint = C.CheckpointConfig(
        frequency=200, filename=os.path.join(folder, "tour.cmf"), restore=False
    )
    validate = C.CrossValidationConfig(
        validation, minibatch_size=32, frequency=120, max_samples=60, callback=adjust
    )
    progress = loss.train(
        reader,
        streams=(reader.streams.x, reader.streams.y),
        minibatch_size=24,
        max_epochs=3,
        epoch_size=200,
        parameter_learners=[learner],
        callbacks=[writer, checkpoint, validate],
    )
    numbers = [
        n
        for summary in progress.epoch_summaries
        for n in (summary.loss, summary.metric, summary.samples)
    ]
    seen += numbers + numbers_in_log(folder, "tour.log")
    tester = create_reader(test, False)
    tested = loss.test(tester, streams=(tester.streams.x, tester.streams.y), minibatch_size=32)
    return [
        *seen,
        os.path.exists(os.path.join(folder, "tour.cmf.ckp")),
        tested.samples,
        tested.metric,
    ]


def _tag(folder, make, length=None):
    """202: a tag for each word, from a file; a criterion of placeholders; a test by an evaluator.

    Sequences have one length where there are normalizations: the original counts what stands behind
    the end of shorter ones in their statistics.
    """
    rng = np.random.RandomState(1)
    paths = []
    for name, count in (("train", 70), ("test", 30)):
        sentences, tags = _sentences(rng, count, length)
        paths.append(write_sequences(folder, name + ".ctf", S0=sentences, S2=tags))

    def create_reader(path, is_training):
        streams = C.io.StreamDefs(
            query=C.io.StreamDef(field="S0", shape=WORDS, is_sparse=True),
            slot_labels=C.io.StreamDef(field="S2", shape=TAGS, is_sparse=True),
        )
        sweeps = C.io.INFINITELY_REPEAT if is_training else 1
        return C.io.MinibatchSource(
            C.io.CTFDeserializer(path, streams), randomize=is_training, max_sweeps=sweeps
        )

    x = C.sequence.input_variable(WORDS)
    model = make()

    def create_criterion_function(model):
        labels = C.placeholder(name="labels")
        ce, errs = (
            C.cross_entropy_with_softmax(model, labels),
            C.classification_error(model, labels),
        )
        return C.combine([ce, errs])

    labels = C.sequence.input_variable(TAGS, name="labels")
    z = model(x)
    criterion = create_criterion_function(z)
    criterion.replace_placeholders({criterion.placeholders[0]: labels})
    rates = C.learning_parameter_schedule_per_sample([0.01] * 2 + [0.004], epoch_size=120)
    learner = C.adam(
        parameters=z.parameters,
        lr=rates,
        momentum=C.momentum_schedule(0.9, minibatch_size=24),
        gradient_clipping_threshold_per_sample=15,
        gradient_clipping_with_truncation=True,
    )
    printer = C.logging.ProgressPrinter(tag="Training", num_epochs=2)
    trainer = C.Trainer(z, criterion, learner, printer)
    log_number_of_parameters(z)
    reader, told, total = create_reader(paths[0], True), [], 0
    for epoch in range(3):
        while total < (epoch + 1) * 120:
            data = reader.next_minibatch(
                24, input_map={x: reader.streams.query, labels: reader.streams.slot_labels}
            )
            trainer.train_minibatch(data)
            total += data[labels].num_samples
            told += averages(trainer)
        trainer.summarize_training_progress()
    evaluator = C.eval.Evaluator(
        criterion.outputs[1], [C.logging.ProgressPrinter(tag="Evaluation", num_epochs=0)]
    )
    reader, wrong, total = create_reader(paths[1], False), 0, 0
    while True:
        data = reader.next_minibatch(
            40, input_map={x: reader.streams.query, labels: reader.streams.slot_labels}
        )
        if not data:
            break
        wrong += evaluator.test_minibatch(data) * data[labels].num_samples
        total += data[labels].num_samples
    evaluator.summarize_test_progress()
    scores = z(C.sequence.input_variable(WORDS)).eval(
        [np.eye(WORDS, dtype=np.float32)[[10, 4, 12, 1]]]
    )
    return [*told, total, *np.argmax(scores[0], -1), wrong / total]


def tags_forward(folder):
    """202: one direction, with a normalization of embeddings."""

    def make():
        with C.layers.default_options(initial_state=0.1):
            return C.layers.Sequential(
                [
                    C.layers.Embedding(7, name="embed"),
                    C.layers.BatchNormalization(),
                    C.layers.Recurrence(C.layers.LSTM(9), go_backwards=False),
                    C.layers.BatchNormalization(),
                    C.layers.Dense(TAGS, name="classify"),
                ]
            )

    return _tag(folder, make, 4)


def tags_with_a_look_ahead(folder):
    """202: each word beside the next one."""

    def one_word_lookahead():
        x = C.placeholder()
        return C.splice(x, C.sequence.future_value(x))

    def make():
        with C.layers.default_options(initial_state=0.1):
            layers = [Embedding(7), one_word_lookahead(), Recurrence(LSTM(9)), Dense(TAGS)]
            return C.layers.Sequential(layers)

    return _tag(folder, make)


def tags_both_ways(folder):
    """202: both directions."""

    def bi_recurrence(fwd, bwd):
        forwards, backwards = Recurrence(fwd), Recurrence(bwd, go_backwards=True)
        x = C.placeholder()
        return C.splice(forwards(x), backwards(x))

    def make():
        with C.layers.default_options(initial_state=0.1):
            layers = [
                Embedding(7),
                BatchNormalization(),
                bi_recurrence(LSTM(5), LSTM(5)),
                BatchNormalization(),
                Dense(TAGS),
            ]
            return C.layers.Sequential(layers)

    return _tag(folder, make, 4)


def answers(folder):
    """303: questions and answers in one space, each on an axis of its own, against answers to other
    questions.
    """
    rng, size = np.random.RandomState(5), 12

    def pairs(count):
        questions = [rng.randint(0, size, rng.randint(2, 6)).tolist() for _ in range(count)]
        return questions, [
            [(w + 1) % size for w in q[: rng.randint(1, len(q) + 1)]] for q in questions
        ]

    paths = []
    for name, count in (("train", 40), ("val", 24)):
        questions, replies = pairs(count)
        paths.append(write_sequences(folder, name + ".ctf", S0=questions, S1=replies))

    def create_reader(path, is_training):
        streams = C.io.StreamDefs(
            query=C.io.StreamDef(field="S0", shape=size, is_sparse=True),
            answer=C.io.StreamDef(field="S1", shape=size, is_sparse=True),
        )
        sweeps = C.io.INFINITELY_REPEAT if is_training else 1
        return C.io.MinibatchSource(
            C.io.CTFDeserializer(path, streams), randomize=is_training, max_sweeps=sweeps
        )

    qry = C.sequence.input_variable(size, sequence_axis=C.Axis.new_unique_dynamic_axis("axis_qry"))
    ans = C.sequence.input_variable(size, sequence_axis=C.Axis.new_unique_dynamic_axis("axis_ans"))
    with C.layers.default_options(initial_state=0.1):
        towers = [
            C.layers.Sequential(
                [
                    C.layers.Embedding(5, name="embed"),
                    C.layers.Recurrence(C.layers.LSTM(7), go_backwards=False),
                    C.sequence.last,
                    C.layers.Dense(5, activation=C.relu, name=name + "_proj"),
                    C.layers.Dropout(0.0, name="dropout " + name),
                    C.layers.Dense(5, activation=C.tanh, name=name + "_enc"),
                ]
            )
            for name in ("q", "a")
        ]
    query, answer = towers[0](qry), towers[1](ans)
    model = C.combine(query, answer)
    reconciled = C.reconcile_dynamic_axes(query, answer)
    loss = 1 - C.cosine_distance_with_negative_samples(
        reconciled, answer, shift=1, num_negative_samples=3
    )
    rates = C.learning_parameter_schedule_per_sample([0.05] * 2 + [0.02], epoch_size=40)
    momentum = C.learners.momentum_schedule([0] * 2 + [0.92], epoch_size=40, minibatch_size=20)
    learner = C.learners.momentum_sgd(model.parameters, rates, momentum)
    trainer = C.Trainer(
        model, (loss, None), learner, C.logging.ProgressPrinter(tag="Training", num_epochs=3)
    )
    source, told = create_reader(paths[0], True), []
    input_map = {qry: source.streams.query, ans: source.streams.answer}
    for _ in range(3):
        for _ in range(4):
            trainer.train_minibatch(source.next_minibatch(30, input_map=input_map))
            told += [
                trainer.previous_minibatch_loss_average,
                trainer.previous_minibatch_sample_count,
            ]
        trainer.summarize_training_progress()
    source = create_reader(paths[1], False)
    evaluator = C.eval.Evaluator(loss, C.logging.ProgressPrinter(tag="Evaluation", num_epochs=0))
    tested = []
    while True:
        data = source.next_minibatch(
            60, input_map={qry: source.streams.query, ans: source.streams.answer}
        )
        if not data:
            break
        tested.append(evaluator.test_minibatch(data))
    evaluator.summarize_test_progress()
    eye = np.eye(size, dtype=np.float32)
    vectors = [query.eval([eye[[1, 2, 3]]]), answer.eval([eye[[2, 3, 4]]])]
    told.append(
        float(
            (vectors[0] * vectors[1]).sum()
            / np.linalg.norm(vectors[0])
            / np.linalg.norm(vectors[1])
        )
    )
    return [*told, *tested]


def typed_functions(folder):
    """200: types of arguments in a signature; a trainer made of a criterion; another learner; one
    value after another.
    """
    rng = np.random.RandomState(6)
    cntk_py.set_fixed_random_seed(3)
    model = Sequential([Embedding(5), Recurrence(C.layers.GRU(6)), C.sequence.last, Dense(2)])

    @C.Function
    @C.layers.Signature(Sequence[Tensor[WORDS]], Tensor[2])
    def criterion(words, label):
        z = model(words)
        return C.cross_entropy_with_softmax(z, label), C.classification_error(z, label)

    @C.Function
    @C.layers.Signature(Sequence[Tensor[WORDS]])
    def probabilities(words):
        return C.softmax(model(words), name="probabilities")

    eye = np.eye(WORDS, dtype=np.float32)

    def data(count):
        words = [rng.randint(0, WORDS, rng.randint(1, 6)) for _ in range(count)]
        return [eye[w] for w in words], np.eye(2, dtype=np.float32)[[int(w[0] > 6) for w in words]]

    learner = C.adadelta(model.parameters, lr=C.learning_parameter_schedule(2.0))
    trainer = C.Trainer(None, criterion, [learner])
    told = []
    for _ in range(10):
        trainer.train_minibatch(dict(zip(criterion.arguments, data(8))))
        told += averages(trainer)
    checkpoint = os.path.join(folder, "typed")
    trainer.save_checkpoint(checkpoint, external_state={"minibatches": 10})
    for _ in range(2):
        trainer.train_minibatch(dict(zip(criterion.arguments, data(8))))
    told.append(trainer.restore_from_checkpoint(checkpoint)["minibatches"])
    words, labels = data(12)
    told += np.asarray(probabilities(words[:3])).ravel().tolist()
    with default_options(activation=C.relu):
        told.append(float(Dense(1, init=1)(C.constant([1.0, 2.0])).eval()[0]))
    return [*told, trainer.test_minibatch(criterion.argument_map(words, labels))]


PROGRAMS = [
    guided_tour,
    tags_forward,
    tags_with_a_look_ahead,
    tags_both_ways,
    answers,
    typed_functions,
]
