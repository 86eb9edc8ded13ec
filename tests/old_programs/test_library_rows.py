"""Rows of Python's own library, SciPy, pandas, Pillow, Matplotlib and scikit-learn: what old
programs get.

Values are what NumPy 1.19, SciPy 1.5, pandas 1.1 and Python 3.6 give.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import io
import re
import sys
import types
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from cntk._old_programs.hook import Hook
from cntk._old_programs.rows import Advice, Changed, Module, Name, resolve
from cntk._old_programs.table import TABLE
from cntk._old_programs.tell import Teller

Found = Callable[[], object]


@pytest.fixture(autouse=True)
def old() -> Iterator[Hook]:
    with Hook(TABLE, Teller(quiet=True)) as hook:
        yield hook


@pytest.fixture
def old_names_removed(old: Hook) -> Iterator[None]:
    old.remove()
    yield
    old.install()


class Library:
    """A module that is imported when it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(importlib.import_module(self._name), name)


L = SimpleNamespace(
    array=Library("array"),
    base64=Library("base64"),
    cgi=Library("cgi"),
    configparser=Library("configparser"),
    imghdr=Library("imghdr"),
    imp=Library("imp"),
    json=Library("json"),
    locale=Library("locale"),
    pipes=Library("pipes"),
    random=Library("random"),
    sys=Library("sys"),
    threading=Library("threading"),
    time=Library("time"),
    pd=Library("pandas"),
    misc=Library("scipy.misc"),
    signal=Library("scipy.signal"),
    integrate=Library("scipy.integrate"),
    interpolate=Library("scipy.interpolate"),
    linalg=Library("scipy.linalg"),
    special=Library("scipy.special"),
    stats=Library("scipy.stats"),
    sparse=Library("scipy.sparse"),
    distance=Library("scipy.spatial.distance"),
    scipy=Library("scipy"),
    solvers=Library("scipy.sparse.linalg"),
    Image=Library("PIL.Image"),
    mlab=Library("matplotlib.mlab"),
    cm=Library("matplotlib.cm"),
    cbook=Library("matplotlib.cbook"),
    split=Library("sklearn.cross_validation"),
    lda=Library("sklearn.lda"),
    vectors=Library("sklearn.feature_extraction.text"),
)


def places() -> list[str]:
    found = {row.value for row in TABLE if not isinstance(row, Advice) and row.value}
    return sorted(place for place in found if place)


# What a place stands for lies in one of these packages; without it, the place cannot be tried.
NEEDS = {".pandas": "pandas", ".sklearn": "sklearn", ".matplotlib": "matplotlib", ".h5py": "h5py"}


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="an older NumPy has other places"
)
@pytest.mark.filterwarnings("ignore")
def test_everything_that_stands_in_exists() -> None:
    missing = []
    for place in places():
        package = next(
            (needed for start, needed in NEEDS.items() if place.startswith(start)),
            place.partition(".")[0].partition(":")[0],
        )
        if package and importlib.util.find_spec(package) is None:
            continue
        try:
            resolve(place)
        except (ImportError, AttributeError) as error:
            missing.append((place, str(error)))
    assert missing == []


SOON = {"numpy.bool", "numpy.long", "scipy.misc", *(f"scipy.ndimage.{one}" for one in
        ("filters", "interpolation", "measurements", "morphology"))}  # fmt: skip
"""Deprecated, or other things in the newest release than in one before it."""


def is_newer(gone: str) -> bool:
    found = re.fullmatch(r"Python (\d+)\.(\d+)", gone)
    return found is not None and (int(found[1]), int(found[2])) > sys.version_info[:2]


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="an older NumPy still has some"
)
@pytest.mark.filterwarnings("ignore")
def test_what_the_table_lists_is_gone(old_names_removed: None) -> None:
    """And the functions that the table changes are still there."""
    wrong = set()
    for row in TABLE:
        if (
            isinstance(row, Advice)
            or is_newer(row.gone)
            or (isinstance(row, Name) and row.name == "*")
        ):
            continue
        module, _, path = (row.name if isinstance(row, Module) else row.owner).partition(":")
        try:
            owner = functools.reduce(
                getattr, path.split(".") if path else [], importlib.import_module(module)
            )
        except (ImportError, AttributeError):
            continue  # as a module should be; or its library is not installed
        if isinstance(row, Module) or hasattr(owner, row.name) == isinstance(row, Name):
            wrong.add(row.title)
    # As setuptools is there, or not.
    wrong = {title for title in wrong if not title.startswith(("distutils.", "IPython"))}
    assert wrong - SOON == set()


