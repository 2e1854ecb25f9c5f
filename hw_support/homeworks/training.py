"""Check a notebook's ``train``: batches, steps and histories on a small set, and the real run.

Each image of the small set has a pixel of its own, which is black in all other images. A step
changes the weights of that pixel only if it uses the image, and by as much as the image counts in
the step. So the weights after each step show the batches, without a look into the student's code.
"""

import contextlib
import copy
import io
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks, results
from hw_support.checks.compare import Mismatch, as_numbers, expect, looked_at
from hw_support.checks.failures import described, place_of
from hw_support.checks.fresh import generator
from hw_support.checks.notebook_access import Notebook

Array = npt.NDArray[Any]
Network = list[Array]  # W1 (784, units), W2 (units, 1), b1 (1, units), b2 (1, 1)

# With this step size the small network learns something in a few steps, and steps that are 100
# times as large do not saturate it.
EPOCHS, STEP_SIZE = 2, 0.02
PARAMETERS = ("weight_matrices[0]", "weight_matrices[1]", "biases[0]", "biases[1]")
HISTORIES = ("training_loss", "training_acc", "test_loss", "test_acc")
RESULTS = ("weight_matrices", "biases", *HISTORIES)
# (images, their class, their label). Most test labels are wrong, on purpose: so the test loss rises
# while the training loss falls, and the best network is not the last one.
_TRAINING = ((125, 1, 1), (125, 0, 0))
_TEST = ((6, 1, 1), (8, 0, 1), (20, 1, 0), (6, 0, 0))
IMAGES, TEST_IMAGES = (sum(group[0] for group in groups) for groups in (_TRAINING, _TEST))
SIZES = [100, 100, 50]  # of the batches of an epoch
STEPS = EPOCHS * len(SIZES)

UNITS, RUN_STEPS, RUN_STEPS_WITHOUT_SHORT_BATCHES = 200, 605, 600  # of the real run
_PIXELS = 784
_ERROR, _STEP_ERROR = 2e-5, 2e-2  # in single precision, of histories and of steps


@dataclass(frozen=True)
class Batch:
    """The images that a step used. Training images have indices 0 to 249; test images follow."""

    images: Array  # indices
    pixels: Array  # (n, 784)
    labels: Array  # with which the step fits, image by image
    counts: Array  # how often each image was drawn
    odd: float  # 0; or how much an image counts if that is no multiple of what the others do


@dataclass(frozen=True)
class Seen:
    """What was seen of a training. In code, steps are counted from 0; in messages, from 1.

    The network before step 0 is not seen, so its batch is not seen either.
    """

    networks: list[Network]  # after each step
    batches: list[Batch]  # `batches[k - 1]` of step k
    histories: dict[str, Array]
    returned: Network
    last: Network  # which `after_step` got


