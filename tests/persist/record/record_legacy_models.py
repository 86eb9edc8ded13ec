"""Records model files of version 1 that the original CNTK 2.7 writes, and what it computes with
them.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.persist.record.record_legacy_models`. Writes ``golden/legacy.tar.xz``: two files
for each of `legacy_programs`, of version 1 and of version 2; what the original computes once it has
loaded the one of version 1, or what the function itself does if the original loses a part of it;
and what it makes of each file of `legacy_files`.

With a folder as argument it checks instead: the original loads every file of version 1 that
`test_legacy` has saved there when the environment variable CNTK_MODELS_SAVED_HERE named the folder,
and computes the recorded outputs.
"""

import io
import os
import sys
import tarfile

import numpy as np

import cntk as C
from cntk.debugging import save_as_legacy_model
from tests.persist.v1.legacy_files import FILES
from tests.persist.v1.legacy_programs import PROGRAMS, STATELESS, data, evaluate

ARCHIVE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "legacy.tar.xz"
)


def anonymous(member):
    """An archive's member without the time and the owner of the file."""
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member


def described(function):
    """The names, shapes and kinds of a function's outputs and of what it reads."""
    variables = list(function.outputs) + sorted(function.inputs, key=lambda v: v.name)
    return np.array(
        [repr((v.name, tuple(v.shape), v.is_parameter, v.is_constant)) for v in variables]
    )


def recorded():
    """All files by name, and the results."""
    with tarfile.open(ARCHIVE) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    return files, dict(np.load(io.BytesIO(files.pop("results.npz"))))


def record(archive, folder):
    results = {}
    unreadable = []
    for name, build in PROGRAMS.items():
        function = build()
        paths = [os.path.join(folder, name + ending) for ending in (".v1", ".v2")]
        save_as_legacy_model(function, paths[0])
        function.save(paths[1])
        for path in paths:
            archive.add(path, os.path.basename(path), filter=anonymous)
        if name not in STATELESS:
            continue
        outputs = evaluate(function, data(function))
        try:
            loaded = C.Function.load(paths[0])
            again = evaluate(loaded, data(loaded))
        except (RuntimeError, ValueError):
            again = []
        if sorted(a.size for a in again) == sorted(a.size for a in outputs):
            outputs = again
        else:
            unreadable.append(name)
        for k, output in enumerate(outputs):
            results[f"{name}/output_{k}"] = output
    results["unreadable"] = np.array(unreadable)
    for name, content in FILES.items():
        path = os.path.join(folder, "file.v1")
        with open(path, "wb") as file:
            file.write(content)
        loaded = C.Function.load(path)
        results[name + "/variables"] = described(loaded)
        for k, output in enumerate(evaluate(loaded, data(loaded))):
            results[f"{name}/output_{k}"] = output
    path = os.path.join(folder, "results.npz")
    np.savez(path, **results)
    archive.add(path, "results.npz", filter=anonymous)
    print(
        len(PROGRAMS),
        "functions;",
        len(unreadable),
        "that come back otherwise or not at all:",
        *unreadable,
    )


def check(folder):
    """How many files the original computes otherwise than it did its own."""
    _, results = recorded()
    wrong = []
    names = [name for name in STATELESS if name not in results["unreadable"]]
    for name in names:
        try:
            function = C.Function.load(os.path.join(folder, f"{name}.v1"))
            outputs = evaluate(function, data(function))
        except (RuntimeError, ValueError) as error:
            print(name, str(error).splitlines()[0])
            wrong.append(name)
            continue
        wanted = [results[f"{name}/output_{k}"] for k in range(len(outputs))]
        same = [
            a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True)
            for a, b in zip(outputs, wanted)  # noqa: B905
        ]
        if not all(same):
            wrong.append(name)
    print(f"{len(names)} files, of which {len(wrong)} differ: {wrong}")
    return len(wrong)


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    if len(sys.argv) > 1:
        sys.exit(check(sys.argv[1]) != 0)
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, tarfile.open(ARCHIVE, "w:xz") as target:
        record(target, scratch)
