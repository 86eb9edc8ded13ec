"""Logistic regression on two clouds of points in the plane, down to the parameters and the loop
over minibatches.
"""

import numpy as np

import cntk as C

CENTERS = np.array([[-0.6, 1.1], [1.2, -1.3]], np.float32)  # 3 standard deviations apart


def generate_minibatch(rng, size):
    """Points drawn around one of the two centers, and which center it was as one-hot rows."""
    which = rng.randint(len(CENTERS), size=size)
    points = CENTERS[which] + rng.standard_normal((size, 2))
    return points.astype(np.float32), np.eye(len(CENTERS), dtype=np.float32)[which]


def create_model(features, num_classes):
    weights = C.parameter(
        shape=(features.shape[0], num_classes), init=C.glorot_uniform(), name="weights"
    )
    bias = C.parameter(shape=(num_classes,), name="bias")
    return C.times(features, weights) + bias


def train(num_minibatches=600, minibatch_size=25, seed=1):
    C.cntk_py.set_fixed_random_seed(seed)
    rng = np.random.RandomState(seed)

    features = C.input_variable(2, np.float32, name="features")
    label = C.input_variable(2, np.float32, name="label")
    z = create_model(features, 2)
    loss = C.cross_entropy_with_softmax(z, label)
    error = C.classification_error(z, label)

    lr_schedule = C.learning_parameter_schedule([0.5] * 200 + [0.1], epoch_size=minibatch_size)
    learner = C.sgd(z.parameters, lr_schedule)
    trainer = C.Trainer(z, (loss, error), [learner])

    losses = []
    for _ in range(num_minibatches):
        points, classes = generate_minibatch(rng, minibatch_size)
        trainer.train_minibatch({features: points, label: classes})
        losses.append(trainer.previous_minibatch_loss_average)

    test_points, test_classes = generate_minibatch(rng, 2000)
    test_error = trainer.test_minibatch({features: test_points, label: test_classes})
    probabilities = C.softmax(z).eval({features: test_points})
    return {
        "parameters": {parameter.name: parameter.value for parameter in z.parameters},
        "losses": losses,
        "test_error": test_error,
        "test_classes": test_classes,
        "probabilities": probabilities,
        "samples_seen": trainer.total_number_of_samples_seen,
    }


if __name__ == "__main__":
    result = train()
    print(f"error on points never seen: {result['test_error']:.2%}")