def test_each_row_is_there_once() -> None:
    seen = [(type(row), row.title, row.value if isinstance(row, Changed) else "") for row in TABLE]
    assert [one for one in set(seen) if seen.count(one) > 1] == []


def test_rows_say_what_to_write_and_since_when() -> None:
    assert [row.title for row in TABLE if not row.write] == []
    assert {row.title.partition(".")[0] for row in TABLE if not row.gone} == {"IPython"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: L.array.array("b", [1, 2]).tostring(), b"\1\2"),
        (lambda: L.base64.decodestring(L.base64.encodestring(b"a")), b"a"),
        (lambda: L.cgi.escape('<"'), '&lt;"'),
        (lambda: L.cgi.escape('<"', True), "&lt;&quot;"),
        (lambda: L.imghdr.what(None, b"\x89PNG\r\n\x1a\n"), "png"),
        (lambda: L.imp.new_module("m").__name__, "m"),
        (lambda: L.json.loads("[1]", encoding="utf-8"), [1]),
        (lambda: L.locale.format("%d", 3), "3"),
        (lambda: L.pipes.quote("a b"), "'a b'"),
        (lambda: L.random.sample({1}, 1), [1]),
        (lambda: L.threading.Thread().isAlive(), False),
        (lambda: L.time.clock() > 0, True),
        (lambda: L.sys.setcheckinterval(100), None),
        (lambda: reload(types) is types, True),  # type: ignore[name-defined]  # noqa: F821
        (lambda: open(__file__).read(3), '"""'),
        (lambda: issubclass(L.configparser.SafeConfigParser, L.configparser.RawConfigParser), True),
        (lambda: np.arange(2, dtype=np.int8).tostring(), b"\0\1"),
        (lambda: np.array([3, 1]).ptp(), 2),
        (lambda: np.array([1], "<i2").newbyteorder().tolist(), [256]),
    ],
)
def test_python_and_types_of_c(found: Found, value: object) -> None:
    assert found() == value


@pytest.mark.filterwarnings("ignore")
def test_imp_finds_and_loads(tmp_path, monkeypatch) -> None:
    (tmp_path / "old_settings.py").write_text("RATE = 1\n")
    (tmp_path / "old_box").mkdir()
    (tmp_path / "old_box" / "__init__.py").write_text("RATE = 2\n")
    from cntk._old_programs.python import imp as python_imp

    for kind in (python_imp, importlib.import_module("imp")):
        module = kind.load_source("old_settings", str(tmp_path / "old_settings.py"))
        assert (module.RATE, module.__file__) == (1, str(tmp_path / "old_settings.py"))
        file, path, details = kind.find_module("old_settings", [str(tmp_path)])
        assert (path, details) == (str(tmp_path / "old_settings.py"), (".py", "r", kind.PY_SOURCE))
        with file:
            assert kind.load_module("old_settings", file, path, details) is module
        assert kind.load_module("old_box", *kind.find_module("old_box", [str(tmp_path)])).RATE == 2
        with pytest.raises(ImportError):
            kind.find_module("old_nothing", [str(tmp_path)])
        for name in ("old_settings", "old_box"):
            monkeypatch.delitem(importlib.import_module("sys").modules, name)


def test_distutils() -> None:
    from cntk._old_programs.python.distutils import LooseVersion, StrictVersion, strtobool

    assert LooseVersion("1.10") > LooseVersion("1.9") and LooseVersion("0.22.1") < "0.23"
    assert StrictVersion("1.0a1") < StrictVersion("1.0") == StrictVersion("1.0.0")
    assert (strtobool("Yes"), strtobool("off")) == (1, 0)
    for wrong in (lambda: StrictVersion("1"), lambda: strtobool("perhaps")):
        with pytest.raises(ValueError, match="invalid"):
            wrong()


