"""Two arrays that should be the same, compared in three ways."""

import numpy as np
import numpy.typing as npt

from hw_support.compare import as_numbers, relative_error


def compare_arrays(a: npt.ArrayLike, b: npt.ArrayLike, name: str, *, close: float = 1e-6) -> float:
    """Print in a line whether two arrays are equal, whether close, and where they differ most.

    They are arrays of numbers of one shape (others raise `hw_support.Mismatch`), for example a
    gradient by `backward_pass` and the same by finite differences. The line calls them `name`, and
    close up to that relative error. Their `relative_error` is returned.

    Examples
    --------
    >>> error = compare_arrays([1.0, 2.0], [1.0, 2.000001], "slopes")
    slopes: not equal; close (relative error 5e-07); largest difference 1e-06 at [1]: 2 and 2.000001
    """
    left = as_numbers(a, what=f"the first {name}")
    right = as_numbers(b, what=f"the second {name}", shape=left.shape)
    error = relative_error(left, right)
    if np.array_equal(left, right):
        print(f"{name}: equal, all {left.size} entries")
        return error
    differences = np.where(np.isnan(left - right), np.inf, np.abs(left - right))
    where = tuple(int(i) for i in np.unravel_index(np.argmax(differences), left.shape))
    index = f" at [{', '.join(map(str, where))}]" if where else ""
    near = "close" if error <= close else "NOT close"
    print(
        f"{name}: not equal; {near} (relative error {error:.0e}); largest difference "
        f"{differences[where]:.0e}{index}: {left[where]:.8g} and {right[where]:.8g}"
    )
    return error
