"""Network compression: dense layers factored into narrow matrices, convolutions with binary
weights.

The functions are in the modules `factorization`, `quantization` and `custom_convolution_ops`.
"""

from __future__ import annotations

from cntk._graph.names.late_names import hand_on
from cntk._ops.user.native_function import (
    is_native_user_function_registered,
    register_native_user_function,
)
from cntk.contrib.netopt import native_convolution

_OF_THE_PROGRAM = "NativeBinaryConvolveFunction"
_OF_THIS_PACKAGE = "BinaryConvolveOp"

native_convolve_function_registered = False
"""Whether the program has registered a kernel of its own for convolutions of signs.

The original's, written in Halide, is not part of its packages: the flag is False there as well.
Nothing depends on it here: `quantization.convert_to_native_binary_convolution` takes this package's
own function instead.
"""


def try_register_native_convolve_function() -> None:
    """Look whether there is a native user function named ``NativeBinaryConvolveFunction``, and set
    the flag accordingly.

    A program makes one known by `cntk.ops.register_native_user_function`. It is called with the
    filters and the input, and a dictionary with the integers ``stride``, ``size``, ``h``, ``w``,
    ``channels`` and ``filters`` and the flag ``padding``.

    Example:
        >>> import cntk.contrib.netopt
        >>> cntk.contrib.netopt.try_register_native_convolve_function()
        >>> cntk.contrib.netopt.native_convolve_function_registered
        False
    """
    global native_convolve_function_registered
    native_convolve_function_registered = is_native_user_function_registered(_OF_THE_PROGRAM)


def native_convolution_id() -> str:
    """Return the name of the native user function that convolves signs: the program's own, else
    this package's.
    """
    return (
        _OF_THE_PROGRAM if is_native_user_function_registered(_OF_THE_PROGRAM) else _OF_THIS_PACKAGE
    )


if not is_native_user_function_registered(_OF_THIS_PACKAGE):
    register_native_user_function(
        _OF_THIS_PACKAGE,
        native_convolution.__name__,
        native_convolution.CreateBinaryConvolveFunction.__name__,
    )
try_register_native_convolve_function()


hand_on(globals())
