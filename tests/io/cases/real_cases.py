"""Readings of real data whose values and minibatch boundaries are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`. A whole reading is written down as a few hashes and sums, so that the recording
stays small.
"""

import hashlib
import lzma
import os
import shutil
import tarfile
from collections import namedtuple

import numpy as np

# Readers: (kind, arguments before and after the streams, streams). Folder: where in the archive the
# files are.
Case = namedtuple("Case", "name archive folder readers options sizes")

ONCE = {"randomize": False, "max_sweeps": 1}
TWICE = {"randomize": False, "max_sweeps": 2}
SHUFFLED = {"max_sweeps": 2, "randomization_seed": 3}
FRAMES = {"randomize": False, "max_sweeps": 1, "frame_mode": True}
SHUFFLED_FRAMES = {"max_sweeps": 1, "frame_mode": True, "randomization_seed": 3}
TEXT, BINARY = "reader_files/Data/CNTKTextFormatReader", "reader_files/Data/CNTKBinaryReader"
PARTS = 8


def dense(field, width, **more):
    return dict({"field": field, "shape": width}, **more)


def sparse(field, width, **more):
    return dict({"field": field, "shape": width, "is_sparse": True}, **more)


def text(
    name,
    file,
    options=TWICE,
    sizes=(7, 20, 3),
    archive="reader_files",
    folder="Data/CNTKTextFormatReader",
    **streams,
):
    """A case of one text file."""
    return Case(name, archive, folder, [("ctf", (file,), streams)], options, list(sizes))


def both(name, file, sizes, archive="reader_files", folder="Data/CNTKTextFormatReader", **streams):
    """The same file in its order and shuffled."""
    yield text(name, file, TWICE, sizes, archive, folder, **streams)
    yield text(name + "_shuffled", file, SHUFFLED, sizes, archive, folder, **streams)


def binary(name, options=TWICE):
    return Case(
        "binary_" + name,
        "reader_files",
        "Data/CNTKBinaryReader",
        [("cbf", (name + ".bin",), {})],
        options,
        [7, 20, 3],
    )


def speech(name, scp, options, size, labelled=True, **stream):
    """A case of the AN4 speech."""
    readers = [("htk", (), {"f": dict({"shape": 33, "scp": scp}, **stream)})]
    if labelled:
        readers.append(("mlf", ("state.list",), {"l": {"shape": 132, "mlf": "glob_0000.mlf"}}))
    return Case(name, "an4", "", readers, options, [size])


