"""Write ``hw_support/data/test_batch_weights_biases.pkl`` from ``reference_batch.json``.

    python -m tools.build_reference_batch            # write the file
    python -m tools.build_reference_batch --check    # only compare, byte for byte

An array normally enters a pickle under a private name, ``numpy.core`` in NumPy 1 and
``numpy._core`` in NumPy 2, so the bytes depend on the NumPy that wrote them. Here an array
is pickled as the call ``numpy.array(values, dtype_name)``: a public name, the same in all
versions. So the bytes are the same wherever they are written, and ``pickle.load`` reads
them with NumPy 1.26 and with NumPy 2.

Exit status: 0 done, or the same; 1 ``--check`` found a difference; 2 a file is wrong.
"""

import argparse
import hashlib
import io
import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hw_grading.gradebook.writing import write_whole
from hw_support.shipped_data import REFERENCE_BATCH_FILE

NUMBERS_FILE = Path(__file__).with_name("reference_batch.json")

# Python 3.4 and later can read it. HIGHEST_PROTOCOL would change between versions.
PICKLE_PROTOCOL = 4

Batch: TypeAlias = tuple[
    NDArray[np.float64], NDArray[np.int64], list[NDArray[np.float64]], list[NDArray[np.float64]]
]


class _PortablePickler(pickle.Pickler):
    """A pickler that stores an array as a call of ``numpy.array``."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray):
            return NotImplemented
        # Interned, so that the pickler sees the same string each time and stores it only once. With
        # a new string per array, the bytes would depend on how NumPy makes names.
        return np.array, (obj.tolist(), sys.intern(obj.dtype.name))


def read_numbers(path: Path = NUMBERS_FILE) -> Batch:
    """Read the numbers and check the shapes of a 4-2-1 network with two examples.

    Parameters
    ----------
    path : Path
        JSON file with X_batch, y_batch, weight_matrices and biases.

    Returns
    -------
    X_batch : ndarray of float64, shape (2, 4)
    y_batch : ndarray of int64, shape (2,)
    weight_matrices : list of ndarray of float64, shapes (4, 2) and (2, 1)
    biases : list of ndarray of float64, shapes (1, 2) and (1, 1)

    Raises
    ------
    ValueError
        When the file is no JSON, lacks an entry, or an entry has another shape.
    OSError
        When it cannot be read.
    """
    numbers = json.loads(path.read_text(encoding="utf-8"))
    try:
        batch = (
            np.array(numbers["X_batch"], np.float64),
            np.array(numbers["y_batch"], np.int64),
            [np.array(matrix, np.float64) for matrix in numbers["weight_matrices"]],
            [np.array(row, np.float64) for row in numbers["biases"]],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"an entry is missing or is no array: {error}") from error
    X_batch, y_batch, weight_matrices, biases = batch
    found = [array.shape for array in (X_batch, y_batch, *weight_matrices, *biases)]
    expected = [(2, 4), (2,), (4, 2), (2, 1), (1, 2), (1, 1)]
    if found != expected:
        raise ValueError(f"expected arrays of shapes {expected}, found {found}")
    return batch


def pickle_batch(batch: Batch) -> bytes:
    """Pickle the tuple; the bytes depend on the numbers only, not on NumPy or the machine."""
    buffer = io.BytesIO()
    _PortablePickler(buffer, protocol=PICKLE_PROTOCOL).dump(batch)
    return buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build_reference_batch",
        description="Build the pickle of the reference batch from its exact numbers.",
    )
    parser.add_argument("--numbers", type=Path, default=NUMBERS_FILE, help="JSON to read")
    parser.add_argument(
        "--out",
        type=Path,
        default=REFERENCE_BATCH_FILE.path,
        help="file to write or to compare with (default: the one that ships)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    options = parser.parse_args(argv)

    try:
        built = pickle_batch(read_numbers(options.numbers))
    except (OSError, ValueError) as error:
        print(f"{options.numbers}: {error}", file=sys.stderr)
        return 2
    digest = hashlib.sha256(built).hexdigest()
    try:
        if options.check:
            # Compare bytes: the existing file is never unpickled here.
            same = options.out.read_bytes() == built
            word = "same bytes" if same else "differs from what the numbers give"
            print(f"{options.out}: {word}, expected SHA-256 {digest}")
            return 0 if same else 1
        write_whole(options.out, built)
    except OSError as error:
        print(f"{options.out}: {error.strerror or error}", file=sys.stderr)
        return 1 if options.check else 2
    print(f"{options.out}: wrote {len(built):,} bytes, SHA-256 {digest}")
    if digest != REFERENCE_BATCH_FILE.sha256:
        print(
            "This is not the digest in hw_support/shipped_data.py. To ship this file, set"
            f' there sha256="{digest}".'
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