def harmonic() -> complex:
    return complex(np.round(L.special.sph_harm(1, 2, 0.3, 0.4), 8))


GRID = np.arange(20).reshape(4, 5) ** 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: (L.scipy.array([1, 2]).tolist(), L.scipy.sqrt(4.0), L.scipy.pi), ([1, 2], 2.0, np.pi)),
        (lambda: L.signal.hann(5).tolist(), [0.0, 0.5, 1.0, 0.5, 0.0]),
        (lambda: L.signal.gaussian(3, 1.0).round(6).tolist(), [0.606531, 1.0, 0.606531]),
        (lambda: L.integrate.cumtrapz([1, 2, 3], initial=0).tolist(), [0.0, 1.5, 4.0]),
        (lambda: round(L.integrate.simps([1, 2, 4], [0, 1, 2]), 6), 4.333333),
        (lambda: round(L.integrate.romberg(lambda x: x * x, 0, 1), 8), 0.33333333),
        (lambda: round(L.integrate.quadrature(lambda x: x * x, 0, 1)[0], 8), 0.33333333),
        (lambda: L.linalg.triu(np.ones((2, 2))).tolist(), [[1.0, 1.0], [0.0, 1.0]]),
        (harmonic, complex(-0.26472006, -0.08188751)),
        (lambda: round(L.stats.binom_test(3, 10, 0.4), 8), 0.74917734),
        (lambda: L.stats.itemfreq([1, 1, 2]).tolist(), [[1, 2], [2, 1]]),
        (lambda: round(L.stats.median_absolute_deviation([1, 2, 4, 9]), 4), 2.2239),
        (lambda: (L.sparse.csr_matrix([[1, 2j]]).A.tolist(), L.sparse.csr_matrix([[2j]]).H.A.tolist()), ([[1, 2j]], [[-2j]])),
        (lambda: round(L.distance.wminkowski([1, 0], [0, 1], 3, [2, 1]), 6), 2.080084),
        (lambda: round(float(L.misc.derivative(lambda x: x**3, 1.0, dx=1e-3, n=2, order=5)), 4), 6.0),
        (lambda: int(L.misc.comb(5, 2)), 10),
        (lambda: L.interpolate.interp2d([0, 1, 2], [0, 1], [[0, 1, 2], [3, 4, 6]])([0.5, 1.5], [0.5]).tolist(), [2.0, 3.25]),
        (lambda: L.interpolate.interp2d(np.arange(5), np.arange(4), GRID, kind="cubic")([0.5], [2.5, 0.5]).round(6).tolist(),
         [[9.0], [169.0]]),
        (lambda: L.interpolate.interp2d([0, 1], [0, 1], [[0, 1], [3, 4]], fill_value=-1)([-1, 1], [0]).tolist(), [-1.0, 1.0]),
        (lambda: L.solvers.cg(L.sparse.eye(2), np.ones(2), tol=1e-3)[0].tolist(), [1.0, 1.0]),
    ],
)  # fmt: skip
def test_scipy(found: Found, value: object) -> None:
    assert found() == value


def test_pictures_of_scipy(tmp_path) -> None:
    pytest.importorskip("PIL")
    picture = (np.arange(48).reshape(4, 4, 3) * 5).astype(np.uint8)
    L.misc.imsave(str(tmp_path / "a.png"), picture)
    assert (L.misc.imread(str(tmp_path / "a.png")) == picture).all()
    assert L.misc.imread(str(tmp_path / "a.png"), flatten=True).dtype == np.float32
    assert [L.misc.imresize(picture, size).shape for size in (50, 2.0, (3, 5))] == [
        (2, 2, 3),
        (8, 8, 3),
        (3, 5, 3),
    ]
    assert L.misc.imresize(np.eye(2), 100).tolist() == [[255, 0], [0, 255]]
    assert L.misc.bytescale(np.array([1.0, 2.0, 3.0])).tolist() == [0, 128, 255]
    assert L.misc.toimage(np.moveaxis(picture, 2, 0)).size == (4, 4)
    assert L.misc.toimage(np.array([[0.0, 1.0]]), mode="F").getpixel((1, 0)) == 1.0
    with pytest.raises(ValueError, match="suitable array shape"):
        L.misc.toimage(np.zeros((2, 2, 2)))


