"""Write ``hw_support/homeworks/data/test_batch_weights_biases.pkl`` from ``reference_batch.json``.

    python -m tools.build_reference_batch

An array normally enters a pickle under a private name, ``numpy.core`` in NumPy 1 and
``numpy._core`` in NumPy 2, so the bytes depend on the NumPy that wrote them. Here an array
is pickled as the call ``numpy.array(values, dtype_name)``: a public name, the same in all
versions. So the bytes are the same wherever they are written, and ``pickle.load`` reads
them with NumPy 1.26 and with NumPy 2.
"""

import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from hw_grading.texts import write_whole
from hw_support.homeworks.shipped_data import REFERENCE_BATCH_FILE, ReferenceBatch

NUMBERS_FILE = Path(__file__).with_name("reference_batch.json")

# Python 3.4 and later can read it. HIGHEST_PROTOCOL would change between versions.
PICKLE_PROTOCOL = 4


class _PortablePickler(pickle.Pickler):
    """A pickler that stores an array as a call of ``numpy.array``."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray):
            return NotImplemented
        # Interned, so that the pickler sees the same string each time and stores it only once. With
        # a new string per array, the bytes would depend on how NumPy makes names.
        return np.array, (obj.tolist(), sys.intern(obj.dtype.name))


def read_numbers() -> ReferenceBatch:
    """Read the batch from the file with its exact numbers."""
    numbers = json.loads(NUMBERS_FILE.read_text(encoding="utf-8"))
    return ReferenceBatch(
        X_batch=np.array(numbers["X_batch"], np.float64),
        y_batch=np.array(numbers["y_batch"], np.int64),
        weight_matrices=[np.array(matrix, np.float64) for matrix in numbers["weight_matrices"]],
        biases=[np.array(row, np.float64) for row in numbers["biases"]],
    )


def pickle_batch(batch: ReferenceBatch) -> bytes:
    """Pickle the tuple; the bytes depend on the numbers only, not on NumPy or the machine."""
    buffer = io.BytesIO()
    _PortablePickler(buffer, protocol=PICKLE_PROTOCOL).dump(tuple(batch))
    return buffer.getvalue()


if __name__ == "__main__":
    write_whole(REFERENCE_BATCH_FILE.path, pickle_batch(read_numbers()))