class TrainingChecks:
    """The parts of the test of ``train``; a test cell runs them in the order that they have here.

    Each raises `Mismatch` for its own mistakes alone: a step is compared with the gradient of the
    batch that was used, and histories with that batch and with the labels that the step used.
    """

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._runs: dict[bool, Seen] = {}  # by whether it is the second try
        # What the real run has left, and the data: read before any student code is called.
        self._left = dict(zip(RESULTS, checks.notebook.own(*RESULTS), strict=True))
        self._test_set = checks.notebook.own("X_test", "y_test")
        # Training images come first, test images last.
        draw = generator("train")
        groups = [
            draw.permutation([(kind, label) for n, kind, label in groups for _ in range(n)])
            for groups in (_TRAINING, _TEST)
        ]
        classes, self.labels = np.concatenate(groups).T
        # Each image has a pixel of its own. A class has its ink in one half of the other pixels.
        self._own, shared = np.split(draw.permutation(_PIXELS), [len(classes)])
        ink = draw.uniform(0.2, 1.0, (len(classes), len(shared)))
        half = np.arange(len(shared)) % 2
        self.images = np.zeros((len(classes), _PIXELS))
        self.images[np.arange(len(classes)), self._own] = 1.0
        self.images[:, shared] = np.where(half == classes[:, None], ink, 0.1 * ink)

    # -- the parts

    def expect_every_image(self) -> None:
        """Expect each image once in an epoch: batches of 100, 100 and 50, in a new random order."""
        seen = self._seen()
        _expect_steps(seen, clear=True)
        for step, batch in enumerate(seen.batches, 2):
            said = f"expected images of X_train only, got one of X_test in step {step}"
            expect(np.all(batch.images < IMAGES), said)
        steps = len(seen.networks)
        cause = ". Likely cause: the last, short batch is left out" if steps == 4 else ""
        said = f"expected {STEPS} steps in 2 epochs of {IMAGES} images, got {steps}"
        expect(steps == STEPS, said + cause)
        first, second = seen.batches[:2], seen.batches[2:]
        for epoch in (first, second):
            drawn = np.sum([np.bincount(b.images, b.counts, IMAGES) for b in epoch], axis=0)
            for image in np.flatnonzero(drawn > 1)[:1]:
                said = f"expected each image once in an epoch, got image {image}"
                raise Mismatch(f"{said} {drawn[image]:.0f} times")
        sizes = [len(batch.images) for batch in second]
        expect(sorted(sizes) == sorted(SIZES), f"expected batches of {SIZES} images, got {sizes}")
        for step, batch in enumerate(seen.batches, 2):
            # Of 100 images drawn from 250, two in five have the next one in the batch too.
            in_order = np.mean(np.diff(batch.images) == 1) > 0.75
            expect(not in_order, f"expected a random order, got that of X_train in step {step}")
        pairs = zip(first, second[1:], strict=True)
        same = any(np.array_equal(one.images, other.images) for one, other in pairs)
        expect(not same, "expected a new order in each epoch, got the same batches again")

    def expect_step(self) -> None:
        """Expect steps of minus the step size times the mean gradient of the batch."""
        seen = self._seen()
        _expect_steps(seen)
        for step, batch in enumerate(seen.batches, 1):
            wrong = _wrong_step(seen, step, self.labels[batch.images])
            if wrong and not _wrong_step(seen, step, batch.labels):
                wrong = (
                    f"step {step + 1}: expected the gradient with the labels of y_train, got that "
                    "with other labels. Likely cause: images and labels are not shuffled with the "
                    "same permutation"
                )
            expect(not wrong, wrong)

    def expect_training_history(self) -> None:
        """Expect the loss and accuracy of each batch, before its step."""
        wrong = self._wrong_training()
        expect(not any(wrong), wrong[0] or wrong[1])

    def expect_test_history(self) -> None:
        """Expect the loss and accuracy of the test set, after each step.

        One helper often computes both kinds of histories. So a mistake in losses alone, or in
        accuracies alone, is not counted here if the part on training has counted it.
        """
        seen, names = self._seen(), HISTORIES[2:]
        right = np.transpose([self._test_figures(network) for network in seen.networks])
        sizes = np.full(len(seen.networks), TEST_IMAGES)
        early = {"it is measured before the step": [seen.histories[names[0]][0], *right[0][:-1]]}
        images = self.images[IMAGES:], self.labels[IMAGES:]
        pairs = np.array([accuracy_of_pairs(network, *images) for network in seen.networks])
        wrong = _wrong(seen, names, right, sizes, early, pairs)
        if bool(wrong[0]) != bool(wrong[1]) and not self._checks.parts[-1].passed:
            with contextlib.suppress(Mismatch):
                if [*map(bool, self._wrong_training())] == [*map(bool, wrong)]:
                    return
        expect(not any(wrong), wrong[0] or wrong[1])

    def expect_results(self) -> None:
        """Expect a new network in each call; the last one of ``after_step`` is returned."""
        seen = self._seen()
        spread = float(seen.networks[0][1].std())
        said = f"expected a new network, with weights of about 0.01, got {spread:.2g} in step 1"
        expect(spread < 0.1, said)
        again, _ = self._trained()
        expect(again, "expected calls of after_step in a second call of train too, got none")
        # A network of a second call that is new differs from the last one as much as any two do.
        from_first, from_last = (
            float(np.std(again[0][0] - one[0])) for one in (seen.networks[0], seen.networks[-1])
        )
        said = "expected a new network in each call, got the trained one of the first call again"
        expect(from_last > min(from_first, 1e-3), f"the second call of train: {said}")
        pairs = zip(seen.returned, seen.last, strict=True)
        same = all(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in pairs)
        said = "expected after_step to get the returned network after the last step, got another"
        expect(same, said)

    def expect_run(self) -> None:
        """Expect the results of the real training.

        Always: four lists with an entry for each step, and a network. If all parts above have
        passed: losses that fall, or a network that has learnt, since the notebook's own loss may be
        wrong. If they have with the notebook's own functions: all the rest.
        """
        names, above = self._left, self._checks.parts
        there = all(value is not None for value in names.values())
        expect(there, "expected the six names from `train()`: run the cell above")
        values = {n: as_numbers(names[n], what=n).astype(float).ravel() for n in HISTORIES}
        sizes = [value.size for value in values.values()]
        said = f"expected four lists of {RUN_STEPS} entries, got {sizes}"
        expect(sizes in ([RUN_STEPS] * 4, [RUN_STEPS_WITHOUT_SHORT_BATCHES] * 4), said)
        both = names["weight_matrices"], names["biases"]
        network = as_network(*both, whose="weight_matrices and biases", units=UNITS)
        *_, last_loss, last_accuracy = (value[-1] for value in values.values())
        if last_accuracy < 0.97:
            said = f"the last test accuracy is {last_accuracy:.3f}, and the text announces 0.98"
            self._checks.note(said)
        if not all(part.passed for part in above):
            return
        own = not any(part.second_try for part in above)
        X, y = (np.asarray(looked_at(value)) for value in self._test_set)
        loss, accuracy = figures(network, X.reshape(y.size, -1), y.ravel())
        for name, value in values.items():
            first, end = value[:20].mean(), value[-50:].mean()
            if name.endswith("loss") and (own or accuracy < 0.9):
                most = 0.25 * first if own else first
                expect(end < most, f"{name}: expected an end below {most:.3g}, got {end:.3g}")
            elif own:
                expect(end > 0.95, f"{name}: expected an end above 0.95, got {end:.3f}")
        if own:
            said = f"expected a test accuracy of the network above 0.97, got {accuracy:.3f}"
            expect(accuracy > 0.97, said)
            near = abs(last_loss - loss) < 0.004 and abs(last_accuracy - accuracy) < 0.003
            said = f"expected test_loss and test_acc to end with {loss:.4f} and {accuracy:.4f}, as "
            expect(near, f"{said}of the network, got {last_loss:.4f} and {last_accuracy:.4f}")

    # -- what was seen, and what is right

    def _seen(self) -> Seen:
        """Return what was seen. The parts of a test share one run for each of the two tries."""
        key = self._checks.second_try
        if key not in self._runs:
            self._runs[key] = self._run()
        return self._runs[key]

    def _run(self) -> Seen:
        """Run ``train``, and say what was seen."""
        networks, came = self._trained()
        Ws, bs, *lists = results(came, ", ".join(RESULTS))
        pairs = zip(HISTORIES, lists, strict=True)
        histories = {name: as_numbers(v, what=name).astype(float).ravel() for name, v in pairs}
        calls = len(networks)
        message = f"expected {STEPS} calls of after_step, one after each step, got {calls}"
        expect(calls > 1 and calls in (STEPS, 2 * EPOCHS, *map(len, histories.values())), message)
        returned, last = as_network(Ws, bs, whose="train"), networks[-1]
        end = histories["test_loss"][-1]
        of_both = [abs(self._test_figures(one)[0] - end) for one in (returned, last)]
        if of_both[0] < 1e-5 < of_both[1]:
            networks = [*networks[1:], returned]  # it was called before each step
        batches = [self._batch(*pair) for pair in itertools.pairwise(networks)]
        return Seen(networks, batches, histories, returned, last)

    def _trained(self) -> tuple[list[Network], Any]:
        """Run ``train`` without changing the notebook's names.

        Return the network of each call of ``after_step``, and the result.
        """
        notebook = self._checks.notebook
        train: Any = notebook.own("train")
        expect(callable(train), "expected a function train, got none: put your loop into one")
        networks: list[Network] = []

        def after_step(weight_matrices: Any, biases: Any) -> None:
            networks.append(as_network(weight_matrices, biases, whose="after_step"))

        after_step.__qualname__ = "after_step"
        arrays = self.images.reshape(-1, 28, 28), self.labels
        (X_train, X_test), (y_train, y_test) = (np.split(a.copy(), [IMAGES]) for a in arrays)
        small = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
        earlier = self._left.items()  # it may change these in place
        copies = {n: Notebook.MISSING if v is None else copy.deepcopy(v) for n, v in earlier}
        with notebook.replaced(**small, **copies), contextlib.redirect_stdout(io.StringIO()):
            rng = notebook.own("rng")
            try:
                came = train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=after_step)
            except IndexError as error:
                said = described(error, place_of(error, notebook.names))
                raise Mismatch(
                    f"{said}. The test gives X_train and y_train {IMAGES} other images. Does train "
                    "use arrays that were made from the real ones outside of it?"
                ) from error
        return networks, came

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
        return Batch(images, self.images[images], labels[images], counts, float(odd[0]))

    def _test_figures(self, network: Network) -> Array:
        return figures(network, self.images[IMAGES:], self.labels[IMAGES:])

    def _wrong_training(self) -> list[str]:
        """Say what is wrong about training losses, and about training accuracies."""
        seen = self._seen()
        _expect_steps(seen, clear=True)
        before, after = (
            [
                figures(network, batch.pixels, batch.labels, batch.counts)
                for network, batch in zip(networks, seen.batches, strict=True)
            ]
            for networks in (seen.networks[:-1], seen.networks[1:])
        )
        sizes = np.array([batch.counts.sum() for batch in seen.batches])
        late = {"it is measured after the step": np.transpose(after)[0]}
        batches = zip(seen.networks[:-1], seen.batches, strict=True)
        pairs = np.array(
            [accuracy_of_pairs(one, b.pixels, b.labels, b.counts) for one, b in batches]
        )
        return _wrong(seen, HISTORIES[:2], np.transpose(before), sizes, late, pairs)


