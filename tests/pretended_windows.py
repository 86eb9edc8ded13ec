"""What the beginning of a program takes away from a process, so that it is as on Windows in what
matters to files and modules.

It lacks POSIX modules and names, and with `PRETENDING` also oneDNN and MKL. Files that are open or
mapped are neither replaced nor removed, and none is made under a name that Windows forbids.
Processes do not fork.
"""

from __future__ import annotations

# Modules that Python has on POSIX systems alone.
POSIX_MODULES = frozenset(
    [
        "crypt",
        "fcntl",
        "grp",
        "nis",
        "posix",
        "pty",
        "pwd",
        "readline",
        "resource",
        "spwd",
        "syslog",
        "termios",
        "tty",
    ]
)

WITHOUT_TORCH = f"""
import builtins, importlib.abc, io, os, re, sys
POSIX = {sorted(POSIX_MODULES - {"posix"})!r}

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in POSIX:
            raise ImportError(f"No module named {{name!r}}", name=name)

for name in POSIX:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())

for name in ("O_DIRECTORY", "O_CLOEXEC", "fork", "forkpty"):
    delattr(os, name)

handles, plain_open, low_open, replace, remove = {{}}, builtins.open, os.open, os.replace, os.unlink
FORBIDDEN = re.compile(r'[<>:"|?*\\\\\\0-\\x1f]|[. ]$|^(con|prn|aux|nul|com\\d|lpt\\d)(\\.|$)', re.IGNORECASE)

def check_name(path):
    if isinstance(path, (str, os.PathLike)) and not str(path).startswith(("/dev/", "/proc/")):
        if FORBIDDEN.search(os.path.basename(os.fspath(path))):
            raise OSError(22, "The file name is incorrect", str(path))

def open_and_note(file, mode="r", *arguments, **options):
    if set(mode) & set("wxa"):
        check_name(file)
    handle = plain_open(file, mode, *arguments, **options)
    if isinstance(file, (str, os.PathLike)):
        handles[id(handle)] = (os.path.realpath(file), handle)
    return handle

def open_by_number(path, flags, *arguments, **options):
    if flags & os.O_CREAT:
        check_name(path)
    return low_open(path, flags, *arguments, **options)

def in_use():
    # Whatever opened or mapped them, where the system tells.
    found = {{path for path, handle in handles.values() if not handle.closed}}
    if os.path.isdir("/proc/self/fd"):
        found |= {{os.path.realpath(f"/proc/self/fd/{{number}}") for number in os.listdir("/proc/self/fd")}}
        with plain_open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            found |= {{line.split(None, 5)[5].rstrip() for line in maps if line.count("/")}}
    return found

def refuse(*paths):
    used = in_use()
    for path in paths:
        if os.path.realpath(path) in used:
            raise PermissionError(13, "Access is denied", str(path))

def replace_unless_open(source, target):
    check_name(target)
    refuse(source, target)
    replace(source, target)

def remove_unless_open(path, **options):
    refuse(path)
    remove(path, **options)

builtins.open = io.open = open_and_note
os.open, os.replace, os.unlink, os.remove = open_by_number, replace_unless_open, remove_unless_open, remove_unless_open
"""  # noqa: E501

PRETENDING = (
    WITHOUT_TORCH
    + """
import torch
torch.backends.mkldnn.is_available = lambda: False
torch.backends.mkl.is_available = lambda: False
"""
)
