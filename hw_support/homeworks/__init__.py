"""What only the homeworks of this repository need: their data, networks, training, plots, runs."""

from .challenges import challenge as challenge
from .drawing import draw_digit as draw_digit
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
from .runs import RunError as RunError
from .runs import at_home as at_home
from .runs import load_run as load_run
from .runs import save_run as save_run
from .shipped_data import DataFileError as DataFileError
from .shipped_data import ReferenceBatch as ReferenceBatch
from .shipped_data import get_mnist_threes_nines as get_mnist_threes_nines
from .shipped_data import load_reference_batch as load_reference_batch
from .training import TrainingChecks as TrainingChecks
from .watching import progress as progress