def _expect_steps(seen: Seen, *, clear: bool = False) -> None:
    """Expect that steps change weights; if `clear`, also that they show how often images count."""
    for step, batch in enumerate(seen.batches, 2):
        expect(len(batch.images), f"expected new weights in step {step}, got the same as before it")
    for step, batch in enumerate(seen.batches if clear else (), 2):
        said = "expected each image of the batch to move the weights as much as the others"
        got = f"got one that does {batch.odd:.2g} times that"
        why = "Does train change the pixels, by a mean or a scale? Use X_train as it is"
        expect(not batch.odd, f"step {step}: {said}, {got}. {why}")


def _wrong_step(seen: Seen, step: int, labels: Array) -> str:
    """Say how a step differs from the one that these labels ask for; "" if it does not."""
    batch, (before, after) = seen.batches[step - 1], seen.networks[step - 1 : step + 1]
    gradients = _mean_gradient(before, batch.pixels, labels, batch.counts)
    n = int(batch.counts.sum())
    where = f"step {step + 1} (a batch of {n} images): expected"
    for name, a, b, gradient in zip(PARAMETERS, before, after, gradients, strict=True):
        size = max(float(np.linalg.norm(gradient)), 1e-300)
        along = float(np.sum((a - b) * gradient)) / size**2
        off = np.linalg.norm(a - b - along * gradient)
        if not off <= _STEP_ERROR * size * max(abs(along), STEP_SIZE):
            return f"{where} {name} to move along the mean gradient, got another way"
        if abs(along - STEP_SIZE) > 2 * _STEP_ERROR * STEP_SIZE:
            causes = {
                "the step goes up the gradient, not down": -1,
                "the sum over the batch in place of the mean": n,
                "the mean is divided by the size of the batch once more": 1 / n,
                "the sum is divided by 100, not by the size of this batch": n / 100,
            }
            fits = [c for c, by in causes.items() if abs(along / STEP_SIZE / by - 1) < 0.02]
            said = f"{name} to move by {STEP_SIZE:g} times the mean gradient"
            return f"{where} {said}, got {along:.3g} times{_likely(fits)}"
    return ""


