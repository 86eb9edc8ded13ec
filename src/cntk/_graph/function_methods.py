"""The methods of `Function` that run it. What does the work lives on floors above and is imported
by the call.
"""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from cntk._graph.composite import Composite
    from cntk._graph.function import Function
    from cntk.typing import Arguments, DeviceLike


class ModelFormat(enum.Enum):
    """Formats of model files.

    Attributes:
        CNTKv2: CNTK's own, of version 2.
        ONNX: Open Neural Network Exchange.
    """

    CNTKv2 = 0
    ONNX = 1


def _function(methods: RunMethods) -> Function:
    # Nothing but Function derives from these methods.
    return cast("Function", methods)


class RunMethods:
    """Evaluation, gradients, training, saving: what CNTK's method syntax asks of a function."""

    @property
    def attributes(self) -> dict[str, Any]:
        """The root operation's attributes, named and held as in files.

        Static axes count from the last, as ``('ordered', 'static', 0)``; dynamic ones are
        ``('unordered', 'dynamic', name)``.
        """
        from cntk._persist.v2.attributes import attributes_shown

        root = _function(self).root_function
        return attributes_shown(root.op, [v.type_ for v in root.operands])

    def eval(
        self,
        arguments: Arguments = None,
        outputs: Any = None,
        device: DeviceLike = None,
        as_numpy: bool = True,
    ) -> Any:
        """Compute outputs.

        Args:
            arguments: data for the arguments: a dictionary by variable or name, or the data of the
                only argument.
            outputs: which variables or functions to compute, one or an iterable of them; all
                outputs if not given.
            device: where to compute.
            as_numpy: whether results are NumPy arrays (lists of them for sequences), else `Value`.

        Returns:
            The result, or a dictionary of results if there are several: by what was asked for,
            variable or function, else by output variable.

        Raises:
            ValueError: if data are missing or do not fit their variable.

        Example:
            >>> import cntk as C
            >>> x = C.input_variable(2)
            >>> (x * 2).eval({x: [[1, 2], [3, 4]]})
            array([[2., 4.],
                   [6., 8.]], dtype=float32)
        """
        from cntk._execution.evaluate import evaluate

        return evaluate(_function(self), arguments, outputs, device, as_numpy)

    def forward(
        self,
        arguments: Arguments,
        outputs: Any = None,
        keep_for_backward: Any = None,
        device: DeviceLike = None,
        as_numpy: bool = True,
    ) -> tuple[Any, dict[Any, Any]]:
        """Compute outputs and keep what `backward` needs.

        Args:
            arguments: data for the arguments.
            outputs: which variables or functions to compute, one or an iterable of them; all
                outputs if not given.
            keep_for_backward: outputs from which gradients will be propagated.
            device: where to compute.
            as_numpy: whether results are NumPy arrays.

        Returns:
            State for `backward` (None if nothing is kept), and the results by what was asked for,
            variable or function.
        """
        from cntk._execution.evaluate import forward

        return forward(_function(self), arguments, outputs, keep_for_backward, device, as_numpy)

    def backward(
        self,
        state: Any,
        root_gradients: Mapping[Any, Any],
        variables: Iterable[Any],
        as_numpy: bool = True,
    ) -> dict[Any, Any]:
        """Propagate gradients of outputs to variables.

        Args:
            state: what `forward` returned.
            root_gradients: for each output a gradient of its shape.
            variables: inputs and parameters whose gradients are wanted.
            as_numpy: whether results are NumPy arrays.

        Returns:
            The gradients by variable.
        """
        from cntk._execution.gradients import backward

        return backward(_function(self), state, root_gradients, variables, as_numpy)

    def grad(
        self,
        at: Any,
        wrt: Iterable[Any] | None = None,
        outputs: Any = None,
        device: DeviceLike = None,
        as_numpy: bool = True,
        grad_root: Any = None,
    ) -> Any:
        """Gradients of the sum of an output's elements.

        Args:
            at: data for the arguments.
            wrt: variables whose gradients are wanted, in any iterable; all arguments that need
                gradients if not given.
            outputs: variables or functions to compute as well.
            device: where to compute.
            as_numpy: whether results are NumPy arrays.
            grad_root: the output to start from, where there are several.

        Returns:
            The gradient, or a dictionary of gradients by variable; with ``outputs`` a pair of these
            and the computed outputs, by what was asked for if there are several.

        Raises:
            ValueError: if there is no variable that needs a gradient.
        """
        from cntk._execution.gradients import gradients

        return gradients(_function(self), at, wrt, outputs, device, as_numpy, grad_root)

    def train(
        self,
        minibatch_source: Any,
        minibatch_size: Any = 32,
        streams: Any = None,
        model_inputs_to_streams: Any = None,
        parameter_learners: Sequence[Any] = (),
        callbacks: Sequence[Any] = (),
        progress_frequency: Any = None,
        max_epochs: int | None = None,
        epoch_size: int | None = None,
        max_samples: int | None = None,
    ) -> Any:
        """Train this criterion (a loss, or a loss and a metric).

        Args:
            minibatch_source: a minibatch source; or a tuple of data in memory, one for each
                argument: arrays, CSR matrices, `Value` objects, or lists of samples or of
                sequences, which count with their frames.
            minibatch_size: samples in a minibatch: a number or a schedule.
            streams: the source's streams in the order of the arguments.
            model_inputs_to_streams: streams by argument.
            parameter_learners: one or more learners.
            callbacks: progress writers, and configurations of checkpoints and cross validation.
            progress_frequency: samples (or a pair with a unit) between summaries.
            max_epochs: how many epochs to train; 1 unless ``max_samples`` is given.
            epoch_size: samples in an epoch, at whose end there is a summary; all data in memory
                unless given.
            max_samples: samples to stop after, in place of ``max_epochs``.

        Returns:
            A record of the epochs' losses, metrics and sample counts.
        """
        from cntk.train.function_train import train_function

        return train_function(
            _function(self), minibatch_source, minibatch_size, streams, model_inputs_to_streams,
            parameter_learners, callbacks, progress_frequency, max_epochs, epoch_size, max_samples,
        )  # fmt: skip

    def test(
        self,
        minibatch_source: Any,
        minibatch_size: int = 32,
        streams: Any = None,
        model_inputs_to_streams: Any = None,
        callbacks: Sequence[Any] | None = None,
    ) -> Any:
        """Average of this criterion's metric over data; arguments as for `train`.

        Returns:
            A record with ``metric`` and ``samples``.
        """
        from cntk.train.function_train import test_function

        return test_function(
            _function(self),
            minibatch_source,
            minibatch_size,
            streams,
            model_inputs_to_streams,
            callbacks,
        )

    def print_node_timing(self) -> None:
        """Print to the standard error stream how long each operation took since it was last asked,
        forward and backward.

        Operations are timed while `cntk.debugging.set_node_timing` says so.
        """
        from cntk._compiler.profiling import report

        for line in report(_function(self)):
            print(line, file=sys.stderr)

    def save(
        self,
        filename: str | os.PathLike[str] | IO[bytes],
        format: ModelFormat = ModelFormat.CNTKv2,
        use_external_files_to_store_parameters: bool = False,
    ) -> None:
        """Write the function to a file, with the values of its parameters and constants.

        The file is readable by the original. A file of that name is replaced once all is written,
        and not before.

        Args:
            filename: the path, missing directories are made; or a file opened for writing in binary
                mode, or anything else with a `write` that takes bytes.
            format: the file's format.
            use_external_files_to_store_parameters: accepted for old programs; files of this format
                may be of any size.

        Raises:
            ValueError: if an operation cannot be held by such a file, or a parameter's shape is
                still to be inferred.
            TypeError: if the filename is empty, or neither a path nor a file.
            OSError: if the file cannot be written; the error names the path.

        Example:
            >>> import cntk as C, os, tempfile
            >>> x = C.input_variable(2)
            >>> path = os.path.join(tempfile.mkdtemp(), "double.model")
            >>> (x * 2).save(path)
            >>> C.load_model(path).eval([[1, 2]])
            array([[2., 4.]], dtype=float32)
        """
        from cntk._persist.models import save

        save(_function(self), filename, format)

    @staticmethod
    def load(
        model: Any, device: DeviceLike = None, format: ModelFormat = ModelFormat.CNTKv2
    ) -> Composite:
        """Read a function from a file; see `load_model`."""
        from cntk._persist.models import load

        return load(model, device, format)

    def restore(self, filename: str | os.PathLike[str]) -> None:
        """Take over the values of parameters and constants from a file of the same function.

        Args:
            filename: a file that `save` wrote of this function, or of one like it.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it cannot be read, or holds another function; nothing is changed then.

        Example:
            >>> import cntk as C, os, tempfile
            >>> w = C.parameter(2, init=1)
            >>> f = C.input_variable(2) * w
            >>> path = os.path.join(tempfile.mkdtemp(), "weights.model")
            >>> f.save(path)
            >>> w.value = 5
            >>> f.restore(path)
            >>> w.value
            array([1., 1.], dtype=float32)
        """
        from cntk._persist.models import need_source
        from cntk._persist.restore import restore

        need_source(filename, "restore")
        restore(_function(self), filename)
