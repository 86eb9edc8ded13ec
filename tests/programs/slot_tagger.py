"""Tags every word of a travel request with its slot, as in the ATIS tutorial: embedding, LSTM, one
decision per token.

The requests come from a small grammar. The same city is an origin after one word and a destination
after another, and other words may stand between, so a word alone does not tell its tag.
"""

import numpy as np

import cntk as C

CITIES = ["boston", "denver", "dallas", "oakland", "seattle", "memphis"]
DAYS = ["monday", "tuesday", "friday", "sunday"]
FILLERS = ["please", "sunny", "old", "the", "cheap"]
WORDS = CITIES + DAYS + FILLERS + ["show", "flights", "from", "to", "via", "on", "not"]
TAGS = ["O", "origin", "destination", "stop", "day", "excluded_day"]


def generate_request(rng):
    """One request as (words, tags)."""

    def phrase(introduction, choices, tag):
        fillers = list(rng.choice(FILLERS, size=rng.randint(3)))
        words = introduction + fillers + [rng.choice(choices)]
        return words, ["O"] * (len(words) - 1) + [tag]

    phrases = [phrase(["from"], CITIES, "origin"), phrase(["to"], CITIES, "destination")]
    if rng.rand() < 0.4:
        phrases.append(phrase(["via"], CITIES, "stop"))
    if rng.rand() < 0.7:
        phrases.append(
            phrase(["not", "on"], DAYS, "excluded_day")
            if rng.rand() < 0.5
            else phrase(["on"], DAYS, "day")
        )
    words, tags = ["show", "flights"], ["O", "O"]
    for index in rng.permutation(len(phrases)):
        words, tags = words + phrases[index][0], tags + phrases[index][1]
    return words, tags


def generate_minibatch(rng, num_requests):
    """Requests and their tags as lists of lists of indices into WORDS and TAGS."""
    requests = [generate_request(rng) for _ in range(num_requests)]
    return (
        [[WORDS.index(word) for word in words] for words, _ in requests],
        [[TAGS.index(tag) for tag in tags] for _, tags in requests],
    )


def create_model(embedding_dim, hidden_dim):
    with C.layers.default_options(initial_state=0.1):
        return C.layers.Sequential(
            [
                C.layers.Embedding(embedding_dim, name="embed"),
                C.layers.Recurrence(C.layers.LSTM(hidden_dim), go_backwards=False),
                C.layers.Dense(len(TAGS), name="classify"),
            ]
        )


def encode(sequences, dim, sparse):
    """Sequences of indices as one-hot vectors: a sparse `Value`, or dense arrays."""
    if sparse:
        return C.Value.one_hot(sequences, dim)
    return [np.eye(dim, dtype=np.float32)[sequence] for sequence in sequences]


def train(sparse=True, num_minibatches=250, num_requests=16, hidden_dim=24, seed=1):
    C.cntk_py.set_fixed_random_seed(seed)
    rng = np.random.RandomState(seed)

    words = C.sequence.input_variable(len(WORDS), is_sparse=sparse, name="words")
    tags = C.sequence.input_variable(len(TAGS), is_sparse=sparse, name="tags")
    model = create_model(16, hidden_dim)
    z = model(words)
    loss = C.cross_entropy_with_softmax(z, tags)
    error = C.classification_error(z, tags)

    learner = C.momentum_sgd(
        z.parameters,
        C.learning_parameter_schedule(2.0),
        C.momentum_schedule(0.9),
        gradient_clipping_threshold_per_sample=15,
        gradient_clipping_with_truncation=True,
    )
    trainer = C.Trainer(z, (loss, error), [learner])

    def minibatch(size):
        word_indices, tag_indices = generate_minibatch(rng, size)
        return {
            words: encode(word_indices, len(WORDS), sparse),
            tags: encode(tag_indices, len(TAGS), sparse),
        }

    losses = []
    for _ in range(num_minibatches):
        trainer.train_minibatch(minibatch(num_requests))
        losses.append(trainer.previous_minibatch_loss_average)

    def tag(request):
        indices = [WORDS.index(word) for word in request.split()]
        scores = z.eval({words: encode([indices], len(WORDS), sparse)})[0]
        return [TAGS[index] for index in np.argmax(scores, axis=-1)]

    return {
        "model": z,
        "losses": losses,
        "test_error": trainer.test_minibatch(minibatch(200)),
        "tag": tag,
    }


if __name__ == "__main__":
    result = train()
    print(f"error on words never seen: {result['test_error']:.2%}")
    print(result["tag"]("show flights to cheap denver not on sunday from old boston"))