def _wrong(
    seen: Seen,
    names: tuple[str, ...],
    right: Array,
    sizes: Array,
    causes: dict[str, Any],
    pairs: Array,
) -> list[str]:
    """Name the first wrong loss and the first wrong accuracy, of the last steps; "" if none is.

    `right` has both, `sizes` the numbers of images, `causes` what a mistake makes of losses, and
    `pairs` are accuracies over all pairs. `Mismatch` if there is not one of each for each step.
    """
    causes = causes | {"the sum over the images in place of the mean": sizes * right[0]}
    units = {
        "percent in place of a fraction": 100 * right[1],
        "the number of images in place of the fraction": sizes * right[1],
        "(n, 1) is compared with (n,), which gives (n, n): flatten the first": pairs,
    }
    steps, messages = len(seen.networks), []
    for name in names:
        size = len(seen.histories[name])
        expect(size == steps, f"{name}: expected {steps} entries, one for each step, got {size}")
    for name, due, others in zip(names, right, (causes, units), strict=True):
        first = steps - len(sizes)
        values = seen.histories[name][first:]
        why = _likely([cause for cause, other in others.items() if _near(values, other).all()])
        k = int(np.argmin(_near(values, due)))
        said = f"{name}[{first + k}]: expected {due[k]:.5g}, got {values[k]:.5g}{why}"
        messages.append("" if _near(values, due).all() else said)
    return messages


