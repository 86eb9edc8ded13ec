"""Trainings and models that are written for TensorBoard. Runs with the original too, on Python
3.6.
"""

import numpy as np

import cntk as C
from cntk.logging import ProgressPrinter, TensorBoardProgressWriter
from tests.logging.event_files import read_folder, renumbered

X = (np.arange(80, dtype=np.float32).reshape(40, 2) % 7) / 10
Y = (X[:, :1] > 0.3).astype(np.float32)


class Course:
    """A network, its loss and metric, and data."""

    def __init__(self, rate=0.1, name=""):
        self.x, self.y = C.input_variable(2, name="x"), C.input_variable(1, name="y")
        weights = C.parameter(init=np.array([[0.3], [-0.2]], dtype=np.float32), name="w")
        self.z = C.times(self.x, weights, name=name)
        self.loss = C.squared_error(self.z, self.y, name="loss")
        self.metric = C.reduce_sum(C.abs(self.z - self.y), name="metric")
        epoch = {"epoch_size": 10} if isinstance(rate, list) else {}
        schedule = C.learning_parameter_schedule_per_sample(rate, **epoch)
        self.learner = C.sgd(self.z.parameters, schedule)

    def trainer(self, writer, metric=True):
        criterion = (self.loss, self.metric) if metric else (self.loss, None)
        return C.Trainer(self.z, criterion, [self.learner], [writer])

    def feed(self, start, size):
        return {self.x: X[start : start + size], self.y: Y[start : start + size]}

    def source(self, size):
        data = {"x": X[:size], "y": Y[:size]}
        return C.io.MinibatchSourceFromData(data, max_samples=size)


def by_hand(writer, metric=True):
    course = Course()
    trainer = course.trainer(writer, metric)
    for start in range(0, 28, 4):
        trainer.train_minibatch(course.feed(start, 4))
    trainer.summarize_training_progress()
    trainer.train_minibatch(course.feed(0, 3))
    if metric:
        trainer.test_minibatch(course.feed(0, 5))
        trainer.test_minibatch(course.feed(5, 2))
        trainer.summarize_test_progress()
    trainer.summarize_training_progress()


def without_metric(writer):
    by_hand(writer, metric=False)


def rates(writer):
    course = Course([0.1, 0.01, 0.001])
    trainer = course.trainer(writer)
    for start in range(0, 32, 4):
        trainer.train_minibatch(course.feed(start, 4))
    course.learner.reset_learning_rate(C.learning_parameter_schedule_per_sample(0.5))
    trainer.train_minibatch(course.feed(0, 4))


def session(writer):
    course = Course()
    source, held_out = course.source(40), course.source(8)
    streams = {course.x: source.streams.x, course.y: source.streams.y}
    C.training_session(
        trainer=course.trainer(writer),
        mb_source=source,
        mb_size=4,
        model_inputs_to_streams=streams,
        progress_frequency=16,
        cv_config=C.CrossValidationConfig(held_out, frequency=16, minibatch_size=4),
        test_config=C.TestConfig(course.source(6), minibatch_size=4),
    ).train()


def of_a_function(writer):
    course = Course()
    # The original asks the first writer for an attribute that only a printer has.
    writers = [ProgressPrinter(), writer]
    course.loss.train(
        (X[:20], Y[:20]), parameter_learners=[course.learner], callbacks=writers, minibatch_size=4
    )


def evaluation(writer):
    course = Course()
    evaluator = C.eval.Evaluator(course.metric, [writer])
    for start in (0, 4):
        evaluator.test_minibatch(course.feed(start, 4))
    evaluator.summarize_test_progress()


def directly(writer):
    writer.on_write_training_update((0, 0), (0, 1), (0.0, 1.0), (0.0, 1.0))
    writer.on_write_training_update((2, 4), (1, 2), (1.0, 2.0), (1.0, 4.0))
    writer.on_write_training_summary(0, 0, 1, 1.0, 1.0, 1)
    writer.on_write_test_summary(4, 2, 3, 1.0, 1)
    writer.on_write_test_summary(0, 2, 4, 1.0, 1)


def values(writer):
    writer.write_value("loss", 1, 1)
    writer.write_value("a b/\u00e9", 2.5, 0)
    writer.write_value("", np.float32(0), 3)
    writer.write_value(None, True, 2.9)
    writer.write_value("large", 3e38, 2**63)
    writer.write_value("infinite", float("inf"), np.int64(7))
    writer.flush()
    writer.write_value("after", "1e3", "12")


PROGRAMS = {
    "by_hand": by_hand,
    "directly": directly,
    "evaluation": evaluation,
    "of_a_function": of_a_function,
    "rates": rates,
    "session": session,
    "values": values,
    "without_metric": without_metric,
}
FREQUENCIES = (None, 0, 1, 3)