def test_pillow() -> None:
    pytest.importorskip("PIL")
    from PIL import ImageDraw, ImageFont

    assert L.Image.ANTIALIAS == L.Image.LANCZOS
    assert L.Image.new("L", (1, 2), 7).tostring() == b"\7\7"
    font = ImageFont.load_default()
    left, _, right, bottom = font.getbbox("abc")
    assert font.getsize("abc") == (int(right - left), int(bottom))
    draw = ImageDraw.Draw(L.Image.new("L", (9, 9)))
    assert draw.textsize("abc", font) == font.getsize("abc")
    assert draw.textsize("abc\nd", font) == (
        font.getsize("abc")[0],
        2 * (font.getsize("A")[1] + 4) - 4,
    )


def test_backends_of_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from cntk._old_programs.drawing import matplotlib_changes

    row = next(row for row in TABLE if isinstance(row, Changed) and row.value.endswith(":backend"))
    use = matplotlib_changes.backend(lambda name, **_: name, row, Teller(quiet=True))
    monkeypatch.setattr(matplotlib_changes, "_has_no_screen", lambda: True)
    assert [use(name) for name in ("Qt4Agg", "TkAgg", "svg")] == ["agg", "agg", "svg"]
    monkeypatch.setattr(matplotlib_changes, "_has_no_screen", lambda: False)
    assert [use(name) for name in ("Qt4Agg", "GTKAgg", "TkAgg", "svg")] == [
        "qtagg",
        "gtk3agg",
        "TkAgg",
        "svg",
    ]


@pytest.mark.filterwarnings("ignore")
def test_matplotlib() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure).set_window_title("title")
    axes = figure.add_subplot(111, axisbg="red")
    assert axes.get_axis_bgcolor() == (1.0, 0.0, 0.0, 1.0)
    assert axes.hist([1, 2], bins=2, normed=True)[0].tolist() == [1.0, 1.0]
    axes.hold(True)
    axes.grid(b=True)
    assert figure.gca(projection="polar").name == "polar"
    with style.context("default"):
        style.use("seaborn-whitegrid")
    assert L.cm.spectral.name == "nipy_spectral"
    assert L.mlab.normpdf(0.0, 0, 1) == pytest.approx(0.3989422804)
    assert L.mlab.frange(0, 1, 0.5).tolist() == [0.0, 0.5, 1.0]
    assert L.cbook.is_string_like("a")


def test_sklearn() -> None:
    pytest.importorskip("sklearn")
    assert [test.tolist() for _, test in L.split.KFold(6, 3)] == [[0, 1], [2, 3], [4, 5]]
    assert len(L.split.StratifiedKFold([0, 0, 1, 1], 2)) == 2
    folds = L.split.KFold(10, 5)
    x, y = np.arange(20.0).reshape(10, 2), [0, 1] * 5
    assert L.split.cross_val_score(L.lda.LDA(), x, y, cv=folds).shape == (5,)
    assert L.vectors.CountVectorizer().fit(["a bb", "cc"]).get_feature_names() == ["bb", "cc"]
    from sklearn.externals import joblib
    from sklearn.preprocessing import Imputer

    assert joblib.__name__ == "joblib"
    assert Imputer().fit_transform([[1, np.nan], [3, 4]]).tolist() == [[1, 4], [3, 4]]
    with pytest.raises(AttributeError, match="mldata.org is dead"):
        Library("sklearn.datasets").fetch_mldata  # noqa: B018


