"""Mutants of hw0's solutions that are right answers, each with the reason why.

Keys are the changed line as it reads in the mutant.
"""

_COMMUTES = "a sum or product of floats does not depend on the order of two operands"
_SQUARED = "the square of the negative is the same"
_AXIS = "axes that are not named are taken whole, or come in front by themselves"

EQUIVALENT: dict[str, dict[str, str]] = {
    "as_column": {
        "return x.reshape(-2, 1)": "NumPy takes any negative length for 'what is left'",
    },
    "squared_errors": {
        "return (targets[:, None] - predictions) ** 2": _SQUARED,
        "return (-(predictions - targets[:, None])) ** 2": _SQUARED,
    },
    "squared_distances": {
        "difference = B[None, :, :] - A[:, None, :]": _SQUARED,
        "difference = -(A[:, None, :] - B[None, :, :])": _SQUARED,
        "difference = A[:, None, :] - B": _AXIS,
        "difference = A[:, None] - B[None, :, :]": _AXIS,
        "difference = A[:, None, :] - B[:, :]": _AXIS,
        "difference = A[:, None, :] - B[None, :]": _AXIS,
    },
    "central_difference": {
        "return (f(x + h) - f(x - h)) / (h * 2)": _COMMUTES,
        "return (f(h + x) - f(x - h)) / (2 * h)": _COMMUTES,
    },
}
