"""The data that ships with this package: threes and nines of MNIST, and the reference batch.

Nothing is downloaded. A half-copied or swapped file would show up much later, as an odd loss, or,
in a pickle, as code that runs. So the bytes are compared with a known SHA-256 before anything
interprets them.
"""

import hashlib
import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

ImagesAndLabels: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]


class DataFileError(RuntimeError):
    """A file of the package is missing, damaged, or another file under its name."""


@dataclass(frozen=True)
class ShippedFile:
    """A file of the package, and what is known about it."""

    path: Path
    sha256: str  # 64 lower-case hexadecimal digits

    def read(self) -> bytes:
        """Return the file's bytes; `DataFileError` if they are not those that were shipped."""
        try:
            data = self.path.read_bytes()
            if hashlib.sha256(data).hexdigest() == self.sha256:
                return data
            found = f"is damaged: its {len(data):,} bytes are not those that were shipped"
        except OSError as error:
            found = f"cannot be read ({error.strerror or error})"
        raise DataFileError(
            f"{self.path} {found}. Unzip the file that the course gave you again, move your "
            "notebook into the new folder, and restart the kernel."
        )


_FOLDER = Path(__file__).parent / "data"
MNIST_FILE = ShippedFile(
    _FOLDER / "mnist_threes_nines.npz",
    "0838578938e4f590fe323da5d099f15d923d127ca37d10ab8b73f64f2de26830",
)
REFERENCE_BATCH_FILE = ShippedFile(
    _FOLDER / "test_batch_weights_biases.pkl",
    "10d56a10ab8d2a7cfebf46d1eca909b2cce82f12534d28691d70148d76d35836",
)


def faults() -> str | None:
    """Say which file of the package is damaged or missing, up to the first; "" if none is.

    None if the package came without data: a homework that reads none has none.
    """
    if not _FOLDER.exists():
        return None
    for file in (MNIST_FILE, REFERENCE_BATCH_FILE):
        try:
            file.read()
        except DataFileError as error:
            return str(error).partition(". ")[0]
    return ""


def get_mnist_threes_nines() -> tuple[ImagesAndLabels, ImagesAndLabels]:
    """Load the handwritten threes and nines: ``(X_train, y_train), (X_test, y_test)``.

    Images keep the order that they have in MNIST, so threes and nines are mixed. Each call
    returns new arrays, about 88 MB in all. `hw_support.DataFileError` if the data file is missing
    or is not, byte for byte, the one that was shipped.

    Returns
    -------
    X_train : ndarray of float64, shape (12080, 28, 28)
        Training images: 6,131 threes and 5,949 nines. Axis 1 is the row (top first), axis 2
        the column. Grey levels in [0, 1]: 0 is background, 1 full ink.
    y_train : ndarray of int64, shape (12080,)
        1 where the image is a nine, 0 where it is a three.
    X_test : ndarray of float64, shape (2019, 28, 28)
        Test images: 1,010 threes and 1,009 nines.
    y_test : ndarray of int64, shape (2019,)

    Notes
    -----
    Source: the MNIST database by Yann LeCun, Corinna Cortes and Christopher J.C. Burges,
    distributed under CC BY-SA 3.0. The subset keeps that licence; ``data/README.md`` in this
    package says what was changed.
    """
    return _preloaded.pop() if _preloaded else _loaded()


def preload() -> None:
    """Make the arrays of the next call; a grader does this once, before it forks."""
    _preloaded.append(_loaded())


_preloaded: list[tuple[ImagesAndLabels, ImagesAndLabels]] = []


def _loaded() -> tuple[ImagesAndLabels, ImagesAndLabels]:
    def pair(part: str) -> ImagesAndLabels:
        return arrays[f"X_{part}"] / 255.0, arrays[f"y_{part}"].astype(np.int64)

    with np.load(io.BytesIO(MNIST_FILE.read()), allow_pickle=False) as arrays:
        return pair("train"), pair("test")


class ReferenceBatch(NamedTuple):
    """Two examples and a 4-2-1 network, whose activations are ReLU and then sigmoid."""

    X_batch: NDArray[np.float64]  # shape (2, 4)
    y_batch: NDArray[np.int64]  # shape (2,); both labels are 1
    weight_matrices: list[NDArray[np.float64]]  # shapes (4, 2) and (2, 1)
    biases: list[NDArray[np.float64]]  # shapes (1, 2) and (1, 1)


def load_reference_batch() -> ReferenceBatch:
    """Load the reference batch, as new arrays in each call.

    ``X, y, weight_matrices, biases = load_reference_batch()`` works too. The mean logistic loss of
    this network on this batch is 0.69851680…. `hw_support.DataFileError` if the file is missing or
    is not, byte for byte, the one that was shipped.

    Source: made for this homework. ``tools/reference_batch.json`` in the course's repository
    holds the exact numbers.
    """
    # Unpickling can run code in the file. It is safe because the digest belongs to these bytes.
    return ReferenceBatch(*pickle.loads(REFERENCE_BATCH_FILE.read()))
