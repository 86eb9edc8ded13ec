"""A convolutional network with batch normalization on scikit-learn's 8x8 digits, trained by
Adam.
"""

import numpy as np

import cntk as C
from tests.programs.digits import NUM_CLASSES, load_data


def create_model(features):
    with C.layers.default_options(init=C.glorot_uniform(), activation=C.relu, pad=True):
        return C.layers.Sequential(
            [
                C.layers.Convolution2D((3, 3), 16),
                C.layers.BatchNormalization(map_rank=1),
                C.layers.MaxPooling((2, 2), strides=(2, 2), pad=False),
                C.layers.Convolution2D((3, 3), 32),
                C.layers.BatchNormalization(map_rank=1),
                C.layers.MaxPooling((3, 3), strides=(2, 2)),
                C.layers.Dense(32),
                C.layers.BatchNormalization(),
                C.layers.Dense(NUM_CLASSES, activation=None),
            ]
        )(features)


def train(num_epochs=8, minibatch_size=50, seed=1):
    C.cntk_py.set_fixed_random_seed(seed)
    (images, labels), (test_images, test_labels) = load_data(seed)
    images, test_images = images.reshape(-1, 1, 8, 8), test_images.reshape(-1, 1, 8, 8)

    features = C.input_variable((1, 8, 8), name="features")
    label = C.input_variable(NUM_CLASSES, name="label")
    z = create_model(features)
    loss = C.cross_entropy_with_softmax(z, label)
    error = C.classification_error(z, label)

    learner = C.adam(
        z.parameters,
        lr=C.learning_parameter_schedule_per_sample(0.003),
        momentum=C.momentum_schedule(0.9),
        variance_momentum=C.momentum_schedule(0.999),
        l2_regularization_weight=1e-5,
    )
    trainer = C.Trainer(z, (loss, error), learner)

    rng = np.random.RandomState(seed)
    losses = []
    for _ in range(num_epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(order), minibatch_size):
            chosen = order[start : start + minibatch_size]
            trainer.train_minibatch({features: images[chosen], label: labels[chosen]})
            losses.append(trainer.previous_minibatch_loss_average)

    return {
        "model": z,
        "losses": losses,
        "test_error": trainer.test_minibatch({features: test_images, label: test_labels}),
        "test_images": test_images,
        "test_labels": test_labels,
    }


if __name__ == "__main__":
    result = train()
    print(f"error on digits never seen: {result['test_error']:.2%}")
