"""An LSTM reads sequences of different length and tells which key token came first, however many
others follow.
"""

import numpy as np

import cntk as C

NUM_KEYS = 4  # tokens 0 to 3; all others are filler


def generate_minibatch(rng, num_sequences, vocab_dim, max_length=16):
    """Token sequences and the class of each: which key came first. Counting tokens does not tell;
    the order does.
    """
    sequences, classes = [], []
    for _ in range(num_sequences):
        length = rng.randint(4, max_length + 1)
        tokens = rng.randint(NUM_KEYS, vocab_dim, size=length)
        places = np.sort(rng.choice(length, size=rng.randint(2, 5), replace=False))
        tokens[places] = rng.randint(NUM_KEYS, size=len(places))
        sequences.append(tokens)
        classes.append(tokens[places[0]])
    return sequences, np.array(classes)


def one_hot(indices, dim):
    return np.eye(dim, dtype=np.float32)[indices]


def create_model(embedding_dim, hidden_dim, num_classes):
    return C.layers.Sequential(
        [
            C.layers.Embedding(embedding_dim),
            C.layers.Recurrence(C.layers.LSTM(hidden_dim)),
            C.sequence.last,
            C.layers.Dense(num_classes),
        ]
    )


def train(num_minibatches=200, num_sequences=32, vocab_dim=24, hidden_dim=24, seed=1):
    C.cntk_py.set_fixed_random_seed(seed)
    rng = np.random.RandomState(seed)

    tokens = C.sequence.input_variable(vocab_dim, name="tokens")
    label = C.input_variable(NUM_KEYS, name="label")
    z = create_model(16, hidden_dim, NUM_KEYS)(tokens)
    loss = C.cross_entropy_with_softmax(z, label)
    error = C.classification_error(z, label)

    learner = C.adam(
        z.parameters,
        C.learning_parameter_schedule_per_sample(0.01),
        C.momentum_schedule(0.9),
        gradient_clipping_threshold_per_sample=5.0,
        gradient_clipping_with_truncation=False,
    )
    trainer = C.Trainer(z, (loss, error), [learner])

    def minibatch(size):
        sequences, classes = generate_minibatch(rng, size, vocab_dim)
        return {
            tokens: [one_hot(sequence, vocab_dim) for sequence in sequences],
            label: one_hot(classes, NUM_KEYS),
        }

    losses = []
    for _ in range(num_minibatches):
        trainer.train_minibatch(minibatch(num_sequences))
        losses.append(trainer.previous_minibatch_loss_average)

    return {"model": z, "losses": losses, "test_error": trainer.test_minibatch(minibatch(500))}


if __name__ == "__main__":
    result = train()
    print(f"error on sequences never seen: {result['test_error']:.2%}")
