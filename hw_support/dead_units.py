"""Watches hidden units die while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hw_support.compare import as_numbers
from hw_support.plotting import PALETTE, label_axes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class DeadUnits:
    """Measures during training how many hidden units are dead, and plots it.

    A hidden unit is dead when its ReLU gives 0 for every image: then no gradient reaches its
    weights any more. A unit that gives nan is not counted. After each measured step (`steps`, from
    1), `shares` gets the share of all hidden units that were dead then, from 0 to 1.

    Parameters
    ----------
    images : array_like, shape (n, features)
        A sample of the training set is enough.
    layer_forward : callable
        ``layer_forward(x, weights, bias, activation)`` returns the outputs, of shape (n, units),
        and the cache.
    activation : callable
        Of the hidden layers.
    every : int
        Steps between two measurements; the first step is always measured.

    Examples
    --------
    >>> def layer_forward(x, weights, bias, activation):
    ...     return activation(x @ weights + bias), None
    >>> watch = DeadUnits([[1.0], [2.0]], layer_forward, lambda s: np.maximum(s, 0))
    >>> watch([np.array([[1.0, -1.0]]), np.ones((2, 1))], [np.zeros(2), np.zeros(1)])
    >>> watch.shares  # the second unit is 0 for 1.0 and for 2.0
    [0.5]
    """

    def __init__(
        self,
        images: ArrayLike,
        layer_forward: Callable[..., Any],
        activation: Callable[..., Any],
        *,
        every: int = 5,
    ) -> None:
        self._images = as_numbers(images, what="images")
        self._layer_forward, self._activation = layer_forward, activation
        self._every = every
        self._step = 0
        self.steps: list[int] = []
        self.shares: list[float] = []

    def __call__(self, weight_matrices: Sequence[Any], biases: Sequence[Any]) -> None:
        """Note a step of training, and measure after every few of them.

        ValueError if `layer_forward` does not return what it should.
        """
        self._step += 1
        if self._step > 1 and self._step % self._every:
            return
        x, dead = self._images, []
        for weights, bias in zip(weight_matrices[:-1], biases[:-1], strict=True):
            x = self._outputs(x, weights, bias)
            dead.append(np.all(x == 0, axis=0))
        self.steps.append(self._step)
        self.shares.append(float(np.mean(np.concatenate(dead))))

    def _outputs(self, x: NDArray[Any], weights: Any, bias: Any) -> NDArray[Any]:
        returned = self._layer_forward(x, weights, bias, self._activation)
        shape = (len(x), np.shape(weights)[1])
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            what = type(returned).__name__
        elif np.shape(returned[0]) != shape:
            what = f"outputs of shape {np.shape(returned[0])}"
        else:
            return np.asarray(returned[0])
        raise ValueError(
            "DeadUnits: expected layer_forward to return (outputs, cache) with outputs of shape "
            f"{shape}, got {what}. Run the test of layer_forward"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the share of dead units (percent) against the step, in a new figure by default.

        ValueError if nothing was measured yet.
        """
        if not self.steps:
            raise ValueError(
                "DeadUnits: there are no measurements to plot. Call this object after each "
                "step, as in watch(weight_matrices, biases)"
            )
        if ax is None:
            ax = new_axes(5, 3.2)
        ax.plot(self.steps, 100 * np.array(self.shares), color=PALETTE.highlight, linewidth=2)
        ax.set_ylim(0, 100)
        return label_axes(ax, title="Hidden units die", xlabel="iteration", ylabel="dead ReLUs (%)")
