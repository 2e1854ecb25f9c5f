"""A challenge among students, not graded: one line says how good and how small a network is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from hw_support.homeworks.shipped_data import get_mnist_threes_nines


def challenge(
    g: ArrayLike, weight_matrices: Sequence[ArrayLike], biases: Sequence[ArrayLike]
) -> None:
    """Print the line to post: test errors, parameters, and the sizes of the layers.

    Parameters
    ----------
    g : array_like (2019,) or (2019, 1)
        Probabilities of a nine of all test images, in their order. ValueError if there are not as
        many as test images.
    weight_matrices, biases : sequences of array_like
        The network's parameters, (d_{l-1}, d_l) and (1, d_l). All numbers are counted.
    """
    _, (_, labels) = get_mnist_threes_nines()
    said = np.ravel(g) > 0.5
    if said.shape != labels.shape:
        raise ValueError(f"g: expected {labels.size:,} probabilities, got {said.size:,}")
    errors = int(np.sum(said != (labels == 1)))
    sizes = [np.shape(weight_matrices[0])[0], *(np.shape(W)[1] for W in weight_matrices)]
    count = sum(np.size(p) for p in [*weight_matrices, *biases])
    right = 100 * (1 - errors / labels.size)
    network = "-".join(map(str, sizes))
    print(f"{network}: {errors} test errors ({right:.2f} % right), {count:,} parameters")
