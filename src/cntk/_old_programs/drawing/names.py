"""Table of Pillow and Matplotlib: removed names and modules, and renamed arguments."""

from __future__ import annotations

from cntk._old_programs.rows import Advice, Changed, Module, Name, Row, keyword

PILLOW: list[Row] = [
    Name("PIL", "PILLOW_VERSION", "PIL:__version__", "PIL.__version__", "Pillow 9"),
    Name("PIL", "VERSION", ".drawing.pillow_functions:VERSION", "PIL.__version__", "Pillow 6"),
    Name("PIL.Image", "PILLOW_VERSION", "PIL:__version__", "PIL.__version__", "Pillow 9"),
    Name("PIL.Image", "VERSION", ".drawing.pillow_functions:VERSION", "PIL.__version__", "Pillow 6"),
    Name("PIL.Image", "ANTIALIAS", "PIL.Image:Resampling.LANCZOS", "Image.LANCZOS", "Pillow 10"),
    Name("PIL.Image", "LINEAR", "PIL.Image:Resampling.BILINEAR", "Image.BILINEAR", "Pillow 10"),
    Name("PIL.Image", "CUBIC", "PIL.Image:Resampling.BICUBIC", "Image.BICUBIC", "Pillow 10"),
    Name("PIL.Image", "fromstring", "PIL.Image:frombytes", "Image.frombytes(...)", "Pillow 3"),
    Name("PIL.Image:Image", "tostring", ".drawing.pillow_functions:tostring", "x.tobytes()", "Pillow 3"),
    Name("PIL.Image:Image", "fromstring", ".drawing.pillow_functions:fromstring", "x.frombytes(...)", "Pillow 3"),
    *(
        Name(f"PIL.ImageFont:{kind}", name, f".drawing.pillow_functions:{name}", "font.getbbox(text)", "Pillow 10")
        for kind in ("FreeTypeFont", "ImageFont", "TransposedFont")
        for name in ("getsize", "getoffset")
    ),
    Name("PIL.ImageDraw:ImageDraw", "textsize", ".drawing.pillow_functions:textsize",
         "draw.textbbox((0, 0), text, font)", "Pillow 10"),
    Name("PIL.ImageDraw:ImageDraw", "multiline_textsize", ".drawing.pillow_functions:textsize",
         "draw.multiline_textbbox((0, 0), text, font)", "Pillow 10"),
    Module("Image", "PIL.Image", "from PIL import Image", "Pillow 1"),
    Module("ImageDraw", "PIL.ImageDraw", "from PIL import ImageDraw", "Pillow 1"),
    Module("ImageFont", "PIL.ImageFont", "from PIL import ImageFont", "Pillow 1"),
    Module("ImageFilter", "PIL.ImageFilter", "from PIL import ImageFilter", "Pillow 1"),
    Module("ImageOps", "PIL.ImageOps", "from PIL import ImageOps", "Pillow 1"),
]  # fmt: skip

MLAB = (
    ("normpdf", "scipy.stats.norm.pdf(x, mean, deviation)"),
    ("bivariate_normal", "scipy.stats.multivariate_normal"),
    ("find", "np.flatnonzero(...)"),
    ("prctile", "np.percentile(...)"),
    ("griddata", "scipy.interpolate.griddata(...)"),
    ("movavg", "np.convolve(x, np.ones(n) / n, mode='valid')"),
    ("rms_flat", "np.sqrt(np.mean(np.square(x)))"),
    ("frange", "np.arange(...)"),
    ("amap", "np.array(list(map(...)))"),
    ("entropy", "scipy.stats.entropy(...)"),
)
COLOURS = (  # old name of a colour map, today's
    ("spectral", "nipy_spectral"),
    ("spectral_r", "nipy_spectral_r"),
    ("Vega10", "tab10"),
    ("Vega20", "tab20"),
    ("Vega20b", "tab20b"),
    ("Vega20c", "tab20c"),
)
FACE = (  # functions that took axisbg=
    ("matplotlib.pyplot", "subplot"),
    ("matplotlib.pyplot", "axes"),
    ("matplotlib.figure:Figure", "add_subplot"),
    ("matplotlib.figure:Figure", "add_axes"),
)
_HERE = ".drawing.matplotlib_functions:"

