"""Programs in the manner of the original's tutorials on sequences from sequences (204, 599A): words
of letters to sounds.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
from cntk.layers import (
    LSTM,
    AttentionModel,
    Delay,
    Dense,
    Embedding,
    Fold,
    For,
    Label,
    Recurrence,
    RecurrenceFrom,
    SequenceOver,
    Sequential,
    Signature,
    Stabilizer,
    Tensor,
    UnfoldFrom,
    default_options,
)
from tests.programs.tutorials.tutorial_files import averages, write_sequences

SIZE, BEGIN, END = 8, 6, 7
EYE = np.eye(SIZE, dtype=np.float32)


def _pairs(folder, name, seed, count):
    """Words, and their letters turned round, each one up: both between marks of their begin and
    end.
    """
    rng = np.random.RandomState(seed)
    words = [rng.randint(0, 5, rng.randint(1, 5)).tolist() for _ in range(count)]
    sources = [[BEGIN, *word, END] for word in words]
    targets = [[BEGIN, *(letter + 1 for letter in reversed(word)), END] for word in words]
    return write_sequences(folder, name, S0=sources, S1=targets)


def create_reader(path, is_training):
    streams = C.io.StreamDefs(
        features=C.io.StreamDef(field="S0", shape=SIZE, is_sparse=True),
        labels=C.io.StreamDef(field="S1", shape=SIZE, is_sparse=True),
    )
    sweeps = C.io.INFINITELY_REPEAT if is_training else 1
    return C.io.MinibatchSource(
        C.io.CTFDeserializer(path, streams), randomize=is_training, max_sweeps=sweeps
    )


def _spell(folder, use_attention, minibatches):
    """204: an encoder, a decoder that sees its last state or looks at all, greedy decoding while it
    trains.
    """
    hidden, input_axis, label_axis = 6, C.Axis("inputAxis"), C.Axis("labelAxis")
    input_sequence, label_sequence = SequenceOver[input_axis], SequenceOver[label_axis]
    sentence_start = C.Constant(EYE[BEGIN])
    embed = Embedding(4, name="embed")
    with default_options(enable_self_stabilization=True, go_backwards=not use_attention):
        last = Recurrence if use_attention else Fold
        encode = Sequential(
            [
                embed,
                Stabilizer(),
                For(range(1), lambda: Recurrence(LSTM(hidden))),
                last(LSTM(hidden), return_full_state=True),
                (Label("encoded_h"), Label("encoded_c")),
            ]
        )
    with default_options(enable_self_stabilization=True):
        stab_in, rec_block, stab_out = Stabilizer(), LSTM(hidden), Stabilizer()
        proj_out = Dense(SIZE, name="out_proj")
        attention_model = AttentionModel(5, name="attention_model") if use_attention else None

    @C.Function
    def decoder(history, given):
        encoded = encode(given)
        r = stab_in(embed(history))
        if use_attention:

            @C.Function
            def lstm_with_attention(dh, dc, x):
                return rec_block(dh, dc, C.splice(x, attention_model(encoded.outputs[0], dh)))

            r = Recurrence(lstm_with_attention)(r)
        else:
            r = RecurrenceFrom(rec_block)(*(encoded.outputs + (r,)))
        return Label("out_proj_out")(proj_out(stab_out(r)))

    @C.Function
    def model_train(given, labels):
        return decoder(Delay(initial_state=sentence_start)(labels), given)

    @C.Function
    @Signature(input_sequence[Tensor[SIZE]])
    def model_greedy(given):
        unfold = UnfoldFrom(
            lambda history: decoder(history, given) >> C.hardmax,
            until_predicate=lambda w: w[..., END],
            length_increase=1.5,
        )
        return unfold(initial_state=sentence_start, dynamic_axes_like=given)

    @C.Function
    @Signature(given=input_sequence[Tensor[SIZE]], labels=label_sequence[Tensor[SIZE]])
    def criterion(given, labels):
        postprocessed = C.sequence.slice(labels, 1, 0)
        z = model_train(given, postprocessed)
        return C.cross_entropy_with_softmax(z, postprocessed), C.classification_error(
            z, postprocessed
        )

    learner = C.fsadagrad(
        model_train.parameters,
        lr=C.learning_parameter_schedule_per_sample([0.05] * 2 + [0.02], epoch_size=200),
        momentum=C.momentum_schedule(0.9366416204111472, minibatch_size=30),
        gradient_clipping_threshold_per_sample=2.3,
        gradient_clipping_with_truncation=True,
    )
    trainer = C.Trainer(None, criterion, learner, C.logging.ProgressPrinter(freq=5, tag="Training"))
    C.logging.log_number_of_parameters(model_train)
    reader, told = create_reader(_pairs(folder, "train.ctf", 0, 80), True), []
    checkpoint = os.path.join(folder, "model_0.cmf")
    for number in range(minibatches):
        data = reader.next_minibatch(40)
        fed = dict(
            zip(criterion.arguments, (data[reader.streams.features], data[reader.streams.labels]))
        )
        trainer.train_minibatch(fed)
        told += averages(trainer)
        if number == minibatches // 2:
            trainer.save_checkpoint(
                checkpoint, {"reader": reader.get_checkpoint_state()["minibatchSourcePosition"]}
            )
    # The last ones again.
    state = trainer.restore_from_checkpoint(checkpoint)
    told.append(state["reader"])
    trainer.train_minibatch(fed)
    told += averages(trainer)
    tester = create_reader(_pairs(folder, "test.ctf", 1, 6), False)
    data = tester.next_minibatch(100)
    for found in model_greedy([EYE[[6, 1, 2, 7]], EYE[[6, 3, 7]]]):
        told += np.argmax(found, -1).tolist()
    fed = dict(
        zip(criterion.arguments, (data[tester.streams.features], data[tester.streams.labels]))
    )
    return [*told, trainer.test_minibatch(fed)]


def spelling(folder):
    """204: the decoder begins with the encoder's last state."""
    return _spell(folder, False, 4)


