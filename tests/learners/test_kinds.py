"""What programs and libraries ask of learners besides training: their kind, their parameters, names
of options.
"""

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py

W = C.parameter(2, init=1)
RATE, M = C.learning_parameter_schedule(0.1), C.momentum_schedule(0.9)
LEARNERS = {
    "sgd": lambda: C.sgd([W], RATE),
    "momentum_sgd": lambda: C.momentum_sgd([W], RATE, M),
    "nesterov": lambda: C.nesterov([W], RATE, M),
    "adagrad": lambda: C.adagrad([W], RATE),
    "adadelta": lambda: C.adadelta([W], RATE),
    "adam": lambda: C.adam([W], RATE, M),
    "fsadagrad": lambda: C.fsadagrad([W], RATE, M),
    "rmsprop": lambda: C.rmsprop([W], RATE, 0.9, 1.2, 0.7, 10, 0.1),
    "universal": lambda: C.universal(lambda p, g: C.assign(p[0], g[0]), [W]),
}


class Own(C.learners.UserLearner):
    seen = ()

    def update(self, gradient_values, training_sample_count, sweep_end):
        self.seen = (self.parameters()[0], *self.parameters)
        return True


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_are_learners(name):
    learner = LEARNERS[name]()
    assert type(learner) == C.learners.Learner  # noqa: E721
    assert isinstance(learner, (C.learners.Learner, cntk_py.Learner)) and not isinstance(
        learner, C.learners.UserLearner
    )
    assert learner.parameters == (W,) and learner.ignored_minibatch_size == 0


def test_distributed_learners_are_learners_of_the_native_layer():
    for learner in (
        C.data_parallel_distributed_learner(C.sgd([W], RATE)),
        C.block_momentum_distributed_learner(C.sgd([W], RATE), 100),
    ):
        assert isinstance(learner, cntk_py.Learner) and not isinstance(learner, C.learners.Learner)
        assert learner.parameters() == (W,)
    assert issubclass(C.DistributedLearner, cntk_py.Learner) and issubclass(Own, cntk_py.Learner)
    assert issubclass(cntk_py.Learner, cntk_py.Learner) and not issubclass(int, cntk_py.Learner)
    assert not isinstance(W, cntk_py.Learner)

    class Derived(cntk_py.Learner):
        pass

    assert issubclass(Derived, cntk_py.Learner) and not issubclass(Own, Derived)


def test_parameters_of_user_learners():
    learner = Own([W], RATE)
    assert type(learner) == Own and learner.parameters == learner.parameters() == (W,)  # noqa: E721
    x = C.input_variable(2)
    loss = C.reduce_sum(x * W)
    C.Trainer(loss, (loss, None), [learner]).train_minibatch({x: np.ones((3, 2), "f")})
    assert learner.seen == (W, W)


def test_names_of_options():
    for kind in (C.learners.Learner, cntk_py.Learner, C.learners.UserLearner):
        assert kind._MINIBATCH_SIZE == "MinibatchSize"
    options = cntk_py.AdditionalLearningOptions()
    options.dict_options[cntk_py.Learner._MINIBATCH_SIZE] = cntk_py.SizeTWrapper(2)
    assert cntk_py.sgd_learner([W], RATE, options).minibatch_size == 2