MATPLOTLIB: list[Row] = [
    Name("matplotlib.pyplot", "hold", _HERE + "hold", "leave it out: everything is drawn over what is there", "Matplotlib 3.0"),
    Name("matplotlib.pyplot", "ishold", _HERE + "ishold", "True", "Matplotlib 3.0"),
    Name("matplotlib.pyplot", "over", _HERE + "over", "the function itself", "Matplotlib 3.0"),
    Name("matplotlib.pyplot", "spectral", _HERE + "spectral", "plt.nipy_spectral()", "Matplotlib 2.2"),
    Name("matplotlib.pyplot", "plot_date", _HERE + "plt_plot_date", "plt.plot(...)", "Matplotlib 3.11"),
    Name("matplotlib.pyplot", "register_cmap", _HERE + "register_cmap", "matplotlib.colormaps.register(...)", "Matplotlib 3.9"),
    Name("matplotlib.axes:Axes", "hold", _HERE + "hold", "leave it out", "Matplotlib 3.0"),
    Name("matplotlib.axes:Axes", "ishold", _HERE + "ishold", "True", "Matplotlib 3.0"),
    Name("matplotlib.axes:Axes", "plot_date", _HERE + "plot_date", "ax.plot(...)", "Matplotlib 3.11"),
    Name("matplotlib.axes:Axes", "set_axis_bgcolor", _HERE + "set_facecolor", "ax.set_facecolor(...)", "Matplotlib 2.2"),
    Name("matplotlib.axes:Axes", "get_axis_bgcolor", _HERE + "get_facecolor", "ax.get_facecolor()", "Matplotlib 2.2"),
    Name("matplotlib.figure:Figure", "hold", _HERE + "hold", "leave it out", "Matplotlib 3.0"),
    Name("matplotlib.backend_bases:FigureCanvasBase", "set_window_title", _HERE + "set_window_title",
         "fig.canvas.manager.set_window_title(...)", "Matplotlib 3.6"),
    Name("matplotlib.cm", "get_cmap", "matplotlib.pyplot:get_cmap", "plt.get_cmap(...)", "Matplotlib 3.9"),
    Name("matplotlib.cm", "register_cmap", _HERE + "register_cmap", "matplotlib.colormaps.register(...)", "Matplotlib 3.9"),
    Name("matplotlib.cm", "cmap_d", "matplotlib:colormaps", "matplotlib.colormaps", "Matplotlib 3.6"),
    *(Name("matplotlib.cm", old, f"matplotlib.cm:{new}", f"plt.cm.{new}", "Matplotlib 2.2") for old, new in COLOURS),
    *(Name("matplotlib.mlab", name, _HERE + name, write, "Matplotlib 3.1") for name, write in MLAB),
    Name("matplotlib.cbook", "iterable", "numpy:iterable", "np.iterable(...)", "Matplotlib 3.3"),
    Name("matplotlib.cbook", "dedent", "inspect:cleandoc", "inspect.cleandoc(...)", "Matplotlib 3.3"),
    Name("matplotlib.cbook", "is_string_like", _HERE + "is_string_like", "isinstance(x, str)", "Matplotlib 3.1"),
    Name("matplotlib.cbook", "is_numlike", _HERE + "is_numlike", "isinstance(x, numbers.Number)", "Matplotlib 3.2"),
    Name("matplotlib.cbook", "Bunch", "types:SimpleNamespace", "types.SimpleNamespace", "Matplotlib 3.1"),
    Name("matplotlib.cbook", "mkdirs", _HERE + "mkdirs", "os.makedirs(..., exist_ok=True)", "Matplotlib 3.2"),
    Name("matplotlib", "mpl", "matplotlib", "import matplotlib as mpl", "Matplotlib 1.5"),
    Module("matplotlib.mpl", "matplotlib", "import matplotlib as mpl", "Matplotlib 1.5"),
    Module("matplotlib.finance", None, "mplfinance, from: pip install mplfinance", "Matplotlib 2.2"),
    Module("matplotlib.delaunay", None, "matplotlib.tri, scipy.spatial.Delaunay", "Matplotlib 2.2"),
    Module("matplotlib.axes._subplots", "matplotlib.axes", "from matplotlib.axes import Axes", "Matplotlib 3.7"),
    Module("matplotlib.tight_layout", None, "fig.tight_layout()", "Matplotlib 3.8"),
    Module("mpl_toolkits.axes_grid", "mpl_toolkits.axes_grid1", "from mpl_toolkits.axes_grid1 import ...", "Matplotlib 3.6"),
    Module("mpl_toolkits.basemap", None, "cartopy, from: pip install cartopy", "it is a package of its own"),
    *(keyword(owner, name, "axisbg", "facecolor", "Matplotlib 2.2") for owner, name in FACE),
    keyword("matplotlib.pyplot", "hist", "normed", "density", "Matplotlib 3.1"),
    keyword("matplotlib.axes:Axes", "hist", "normed", "density", "Matplotlib 3.1"),
    keyword("matplotlib.pyplot", "hist2d", "normed", "density", "Matplotlib 3.1"),
    keyword("matplotlib.axes:Axes", "hist2d", "normed", "density", "Matplotlib 3.1"),
    keyword("matplotlib.pyplot", "grid", "b", "visible", "Matplotlib 3.6"),
    keyword("matplotlib.axes:Axes", "grid", "b", "visible", "Matplotlib 3.6"),
    keyword("matplotlib.pyplot", "savefig", "frameon", "", "Matplotlib 3.3"),
    keyword("matplotlib.figure:Figure", "savefig", "frameon", "", "Matplotlib 3.3"),
    *(
        keyword(owner, name, "hold", "", "Matplotlib 3.0")
        for owner in ("matplotlib.pyplot", "matplotlib.axes:Axes")
        for name in ("plot", "scatter", "bar", "imshow", "contour", "hist")
    ),
    keyword("matplotlib", "use", "warn", "", "Matplotlib 3.3"),
    Changed("matplotlib", "use", ".drawing.matplotlib_changes:backend", "a backend that is gone, or windows without a screen",
            "leave it out, or matplotlib.use('Agg')", "Matplotlib 3.5"),
    Changed("matplotlib.figure:Figure", "gca", ".drawing.matplotlib_changes:gca", "arguments", "fig.add_subplot(projection=...)",
            "Matplotlib 3.6"),
    Changed("matplotlib.style", "use", ".drawing.matplotlib_changes:style", "seaborn's styles", "plt.style.use('seaborn-v0_8...')",
            "Matplotlib 3.8"),
    Changed("matplotlib.pyplot", "get_cmap", ".drawing.matplotlib_changes:colours", "old names of colour maps",
            ", ".join(f"{new} for {old}" for old, new in COLOURS), "Matplotlib 2.2"),
    Advice(r"'(spectral|Vega\w+)' is not a (valid|known)", "nipy_spectral for spectral, tab10 for Vega10", "Matplotlib 2.2"),
]  # fmt: skip