def spelling_with_attention(folder):
    """204: the decoder looks back at each step."""
    return _spell(folder, True, 4)


def spelling_by_hand(folder):
    """599A: recurrences by placeholders and hooks, the first step apart by conditions; greedy
    decoding by a clone.
    """
    hidden, layers = 6, 2

    def lstm_layer(given, output_dim, hook_h=C.sequence.past_value, hook_c=C.sequence.past_value):
        dh, dc = (
            C.placeholder(shape=(output_dim), dynamic_axes=given.dynamic_axes) for _ in range(2)
        )
        cell = LSTM(output_dim)
        f_x_h_c = cell(dh, dc, given)
        h, c = hook_h(f_x_h_c.outputs[0]), hook_c(f_x_h_c.outputs[1])
        f_x_h_c.replace_placeholders({dh: h.output, dc: c.output})
        h, c = f_x_h_c.outputs
        return C.combine([h]), C.combine([c])

    raw_input = C.sequence.input_variable(SIZE, sequence_axis=C.Axis("inputAxis"), name="raw_input")
    raw_labels = C.sequence.input_variable(
        SIZE, sequence_axis=C.Axis("labelAxis"), name="raw_labels"
    )
    label_sequence = C.sequence.slice(raw_labels, 1, 0, name="label_sequence")
    label_start = C.sequence.first(raw_labels)
    is_first_label = C.sequence.is_first(label_sequence)
    label_start_scattered = C.sequence.scatter(label_start, is_first_label)
    stabilize = Stabilizer()
    h = stabilize(raw_input)
    for _ in range(layers):
        h, c = lstm_layer(h.output, hidden, C.sequence.future_value, C.sequence.future_value)
    thought_h, thought_c = (
        C.sequence.broadcast_as(C.sequence.first(x), label_sequence) for x in (h, c)
    )
    hook = C.alias(label_sequence, name="decoder_history_hook")
    decoder_input = C.element_select(
        is_first_label, label_start_scattered, C.sequence.past_value(hook)
    )
    h = stabilize(decoder_input)
    for i in range(layers):
        hooks = [C.sequence.past_value, C.sequence.past_value]
        if i == 0:
            hooks = [
                lambda operand, thought=thought: C.element_select(
                    is_first_label, thought, C.sequence.past_value(operand)
                )
                for thought in (thought_h, thought_c)
            ]
        h, _ = lstm_layer(h.output, hidden, *hooks)
    w = C.parameter(shape=(h.shape[0], SIZE), init=C.glorot_uniform())
    b = C.parameter(shape=(SIZE), init=0)
    model = C.plus(b, C.times(stabilize(h), w))

    label_sequence = model.find_by_name("label_sequence")
    hook = model.find_by_name("decoder_history_hook")
    ce, errs = (
        C.cross_entropy_with_softmax(model, label_sequence),
        C.classification_error(model, label_sequence),
    )
    greedy = model.clone(C.CloneMethod.share, {hook.output: C.hardmax(model).output})
    learner = C.momentum_sgd(
        model.parameters,
        C.learning_rate_schedule(0.02, C.UnitType.sample),
        C.momentum_as_time_constant_schedule(100),
        gradient_clipping_threshold_per_sample=2.3,
        gradient_clipping_with_truncation=True,
    )
    trainer = C.Trainer(model, (ce, errs), learner)

    def find_arg_by_name(name, expression):
        (found,) = [i for i in expression.arguments if i.name == name]
        return found

    def bind(reader, function):
        names = {"raw_input": reader.streams.features, "raw_labels": reader.streams.labels}
        return {find_arg_by_name(name, function): stream for name, stream in names.items()}

    reader, told = create_reader(_pairs(folder, "train.ctf", 2, 60), True), []
    for _ in range(8):
        trainer.train_minibatch(reader.next_minibatch(40, input_map=bind(reader, model)))
        told += averages(trainer)
    path = _pairs(folder, "test.ctf", 3, 12)
    reader = create_reader(path, False)
    found = greedy.eval(reader.next_minibatch(12, input_map=bind(reader, greedy)))
    for scores in found:
        told += np.argmax(scores, -1).tolist()
    reader = create_reader(path, False)
    return [
        *told,
        trainer.test_minibatch(reader.next_minibatch(100, input_map=bind(reader, model))),
    ]


PROGRAMS = [spelling, spelling_with_attention, spelling_by_hand]
