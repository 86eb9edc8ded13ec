"""Addresses of data that are dead, and where the same bytes lie today: one table for every
download.

A checksum is one that has been published for the file, and for MNIST compared with the data
themselves. An address with no mirror whose bytes are known is answered with what to do.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A dead address.

    Attributes:
        old: what the address begins with, without ``http://`` and ``www.``; whole, unless it ends
            in ``/``.
        new: the mirror's address; "" if there is none.
        size: bytes of the file; 0 if not known.
        digest: its checksum, as ``sha256:...``.
        advice: what to do where there is no mirror.
    """

    old: str
    new: str = ""
    size: int = 0
    digest: str = ""
    advice: str = ""

    def fits(self, data: bytes) -> bool:
        """Tell whether bytes are those of the file."""
        kind, _, digest = self.digest.partition(":")
        return (not self.size or len(data) == self.size) and hashlib.new(
            kind, data
        ).hexdigest() == digest


LECUN, MNIST = "yann.lecun.com/exdb/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"
KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
OLD_TEXTS, OLD_IMAGES = "s3.amazonaws.com/text-datasets/", "s3.amazonaws.com/img-datasets/"

ADDRESSES = [
    *(
        Address(LECUN + name, MNIST + name, size, "sha256:" + digest)
        for name, size, digest in (
            ("train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            ("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            ("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            ("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        )
    ),
    *(
        Address(old + name, KERAS + name, 0, digest)
        for old, name, digest in (
            (OLD_IMAGES, "mnist.npz", "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
            (OLD_TEXTS, "imdb.npz", "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
            (OLD_TEXTS, "imdb_word_index.json", "md5:bfafd718b763782e994055a2d397834f"),
            (OLD_TEXTS, "reuters.npz", "sha256:d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
            (OLD_TEXTS, "reuters_word_index.json", "md5:4d44cc38712099c9e383dc6e5f11a921"),
            ("s3.amazonaws.com/keras-datasets/", "boston_housing.npz",
             "sha256:f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
        )
    ),
    Address("cntk.ai/Models/", advice="CNTK's trained models are no longer served: put a copy of your own where the program "
            "looks for it"),
    Address("cntk.ai/", advice=(
        "the site is gone: put a copy of the file where the program looks for it"
    )),
    Address("mldata.org/", advice=(
        "the site is gone: sklearn.datasets.fetch_openml has most of its data"
    )),
    Address("deeplearning.net/data/", advice=(
        "the site is gone; for mnist.pkl.gz take keras.datasets.mnist or the idx files"
    )),
    Address("ichart.finance.yahoo.com/", advice=(
        "the service ended in 2017: download the prices by hand, as CSV"
    )),
    Address("google.com/finance/", advice=(
        "the service ended in 2018: download the prices by hand, as CSV"
    )),
]  # fmt: skip


def find(url: str) -> Address | None:
    """Return the row of the table that an address belongs to; None for one that is not known to be
    dead.

    Example:
        >>> find("http://yann.lecun.com/exdb/mnist/t10k-labels-idx1-ubyte.gz").size
        4542
        >>> find("https://example.com/a.gz")
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("http", "https"):
        return None
    rest = rest.partition("?")[0].removeprefix("www.")
    host, slash, path = rest.partition("/")
    place = host.lower() + slash + path
    return next(
        (
            row
            for row in ADDRESSES
            if place == row.old or (row.old.endswith("/") and place.startswith(row.old))
        ),
        None,
    )
