"""What the recorder and the test of the first minibatches share: the networks, their data and the
learners.

Plain CNTK 2 code that also the original's Python 3.6 reads. Every case trains a small form of one
of the programs in `tests/programs` for ten minibatches of changing size.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import cntk as C
from tests.programs import logistic_regression, sequence_classifier, slot_tagger

NUM_MINIBATCHES = 10
CLASSIFIER_VOCAB = 22


class Network(NamedTuple):
    """A network with what it is trained by; `feed` makes the arguments of a minibatch from its
    recorded arrays.
    """

    model: C.Function
    loss: C.Function
    error: C.Function
    feed: Callable


class Case(NamedTuple):
    """One recorded run: `generate(rng, size)` draws the arrays of a minibatch."""

    generate: Callable
    build: Callable
    learner: Callable


def with_criteria(model, label, feed):
    return Network(
        model,
        C.cross_entropy_with_softmax(model, label),
        C.classification_error(model, label),
        feed,
    )


def flatten(sequences):
    """Sequences of indices as two arrays: all indices one after another, and the lengths."""
    return np.concatenate(sequences), np.array([len(sequence) for sequence in sequences])


def unflatten(indices, lengths):
    return [sequence.tolist() for sequence in np.split(indices, np.cumsum(lengths)[:-1])]


def generate_points(rng, size):
    points, classes = logistic_regression.generate_minibatch(rng, size)
    return {"points": points, "classes": classes}


def build_regression():
    features, label = C.input_variable(2), C.input_variable(2)
    return with_criteria(
        logistic_regression.create_model(features, 2),
        label,
        lambda arrays: {features: arrays["points"], label: arrays["classes"]},
    )


def generate_sequences(rng, size):
    sequences, classes = sequence_classifier.generate_minibatch(
        rng, size, CLASSIFIER_VOCAB, max_length=10
    )
    tokens, lengths = flatten(sequences)
    return {"tokens": tokens, "lengths": lengths, "classes": classes}


def build_classifier():
    num_classes = sequence_classifier.NUM_KEYS
    tokens, label = C.sequence.input_variable(CLASSIFIER_VOCAB), C.input_variable(num_classes)

    def feed(arrays):
        sequences = unflatten(arrays["tokens"], arrays["lengths"])
        return {
            tokens: [
                sequence_classifier.one_hot(sequence, CLASSIFIER_VOCAB) for sequence in sequences
            ],
            label: sequence_classifier.one_hot(arrays["classes"], num_classes),
        }

    return with_criteria(sequence_classifier.create_model(8, 12, num_classes)(tokens), label, feed)


def generate_requests(rng, size):
    words, tags = slot_tagger.generate_minibatch(rng, size)
    return {"words": flatten(words)[0], "tags": flatten(tags)[0], "lengths": flatten(words)[1]}


def build_tagger(sparse):
    num_words, num_tags = len(slot_tagger.WORDS), len(slot_tagger.TAGS)
    words = C.sequence.input_variable(num_words, is_sparse=sparse)
    tags = C.sequence.input_variable(num_tags, is_sparse=sparse)

    def feed(arrays):
        return {
            words: slot_tagger.encode(
                unflatten(arrays["words"], arrays["lengths"]), num_words, sparse
            ),
            tags: slot_tagger.encode(
                unflatten(arrays["tags"], arrays["lengths"]), num_tags, sparse
            ),
        }

    return with_criteria(slot_tagger.create_model(8, 12)(words), tags, feed)


def build_sparse_tagger():
    return build_tagger(sparse=True)


def build_dense_tagger():
    return build_tagger(sparse=False)


def sgd(parameters):
    return C.sgd(parameters, C.learning_parameter_schedule(0.8))


def momentum(parameters):
    return C.momentum_sgd(parameters, C.learning_parameter_schedule(3.0), C.momentum_schedule(0.8))


def momentum_for_minibatches_of_five(parameters):
    rate, decay = (
        C.learning_parameter_schedule(0.4, minibatch_size=5),
        C.momentum_schedule(0.8, minibatch_size=5),
    )
    return C.momentum_sgd(parameters, rate, decay)


def adam(parameters):
    return C.adam(
        parameters, C.learning_parameter_schedule_per_sample(0.02), C.momentum_schedule(0.9)
    )


CASES = {
    "regression_sgd": Case(generate_points, build_regression, sgd),
    "classifier_sgd": Case(generate_sequences, build_classifier, sgd),
    "classifier_momentum": Case(generate_sequences, build_classifier, momentum),
    "tagger_sgd": Case(generate_requests, build_sparse_tagger, sgd),
    "tagger_momentum": Case(
        generate_requests, build_sparse_tagger, momentum_for_minibatches_of_five
    ),
    "tagger_adam": Case(generate_requests, build_dense_tagger, adam),
}


def run(case, network, minibatches):
    """Trains on the minibatches; the average loss and the average error of each."""
    trainer = C.Trainer(
        network.model, (network.loss, network.error), [case.learner(network.model.parameters)]
    )
    losses, errors = [], []
    for arrays in minibatches:
        trainer.train_minibatch(network.feed(arrays))
        losses.append(trainer.previous_minibatch_loss_average)
        errors.append(trainer.previous_minibatch_evaluation_average)
    return np.array(losses), np.array(errors)
