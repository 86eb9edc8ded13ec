"""What small recorded programs share: their data, and a training whose course is told in numbers.

Runs with the original too, on Python 3.6.
"""

import numpy as np

import cntk as C


def course(model, criterion, learner, minibatches, epochs=3):
    """Train; gives the averages of loss and, if there is one, metric after each minibatch."""
    trainer = C.Trainer(model, criterion, [learner])
    has_metric = (
        len(criterion) > 1 and criterion[1] is not None if isinstance(criterion, tuple) else True
    )
    numbers = []
    for _ in range(epochs):
        for minibatch in minibatches:
            trainer.train_minibatch(minibatch)
            numbers.append(trainer.previous_minibatch_loss_average)
            if has_metric:
                numbers.append(trainer.previous_minibatch_evaluation_average)
    return numbers


def random(seed):
    return np.random.RandomState(seed)


def uniform(rng, *shape):
    return rng.rand(*shape).astype(np.float32)


def one_hot(rng, count, size):
    """So many samples of one class each."""
    return np.eye(size, dtype=np.float32)[rng.randint(0, size, count)]


def frames(rng, lengths, size):
    """Sequences of vectors."""
    return [uniform(rng, n, size) for n in lengths]


def words(rng, lengths, size):
    """Sequences of classes."""
    return [one_hot(rng, n, size) for n in lengths]


def rate(value):
    return C.learning_parameter_schedule(value)


def classification(scores, label):
    return C.cross_entropy_with_softmax(scores, label), C.classification_error(scores, label)


def numbers_of(program):
    """A program's numbers, with the same initial values every time."""
    C.cntk_py.set_fixed_random_seed(11)
    return [float(number) for number in program()]
