"""Python lists and loops wherever that is quick enough; results are lists.

Comments and prints as somebody leaves them who is new to NumPy.
"""
# ruff: noqa


# %% as_column
def as_column(x):
    out = []
    for value in x:
        out.append([float(value)])
    print("column of", len(out))
    return out


# %% squared_errors
def squared_errors(predictions, targets):
    # as_column gives a list, so make it an array first
    t = np.array(as_column(targets))
    result = []
    for i in range(len(t)):
        result.append([float(predictions[i, 0] - t[i, 0]) ** 2])
    return result


# %% standardize
import math


def standardize(X):
    n, d = len(X), len(X[0])
    Z = [[0.0] * d for _ in range(n)]
    for j in range(d):
        m = sum(X[i][j] for i in range(n)) / n
        s = math.sqrt(sum((X[i][j] - m) ** 2 for i in range(n)) / n)
        for i in range(n):
            Z[i][j] = (X[i][j] - m) / s
    return Z


# %% squared_distances
def squared_distances(A, B):
    rows = []
    for a in A:  # one loop is quick enough, the other one is NumPy's
        rows.append(((B - a) ** 2).sum(axis=1))
    return rows


# %% central_difference
def central_difference(f, x, h):
    if np.shape(x) == ():
        return float(f(x + h) - f(x - h)) / (2 * h)
    return [central_difference(f, part, h) for part in x]


# %% error_plot
h = 0.1
hs, es = [], []
while h > 0.9e-12:
    hs.append(h)
    es.append(abs(central_difference(np.sin, 1.0, h) - math.cos(1)))
    h = h / 2
plt.plot(hs, es, ".")
plt.xscale("log")
plt.yscale("log")
plt.title("error of the central difference")
plt.xlabel("h")
plt.ylabel("error")
plt.show()