def _near(values: Array, due: Array) -> Array:
    return np.asarray(np.abs(values - due) <= _ERROR * np.maximum(1, np.abs(due)))


def _likely(causes: list[str]) -> str:
    """Name a likely cause if there is just one."""
    return f". Likely cause: {causes[0]}" if len(causes) == 1 else ""


# -- a network of two layers


def as_network(
    weight_matrices: Any, biases: Any, *, whose: str, units: int | None = None
) -> Network:
    """Return W1 (784, units), W2 (units, 1), b1 (1, units) and b2 (1, 1), as float arrays.

    NumPy computes the same with biases of shape (units,), so flat arrays are accepted. `units` is
    None if W1 decides. `whose` begins the message if there are not four arrays.
    """
    arrays = [looked_at(array) for both in (weight_matrices, biases) for array in looked_at(both)]
    message = f"{whose}: expected two weight matrices and two biases, got {len(arrays)} arrays"
    expect(len(arrays) == len(PARAMETERS), message)
    units = units or np.size(arrays[1])
    network = []
    for name, array, shape in zip(
        PARAMETERS, arrays, [(_PIXELS, units), (units, 1), (1, units), (1, 1)], strict=True
    ):
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


def accuracy_of_pairs(network: Network, images: Array, labels: Array, counts: Any = None) -> Any:
    """Return the accuracy that a comparison of (n, 1) with (n,) gives, in float."""
    *_, output = _layers(network, images)
    said, right = np.average([output[:, 0] > 0, labels == 1], axis=1, weights=counts)
    return said * right + (1 - said) * (1 - right)


def _mean_gradient(network: Network, images: Array, labels: Array, counts: Array) -> Network:
    """Return the gradient of the mean loss, by parameter."""
    share = (counts / counts.sum())[:, None]
    by_sums, hidden, by_output = _slopes(network, images, labels)
    weights = [images.T @ (share * by_sums), hidden.T @ (share * by_output)]
    return [*weights, share.T @ by_sums, share.T @ by_output]


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
