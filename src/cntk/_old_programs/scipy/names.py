"""Table of SciPy: removed names and modules, and renamed arguments."""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Module, Name, Row, keyword

PICTURES = (  # name of scipy.misc, the line to write
    ("imread", "np.asarray(PIL.Image.open(path)), or imageio.v3.imread(path)"),
    ("imsave", "PIL.Image.fromarray(x).save(path), or imageio.v3.imwrite(path, x)"),
    ("imresize", "np.asarray(PIL.Image.fromarray(x).resize((width, height)))"),
    ("imrotate", "scipy.ndimage.rotate(...)"),
    ("imfilter", "PIL.Image.fromarray(x).filter(...)"),
    ("imshow", "matplotlib.pyplot.imshow(x)"),
    ("toimage", "PIL.Image.fromarray(x)"),
    ("fromimage", "np.asarray(picture)"),
    ("bytescale", "a line of your own"),
)

NAMES = (  # owner, old name, what stands in for it, the line to write, gone since
    ("scipy.misc", "comb", "scipy.special:comb", "scipy.special.comb(...)", "1.3"),
    ("scipy.misc", "factorial", "scipy.special:factorial", "scipy.special.factorial(...)", "1.3"),
    ("scipy.misc", "factorial2", "scipy.special:factorial2", "scipy.special.factorial2(...)", "1.3"),
    ("scipy.misc", "logsumexp", "scipy.special:logsumexp", "scipy.special.logsumexp(...)", "1.3"),
    ("scipy.misc", "pade", "scipy.interpolate:pade", "scipy.interpolate.pade(...)", "1.3"),
    ("scipy.misc", "who", "builtins:dir", "print what you want to see", "1.3"),
    ("scipy.misc", "derivative", ".scipy.functions:derivative", "scipy.differentiate.derivative(...)", "1.12"),
    ("scipy.misc", "face", "scipy.datasets:face", "scipy.datasets.face(), which needs: pip install pooch", "1.12"),
    ("scipy.misc", "ascent", "scipy.datasets:ascent", "scipy.datasets.ascent(), which needs: pip install pooch", "1.12"),
    ("scipy.misc", "electrocardiogram", "scipy.datasets:electrocardiogram", "scipy.datasets.electrocardiogram()", "1.12"),
    ("scipy.misc", "lena", None, "another picture: this one is no longer given away", "0.17"),
    ("scipy.ndimage", "imread", ".scipy.misc:imread", "np.asarray(PIL.Image.open(path))", "1.3"),
    ("scipy.stats", "nanmean", "numpy:nanmean", "np.nanmean(...)", "1.0"),
    ("scipy.stats", "nanmedian", "numpy:nanmedian", "np.nanmedian(...)", "1.0"),
    ("scipy.stats", "nanstd", ".scipy.functions:nanstd", "np.nanstd(..., ddof=1)", "1.0"),
    ("scipy.stats", "ss", ".scipy.functions:ss", "np.sum(x * x, axis)", "1.0"),
    ("scipy.stats", "chisqprob", "scipy.stats:chi2.sf", "scipy.stats.chi2.sf(...)", "1.0"),
    ("scipy.stats", "betai", "scipy.special:betainc", "scipy.special.betainc(...)", "1.0"),
    ("scipy.stats", "itemfreq", ".scipy.functions:itemfreq", "np.unique(x, return_counts=True)", "1.5"),
    ("scipy.stats", "binom_test", ".scipy.functions:binom_test", "scipy.stats.binomtest(...).pvalue", "1.12"),
    ("scipy.stats", "median_absolute_deviation", ".scipy.functions:median_absolute_deviation",
     "scipy.stats.median_abs_deviation(..., scale='normal')", "1.9"),
    ("scipy.stats", "threshold", ".scipy.functions:threshold", "np.where(...)", "1.0"),
    ("scipy.signal", "hanning", "scipy.signal.windows:hann", "scipy.signal.windows.hann(...)", "1.1"),
    ("scipy.integrate", "trapz", "scipy.integrate:trapezoid", "scipy.integrate.trapezoid(...)", "1.14"),
    ("scipy.integrate", "cumtrapz", ".scipy.functions:cumtrapz", "scipy.integrate.cumulative_trapezoid(y, x=x)", "1.14"),
    ("scipy.integrate", "simps", ".scipy.functions:simps", "scipy.integrate.simpson(y, x=x)", "1.14"),
    ("scipy.integrate", "romberg", ".scipy.functions:romberg", "scipy.integrate.quad(...)[0]", "1.15"),
    ("scipy.integrate", "quadrature", ".scipy.functions:quadrature", "scipy.integrate.quad(...)", "1.15"),
    ("scipy.interpolate", "spline", ".scipy.functions:spline", "scipy.interpolate.make_interp_spline(x, y, k=order)(new)",
     "1.3"),
    ("scipy.linalg", "triu", "numpy:triu", "np.triu(...)", "1.13"),
    ("scipy.linalg", "tril", "numpy:tril", "np.tril(...)", "1.13"),
    ("scipy.linalg", "tri", "numpy:tri", "np.tri(...)", "1.13"),
    ("scipy.linalg", "kron", "numpy:kron", "np.kron(...)", "1.17"),
    ("scipy.linalg", "pinv2", "scipy.linalg:pinv", "scipy.linalg.pinv(...)", "1.9"),
    ("scipy.linalg", "expm2", "scipy.linalg:expm", "scipy.linalg.expm(...)", "1.0"),
    ("scipy.linalg", "expm3", "scipy.linalg:expm", "scipy.linalg.expm(...)", "1.0"),
    ("scipy.special", "sph_harm", ".scipy.functions:sph_harm", "scipy.special.sph_harm_y(n, m, polar, azimuth)", "1.17"),
    ("scipy.special", "btdtri", "scipy.special:betaincinv", "scipy.special.betaincinv(...)", "1.14"),
    ("scipy.optimize", "anneal", None, "scipy.optimize.dual_annealing(...)", "0.16"),
    ("scipy.sparse:spmatrix", "A", ".scipy.functions:dense", "x.toarray()", "1.14"),
    ("scipy.sparse:spmatrix", "H", ".scipy.functions:adjoint", "x.conj().T", "1.14"),
    ("scipy.spatial.distance", "matching", "scipy.spatial.distance:hamming", "scipy.spatial.distance.hamming(...)", "1.4"),
    ("scipy.spatial.distance", "wminkowski", ".scipy.functions:wminkowski", "scipy.spatial.distance.minkowski(u, v, p, w**p)",
     "1.8"),
    ("scipy", "ifft", "scipy.fft:ifft", "scipy.fft.ifft(...)", "1.4"),
    ("scipy", "rand", "numpy.random:rand", "np.random.rand(...)", "1.13"),
    ("scipy", "randn", "numpy.random:randn", "np.random.randn(...)", "1.13"),
    ("scipy", "*", "numpy", "np.{name}", "1.13"),
)  # fmt: skip