def run(program, frequency, folder):
    """The records that a program leaves."""
    writer = TensorBoardProgressWriter(freq=frequency, log_dir=folder)
    PROGRAMS[program](writer)
    writer.close()
    return read_folder(folder)


def dense():
    x = C.input_variable(4, name="x")
    return C.layers.Sequential(
        [C.layers.Dense(3, activation=C.relu, name="hidden"), C.layers.Dense(2)]
    )(x)


def tagger():
    layers = [
        C.layers.Embedding(4, name="embed"),
        C.layers.Recurrence(C.layers.LSTM(3), name="reader"),
        C.layers.Dense(2, name="tags"),
    ]
    return C.layers.Sequential(layers)(C.sequence.input_variable(5, name="words"))


def gru():
    return C.layers.Recurrence(C.layers.GRU(2))(C.sequence.input_variable(2, name="x"))


def pictures():
    layers = [
        C.layers.Convolution((3, 3), 2, pad=True, name="first"),
        C.layers.BatchNormalization(name="normal"),
        C.layers.MaxPooling((2, 2)),
    ]
    return C.layers.Sequential(layers)(C.input_variable((3, 4, 4), name="x"))


def names():
    x = C.input_variable(3, name="a/b c")
    y = C.relu(x, name="\u00e9 \u00fc.1")
    return C.plus(y, C.constant(2.0, name="1.5:$<>&\"'\\|?*#@!~%^()[]{},;=+-`"), name="_x")


def several_outputs():
    x = C.input_variable((3, 4), name="x")
    top = C.top_k(x, 2, name="top")
    return C.combine([top.outputs[0] + 1, top.outputs[1] * 2, C.relu(x)], name="all")


def nested_blocks():
    @C.BlockFunction("Inner", "inner")
    def inner(x):
        return C.relu(x * 2)

    @C.BlockFunction("Outer", "")
    def outer(x):
        return inner(inner(x)) + 1

    return outer(C.input_variable(2, name="x"))


def loop():
    x = C.sequence.input_variable(2, name="x")
    state = C.placeholder(shape=(2,), dynamic_axes=x.dynamic_axes)
    z = C.sequence.past_value(state, name="past") + x
    z.replace_placeholders({state: z.output})
    return z


def loss():
    x, y = C.input_variable(3, name="x"), C.input_variable(2, name="y")
    return C.cross_entropy_with_softmax(C.layers.Dense(2)(x), y)


def free_axis():
    x = C.sequence.input_variable((C.FreeDimension, 3), name="x")
    return C.element_times(C.reduce_sum(x, 1), 2)


def double():
    return C.input_variable(3, dtype=np.float64, name="x") + C.constant(np.ones(3))


def scalar():
    return C.input_variable((), name="x") * C.parameter((), name="p")


def shared():
    layer, x = C.layers.Dense(2, name="layer"), C.input_variable(3, name="x")
    return C.splice(layer(x), layer(x * 2))


def sparse():
    x = C.sequence.input_variable(7, is_sparse=True, name="x")
    return C.times(x, C.parameter((7, 2)))


def aliases():
    x = C.input_variable(2, name="x")
    return C.alias(C.alias(x, "q"), "r") + C.stop_gradient(x)


def block_of_a_graph():
    inner, x = C.placeholder(), C.input_variable(2, name="x")
    return C.as_block(C.relu(inner + 1), [(inner, x)], "Kind", "block") * 3


def block_of_three():
    @C.BlockFunction("Three", "three")
    def three(a, b, c):
        return C.splice(a, b, c + 1, c, a)

    return three(*(C.input_variable(2, name=name) for name in "xyz"))


def same_operand_twice():
    x = C.input_variable(2, name="x")
    return x * x


def inputs_alone():
    return C.combine([C.input_variable(2, name="x")])


MODELS = {
    "aliases": aliases,
    "block_of_a_graph": block_of_a_graph,
    "block_of_three": block_of_three,
    "dense": dense,
    "double": double,
    "free_axis": free_axis,
    "gru": gru,
    "inputs_alone": inputs_alone,
    "loop": loop,
    "loss": loss,
    "names": names,
    "nested_blocks": nested_blocks,
    "pictures": pictures,
    "same_operand_twice": same_operand_twice,
    "scalar": scalar,
    "several_outputs": several_outputs,
    "shared": shared,
    "sparse": sparse,
    "tagger": tagger,
}


def graph_of(model, folder):
    """The nodes of a model's graph, with uids renumbered in their order of appearance."""
    writer = TensorBoardProgressWriter(log_dir=folder, model=MODELS[model]())
    writer.write_value("a", 1, 1)
    writer.close()
    ((version, (kind, nodes, fields), value),) = read_folder(folder)
    assert (version[0], kind, fields, value[0]) == ("version", "graph", [1], "summary")
    seen = {}
    for node in nodes:
        node[0] = renumbered(node[0], seen)
        node[2] = [renumbered(name, seen) for name in node[2]]
        node[3] = dict(node[3])
    return nodes
