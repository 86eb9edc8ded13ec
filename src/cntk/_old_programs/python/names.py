"""Table of Python's own library: removed names and modules, and functions with changed
behaviour.
"""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Module, Name, Row, keyword

ABSTRACT = (
    "Awaitable AsyncIterable AsyncIterator AsyncGenerator Coroutine Hashable Iterable Iterator "
    "Generator Reversible Sized Container Callable Collection Set MutableSet Mapping "
    "MutableMapping MappingView KeysView ItemsView ValuesView Sequence MutableSequence ByteString"
).split()

NAMES = (  # owner, old name, what stands in for it, the line to write, gone since
    ("array:array", "tostring", ".python.functions:tobytes", "x.tobytes()", "3.9"),
    ("array:array", "fromstring", ".python.functions:frombytes", "x.frombytes(...)", "3.9"),
    ("base64", "decodestring", "base64:decodebytes", "base64.decodebytes(...)", "3.9"),
    ("base64", "encodestring", "base64:encodebytes", "base64.encodebytes(...)", "3.9"),
    ("builtins", "reload", "importlib:reload", "from importlib import reload", "3.0"),
    ("cgi", "escape", ".python.functions:escape", "html.escape(..., quote=False)", "3.8"),
    ("cgi", "parse_qs", "urllib.parse:parse_qs", "urllib.parse.parse_qs(...)", "3.8"),
    ("cgi", "parse_qsl", "urllib.parse:parse_qsl", "urllib.parse.parse_qsl(...)", "3.8"),
    ("configparser", "SafeConfigParser", "configparser:ConfigParser", "configparser.ConfigParser", "3.12"),
    ("configparser:RawConfigParser", "readfp", ".python.functions:readfp", "x.read_file(...)", "3.12"),
    ("fractions", "gcd", "math:gcd", "math.gcd(...)", "3.9"),
    ("html.parser:HTMLParser", "unescape", ".python.functions:unescape", "html.unescape(...)", "3.9"),
    ("inspect", "getargspec", ".python.functions:getargspec", "inspect.getfullargspec(...)", "3.11"),
    ("locale", "format", ".python.functions:locale_format", "locale.format_string(...)", "3.12"),
    ("os", "errno", "errno", "import errno", "3.7"),
    ("pipes", "quote", "shlex:quote", "shlex.quote(...)", "3.13"),
    ("platform", "dist", ".python.functions:linux_distribution", "platform.freedesktop_os_release()", "3.8"),
    ("platform", "linux_distribution", ".python.functions:linux_distribution", "platform.freedesktop_os_release()", "3.8"),
    ("plistlib", "readPlist", ".python.functions:read_plist", "plistlib.load(...)", "3.9"),
    ("plistlib", "writePlist", ".python.functions:write_plist", "plistlib.dump(...)", "3.9"),
    ("sys", "getcheckinterval", ".python.functions:getcheckinterval", "sys.getswitchinterval()", "3.9"),
    ("sys", "setcheckinterval", ".python.functions:setcheckinterval", "sys.setswitchinterval(...)", "3.9"),
    ("threading:Thread", "isAlive", ".python.functions:is_alive", "x.is_alive()", "3.9"),
    ("time", "clock", ".python.functions:clock", "time.perf_counter(), or time.process_time()", "3.8"),
    ("unittest", "makeSuite", ".python.functions:make_suite", "unittest.TestLoader().loadTestsFromTestCase(...)", "3.13"),
    ("xml.etree.ElementTree:Element", "getchildren", ".python.functions:children", "list(x)", "3.9"),
    ("xml.etree.ElementTree:Element", "getiterator", ".python.functions:iterator", "x.iter(...)", "3.9"),
    ("xml.etree.ElementTree:ElementTree", "getiterator", ".python.functions:iterator", "x.iter(...)", "3.9"),
)  # fmt: skip

ASSERTIONS = {
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assert_": "assertTrue",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "assertItemsEqual": "assertCountEqual",
    "assertRegexpMatches": "assertRegex",
    "assertNotRegexpMatches": "assertNotRegex",
    "assertRaisesRegexp": "assertRaisesRegex",
    "failUnlessEqual": "assertEqual",
    "failUnless": "assertTrue",
    "failIf": "assertFalse",
}

MODULES = (  # old name, what stands in for it, the line to write, gone since
    ("_dummy_thread", "_thread", "import _thread", "3.9"),
    ("cgi", "", "html.escape, urllib.parse", "3.13"),
    ("distutils.dir_util", ".python.distutils", "shutil.copytree, os.makedirs", "3.12"),
    ("distutils.file_util", ".python.distutils", "shutil.copyfile, shutil.move", "3.12"),
    ("distutils.spawn", ".python.distutils", "shutil.which, subprocess.run", "3.12"),
    ("distutils.util", ".python.distutils", "a few lines of your own", "3.12"),
    (
        "distutils.version",
        ".python.distutils",
        "packaging.version, from: pip install packaging",
        "3.12",
    ),
    ("dummy_threading", "threading", "import threading", "3.9"),
    ("imghdr", ".python.imghdr", "PIL.Image.open(path).format", "3.13"),
    ("imp", ".python.imp", "import importlib", "3.12"),
    ("pipes", "", "shlex.quote, subprocess", "3.13"),
)

PYTHON: list[Row] = [
    *(
        Name("collections", name, f"collections.abc:{name}", f"from collections.abc import {name}", "Python 3.10")
        for name in ABSTRACT
    ),
    *(Name(owner, name, value, write, f"Python {gone}") for owner, name, value, write, gone in NAMES),
    *(
        Name("unittest:TestCase", old, f"unittest:TestCase.{new}", f"self.{new}(...)",
             "Python 3.0" if old == "assertItemsEqual" else "Python 3.12")
        for old, new in ASSERTIONS.items()
    ),
    *(Module(name, value, write, f"Python {gone}") for name, value, write, gone in MODULES),
    Changed("builtins", "open", ".python.functions:open_universal", "mode with U", "open(...) without the U", "Python 3.11"),
    Changed("random", "sample", ".python.functions:sample_of_set", "a set", "random.sample(sorted(...), k)", "Python 3.11"),
    *(
        keyword("json", name, "encoding", "", "Python 3.9" if name.startswith("load") else "Python 3.0")
        for name in ("load", "loads", "dump", "dumps")
    ),
    Changed("re", "split", ".python.regex:split_between", "a pattern that may match nothing", "a pattern that cannot, "
            "as r'(\\W+)' for r'(\\W+)?'", "Python 3.7"),
]  # fmt: skip
