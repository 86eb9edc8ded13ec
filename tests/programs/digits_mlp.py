"""A multi-layer perceptron with dropout on scikit-learn's 8x8 digits, trained by `Function.train`
on whole arrays.
"""

import cntk as C
from tests.programs.digits import NUM_CLASSES, load_data


def create_model(num_hidden_layers, hidden_dim, dropout_rate):
    with C.layers.default_options(init=C.he_uniform(), activation=C.relu):
        return C.layers.Sequential(
            [
                C.layers.For(
                    range(num_hidden_layers),
                    lambda: [
                        C.layers.Dense(hidden_dim),
                        C.layers.Dropout(dropout_rate),
                    ],
                ),
                C.layers.Dense(NUM_CLASSES, activation=None),
            ]
        )


def train(max_epochs=20, minibatch_size=32, seed=1):
    C.cntk_py.set_fixed_random_seed(seed)
    train_data, test_data = load_data(seed)

    image = C.input_variable(64, name="image")
    digit = C.input_variable(NUM_CLASSES, name="digit")
    z = create_model(num_hidden_layers=2, hidden_dim=100, dropout_rate=0.3)(image)
    criterion = C.combine(
        [C.cross_entropy_with_softmax(z, digit), C.classification_error(z, digit)]
    )

    learner = C.momentum_sgd(
        z.parameters, C.learning_parameter_schedule(0.2), C.momentum_schedule(0.9)
    )
    progress = criterion.train(
        train_data,
        minibatch_size=minibatch_size,
        max_epochs=max_epochs,
        parameter_learners=[learner],
        callbacks=[C.logging.ProgressPrinter(tag="digits", num_epochs=max_epochs)],
    )
    summary = criterion.test(test_data, minibatch_size=100)
    return {
        "model": z,
        "losses": [epoch.loss for epoch in progress.epoch_summaries],
        "test_error": summary.metric,
        "test_images": test_data[0],
        "test_labels": test_data[1],
    }


if __name__ == "__main__":
    result = train()
    print(f"error on digits never seen: {result['test_error']:.2%}")
