"""Table of NumPy: removed names, and functions with changed behaviour."""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Module, Name, Row, keyword

ALIASES = (  # old name, what stands in for it, the line to write, gone since
    ("float", "builtins:float", "float", "1.24"),
    ("int", "builtins:int", "int", "1.24"),
    ("bool", "builtins:bool", "bool", "1.24"),
    ("object", "builtins:object", "object", "1.24"),
    ("str", "builtins:str", "str", "1.24"),
    ("complex", "builtins:complex", "complex", "1.24"),
    ("long", "builtins:int", "int", "1.24"),
    ("unicode", "builtins:str", "str", "1.24"),
    ("bool8", "numpy:bool_", "np.bool_", "2.0"),
    ("int0", "numpy:intp", "np.intp", "2.0"),
    ("uint0", "numpy:uintp", "np.uintp", "2.0"),
    ("object0", "numpy:object_", "np.object_", "2.0"),
    ("str0", "numpy:str_", "np.str_", "2.0"),
    ("unicode0", "numpy:str_", "np.str_", "1.20"),
    ("bytes0", "numpy:bytes_", "np.bytes_", "2.0"),
    ("void0", "numpy:void", "np.void", "2.0"),
    ("float_", "numpy:float64", "np.float64", "2.0"),
    ("complex_", "numpy:complex128", "np.complex128", "2.0"),
    ("unicode_", "numpy:str_", "np.str_", "2.0"),
    ("string_", "numpy:bytes_", "np.bytes_", "2.0"),
    ("cfloat", "numpy:complex128", "np.complex128", "2.0"),
    ("singlecomplex", "numpy:complex64", "np.complex64", "2.0"),
    ("longfloat", "numpy:longdouble", "np.longdouble", "2.0"),
    ("longcomplex", "numpy:clongdouble", "np.clongdouble", "2.0"),
    ("clongfloat", "numpy:clongdouble", "np.clongdouble", "2.0"),
    ("Inf", "numpy:inf", "np.inf", "2.0"),
    ("Infinity", "numpy:inf", "np.inf", "2.0"),
    ("PINF", "numpy:inf", "np.inf", "2.0"),
    ("infty", "numpy:inf", "np.inf", "2.0"),
    ("NaN", "numpy:nan", "np.nan", "2.0"),
    ("NINF", ".numpy.functions:NINF", "-np.inf", "2.0"),
    ("NZERO", ".numpy.functions:NZERO", "-0.0", "2.0"),
    ("PZERO", ".numpy.functions:PZERO", "0.0", "2.0"),
    ("product", "numpy:prod", "np.prod(...)", "2.0"),
    ("cumproduct", "numpy:cumprod", "np.cumprod(...)", "2.0"),
    ("sometrue", "numpy:any", "np.any(...)", "2.0"),
    ("alltrue", "numpy:all", "np.all(...)", "2.0"),
    ("round_", "numpy:round", "np.round(...)", "2.0"),
    ("in1d", ".numpy.functions:in1d", "np.isin(...)", "2.4"),
    ("trapz", "numpy:trapezoid", "np.trapezoid(...)", "2.4"),
    ("mat", "numpy:asmatrix", "np.asmatrix(...), or arrays", "2.0"),
    ("alen", "builtins:len", "len(...)", "1.23"),
    ("asscalar", ".numpy.functions:asscalar", "x.item()", "1.23"),
    ("rank", "numpy:ndim", "np.ndim(...)", "1.18"),
    ("msort", ".numpy.functions:msort", "np.sort(x, axis=0)", "2.0"),
    ("asfarray", ".numpy.functions:asfarray", "np.asarray(x, dtype=float)", "2.0"),
    ("find_common_type", ".numpy.functions:find_common_type", "np.result_type(...)", "2.0"),
    ("cast", ".numpy.functions:cast", "np.asarray(x, dtype=...)", "2.0"),
    ("source", ".numpy.functions:source", "inspect.getsource(x)", "2.0"),
    ("safe_eval", "ast:literal_eval", "ast.literal_eval(x)", "2.0"),
    ("set_string_function", ".numpy.functions:set_string_function", "np.set_printoptions(...)", "2.0"),
    ("issubclass_", ".numpy.functions:issubclass_", "issubclass(...)", "2.0"),
    ("issubsctype", "numpy:issubdtype", "np.issubdtype(...)", "2.0"),
    ("issctype", ".numpy.functions:issctype", "issubclass(x, np.generic)", "2.0"),
    ("obj2sctype", ".numpy.functions:obj2sctype", "np.dtype(x).type", "2.0"),
    ("sctype2char", ".numpy.functions:sctype2char", "np.dtype(x).char", "2.0"),
    ("maximum_sctype", ".numpy.functions:maximum_sctype", "the dtype itself, as np.float64", "2.0"),
    ("sctypes", ".numpy.functions:sctypes", "the dtypes themselves, as np.float64", "2.0"),
    ("nbytes", ".numpy.functions:nbytes", "np.dtype(...).itemsize", "2.0"),
    ("typeDict", "numpy:sctypeDict", "np.sctypeDict", "1.25"),
    ("disp", ".numpy.functions:disp", "print(...)", "2.0"),
    ("byte_bounds", "numpy.lib.array_utils:byte_bounds", "np.lib.array_utils.byte_bounds(x)", "2.0"),
    ("fastCopyAndTranspose", ".numpy.functions:fast_copy_and_transpose", "x.T.copy()", "2.0"),
    ("recfromcsv", ".numpy.functions:recfromcsv", "np.genfromtxt(..., delimiter=',', "
                                                  "names=True)", "2.0"),
    ("recfromtxt", ".numpy.functions:recfromtxt", "np.genfromtxt(...)", "2.0"),
    ("deprecate", ".numpy.functions:deprecate", "warnings.warn(..., DeprecationWarning)", "2.0"),
    ("add_newdoc", "numpy.lib:add_newdoc", "np.lib.add_newdoc(...)", "2.0"),
    ("DataSource", "numpy.lib.npyio:DataSource", "np.lib.npyio.DataSource", "2.0"),
    ("format_parser", "numpy.rec:format_parser", "np.rec.format_parser", "2.0"),
    ("ComplexWarning", "numpy.exceptions:ComplexWarning", "np.exceptions.ComplexWarning", "2.0"),
    ("RankWarning", "numpy.exceptions:RankWarning", "np.exceptions.RankWarning", "2.0"),
    ("AxisError", "numpy.exceptions:AxisError", "np.exceptions.AxisError", "2.0"),
    ("TooHardError", "numpy.exceptions:TooHardError", "np.exceptions.TooHardError", "2.0"),
    ("VisibleDeprecationWarning", "numpy.exceptions:VisibleDeprecationWarning",
     "np.exceptions.VisibleDeprecationWarning", "2.0"),
    ("ModuleDeprecationWarning", "numpy.exceptions:ModuleDeprecationWarning", "DeprecationWarning", "2.0"),
    ("math", "math", "import math", "1.25"),
    ("os", "os", "import os", "1.24"),
    ("sys", "sys", "import sys", "1.24"),
    ("warnings", "warnings", "import warnings", "1.24"),
)  # fmt: skip

