"""What the homework's notebook needs beside NumPy: data, a reference batch, plots, saved runs.

Importing this package is quick; matplotlib is imported when the first picture is drawn.
"""

from .activations import bent as bent
from .activations import peaked as peaked
from .activations import squashed as squashed
from .activations import waved as waved
from .checks import Checks as Checks
from .checks import results as results
from .compare import Mismatch as Mismatch
from .compare import arrays_of as arrays_of
from .compare import as_numbers as as_numbers
from .compare import assert_close as assert_close
from .compare import compare_arrays as compare_arrays
from .compare import expect as expect
from .compare import expect_kept as expect_kept
from .compare import expect_unchanged as expect_unchanged
from .compare import relative_error as relative_error
from .compare import relative_errors as relative_errors
from .dead_units import DeadUnits as DeadUnits
from .desk.doctor import doctor as doctor
from .gradients import expect_caches as expect_caches
from .gradients import expect_each as expect_each
from .gradients import expect_largest_error as expect_largest_error
from .gradients import expect_means as expect_means
from .gradients import expect_shapes as expect_shapes
from .integrity import DataFileError as DataFileError
from .mnist import get_mnist_threes_nines as get_mnist_threes_nines
from .plotting import PALETTE as PALETTE
from .plotting import display_digits as display_digits
from .plotting import display_image as display_image
from .plotting import label_axes as label_axes
from .progress import progress as progress
from .random_draws import expect_different as expect_different
from .random_draws import expect_layers as expect_layers
from .random_draws import expect_normal as expect_normal
from .reference_batch import ReferenceBatch as ReferenceBatch
from .reference_batch import load_reference_batch as load_reference_batch
from .runs import Run as Run
from .runs import RunDamagedError as RunDamagedError
from .runs import RunError as RunError
from .runs import RunNotAvailableError as RunNotAvailableError
from .runs import RunNotFoundError as RunNotFoundError
from .runs import RunNotSavedError as RunNotSavedError
from .runs import load_run as load_run
from .runs import save_run as save_run
from .training import TrainingChecks as TrainingChecks
