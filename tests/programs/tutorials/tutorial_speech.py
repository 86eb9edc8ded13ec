"""Programs in the manner of the original's tutorials and examples on speech (208, AN4), over HTK
files that they write.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk
import cntk as C
from cntk import classification_error, cross_entropy_with_softmax, sequence
from cntk.io import (
    HTKFeatureDeserializer,
    HTKMLFDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
)
from cntk.layers import LSTM, Dense, For, Recurrence, Sequential, Stabilizer, default_options
from cntk.learners import *
from cntk.train.distributed import *
from cntk.train.training_session import *
from tests.io.cases.htk_cases import archive, labels
from tests.programs.tutorials.tutorial_files import averages, numbers_in_log, write_text

FEATURES, STATES = 3, 5


def _utterances(folder, seed, count, ctc=False):
    """Utterances whose frames tell their states with noise: a script of features, labels, and the
    list of states.
    """
    rng = np.random.RandomState(seed)
    frames, script, told = [], [], []
    for number in range(count):
        segments, begin = [], len(frames)
        for state in rng.randint(0, STATES - ctc, rng.randint(2, 4)):
            length = rng.randint(2, 5)
            segments.append((len(frames) - begin, len(frames) - begin + length, f"s{state}"))
            frames += [
                (np.sin(state * (1 + np.arange(FEATURES))) + rng.randn(FEATURES) * 0.4).tolist()
                for _ in range(length)
            ]
        script.append(f"u{seed}_{number}.mfc={folder}/f{seed}.chunk[{begin},{len(frames) - 1}]")
        told.append((f"u{seed}_{number}.lab", segments))
    with open(os.path.join(folder, f"f{seed}.chunk"), "wb") as file:
        file.write(archive(frames))
    mlf = write_text(folder, f"l{seed}.mlf", labels(*told).splitlines())
    states = [f"s{state}" for state in range(STATES - ctc)] + ["ctc_blank"] * ctc
    return write_text(folder, f"f{seed}.scp", script), mlf, write_text(folder, "state.list", states)


def temporal_classification(folder):
    """208: labels whose times do not count, features normalized by numbers from files, edit
    distances.
    """
    feature, label = C.sequence.input_variable((FEATURES)), C.sequence.input_variable((STATES))

    def reader(scp, mlf, states):
        features = HTKFeatureDeserializer(
            StreamDefs(speech_feature=StreamDef(shape=FEATURES, scp=scp))
        )
        told = HTKMLFDeserializer(
            states, StreamDefs(speech_label=StreamDef(shape=STATES, mlf=mlf)), True
        )
        source = MinibatchSource([features, told], frame_mode=False)
        return source, {feature: source.streams.speech_feature, label: source.streams.speech_label}

    train, input_map = reader(*_utterances(folder, 0, 30, True))
    for name, numbers in (("mean", np.full(FEATURES, 0.1)), ("var", np.full(FEATURES, 1.5))):
        numbers.tofile(os.path.join(folder, name + ".3"))
    mean, inverse = (
        np.fromfile(os.path.join(folder, name + ".3"), dtype=float, count=FEATURES)
        for name in ("mean", "var")
    )
    normalized = (feature - mean.astype(np.float32)) * inverse.astype(np.float32)
    with C.default_options(activation=C.sigmoid):
        z = Sequential([For(range(2), lambda: Recurrence(LSTM(6))), Dense(STATES)])(normalized)
    blank = STATES - 1
    criteria = C.forward_backward(
        C.labels_to_graph(label), z, blankTokenId=blank, delayConstraint=3
    )
    err = C.edit_distance_error(z, label, squashInputs=True, tokensToIgnore=[blank])
    lr = C.learning_parameter_schedule_per_sample([(3, 0.01), (1, 0.001)])
    mm = C.momentum_schedule([(1000, 0.9), (0, 0.99)], 60)
    trainer = C.Trainer(z, (criteria, err), C.momentum_sgd(z.parameters, lr, mm))
    printer = C.logging.progress_print.ProgressPrinter(tag="Training", num_epochs=2)
    C.logging.log_number_of_parameters(z)
    told = []
    for _ in range(2):
        for _ in range(4):
            trainer.train_minibatch(train.next_minibatch(60, input_map=input_map))
            printer.update_with_trainer(trainer, with_metric=True)
            told += averages(trainer)
        told.append(trainer.total_number_of_samples_seen)
        printer.epoch_summary(with_metric=True)
    test, input_map = reader(*_utterances(folder, 1, 8, True))
    result = sum(
        trainer.test_minibatch(test.next_minibatch(40, input_map=input_map)) for _ in range(2)
    )
    return [*told, result / 2]


def create_mb_source(
    features_file, labels_file, label_mapping_file, total_number_of_samples, context=1, **options
):
    fd = HTKFeatureDeserializer(
        StreamDefs(
            amazing_features=StreamDef(
                shape=FEATURES, context=(context, context), scp=features_file
            )
        )
    )
    ld = HTKMLFDeserializer(
        label_mapping_file, StreamDefs(awesome_labels=StreamDef(shape=STATES, mlf=labels_file))
    )
    return MinibatchSource([fd, ld], max_samples=total_number_of_samples, **options)


def truncated_states(folder):
    """AN4: sequences in pieces, a session with a checkpoint and validation, a distributed learner
    in one process.
    """
    cntk.debugging.set_computation_network_trace_level(0)
    features = sequence.input_variable((3 * FEATURES))
    awaited = sequence.input_variable((STATES))
    model = Sequential([For(range(2), lambda: Recurrence(LSTM(6))), Dense(STATES)])
    z = model(features)
    ce, errs = cross_entropy_with_softmax(z, awaited), classification_error(z, awaited)
    local_learner = fsadagrad(
        z.parameters,
        lr=learning_parameter_schedule_per_sample([0.01], 150),
        momentum=momentum_schedule_per_sample(0.999),
        gradient_clipping_threshold_per_sample=15,
        gradient_clipping_with_truncation=True,
    )
    parameter_learner = data_parallel_distributed_learner(
        local_learner, num_quantization_bits=32, distributed_after=0
    )
    log = os.path.join(folder, "an4.log")
    writers = [
        cntk.logging.ProgressPrinter(
            freq=2, tag="Training", log_to_file=log, rank=Communicator.rank(), num_epochs=2
        )
    ]
    trainer = cntk.Trainer(z, (ce, errs), parameter_learner, writers)
    files = _utterances(folder, 2, 25)
    train_source = create_mb_source(*files, 300, truncation_length=5)
    test_source = create_mb_source(*files, 300, truncation_length=5)
    training_session(
        trainer=trainer,
        mb_source=train_source,
        model_inputs_to_streams={
            features: train_source.streams.amazing_features,
            awaited: train_source.streams.awesome_labels,
        },
        mb_size=20,
        progress_frequency=150,
        checkpoint_config=CheckpointConfig(
            frequency=150, filename=os.path.join(folder, "an4"), restore=False
        ),
        cv_config=CrossValidationConfig(minibatch_source=test_source, minibatch_size=20),
    ).train()
    saved = os.path.exists(os.path.join(folder, "an4")) and os.path.exists(
        os.path.join(folder, "an4.ckp")
    )
    return [saved, trainer.total_number_of_samples_seen, *numbers_in_log(folder, "an4.log")]


def projected_states(folder):
    """AN4: cells that are projected and stabilized, whole utterances, then frames one by one for a
    plain network.
    """
    features, awaited = sequence.input_variable(3 * FEATURES), sequence.input_variable(STATES)
    with default_options(enable_self_stabilization=True):
        layers = For(range(2), lambda: Recurrence(LSTM((4,), cell_shape=(7,), use_peepholes=True)))
        z = Sequential([Stabilizer(), layers, Dense(STATES)])(features)
    ce, errs = cross_entropy_with_softmax(z, awaited), classification_error(z, awaited)
    files, told = _utterances(folder, 3, 25), []
    learner = momentum_sgd(
        z.parameters,
        learning_parameter_schedule_per_sample(0.02),
        momentum_schedule_per_sample(0.99),
        gradient_clipping_threshold_per_sample=1,
    )
    trainer = cntk.Trainer(z, (ce, errs), [learner])
    source = create_mb_source(*files, cntk.io.INFINITELY_REPEAT)
    input_map = {features: source.streams.amazing_features, awaited: source.streams.awesome_labels}
    for _ in range(8):
        trainer.train_minibatch(source.next_minibatch(60, input_map))
        told += averages(trainer)
    told.append(len(z.parameters))
    test = create_mb_source(*_utterances(folder, 4, 10), cntk.io.FULL_DATA_SWEEP, randomize=False)
    input_map = {features: test.streams.amazing_features, awaited: test.streams.awesome_labels}
    tested = trainer.test_minibatch(test.next_minibatch(1000, input_map))
    x, y = cntk.input_variable(3 * FEATURES), cntk.input_variable(STATES)
    z = Sequential([Dense(8, activation=cntk.sigmoid), Dense(STATES)])(x)
    ce, errs = cross_entropy_with_softmax(z, y), classification_error(z, y)
    trainer = cntk.Trainer(z, (ce, errs), [sgd(z.parameters, learning_parameter_schedule(0.5))])
    source = create_mb_source(*files, cntk.io.INFINITELY_REPEAT, frame_mode=True)
    for _ in range(8):
        minibatch = source.next_minibatch(
            40, {x: source.streams.amazing_features, y: source.streams.awesome_labels}
        )
        trainer.train_minibatch(minibatch)
        told += averages(trainer)
    return [*told, tested]


PROGRAMS = [temporal_classification, truncated_states, projected_states]