WINDOWS = (
    "barthann bartlett blackman blackmanharris bohman boxcar chebwin cosine exponential flattop "
    "gaussian general_gaussian hamming hann kaiser nuttall parzen triang tukey"
).split()

ITERATIVE = "bicg bicgstab cg cgs gcrotmk gmres lgmres minres qmr tfqmr".split()

SCIPY: list[Row] = [
    *(Name("scipy.misc", name, f".scipy.misc:{name}", write, "SciPy 1.3") for name, write in PICTURES),
    *(Name(owner, name, value, write, f"SciPy {gone}") for owner, name, value, write, gone in NAMES),
    *(
        Name("scipy.signal", name, f"scipy.signal.windows:{name}", f"scipy.signal.windows.{name}(...)", "SciPy 1.13")
        for name in WINDOWS
    ),
    *(
        Name("scipy.signal", name, None, "PyWavelets, from: pip install PyWavelets", "SciPy 1.15")
        for name in ("cwt", "ricker", "morlet", "morlet2", "daub", "qmf", "cascade")
    ),
    Module("scipy.misc", "", "scipy.special, scipy.datasets, PIL", "SciPy 2.0"),
    Module("scipy.misc.pilutil", ".scipy.misc", "PIL.Image", "SciPy 1.3"),
    Module("scipy.ndimage.filters", "scipy.ndimage", "from scipy.ndimage import ...", "SciPy 2.0"),
    Module("scipy.ndimage.interpolation", "scipy.ndimage", "from scipy.ndimage import ...", "SciPy 2.0"),
    Module("scipy.ndimage.measurements", "scipy.ndimage", "from scipy.ndimage import ...", "SciPy 2.0"),
    Module("scipy.ndimage.morphology", "scipy.ndimage", "from scipy.ndimage import ...", "SciPy 2.0"),
    Module("scipy.integrate.quadrature", "scipy.integrate", "from scipy.integrate import ...", "SciPy 1.8"),
    Module("scipy.sparse.linalg.eigen.arpack", "scipy.sparse.linalg", "from scipy.sparse.linalg import ...", "SciPy 1.8"),
    Module("scipy.weave", None, "the same in NumPy, or Numba", "SciPy 0.19"),
    Changed("scipy.interpolate", "interp2d", ".scipy.functions:interp2d_again", "the class",
            "scipy.interpolate.RectBivariateSpline(x, y, z.T)", "SciPy 1.14"),
    *(keyword("scipy.sparse.linalg", name, "tol", "rtol", "SciPy 1.14") for name in ITERATIVE),
]  # fmt: skip