FINANCE = ("fv", "ipmt", "irr", "mirr", "nper", "npv", "pmt", "ppmt", "pv", "rate")

METHODS = (
    ("tostring", "tostring", "x.tobytes()", "2.3"),
    ("ptp", "ptp", "np.ptp(x)", "2.0"),
    ("itemset", "itemset", "x[index] = value", "2.0"),
    ("newbyteorder", "newbyteorder", "x.view(x.dtype.newbyteorder(...))", "2.0"),
)

NUMPY: list[Row] = [
    *(Name("numpy", name, value, write, f"NumPy {gone}") for name, value, write, gone in ALIASES),
    *(
        Name("numpy", name, f"numpy_financial:{name}", f"numpy_financial.{name}(...), from: pip "
                                                       f"install numpy-financial",
             "NumPy 1.20")
        for name in FINANCE
    ),
    *(
        Name(f"numpy:{kind}", name, f".numpy.functions:{value}", write, f"NumPy {gone}")
        for kind in ("ndarray", "generic")
        for name, value, write, gone in METHODS
    ),
    Name("numpy.lib", "pad", "numpy:pad", "np.pad(...)", "NumPy 2.0"),
    Name("numpy.testing", "dec", ".numpy.decorators", "pytest.mark, or "
                                                      "unittest.skipIf", "NumPy 1.25"),
    Name("numpy.testing", "decorators", ".numpy.decorators", "pytest.mark, or "
                                                             "unittest.skipIf", "NumPy 1.25"),
    Name("numpy.testing", "run_module_suite", "unittest:main", "unittest.main(), or "
                                                               "pytest", "NumPy 1.25"),
    Name("numpy.testing", "raises", ".numpy.decorators:raises", "with pytest.raises(...):", "NumPy 1.25"),
    Name("numpy.testing", "KnownFailureTest", "unittest:SkipTest", "unittest.SkipTest", "NumPy 1.25"),
    Module("numpy.testing.utils", "numpy.testing", "from numpy.testing import ...", "NumPy 2.0"),
    Module("numpy.testing.decorators", ".numpy.decorators", "pytest.mark, or "
                                                            "unittest.skipIf", "NumPy 1.25"),
    Module("numpy.compat", ".numpy.compat", "the names of Python 3 themselves", "NumPy 2.0"),
    Module("numpy.compat.py3k", ".numpy.compat", "the names of Python 3 themselves", "NumPy 2.0"),
    Module("numpy.lib.index_tricks", "numpy.lib._index_tricks_impl", "from numpy import "
                                                                     "...", "NumPy 2.0"),
    Module("numpy.lib.function_base", "numpy.lib._function_base_impl", "from numpy import "
                                                                       "...", "NumPy 2.0"),
    Module("numpy.lib.arraysetops", "numpy.lib._arraysetops_impl", "from numpy import "
                                                                   "...", "NumPy 2.0"),
    Module("numpy.lib.twodim_base", "numpy.lib._twodim_base_impl", "from numpy import "
                                                                   "...", "NumPy 2.0"),
    Module("numpy.lib.shape_base", "numpy.lib._shape_base_impl", "from numpy import "
                                                                 "...", "NumPy 2.0"),
    Module("numpy.lib.arraypad", "numpy", "from numpy import pad", "NumPy 2.0"),
    Module("numpy.core.umath_tests", "numpy._core._umath_tests", "np.einsum(...), x @ "
                                                                 "y", "NumPy 2.0"),
    Module("numpy.linalg.linalg", "numpy.linalg", "from numpy.linalg import ...", "NumPy 2.4"),
    Module("numpy.fft.fftpack", "numpy.fft", "from numpy.fft import ...", "NumPy 1.17"),
    Module("numpy.dual", "numpy.linalg", "from numpy.linalg import ...", "NumPy 1.20"),
    Changed("numpy", "array", ".numpy.changes:ragged", "rows of different "
                                                       "lengths", "np.array(..., dtype=object)",
            "NumPy 1.24"),
    Changed("numpy", "asarray", ".numpy.changes:ragged", "rows of different "
                                                         "lengths", "np.asarray(..., dtype=object)",
            "NumPy 1.24"),
    *(
        Changed("numpy", name, ".numpy.changes:ragged_operand", "rows of different lengths",
                f"np.{name}(np.array(..., dtype=object))", "NumPy 1.24")
        for name in ("amax", "amin", "argmax", "argmin", "max", "min", "ndim", "shape", "size", "sort", "sum")
    ),
    Changed("numpy", "array", ".numpy.changes:no_copy", "copy=False of what has to be "
                                                        "copied", "np.asarray(...)",
            "NumPy 2.0"),
    Changed("numpy", "array", ".numpy.changes:wrapped", "integers that the dtype does not hold",
            "np.array(...).astype(dtype)", "NumPy 2.0"),
    Changed("numpy", "asarray", ".numpy.changes:wrapped", "integers that the dtype does not hold",
            "np.asarray(...).astype(dtype)", "NumPy 2.0"),
    Changed("numpy", "fromstring", ".numpy.changes:from_bytes", "bytes", "np.frombuffer(...).copy()", "NumPy 2.3"),
    Changed("numpy", "linspace", ".numpy.changes:count_as_int", "num= that is no "
                                                                "integer", "num=int(...)", "NumPy 1.18"),
    keyword("numpy", "histogram", "normed", "density", "NumPy 1.24"),
    keyword("numpy", "histogram2d", "normed", "density", "NumPy 1.24"),
    keyword("numpy", "histogramdd", "normed", "density", "NumPy 1.24"),
    keyword("numpy", "reshape", "newshape", "shape", "NumPy 2.4"),
    *(
        keyword("numpy", name, "interpolation", "method", "NumPy 2.4")
        for name in ("percentile", "quantile", "nanpercentile", "nanquantile")
    ),
]  # fmt: skip
