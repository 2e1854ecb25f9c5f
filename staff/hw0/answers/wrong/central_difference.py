"""Wrong answers to central_difference."""
# ruff: noqa


# %% forward difference
def central_difference(f, x, h):
    return (f(x + h) - f(x)) / h


# %% / 2 * h
def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / 2 * h


# %% the parentheses are missing
def central_difference(f, x, h):
    return f(x + h) - f(x - h) / (2 * h)


# %% the sign is turned
def central_difference(f, x, h):
    return (f(x - h) - f(x + h)) / (2 * h)


# %% a step of its own
def central_difference(f, x, h=1e-5):
    h = 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


# %% half the step
def central_difference(f, x, h):
    return (f(x + h / 2) - f(x - h / 2)) / h


# %% the formula of higher order
def central_difference(f, x, h):
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


# %% float32
def central_difference(f, x, h):
    x, h = np.float32(x), np.float32(h)
    return (np.float32(f(x + h)) - np.float32(f(x - h))) / (2 * h)


# %% numbers only
def central_difference(f, x, h):
    x = float(x)
    return (f(x + h) - f(x - h)) / (2 * h)


# %% arrays with one axis only
def central_difference(f, x, h):
    if np.ndim(x) == 0:
        return (f(x + h) - f(x - h)) / (2 * h)
    return np.array([(f(float(v) + h) - f(float(v) - h)) / (2 * h) for v in x])


# %% the result is flat
def central_difference(f, x, h):
    return np.ravel((f(x + h) - f(x - h)) / (2 * h))


# %% x is moved by 2 h and put back by h
def central_difference(f, x, h):
    x += h
    up = f(x)
    x -= 2 * h
    return (up - f(x)) / (2 * h)


# %% rounded to six digits
def central_difference(f, x, h):
    return np.round((f(x + h) - f(x - h)) / (2 * h), 6)


# %% nothing is returned
def central_difference(f, x, h):
    slope = (f(x + h) - f(x - h)) / (2 * h)


# %% the derivative of sine
def central_difference(f, x, h):
    return np.cos(x)


# %% a number comes back as an array of one
def central_difference(f, x, h):
    x = np.atleast_1d(np.asarray(x, dtype=float))
    return (f(x + h) - f(x - h)) / (2 * h)


# %% the step is at least 1e-6
def central_difference(f, x, h):
    h = max(h, 1e-6)
    return (f(x + h) - f(x - h)) / (2 * h)


# %% a negative slope loses its sign
def central_difference(f, x, h):
    return np.abs(f(x + h) - f(x - h)) / (2 * h)