def cases():
    F0, F1, F2 = sparse("F0", 2), sparse("F1", 20), sparse("F2", 200)
    yield from both(
        "100x100_jagged_sequences_sparse",
        "100x100_jagged_sequences_sparse.txt",
        (60, 400),
        F0=sparse("F0", 20),
    )
    yield from both(
        "100x100_jagged_sparse", "100x100_jagged_sparse.txt", (60, 400), F0=sparse("F0", 20)
    )
    yield from both("100x1_dense", "100x1_dense.txt", (7, 30), L=dense("L", 100), F=dense("F", 100))
    yield text("100x1_dense_labels_alone", "100x1_dense.txt", L=dense("L", 100))
    yield from both("10x10_dense", "10x10_dense.txt", (7, 30), x=dense("F0", 5))
    yield from both("10x10_sparse", "10x10_sparse.txt", (7, 30), x=sparse("F0", 100))
    many = {f"L{k}": dense(f"L{k}", 10 ** (k - 1)) for k in (1, 2, 3)}
    many.update({f"F{k}": dense(f"F{k}", 10 ** (k - 1)) for k in (1, 2, 3, 4)})
    yield text("10x1_MI_dense", "10x1_MI_dense.txt", **many)
    yield text("1x10_dense", "1x10_dense.txt", x=dense("F0", 10))
    yield text("1x10_sparse", "1x10_sparse.txt", x=sparse("F0", 100))
    yield text("1x1_dense", "1x1_dense.txt", x=dense("F", 10000))
    yield text("1x1_sparse", "1x1_sparse.txt", x=sparse("F0", 10000))
    yield text("1x2_dense", "1x2_dense.txt", x=dense("F0", 100))
    yield text("1x2_sparse", "1x2_sparse.txt", x=sparse("F0", 1000))
    yield from both(
        "20x10_MI_jagged_samples_sparse",
        "20x10_MI_jagged_samples_sparse.txt",
        (9, 70),
        F0=F0,
        F1=F1,
        F2=F2,
    )
    yield text("3x5_MI_sparse", "3x5_MI_sparse.txt", F0=F0, F1=F1, F2=F2)
    yield from both(
        "50x20_jagged_sequences_dense",
        "50x20_jagged_sequences_dense.txt",
        (9, 70),
        x=dense("F0", 3),
    )
    yield from both(
        "50x20_jagged_sequences_sparse",
        "50x20_jagged_sequences_sparse.txt",
        (9, 70),
        x=sparse("F0", 100),
    )
    pair = {"F0": dense("F0", 10), "F1": dense("F1", 5)}
    yield from both("5x10_and_5x5_jagged", "5x10_and_5x5_jagged.txt", (7, 20, 3), **pair)
    by_F1 = {"F0": dense("F0", 10), "F1": dense("F1", 5, defines_mb_size=True)}
    yield text("5x10_and_5x5_by_the_second", "5x10_and_5x5_jagged.txt", **by_F1)
    for name, options in (("two_files", TWICE), ("two_files_shuffled", SHUFFLED)):
        readers = [
            ("ctf", ("5x10_jagged.txt",), {"a": dense("F0", 10)}),
            ("ctf", ("5x5_jagged.txt",), {"b": dense("F1", 5)}),
        ]
        yield Case(name, "reader_files", "Data/CNTKTextFormatReader", readers, options, [7, 20, 3])
    yield from both("simple_dense", "Simple_dense.txt", (64, 700), F=dense("F", 2), L=dense("L", 2))
    yield text("missing_trailing_newline", "missing_trailing_newline.txt", x=dense("features", 1))
    yield text(
        "escapes", "ref_data_with_escape_sequences.txt", F0=sparse("F0", 100), F1=dense("F1", 3)
    )
    yield text(
        "space_separated",
        "space_separated.txt",
        F1=dense("F1", 15),
        F2=dense("F2", 12),
        F3=dense("F3", 1),
    )
    for name in (
        "10x10_dense",
        "10x10_sparse",
        "50x20_jagged_sequences_dense",
        "50x20_jagged_sequences_sparse",
        "Simple_dense",
    ):
        yield binary(name)
    yield binary("Simple_dense", SHUFFLED)._replace(name="binary_shuffled")
    digits = {"features": dense("features", 784), "labels": dense("labels", 10)}
    yield from both("mnist", "Train_cntk_text.txt", (64, 200), "mnist_ctf", "", **digits)
    yield text(
        "mnist_labels_alone",
        "Test_cntk_text.txt",
        archive="mnist_ctf",
        folder="",
        labels=dense("labels", 10),
    )
    yield text(
        "mnist_dense",
        "MNIST_dense.txt",
        archive="mnist_ctf",
        folder="",
        F=dense("F", 784),
        L=dense("L", 10),
    )
    plane = {"features": dense("features", 2), "labels": dense("labels", 2)}
    yield from both(
        "simple2d", "SimpleDataTrain_cntk_text.txt", (128, 50), "simple2d", "Data", **plane
    )
    yield text(
        "simple2d_test", "SimpleDataTest_cntk_text.txt", archive="simple2d", folder="Data", **plane
    )
    three = {"features": dense("features", 2), "labels": dense("labels", 3)}
    file = "Train-3Classes_cntk_text.txt"
    yield text(
        "three_classes", file, archive="simple2d", folder="HelloWorld-LogisticRegression", **three
    )
    words = {"x": sparse("x", 2000), "y": dense("y", 5)}
    yield from both(
        "classified", "Train.ctf", (200, 61), "text_small", "SequenceClassification/Data", **words
    )
    slots = {"query": sparse("S0", 943), "intent": sparse("S1", 26), "slots": sparse("S2", 129)}
    yield text("atis_test", "atis.test.ctf", ONCE, (70,), "atis", "", **slots)
    yield text(
        "atis_by_intent",
        "atis.test.ctf",
        ONCE,
        (70,),
        "atis",
        "",
        **dict(slots, intent=sparse("S1", 26, defines_mb_size=True)),
    )
    yield text(
        "atis_shuffled", "atis.train.ctf", dict(SHUFFLED, max_sweeps=1), (900,), "atis", "", **slots
    )
    letters = {"a": sparse("S0", 69), "b": sparse("S1", 69)}
    yield text("cmudict_tiny", "tiny.ctf", archive="cmudict", folder="", **letters)
    yield text(
        "cmudict", "cmudict-0.7b.train-dev-20-21.ctf", ONCE, (20000,), "cmudict", "", **letters
    )
    yield text(
        "cmudict_shuffled",
        "cmudict-0.7b.train-dev-20-21.ctf",
        {"max_sweeps": 1},
        (20000,),
        "cmudict",
        "",
        **letters,
    )
    yield speech("speech", "glob_0000.scp", ONCE, 5000)
    yield speech("speech_shuffled", "glob_0000.scp", dict(SHUFFLED, max_sweeps=1), 5000)
    yield speech("speech_with_neighbours", "glob_0000.scp", ONCE, 9000, context=(3, 3))
    yield speech("speech_in_frames", "glob_0000.scp", FRAMES, 5000)
    yield speech("speech_in_shuffled_frames", "glob_0000.scp", SHUFFLED_FRAMES, 5000)
    yield speech("speech_without_labels", "test.scp", ONCE, 4000, labelled=False)


