"""The home modules of names that other modules re-export: see `cntk._graph.names.handed_on`."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["at_home"]


# A name -> the module that it stands for.
_MODULES = {
    "C": "cntk",
    "attention": "cntk.layers.models.attention",
    "blocks": "cntk.layers.blocks",
    "cntk": "cntk",
    "cntk_py": "cntk.cntk_py",
    "collections": "collections",
    "core": "cntk.core",
    "ctypes": "ctypes",
    "debug": "cntk.debugging.debug",
    "distributed": "cntk.train.distributed",
    "enum": "enum",
    "evaluator": "cntk.eval.evaluator",
    "higher_order_layers": "cntk.layers.higher_order_layers",
    "layers": "cntk.layers.layers",
    "models": "cntk.layers.models",
    "np": "numpy",
    "numbers": "numbers",
    "os": "os",
    "platform": "platform",
    "profiler": "cntk.debugging.profiler",
    "progress_print": "cntk.logging.progress_print",
    "sequence": "cntk.ops.sequence",
    "sparse": "scipy.sparse",
    "sys": "sys",
    "time": "time",
    "trainer": "cntk.train.trainer",
    "typing": "cntk.layers.typing",
    "utils": "cntk.internal.utils",
    "uuid": "uuid",
    "warnings": "warnings",
}
# A module -> what is taken from it.
_FROM = {
    "__future__": "division print_function",
    "cntk._persist.protobuf.value": "Dictionary DictionaryValue",
    "cntk.axis": "Axis",
    "cntk.core": "asarray NDArrayView user_function Value",
    "cntk.default_options": (
        "default_options default_override_or get_default_override is_default_override"
    ),
    "cntk.device": "cpu DeviceDescriptor DeviceKind use_default_device",
    "cntk.initializer": "glorot_uniform",
    "cntk.internal.native_shape": "NDShape",
    "cntk.internal.sanitize": (
        "data_type_to_dtype is_byte_buffer is_string sanitize_2d_number sanitize_axis "
        "sanitize_axis_list sanitize_Function_attributes sanitize_random_args "
        "sanitize_variable_value_dict sanitize_batch sanitize_convolution_args sanitize_dtype_cntk "
        "sanitize_dynamic_axes sanitize_function sanitize_input sanitize_multi_axis_reduction_list "
        "sanitize_permutation sanitize_pooling_args sanitize_precision sanitize_range "
        "sanitize_shape sanitize_value sanitize_var_map sanitize_variables_or_functions"
    ),
    "cntk.internal.swig_helper": "map_if_possible typemap",
    "cntk.internal.utils": (
        "DictionaryValueFromDict DictionaryValueFromNDArrayView get_data_type "
        "get_python_function_arguments map_function_arguments"
    ),
    "cntk.io": "MinibatchData",
    "cntk.layers.blocks": (
        "ForwardDeclaration GRU identity LSTM RNNStep RNNUnit Stabilizer UntestedBranchError"
    ),
    "cntk.layers.layers": "Dense Label",
    "cntk.layers.sequence": "PastValueWindow",
    "cntk.logging": "get_trace_level TraceLevel",
    "cntk.misc.converter": "convert",
    "cntk.ops": (
        "alias batch_normalization combine convolution convolution_transpose dropout "
        "output_variable parameter placeholder pooling reconcile_dynamic_axes reduce_mean reshape "
        "sigmoid slice softmax softplus splice sqrt tanh times unpooling"
    ),
    "cntk.ops.functions": "BlockFunction CloneMethod Function UserFunction",
    "cntk.random": "auto_select",
    "cntk.tensor": "ArrayMixin TensorOpsMixin",
    "cntk.variables": "Constant Parameter Record Variable",
    "collections": "defaultdict",
    "enum": "Enum unique",
    "functools": "wraps",
    "os": "path",
    "types": "FunctionType",
    "warnings": "warn",
}
_HOMES = {name: module for module, names in _FROM.items() for name in names.split()}


def at_home(name: str) -> Any:
    """Return the object of a re-exported name.

    Raises:
        KeyError: if none does.

    Example:
        >>> at_home("np").__name__, at_home("Axis").__name__
        ('numpy', 'Axis')
    """
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name == "DATATYPE":  # what the original makes deserializers of data in memory with
        return at_home("np").float32
    return getattr(importlib.import_module(_HOMES[name]), name)
