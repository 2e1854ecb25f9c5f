"""What the homework's notebook needs beside NumPy: data, a reference batch, plots, saved runs.

Importing this package is quick; matplotlib is imported when the first picture is drawn.
"""

from .checks import Checks as Checks
from .checks import results as results
from .compare import Mismatch as Mismatch
from .compare import arrays_of as arrays_of
from .compare import as_numbers as as_numbers
from .compare import assert_close as assert_close
from .compare import expect as expect
from .compare import expect_kept as expect_kept
from .compare import expect_unchanged as expect_unchanged
from .compare import relative_error as relative_error
from .desk.doctor import doctor as doctor
from .networks import bent as bent
from .networks import expect_caches as expect_caches
from .networks import expect_different as expect_different
from .networks import expect_each as expect_each
from .networks import expect_largest_error as expect_largest_error
from .networks import expect_layers as expect_layers
from .networks import expect_means as expect_means
from .networks import expect_normal as expect_normal
from .networks import expect_shapes as expect_shapes
from .networks import peaked as peaked
from .networks import squashed as squashed
from .networks import waved as waved
from .plotting import display_digits as display_digits
from .plotting import label_axes as label_axes
from .plotting import progress as progress
from .runs import RunError as RunError
from .runs import list_runs as list_runs
from .runs import load_run as load_run
from .runs import save_run as save_run
from .shipped_data import DataFileError as DataFileError
from .shipped_data import ReferenceBatch as ReferenceBatch
from .shipped_data import get_mnist_threes_nines as get_mnist_threes_nines
from .shipped_data import load_reference_batch as load_reference_batch
from .training import TrainingChecks as TrainingChecks
