"""Programs in the manner of the original's further examples and manuals: readers, learners and
operations of one's own.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
from cntk import Trainer, Value, load_model
from cntk.debugging import disable_profiler, enable_profiler, start_profiler, stop_profiler
from cntk.device import cpu, try_set_default_device, use_default_device
from cntk.io import MinibatchData, StreamInformation, UserMinibatchSource
from cntk.learners import UserLearner
from cntk.logging import ProgressPrinter, TraceLevel, get_trace_level, set_trace_level
from cntk.logging.graph import (
    depth_first_search,
    find_all_with_name,
    find_by_name,
    get_node_outputs,
)
from cntk.ops.functions import Function, UserFunction
from tests.programs.tutorials.tutorial_files import averages, dense, write_text


class WordSource(UserMinibatchSource):
    """LightRNN's and the manual's: words of a file, each with the next one, so many in a
    sequence.
    """

    def __init__(self, path, size, length):
        with open(path) as file:
            self.words = [int(word) for word in file.read().split()]
        self.size, self.length, self.position = size, length, 0
        self.fsi = StreamInformation("features", 0, "sparse", np.float32, (size,))
        self.lsi = StreamInformation("labels", 1, "sparse", np.float32, (size,))
        self.wsi = StreamInformation("words", 2, "dense", np.float32, (1,))
        super(WordSource, self).__init__()

    def stream_infos(self):
        return [self.fsi, self.lsi, self.wsi]

    def next_minibatch(self, num_samples, number_of_workers=1, worker_rank=0, device=None):
        count = num_samples // self.length
        left = (len(self.words) - 1 - self.position) // self.length
        sweep_end = count >= left
        count = min(count, left)
        rows = [
            self.words[self.position + i * self.length : self.position + (i + 1) * self.length + 1]
            for i in range(count)
        ]
        self.position = 0 if sweep_end else self.position + count * self.length
        values = (
            Value.one_hot(batch=[row[:-1] for row in rows], num_classes=self.size),
            Value.one_hot(batch=[row[1:] for row in rows], num_classes=self.size),
            Value(batch=np.array(rows, dtype=np.float32)[:, 1:, np.newaxis]),
        )
        samples = count * self.length
        return {
            info: MinibatchData(value, count, samples, sweep_end)
            for info, value in zip(self.stream_infos(), values)
        }

    def get_checkpoint_state(self):
        return {"position": self.position}

    def restore_from_checkpoint(self, state):
        self.position = state["position"]


def words_from_a_source_of_ones_own(folder):
    """A minibatch source in Python, by hand and in a session, with its own checkpoints."""
    rng = np.random.RandomState(0)
    path = write_text(
        folder, "words.txt", [" ".join(str(w) for w in np.cumsum(rng.randint(1, 3, 70)) % 7)]
    )
    source = WordSource(path, 7, 5)
    x = C.sequence.input_variable(7, is_sparse=True)
    y = C.sequence.input_variable(7, is_sparse=True)
    z = C.layers.Sequential(
        [C.layers.Embedding(4), C.layers.Recurrence(C.layers.GRU(6)), C.layers.Dense(7)]
    )(x)
    loss, error = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    learner = C.train.distributed.data_parallel_distributed_learner(
        C.momentum_sgd(z.parameters, 0.5, 0.9)
    )
    trainer = Trainer(z, (loss, error), learner, ProgressPrinter(freq=2))
    told = []
    for _ in range(3):
        data = source.next_minibatch(20, number_of_workers=1, worker_rank=0)
        told += [
            data[source.wsi].num_samples,
            data[source.wsi].num_sequences,
            data[source.fsi].sweep_end,
        ]
        told.append(float(np.sum(data[source.wsi].asarray())))
        trainer.train_minibatch({x: data[source.fsi], y: data[source.lsi]})
        told += averages(trainer)
    told += [info.m_name == "labels" for info in source.stream_infos()]
    told += [
        source.fsi.m_sample_layout.dimensions()[0],
        source.stream_info("labels").m_id,
        source.streams["words"].m_id,
    ]
    C.training_session(
        trainer=trainer,
        mb_source=source,
        mb_size=15,
        model_inputs_to_streams={x: source.fsi, y: source.lsi},
        max_samples=150,
        checkpoint_config=C.CheckpointConfig(
            filename=os.path.join(folder, "own"), frequency=60, restore=False
        ),
    ).train()
    told += [trainer.total_number_of_samples_seen, source.get_checkpoint_state()["position"]]
    again = WordSource(path, 7, 5)
    again.restore_from_checkpoint(
        trainer.restore_from_checkpoint(os.path.join(folder, "own"))["TrainingMinibatchSource"]
    )
    data = again.next_minibatch(25)
    return [*told, trainer.test_minibatch({x: data[again.fsi], y: data[again.lsi]})]


class Descent(UserLearner):
    """A manual's learner: parameters are set from arrays, or from what a graph gives."""

    def __init__(self, parameters, lr_schedule, by_graph):
        super(Descent, self).__init__(parameters, lr_schedule, as_numpy=False)
        self.by_graph = by_graph
        self.count, self.rate = C.input_variable((), name="count"), C.input_variable(())
        self.gradients = {p.shape: C.input_variable(p.shape) for p in parameters}
        self.updates = {
            p.shape: p - self.rate / self.count * self.gradients[p.shape] for p in parameters
        }

    def update(self, gradient_values, training_sample_count, sweep_end):
        for p, g in gradient_values.items():
            if not self.by_graph:
                p.value = p.value - self.learning_rate() * g.asarray() / training_sample_count
                continue
            data = {
                self.rate: np.asarray(self.learning_rate(), dtype=np.float32),
                self.count: np.asarray(training_sample_count, dtype=np.float32),
                self.gradients[p.shape]: g,
            }
            result = self.updates[p.shape].eval(data, as_numpy=False)
            shape = result.shape
            p.set_value(result.data.slice_view([0] * len(shape), shape[1:]))
        return True