CASES = list(cases())


def unpack(case, data, folder):
    """Put the files of a case into a folder, once; returns where they are."""
    target = os.path.join(folder, case.archive)
    if not os.path.isdir(target):
        os.makedirs(target)
        packed = os.path.join(data, case.archive)
        if os.path.isdir(packed):
            for name in os.listdir(packed):
                with open(os.path.join(packed, name), "rb") as source:
                    opened = lzma.open(source) if name.endswith(".xz") else source
                    with open(
                        os.path.join(target, name[:-3] if name.endswith(".xz") else name), "wb"
                    ) as file:
                        shutil.copyfileobj(opened, file)
        else:
            with tarfile.open(packed + ".tar.xz") as tar:
                tar.extractall(target)
    return os.path.join(target, *case.folder.split("/"))


class Summary:
    """What was read of one stream, in a few hashes and sums."""

    def __init__(self):
        self._cuts = hashlib.sha1()
        self._columns = hashlib.sha1()
        self._values = []
        self._count = 0

    def add(self, samples, end, sequences):
        """A minibatch: its number of samples, whether a sweep ends, and its sequences as arrays or
        CSR matrices.
        """
        lengths = [s.shape[0] for s in sequences]
        self._cuts.update(np.array([samples, bool(end), len(lengths)] + lengths, "<i8").tobytes())
        for s in sequences:
            if isinstance(s, np.ndarray):
                values = s.reshape(-1)
            else:
                order = np.lexsort((s.indices, np.repeat(np.arange(s.shape[0]), np.diff(s.indptr))))
                values = s.data[order]
                self._columns.update(
                    np.diff(s.indptr).astype("<i8").tobytes()
                    + s.indices[order].astype("<i8").tobytes()
                )
            # Small and large ones count alike; their last bits, which parsers round differently,
            # count little.
            places = self._count + np.arange(len(values))
            self._values.append(
                (
                    places % PARTS,
                    np.arcsinh(np.clip(values, -3e38, 3e38).astype("f8") * 1e6)
                    * np.sin(places + 1.0),
                )
            )
            self._count += len(values)

    def found(self):
        """[hash of boundaries, hash of columns, numbers, weighted sums of numbers]."""
        parts, values = (np.concatenate(v) for v in zip(*self._values))  # noqa: B905
        sums = np.bincount(parts, values, PARTS)
        return [
            self._cuts.hexdigest()[:16],
            self._columns.hexdigest()[:16],
            self._count,
            [round(s, 4) for s in sums.tolist()],
        ]
