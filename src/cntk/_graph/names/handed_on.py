"""Names that modules of the original hand on besides their own, also by `from MODULE import *`.

These are the names that the module was written with: programs that begin with a star import use
`np`, `sys` or `Value` from it. `cntk.internal.homes` says where the things themselves are.
"""

from __future__ import annotations

HANDED_ON: dict[str, str] = {
    "cntk": (
        "C ctypes DATATYPE division Enum enum MinibatchData np numbers platform print_function "
        "sparse sys unique warnings"
    ),
    "cntk.axis": "cntk_py typemap",
    "cntk.core": (
        "cntk_py cpu data_type_to_dtype DeviceKind numbers sanitize_batch sparse typemap "
        "use_default_device warnings"
    ),
    "cntk.debugging": (
        "CloneMethod cntk_py debug defaultdict division map_if_possible output_variable "
        "print_function profiler sys user_function UserFunction"
    ),
    "cntk.debugging.debug": (
        "CloneMethod cntk_py defaultdict map_if_possible output_variable sys user_function "
        "UserFunction"
    ),
    "cntk.debugging.profiler": "cntk_py",
    "cntk.device": "cntk_py Enum typemap unique",
    "cntk.eval": (
        "cntk_py evaluator MinibatchData sanitize_function sanitize_var_map typemap "
        "use_default_device"
    ),
    "cntk.eval.evaluator": (
        "cntk_py MinibatchData sanitize_function sanitize_var_map typemap use_default_device"
    ),
    "cntk.initializer": "cntk_py",
    "cntk.internal": "Axis C cntk cntk_py collections np numbers",
    "cntk.internal.sanitize": "Axis C cntk_py collections np numbers typemap",
    "cntk.internal.swig_helper": "cntk_py wraps",
    "cntk.internal.utils": "cntk_py Dictionary DictionaryValue NDArrayView np",
    "cntk.io": (
        "ArrayMixin cntk cntk_py get_trace_level is_string np Record sanitize_dtype_cntk "
        "TraceLevel typemap use_default_device uuid Value warnings"
    ),
    "cntk.io.transforms": "cntk_py sanitize_2d_number sanitize_range",
    "cntk.layers": (
        "attention blocks C division FunctionType get_python_function_arguments "
        "higher_order_layers layers map_function_arguments models NDShape np sanitize_shape typing "
        "warn"
    ),
    "cntk.layers.blocks": (
        "alias BlockFunction combine Constant default_override_or division Function "
        "get_default_override glorot_uniform np Parameter placeholder sigmoid slice softplus tanh "
        "times"
    ),
    "cntk.layers.higher_order_layers": "FunctionType identity",
    "cntk.layers.layers": (
        "batch_normalization BlockFunction C Constant convolution convolution_transpose "
        "default_override_or division dropout Function get_default_override is_default_override "
        "NDShape np Parameter pooling Record reduce_mean reshape sequence splice sqrt times "
        "unpooling"
    ),
    "cntk.layers.models": (
        "attention C default_options default_override_or Dense division Function "
        "get_default_override glorot_uniform Label PastValueWindow Stabilizer warn"
    ),
    "cntk.layers.models.attention": (
        "C default_options default_override_or Dense division Function get_default_override "
        "glorot_uniform Label PastValueWindow Stabilizer warn"
    ),
    "cntk.layers.sequence": (
        "alias BlockFunction combine Constant default_override_or division ForwardDeclaration "
        "Function get_default_override glorot_uniform GRU identity LSTM np Parameter placeholder "
        "reconcile_dynamic_axes Record RNNStep RNNUnit sequence sigmoid slice softplus splice "
        "Stabilizer tanh times UntestedBranchError"
    ),
    "cntk.layers.typing": (
        "Axis get_python_function_arguments map_function_arguments np Record sanitize_shape "
        "Variable"
    ),
    "cntk.learners": (
        "asarray cntk_py Enum map_if_possible NDArrayView np typemap unique utils warnings"
    ),
    "cntk.logging": (
        "cntk_py core cpu division Enum os print_function progress_print sys time unique Variable"
    ),
    "cntk.logging.graph": "os sys Variable",
    "cntk.logging.progress_print": "cntk_py core cpu division print_function sys time",
    "cntk.losses": (
        "auto_select Axis C CloneMethod Constant division Function get_data_type np Parameter "
        "parameter print_function sanitize_axis sanitize_dynamic_axes sanitize_input "
        "sanitize_shape softmax times typemap Variable"
    ),
    "cntk.metrics": "division get_data_type print_function sanitize_axis sanitize_input typemap",
    "cntk.misc": "C np",
    "cntk.misc.converter": "C",
    "cntk.misc.optimized_rnnstack_converter": "C convert np",
    "cntk.ops": (
        "Axis cntk_py default_override_or division get_data_type get_default_override np numbers "
        "print_function sanitize_axis sanitize_axis_list sanitize_convolution_args "
        "sanitize_dtype_cntk sanitize_dynamic_axes sanitize_input "
        "sanitize_multi_axis_reduction_list sanitize_permutation sanitize_pooling_args "
        "sanitize_shape typemap use_default_device"
    ),
    "cntk.ops.functions": (
        "cntk cntk_py collections cpu DeviceDescriptor Enum get_python_function_arguments "
        "is_byte_buffer map_function_arguments map_if_possible path Record sanitize_batch "
        "sanitize_dtype_cntk sanitize_Function_attributes sanitize_var_map "
        "sanitize_variable_value_dict sanitize_variables_or_functions sys typemap unique Value "
        "Variable warnings"
    ),
    "cntk.ops.sequence": "Axis default_override_or get_data_type np sanitize_input typemap",
    "cntk.random": (
        "auto_select default_override_or division np print_function sanitize_input "
        "sanitize_random_args typemap"
    ),
    "cntk.tensor": "sparse warnings",
    "cntk.train": (
        "cntk_py ctypes distributed Enum enum MinibatchData platform sanitize_function "
        "sanitize_var_map sys trainer typemap unique use_default_device"
    ),
    "cntk.train.distributed": "cntk_py ctypes platform trainer typemap",
    "cntk.train.trainer": "cntk_py sanitize_function sanitize_var_map typemap use_default_device",
    "cntk.train.training_session": (
        "cntk_py Enum enum sanitize_function sanitize_var_map sys typemap unique use_default_device"
    ),
    "cntk.variables": (
        "cntk_py default_override_or DeviceDescriptor get_default_override NDArrayView np "
        "sanitize_dtype_cntk sanitize_dynamic_axes sanitize_precision sanitize_shape "
        "sanitize_value TensorOpsMixin typemap use_default_device"
    ),
}


def handed_on(module: str) -> list[str]:
    """Return the names that a module hands on though it does not define them.

    Example:
        >>> handed_on("cntk.axis")
        ['cntk_py', 'typemap']
    """
    return HANDED_ON.get(module, "").split()