class Leaky(UserFunction):
    """A manual's operation: a slope below zero, and its gradient."""

    def __init__(self, arg, slope, name="leaky"):
        super(Leaky, self).__init__([arg], name=name)
        self.slope = slope

    def forward(self, argument, device=None, outputs_to_retain=None):
        return argument > 0, np.where(argument > 0, argument, self.slope * argument).astype(
            np.float32
        )

    def backward(self, state, root_gradients):
        return np.where(state, root_gradients, self.slope * root_gradients).astype(np.float32)

    def infer_outputs(self):
        return [
            C.output_variable(
                self.inputs[0].shape, self.inputs[0].dtype, self.inputs[0].dynamic_axes
            )
        ]

    def serialize(self):
        return {"slope": self.slope}

    @staticmethod
    def deserialize(inputs, name, state):
        return Leaky(inputs[0], state["slope"], name)


def rules_and_operations_of_ones_own(folder):
    """Learners and operations in Python; the operation goes to a file with the network and comes
    back.
    """
    rng, told = np.random.RandomState(1), []
    for by_graph in (False, True):
        x, y = C.input_variable(3), C.input_variable(2)
        h = C.user_function(Leaky(C.layers.Dense(4)(x), 0.1))
        z = C.layers.Dense(2)(h)
        criterion = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
        trainer = Trainer(
            z, criterion, [Descent(z.parameters, C.learning_parameter_schedule(0.3), by_graph)]
        )
        for _ in range(5):
            data = rng.randn(10, 3).astype(np.float32)
            labels = np.eye(2, dtype=np.float32)[(data.sum(1) > 0).astype(int)]
            trainer.train_minibatch({x: data, y: labels})
            told += averages(trainer)
        path = os.path.join(folder, "own.model")
        z.save(path)
        again = load_model(path)
        told.append(float(np.abs(again.eval({again.arguments[0]: data}) - z.eval({x: data})).max()))
    return [*told, trainer.test_minibatch({x: data, y: labels})]


