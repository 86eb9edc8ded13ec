"""Preprocessing of observations."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from cntk._arguments import as_integer, shown
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError
from cntk.layers.options import as_shape


class Preprocessing:
    """Base class of preprocessing; write your own by deriving from it.

    Name it in ``PreProcessing`` of a configuration file as ``module.class``. Its constructor gets
    the shape of the observations, then what ``PreProcessingArgs`` says.

    Args:
        input_shape: the shape of the world's observations.

    Example:
        >>> class Halved(Preprocessing):
        ...     def output_shape(self):
        ...         return self._input_shape
        ...
        ...     def preprocess(self, observation):
        ...         return observation / 2
        >>> Halved((2,)).preprocess(np.array([2.0, 4.0])).tolist()
        [1.0, 2.0]
    """

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        self._input_shape = input_shape

    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of what the network sees.

        Raises:
            NotImplementedError: unless a subclass says it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what output_shape is")

    def reset(self) -> None:
        """Forget the episode before; there is nothing to forget unless a subclass remembers
        something.
        """

    def preprocess(self, observation: Any) -> np.ndarray:
        """Return what the network sees of an observation.

        Args:
            observation: an array of the shape that the constructor got.

        Raises:
            NotImplementedError: unless a subclass says it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to preprocess an observation"
        )

    def _check_shape(self, observation: np.ndarray) -> None:
        if observation.shape != tuple(self._input_shape):
            raise ValueError(
                f"{type(self).__name__} got an observation of shape {observation.shape}; expected "
                f"{tuple(self._input_shape)}"
            )


class SlidingWindow(Preprocessing):
    """The latest observations as one, the newest last; before an episode they are zeros.

    Args:
        input_shape: the shape of an observation.
        history_len: how many observations a network sees.
        dtype: the dtype that observations must have.

    Example:
        >>> window = SlidingWindow((1,), history_len=2)
        >>> window.output_shape(), window.preprocess(np.array([5], np.float32)).tolist()
        ((2, 1), [[0.0], [5.0]])
    """

    def __init__(
        self, input_shape: tuple[int, ...], history_len: int = 4, dtype: Any = np.float32
    ) -> None:
        super().__init__(as_shape(input_shape, "SlidingWindow: input_shape"))
        history_len = as_integer(history_len, "SlidingWindow: history_len", least=1, most=2**16)
        try:
            np.dtype(dtype)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"SlidingWindow: dtype: expected a dtype of NumPy's, got {shown(dtype)}"
            ) from None
        self.__history_len = history_len
        self.__dtype = dtype
        self.__history: deque[np.ndarray] = deque(maxlen=history_len)
        self.reset()

    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of what the network sees: the observations lie along the first axis."""
        return (self.__history_len, *self._input_shape)

    def reset(self) -> None:
        """Forget the episode before."""
        self.__history.extend(
            np.zeros(self._input_shape, self.__dtype) for _ in range(self.__history_len)
        )

    def preprocess(self, x: Any) -> np.ndarray:
        """Return the latest observations, with this one last.

        Args:
            x: an observation of the window's shape and dtype.

        Raises:
            ValueError: if its shape or dtype is another.
        """
        self._check_shape(x)
        if x.dtype != self.__dtype:
            raise ValueError(
                f"SlidingWindow got an observation of dtype {x.dtype}; expected "
                f"{np.dtype(self.__dtype)}: convert it, or give the dtype after the length in "
                f"PreProcessingArgs, as in ({self.__history_len}, '{x.dtype}')"
            )
        self.__history.append(x.copy())  # worlds may use one array for all their observations
        return np.stack(self.__history)


class AtariPreprocessing(Preprocessing):
    """Preprocessing of Atari 2600 screens for deep Q-learning: gray, 84 x 84 pixels, the latest
    together.

    Each pixel is the larger of two successive screens, because some games draw things on every
    other one. Needs Pillow, the extra ``image``.

    Args:
        input_shape: the shape of a screen, ``(height, width, 3)``: ``(210, 160, 3)``.
        history_len: how many screens a network sees.
    """

    def __init__(self, input_shape: tuple[int, ...], history_len: int = 4) -> None:
        super().__init__(as_shape(input_shape, "AtariPreprocessing: input_shape"))
        history_len = as_integer(
            history_len, "AtariPreprocessing: history_len", least=1, most=2**16
        )
        self.__history_len = history_len
        self.__processed_image_seq: deque[np.ndarray] = deque(maxlen=history_len)
        self.reset()

    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of what the network sees: ``(history_len, 84, 84)``."""
        return (self.__history_len, 84, 84)

    def reset(self) -> None:
        """Forget the episode before."""
        self.__previous_raw_image = np.zeros(self._input_shape, np.uint8)
        self.__processed_image_seq.extend(np.zeros((84, 84)) for _ in range(self.__history_len))

    def preprocess(self, image: Any) -> np.ndarray:
        """Return the latest screens, with this one last.

        Args:
            image: a screen in red, green and blue, uint8.

        Returns:
            Brightness from 0 to 255.

        Raises:
            ValueError: if it has another shape or dtype.
            ImportError: if Pillow is not installed.
        """
        self._check_shape(image)
        if image.dtype != np.uint8:
            raise ValueError(
                f"AtariPreprocessing got an image of dtype {image.dtype}; expected uint8"
            )
        self.__processed_image_seq.append(
            _small_and_gray(np.maximum(image, self.__previous_raw_image))
        )
        self.__previous_raw_image = image.copy()  # worlds may use one array for all their screens
        return np.stack(self.__processed_image_seq)


def _small_and_gray(image: np.ndarray) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "AtariPreprocessing needs Pillow, which is not installed; pip install "
            "'cntk-torch[image]' gets it"
        ) from error
    gray = Image.fromarray(image).convert("YCbCr").getchannel(0)
    return np.asarray(gray.resize((84, 84), Image.Resampling.BILINEAR))


hand_on(globals())
