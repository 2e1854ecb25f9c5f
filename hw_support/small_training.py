"""Run a notebook's ``train`` on a small set of synthetic images, and see which images a step uses.

Each image has a pixel of its own, which is black in all other images. A step changes the weights of
that pixel only if it uses the image, and by as much as the image counts in the step. So the weights
after each step show the batches, without a look into the student's code.
"""

import contextlib
import io
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks, results
from hw_support.compare import as_numbers, expect, looked_at
from hw_support.fresh import generator

Array = npt.NDArray[Any]
Network = list[Array]  # W1 (784, units), W2 (units, 1), b1 (1, units), b2 (1, 1)

# With this step size the small network learns something in a few steps, and steps that are 100
# times as large do not saturate it.
EPOCHS, STEP_SIZE = 2, 0.02
PARAMETERS = ("weight_matrices[0]", "weight_matrices[1]", "biases[0]", "biases[1]")
HISTORIES = ("training_loss", "training_acc", "test_loss", "test_acc")
RESULTS = ("weight_matrices", "biases", *HISTORIES)
_PIXELS = 784
# (images, their class, their label). Most test labels are wrong, on purpose: so the test loss rises
# while the training loss falls, and the best network is not the last one.
_TRAINING = ((125, 1, 1), (125, 0, 0))
_TEST = ((6, 1, 1), (8, 0, 1), (20, 1, 0), (6, 0, 0))
IMAGES, TEST_IMAGES = (sum(group[0] for group in groups) for groups in (_TRAINING, _TEST))
SIZES = [100, 100, 50]  # of the batches of an epoch
STEPS = EPOCHS * len(SIZES)


@dataclass(frozen=True)
class Batch:
    """The images that a step used. Training images have indices 0 to 249; test images follow."""

    images: Array  # indices
    counts: Array  # how often each image was drawn
    own: Array  # labels in the small set
    labels: Array  # with which the step fits, image by image
    odd: float  # 0; or how much an image counts if that is no multiple of what the others do


@dataclass(frozen=True)
class Seen:
    """What was seen of a training. In code, steps are counted from 0; in messages, from 1.

    The network before step 0 is not seen, so its batch is not seen either.
    """

    networks: list[Network]  # after each step
    batches: list[Batch]  # `batches[k - 1]` of step k
    histories: list[Array]  # as in `HISTORIES`
    returned: Network
    last: Network  # which `after_step` got


class SmallTraining:
    """The notebook's ``train`` on the small set, and measures of its steps."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._runs: dict[bool, Seen] = {}  # by whether it is the second try
        # Training images come first, test images last.
        draw = generator("train")
        groups = [
            draw.permutation([(kind, label) for n, kind, label in groups for _ in range(n)])
            for groups in (_TRAINING, _TEST)
        ]
        classes, self.labels = np.concatenate(groups).T
        # Each image has a pixel of its own. A class has its ink in one half of the other pixels.
        own, shared = np.split(draw.permutation(_PIXELS), [len(classes)])
        ink = draw.uniform(0.2, 1.0, (len(classes), len(shared)))
        half = np.arange(len(shared)) % 2
        self.images = np.zeros((len(classes), _PIXELS))
        self.images[np.arange(len(classes)), own] = 1.0
        self.images[:, shared] = np.where(half == classes[:, None], ink, 0.1 * ink)
        self._own = own

    def seen(self) -> Seen:
        """Return what was seen. The parts of a test share one run for each of the two tries."""
        key = self._checks.second_try
        if key not in self._runs:
            self._runs[key] = self._run()
        return self._runs[key]

    def _run(self) -> Seen:
        """Run ``train`` without changing the notebook's names."""
        notebook = self._checks.notebook
        train: Any = notebook.own("train")
        expect(callable(train), "expected a function train, got none: put your loop into one")
        networks: list[Network] = []

        def after_step(weight_matrices: Any, biases: Any) -> None:
            arrays = [*looked_at(weight_matrices), *looked_at(biases)]
            networks.append(as_network(arrays, "after_step"))

        after_step.__qualname__ = "after_step"
        arrays = self.images.reshape(-1, 28, 28), self.labels
        (X_train, X_test), (y_train, y_test) = (np.split(a.copy(), [IMAGES]) for a in arrays)
        small = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
        silent = contextlib.redirect_stdout(io.StringIO())
        with notebook.kept(*RESULTS), notebook.replaced(**small), silent:
            rng = notebook.own("rng")
            came = train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=after_step)
        Ws, bs, *lists = results(came, ", ".join(RESULTS))
        pairs = zip(HISTORIES, lists, strict=True)
        histories = [as_numbers(v, what=name).astype(float).ravel() for name, v in pairs]
        calls = len(networks)
        message = f"expected {STEPS} calls of after_step, one after each step, got {calls}"
        expect(calls > 1 and calls in (STEPS, 2 * EPOCHS, *map(len, histories)), message)
        returned, last = as_network([*looked_at(Ws), *looked_at(bs)], "train"), networks[-1]
        ends = self.figures(returned)[0], self.figures(last)[0]
        if abs(ends[0] - histories[2][-1]) < 1e-5 < abs(ends[1] - histories[2][-1]):
            networks = [*networks[1:], returned]  # it was called before each step
        batches = [self._batch(*pair) for pair in itertools.pairwise(networks)]
        return Seen(networks, batches, histories, returned, last)

    def _batch(self, before: Network, after: Network) -> Batch:
        """Return what a step used, from the rows of W1 that belong to the images' own pixels."""
        moved = (after[0] - before[0])[self._own]

        def weights(labels: Array) -> Array:
            """Return what the step subtracts: how many times each image's own gradient."""
            by_sums, _, _ = _slopes(before, self.images, labels)
            along, sizes = -np.sum(moved * by_sums, axis=1), np.sum(by_sums**2, axis=1)
            return np.asarray(np.divide(along, sizes, out=np.zeros_like(along), where=sizes > 0))

        labels, used = self.labels, weights(self.labels)
        # Nearly all batches have 30 images or more.
        images = np.flatnonzero(np.abs(used) > 0.3 * np.sort(np.abs(used))[-30])
        if np.any(used[images] > 0) and np.any(used[images] < 0):  # if not: a step uphill
            labels = np.where(used < 0, 1 - labels, labels)
            used = weights(labels)
        sizes = np.abs(used[images])
        shares = sizes / np.median(sizes) if len(images) else sizes
        counts = np.maximum(np.rint(shares), 1)
        odd = [*shares[np.abs(shares - counts) > 0.1], 0.0]
        return Batch(images, counts, self.labels[images], labels[images], float(odd[0]))

    def mean_gradient(self, network: Network, batch: Batch, labels: Array) -> Network:
        """Return the gradient of the mean loss of a batch with these labels, by parameter."""
        x, share = self.images[batch.images], (batch.counts / batch.counts.sum())[:, None]
        by_sums, hidden, by_output = _slopes(network, x, labels)
        weights = [x.T @ (share * by_sums), hidden.T @ (share * by_output)]
        return [*weights, share.T @ by_sums, share.T @ by_output]

    def figures(self, network: Network, batch: Batch | None = None, used: bool = False) -> Array:
        """Return mean loss and accuracy on the test set, or on a batch, with the labels used."""
        if batch is None:
            return figures(network, self.images[IMAGES:], self.labels[IMAGES:])
        labels = batch.labels if used else batch.own
        return figures(network, self.images[batch.images], labels, batch.counts)


