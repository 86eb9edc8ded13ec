"""The digits of scikit-learn: 1797 handwritten ones of 8x8 pixels, which come with the package and
need no download.
"""

import numpy as np
from sklearn.datasets import load_digits

NUM_CLASSES = 10


def load_data(seed):
    """((train images, train labels), (test images, test labels)); images as rows of 64 numbers from
    0 to 1.
    """
    digits = load_digits()
    order = np.random.RandomState(seed).permutation(len(digits.target))
    images = (digits.data[order] / 16).astype(np.float32)
    labels = np.eye(NUM_CLASSES, dtype=np.float32)[digits.target[order]]
    return (images[:1400], labels[:1400]), (images[1400:], labels[1400:])
