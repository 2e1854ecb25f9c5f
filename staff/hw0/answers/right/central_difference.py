"""Right answers to central_difference."""
# ruff: noqa


# %% the step that was really taken
def central_difference(f, x, h):
    right, left = x + h, x - h
    return (f(right) - f(left)) / (right - left)


# %% the mean of forward and backward difference
def central_difference(f, x, h):
    forward = (f(x + h) - f(x)) / h
    backward = (f(x) - f(x - h)) / h
    return (forward + backward) / 2


# %% in place, and put back
def central_difference(f, x, h):
    if not isinstance(x, np.ndarray):
        return (f(x + h) - f(x - h)) / (2 * h)
    x += h
    up = np.copy(f(x))
    x -= 2 * h
    down = np.copy(f(x))
    x += h
    return (up - down) / (2 * h)


# %% entry by entry, as a list
def central_difference(f, x, h):
    if np.ndim(x) == 0:
        return float((f(x + h) - f(x - h)) / (2 * h))
    return [central_difference(f, entry, h) for entry in x]


# %% np.vectorize
def central_difference(f, x, h):
    return np.vectorize(lambda v: (f(v + h) - f(v - h)) / (2 * h))(x)


# %% one call for both sides
def central_difference(f, x, h):
    both = f(np.stack([np.add(x, h), np.subtract(x, h)]))
    return (both[0] - both[1]) / (h + h)


# %% an array without axes for a number
def central_difference(f, x, h):
    x = np.asarray(x)
    return np.asarray((f(x + h) - f(x - h)) / (2 * h))


# %% it prints and warns
import warnings


def central_difference(f, x, h):
    print("h =", h)
    warnings.warn("a small step")
    d = f(x + h) - f(x - h)
    return d * (1 / (2 * h))