def frame() -> object:
    return L.pd.DataFrame(
        {"a": [3, 1, 2], "b": [1.5, 2.5, np.nan], "c": list("xyz")}, index=list("pqr")
    )


def series() -> object:
    return L.pd.Series([3, 1, 2], index=list("pqr"))


def days() -> object:
    return L.pd.Series(np.arange(6.0), index=L.pd.date_range("2016-01-01", periods=6, freq="D"))


def text(lines: str) -> io.StringIO:
    return io.StringIO(lines)


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: frame().append(frame()).a.tolist(), [3, 1, 2, 3, 1, 2]),
        (lambda: frame().append({"a": 9, "c": "w"}, ignore_index=True).a.tolist(), [3, 1, 2, 9]),
        (lambda: [name for name, _ in frame().iteritems()], ["a", "b", "c"]),
        (lambda: frame().mad().round(4).to_dict(), {"a": 0.6667, "b": 0.5}),
        (lambda: frame().lookup(["p", "r"], ["a", "c"]).tolist(), [3, "z"]),
        (lambda: frame().drop("a", 1).columns.tolist(), ["b", "c"]),
        (lambda: frame().mean().to_dict(), {"a": 2.0, "b": 2.0}),
        (lambda: frame().corr().shape, (2, 2)),
        (lambda: frame().pivot("a", "c", "b").shape, (3, 3)),
        (lambda: frame().fillna(method="ffill").b.tolist(), [1.5, 2.5, 2.5]),
        (lambda: frame().applymap(str).a.tolist(), ["3", "1", "2"]),
        (lambda: frame().ix["p", "a"], 3),
        (lambda: frame().ix[0:2, [0, 2]].to_numpy().tolist(), [[3, "x"], [1, "y"]]),
        (lambda: frame().as_matrix(["a"]).tolist(), [[3], [1], [2]]),
        (lambda: frame().sort("a").index.tolist(), ["q", "r", "p"]),
        (lambda: frame().sort_values("a", 0, False).index.tolist(), ["p", "r", "q"]),
        (lambda: series().order().tolist(), [1, 2, 3]),
        (lambda: series().append(series()).tolist(), [3, 1, 2, 3, 1, 2]),
        (lambda: L.pd.read_csv(text("a\n1\n2"), squeeze=True).tolist(), [1, 2]),
        (lambda: L.pd.read_csv(text("a,b\n1,2\n3,4,5"), error_bad_lines=False, warn_bad_lines=False).shape, (1, 2)),
        (lambda: L.pd.read_csv(text("a b\n1   2"), delim_whitespace=True).shape, (1, 2)),
        (lambda: frame()[["a"]].to_csv(line_terminator="|"), ",a|p,3|q,1|r,2|"),
        (lambda: days().first("2D").tolist(), [0.0, 1.0]),
        (lambda: days().tshift(1).index[0].isoformat(), "2016-01-02T00:00:00"),
        (lambda: L.pd.rolling_mean(days(), 2).tolist()[-1], 4.5),
        (lambda: L.pd.concat([frame(), frame()], 1).shape, (3, 6)),
        (lambda: importlib.import_module("pandas.tools.plotting").scatter_matrix.__name__, "scatter_matrix"),
    ],
)  # fmt: skip
def test_pandas(found: Found, value: object) -> None:
    assert found() == value


def test_h5py(tmp_path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(str(tmp_path / "a.h5")) as file:
        assert file.create_dataset("data", data=[1, 2]).value.tolist() == [1, 2]
        file["text"] = np.array(["x", "yé"], h5py.special_dtype(vlen=str))
        file["bytes"] = np.array([b"x", b"y"], h5py.special_dtype(vlen=bytes))
        assert (file["text"][0], file["text"][:].tolist()) == ("x", ["x", "yé"])
        assert (file["bytes"][0], file["bytes"][:].tolist()) == (b"x", [b"x", b"y"])


def test_names_of_classes_that_a_release_lacks_are_left_out() -> None:
    with Hook([Name("colorsys:Colour", "grey", "math:pi", "", "")], Teller()):
        assert importlib.import_module("colorsys")