def as_network(arrays: list[Any], whose: str, units: int | None = None) -> Network:
    """Return W1 (784, units), W2 (units, 1), b1 (1, units) and b2 (1, 1), as float arrays.

    NumPy computes the same with biases of shape (units,), so flat arrays are accepted. `units` is
    None if W1 decides. `whose` begins the message if there are not four arrays.
    """
    message = f"{whose}: expected two weight matrices and two biases, got {len(arrays)} arrays"
    expect(len(arrays) == len(PARAMETERS), message)
    arrays = [looked_at(array) for array in arrays]
    units = units or np.size(arrays[1])
    shapes = [(_PIXELS, units), (units, 1), (1, units), (1, 1)]
    network = []
    for array, shape, name in zip(arrays, shapes, PARAMETERS, strict=True):
        numbers = as_numbers(array, what=name)
        if numbers.ndim < 2 and numbers.size == np.prod(shape):
            numbers = numbers.reshape(shape)
        network.append(as_numbers(numbers, what=name, shape=shape).astype(float))
    return network


def figures(network: Network, images: Array, labels: Array, counts: Any = None) -> Array:
    """Return mean loss (nats) and accuracy on images (n, 784), each of which counts so often."""
    *_, output = _layers(network, images)
    loss, right = _losses(output, labels)[:, 0], (output[:, 0] > 0) == (labels == 1)
    return np.asarray(np.average([loss, right], axis=1, weights=counts))


def _slopes(network: Network, images: Array, labels: Array) -> tuple[Array, Array, Array]:
    """Return slopes of each image's loss by the hidden units' sums (n, units), by differences.

    Then follow the values of these units, and the slopes by the sum of the output (n, 1).
    """
    h = 1e-8  # small, since a ReLU has no slope at 0
    sums, hidden, output = _layers(network, images)

    def slope(up: Any, down: Any) -> Array:
        return (_losses(output + up, labels) - _losses(output + down, labels)) / (2 * h)

    up, down = ((np.maximum(sums + way, 0) - hidden) * network[1].T for way in (h, -h))
    return slope(up, down), hidden, slope(h, -h)


def _layers(network: Network, images: Array) -> tuple[Array, Array, Array]:
    """Return sums and values of the hidden units, and the sum of the output."""
    W1, W2, b1, b2 = network
    sums = images @ W1 + b1
    hidden = np.maximum(sums, 0)
    return sums, hidden, hidden @ W2 + b2


def _losses(output: Array, labels: Array) -> Array:
    """Return each image's logistic loss from the sum of the output (n, 1)."""
    return np.asarray(np.logaddexp(0, (1 - 2 * labels[:, None]) * output))
