"""The language of test cells, for any course: parts, comparisons, fresh cases, likely causes."""

from .cases import results as results
from .cell import Checks as Checks
from .compare import Mismatch as Mismatch
from .compare import NotPlainData as NotPlainData
from .compare import arrays_of as arrays_of
from .compare import as_numbers as as_numbers
from .compare import assert_close as assert_close
from .compare import expect as expect
from .compare import expect_kept as expect_kept
from .compare import expect_unchanged as expect_unchanged
from .compare import relative_error as relative_error
from .fitting import StaffError as StaffError
