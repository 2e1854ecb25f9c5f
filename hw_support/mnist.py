"""The threes and nines of MNIST, from a file inside this package. Nothing is downloaded."""

import functools
import io
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .integrity import ShippedFile, read_verified, shipped_file

ImagesAndLabels: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]

MNIST_FILE = shipped_file(
    path=Path(__file__).parent / "data" / "mnist_threes_nines.npz",
    sha256="0838578938e4f590fe323da5d099f15d923d127ca37d10ab8b73f64f2de26830",
    size=2_347_371,
    rebuild="python -m tools.build_mnist FOLDER_WITH_THE_IDX_FILES",
)


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

    Examples
    --------
    >>> (X_train, y_train), (X_test, y_test) = get_mnist_threes_nines()
    >>> X_train.shape, y_train[:5].tolist()
    ((12080, 28, 28), [1, 0, 0, 0, 1])
    """
    return _preloaded.pop() if _preloaded else _loaded()


def preload() -> None:
    """Make the arrays of the next call; a grader does this once, before it forks."""
    _preloaded.append(_loaded())


_preloaded: list[tuple[ImagesAndLabels, ImagesAndLabels]] = []


def _loaded() -> tuple[ImagesAndLabels, ImagesAndLabels]:
    arrays = read_arrays(MNIST_FILE)

    def pair(which: str) -> ImagesAndLabels:
        grey_levels = np.divide(arrays[f"X_{which}"], 255.0, dtype=np.float64)
        return grey_levels, arrays[f"y_{which}"].astype(np.int64)

    return pair("train"), pair("test")


@functools.cache
def read_arrays(file: ShippedFile) -> dict[str, NDArray[np.uint8]]:
    """Return the arrays as stored in the file, about 11 MB; they are read only once."""
    with np.load(io.BytesIO(read_verified(file)), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