def parts_of_a_network(folder):
    """Features from an inner node of a saved network, by its name, from a file; all its nodes by a
    walk.
    """
    rng = np.random.RandomState(2)
    lines = [
        dense("features", rng.randint(0, 255, 12)) + " " + dense("labels", [1, 0]) for _ in range(9)
    ]
    text = write_text(folder, "data.txt", lines)
    x = C.input_variable(12, name="features")
    z = C.layers.Sequential(
        [
            C.layers.Dense(6, activation=C.relu, name="first"),
            C.layers.Dropout(0.0, name="drop"),
            C.layers.Dense(5, name="second"),
            C.layers.Activation(C.tanh, name="curved"),
            C.layers.Dense(2, name="third"),
        ]
    )(x / 255)
    path = os.path.join(folder, "net.model")
    z.save(path)
    model = load_model(path, device=cpu())
    node = model.find_by_name("second")
    output = C.combine([node.owner])
    streams = C.io.StreamDefs(
        features=C.io.StreamDef("features", 12), labels=C.io.StreamDef("labels", 2)
    )
    source = C.io.MinibatchSource(
        C.io.CTFDeserializer(text, streams), randomize=False, max_sweeps=1
    )
    info = source["features"]
    told = [
        source.stream_info("features") == info,
        info.m_sample_layout.dimensions()[0],
        source.is_infinite(),
    ]
    told += [
        source.streams.labels.m_name == "labels",
        info.m_element_type == C.cntk_py.DataType_Float,
    ]
    while True:
        minibatch = source.next_minibatch(4)
        if not minibatch:
            break
        out = output.eval(minibatch[info])
        told += [minibatch[info].num_samples, minibatch[info].end_of_sweep, *out[:, 0].ravel()]
    names = [out.name for out in get_node_outputs(model)]
    told += [len(names), names.index("first"), len(find_all_with_name(model, "drop"))]
    told += [len(depth_first_search(model, lambda f: True, depth=d)) for d in (0, 1, -1)]
    told += [find_by_name(model, "third").shape[0], len(model.find_all_with_name("curved"))]
    told += [
        len(C.combine(list(node.outputs)).outputs),
        len(model.parameters),
        len(model.constants),
        len(model.inputs),
    ]
    again = Function.load(path)
    again.restore(path)
    return [*told, float(C.softmax(again).eval({again.arguments[0]: rng.rand(1, 12)})[0, 0])]


def switches(folder):
    """What examples throw at their beginning and end: devices, seeds, traces, profiler,
    deterministic algorithms.
    """
    rng = np.random.RandomState(4)
    told = [
        use_default_device().id(),
        try_set_default_device(cpu()),
        C.device.cpu().type() == C.device.DeviceKind.CPU,
    ]
    told += [len(C.device.all_devices()) > 0, get_trace_level() == TraceLevel.Warning]
    set_trace_level(TraceLevel.Error)
    C.cntk_py.set_fixed_random_seed(5)
    C.cntk_py.force_deterministic_algorithms()
    told += [
        C.cntk_py.should_force_deterministic_algorithms(),
        C.cntk_py.is_random_seed_fixed(),
        C.cntk_py.get_random_seed(),
    ]
    C.cntk_py.set_computation_network_trace_level(0)
    C.debugging.set_computation_network_trace_level(0)
    C.debugging.set_checked_mode(False)
    start_profiler(os.path.join(folder, "profiler"), True)
    x, y = C.input_variable(4), C.input_variable(2)
    with (
        C.default_options_for(C.layers.Dense, activation=C.relu),
        C.default_options(init=C.he_normal()),
    ):
        h = C.layers.For(range(2), lambda i: C.layers.Dense([6, 5][i]))(x)
    z = C.layers.Dense(2, init=C.he_uniform())(h)
    told += [
        len(C.combine([]).outputs),
        len(C.combine([z, h]).outputs),
        len(C.alias(z, "other").name),
    ]
    ce, pe = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    rates = C.learning_rate_schedule([(3, 0.3), (1, 0.1)], C.UnitType.minibatch)
    learner = C.nesterov(
        z.parameters, rates, C.momentum_schedule([0.9, 0.5], epoch_size=16), unit_gain=False
    )
    learner = C.train.distributed.block_momentum_distributed_learner(learner, block_size=32)
    printers = [ProgressPrinter(freq=0, first=2, tag="Training", gen_heartbeat=False, num_epochs=1)]
    trainer = Trainer(z, (ce, pe), [learner], printers)
    enable_profiler()
    for _ in range(6):
        data = rng.randn(8, 4).astype(np.float32)
        fed = {x: data, y: np.eye(2, dtype=np.float32)[(data[:, 0] > data[:, 1]).astype(int)]}
        trainer.train_minibatch(fed)
        told += [*averages(trainer), trainer.previous_minibatch_sample_count]
    disable_profiler()
    trainer.summarize_training_progress()
    stop_profiler()
    told += [
        trainer.total_number_of_samples_seen,
        len(trainer.parameter_learners),
        len(trainer.model.parameters),
    ]
    told += [
        trainer.loss_function.name == ce.name,
        trainer.evaluation_function.name == pe.name,
        learner.learning_rate(),
    ]
    told += [C.train.distributed.Communicator.rank(), len(learner.communicator().workers())]
    set_trace_level(TraceLevel.Warning)
    told += [os.path.isdir(os.path.join(folder, "profiler"))]
    return [*told, trainer.test_minibatch(fed)]


PROGRAMS = [
    words_from_a_source_of_ones_own,
    rules_and_operations_of_ones_own,
    parts_of_a_network,
    switches,
]
