"""What the homework's notebook needs beside NumPy: data, a reference batch, plots, saved runs.

Importing this package is quick; matplotlib is imported when the first picture is drawn.
"""

from .checks import Checks
from .compare import (
    Mismatch,
    as_numbers,
    assert_close,
    expect,
    expect_answer,
    expect_fractions,
    relative_error,
    relative_errors,
)
from .dead_units import DeadUnits
from .desk.doctor import doctor
from .gradients import expect_each, expect_means, expect_shapes, own_gradients
from .integrity import DataFileError
from .mnist import get_mnist_threes_nines
from .plotting import PALETTE, display_digits, display_image, label_axes
from .progress import progress
from .reference_batch import ReferenceBatch, load_reference_batch
from .runs import (
    Run,
    RunDamagedError,
    RunError,
    RunNotAvailableError,
    RunNotFoundError,
    RunNotSavedError,
    load_run,
    save_run,
)
from .three_way import compare_arrays
from .training import TrainingWatch
from .training_run import TrainingRun

__all__ = [
    "PALETTE",
    "Checks",
    "DataFileError",
    "DeadUnits",
    "Mismatch",
    "ReferenceBatch",
    "Run",
    "RunDamagedError",
    "RunError",
    "RunNotAvailableError",
    "RunNotFoundError",
    "RunNotSavedError",
    "TrainingRun",
    "TrainingWatch",
    "as_numbers",
    "assert_close",
    "compare_arrays",
    "display_digits",
    "display_image",
    "doctor",
    "expect",
    "expect_answer",
    "expect_each",
    "expect_fractions",
    "expect_means",
    "expect_shapes",
    "get_mnist_threes_nines",
    "label_axes",
    "load_reference_batch",
    "load_run",
    "own_gradients",
    "progress",
    "relative_error",
    "relative_errors",
    "save_run",
]
