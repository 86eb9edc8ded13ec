"""Where the original's result is not ours, and why: each reason with the calls that show it.

In `CANNOT` the original raises an error and this package gives a result. In `WRONG` both give one.
`UNSTEADY` are the calls that the original answers from memory that nobody has set: nothing is
recorded of them.
"""

CANNOT = {
    "dilated convolution has no kernel on the original's processor": [
        "convolution/3",
        "convolution/11",
        "convolution/28",
    ],
    "stacks of recurrent layers have no kernel on its processor": [
        "optimized_rnnstack/0",
        "optimized_rnnstack/1",
    ],
    "its library of kernels refuses this convolution": [
        "convolution/5",
        "convolution/7",
        "convolution/8",
        "convolution/20",
        "convolution/25",
        "convolution_without_channels/5",
    ],
    "a window may be wider than the picture where padding or transposition makes it fit": [
        "convolution_along_sequences/8",
        "convolution_transpose/6",
    ],
    "products of vectors without a batch axis beside others": [
        "classification_error/1",
        "classification_error/8",
        "classification_error/9",
        "times_transpose/4",
        "times_transpose/6",
    ],
    "criteria of a constant or parameter beside samples": [
        "cosine_distance/2",
        "cosine_distance/4",
        "weighted_binary_cross_entropy/5",
    ],
    "vectors of one element": ["cosine_distance_with_negative_samples/2"],
    "a state of one number for each sequence beside wider frames": ["recurrence/6", "recurrence/9"],
    "numbers take the format of what they meet, also where that is known only later": [
        "loop/10",
        "sequence_composition/6",
        "sequence_composition/8",
        "windowed/0",
        "windowed/4",
    ],
    "a stride longer than the range takes its first element": [
        "item/0",
        "item/4",
        "slice/1",
        "slice/6",
        "slice/13",
        "slice/15",
        "slice_several/1",
    ],
    "most operations are not there for sparse operands": [
        f"sparse_elsewhere/{k}" for k in range(20) if k != 11
    ],
    "gradients of products with sparse operands of some forms": [
        "sparse_left/2",
        "sparse_left/10",
        "sparse_left/13",
        "sparse_left/15",
        "sparse_right/4",
        "sparse_right/9",
        "sparse_transposed/0",
        "sparse_transposed/1",
        "sparse_transposed/3",
        "sparse_transposed/5",
    ],
    "sums over sequences of products with more than one number for each frame": [
        "over_sequences/3",
        "over_sequences/5",
    ],
    "a sparse result of a single number": ["one_hot/5"],
    "samples drawn by weights that are doubles": ["random_sample/3"],
    "a delay by nothing is a function like others": ["sequence.delay/0"],
    "sequences that are all shorter than the rectangle that they come from": ["to_sequence/4"],
}

WRONG = {
    "the gradient of a power reads operands whose memory has been used again": [
        "aligned/4",
        "aligned/17",
        "numbers_as_operands/3",
        "pow/0",
        "pow/2",
    ],
    "what stands behind the end of shorter sequences is counted in": [
        "batch_normalization/23",
        "cosine_distance_with_negative_samples/1",
        "cosine_distance_with_negative_samples/3",
        "cosine_distance_with_negative_samples/6",
        "splice/9",
        "weighted_binary_cross_entropy/2",
        "weighted_binary_cross_entropy/4",
    ],
    "windows wholly beyond the ends hold the neutral element, or what was in memory": [
        "pooling/4",
        "pooling/11",
        "pooling/15",
        "pooling/17",
    ],
    "the variance of a single sample is no number, and stays in the running one": [
        "batch_normalization/16"
    ],
    "all groups are computed from the first one's channels where padding is uneven": [
        "convolution/1",
        "convolution/16",
    ],
    "without a batch axis windows stand elsewhere": [
        "pooling_settings/0",
        "pooling_settings/5",
        "pooling_settings/6",
        "pooling_settings/8",
        "pooling_settings/11",
    ],
    "no gradient for rows of a picture below the number of its columns": ["roipooling/0"],
    "a product of two samples with a single number as result is the product of their sums": [
        "times/24"
    ],
    "the gradient of operands of different shape is added up wrongly": [
        "losses_of_wrong_shapes/11"
    ],
    "sequences that are all shorter than the rectangle that they come from": ["to_sequence/3"],
}

UNSTEADY = [
    "connectionist/1",
    "convolution_of_one/0",
    "pooling/21",
    "pooling_settings/1",
    "reduce_log_sum_exp/10",
]
