"""Check a notebook's ``train``: batches, steps and histories on a small set, and the real run."""

from typing import Any

import numpy as np

from hw_support import small_training as small
from hw_support.checks import Checks
from hw_support.compare import Mismatch, as_numbers, expect, looked_at
from hw_support.small_training import HISTORIES, IMAGES, SIZES, STEP_SIZE, STEPS, Array, Seen

UNITS, RUN_STEPS, RUN_STEPS_WITHOUT_SHORT_BATCHES = 200, 605, 600
_ERROR, _STEP_ERROR = 2e-5, 2e-2  # in single precision, of histories and of steps


class TrainingChecks:
    """The parts of the test of ``train``; a test cell runs them in the order that they have here.

    Each raises `Mismatch` for its own mistakes alone: a step is compared with the gradient of the
    batch that was used, and histories with that batch and with the labels that the step used.
    """

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._small = small.SmallTraining(checks)

    def expect_every_image(self) -> None:
        """Expect each image once in an epoch: batches of 100, 100 and 50, in a new random order."""
        seen = self._small.seen()
        _expect_clear(seen)
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
                times = "twice" if drawn[image] == 2 else f"{drawn[image]:.0f} times"
                raise Mismatch(f"expected each image once in an epoch, got image {image} {times}")
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
        seen = self._small.seen()
        _expect_changes(seen)
        for step, batch in enumerate(seen.batches, 1):
            wrong = self._wrong_step(seen, step, batch.own)
            others = int(np.sum(batch.labels != batch.own))
            if wrong and others and not self._wrong_step(seen, step, batch.labels):
                wrong = (
                    f"step {step + 1}: expected the gradient with the labels of y_train, got other "
                    f"labels for {others} of {len(batch.own)} images. Likely cause: images and "
                    "labels are not shuffled with the same permutation"
                )
            expect(not wrong, wrong)

    def _wrong_step(self, seen: Seen, step: int, labels: Array) -> str:
        """Say how a step differs from the one that these labels ask for; "" if it does not."""
        batch, (before, after) = seen.batches[step - 1], seen.networks[step - 1 : step + 1]
        gradients, n = self._small.mean_gradient(before, batch, labels), int(batch.counts.sum())
        where, times = f"step {step + 1} (a batch of {n} images): ", []
        for name, a, b, gradient in zip(small.PARAMETERS, before, after, gradients, strict=True):
            size = max(float(np.linalg.norm(gradient)), 1e-300)
            along = float(np.sum((a - b) * gradient)) / size**2
            off = np.linalg.norm(a - b - along * gradient)
            if not off <= _STEP_ERROR * size * max(abs(along), STEP_SIZE):
                return f"{where}expected {name} to move along the mean gradient, got another way"
            times.append(along)
        for name, along in zip(small.PARAMETERS, times, strict=True):
            if abs(along - STEP_SIZE) > 2 * _STEP_ERROR * STEP_SIZE:
                whose = "" if np.ptp(times) < 0.1 * abs(along) else f"{name}: "
                said = f"expected {STEP_SIZE:g} times the mean gradient, got {along:.3g} times"
                causes = {
                    "the step goes up the gradient, not down": -1,
                    "the sum over the batch in place of the mean": n,
                    "the mean is divided by the size of the batch once more": 1 / n,
                    "the sum is divided by 100, not by the size of this batch": n / 100,
                }
                fits = {
                    cause: abs(along / STEP_SIZE / by - 1) < 0.02 for cause, by in causes.items()
                }
                return where + whose + said + _likely(fits)
        return ""

    def expect_training_history(self) -> None:
        """Expect the loss and accuracy of each batch, before its step."""
        wrong = self._wrong_training(self._small.seen())
        expect(not any(wrong), wrong[0] or wrong[1])

    def _wrong_training(self, seen: Seen) -> list[str]:
        """Say what is wrong about training losses, and about training accuracies."""
        _expect_entries(seen, HISTORIES[:2])
        _expect_clear(seen)
        sizes = np.array([batch.counts.sum() for batch in seen.batches])
        wrong = []
        for used in (True, False):  # the labels that the step used are right too
            before, after = (
                np.array(
                    [
                        self._small.figures(*pair, used)
                        for pair in zip(networks, seen.batches, strict=True)
                    ]
                ).T
                for networks in (seen.networks[:-1], seen.networks[1:])
            )
            late = {"it is measured after the step": after[0]}
            wrong.append(_wrong(seen, HISTORIES[:2], before, sizes, late))
        return ["" if "" in both else both[1] for both in zip(*wrong, strict=True)]

    def expect_test_history(self) -> None:
        """Expect the loss and accuracy of the test set, after each step.

        One helper often computes both kinds of histories. So a mistake in losses alone, or in
        accuracies alone, is not counted here if the part on training has counted it.
        """
        seen = self._small.seen()
        _expect_entries(seen, HISTORIES[2:])
        right = np.array([self._small.figures(network) for network in seen.networks]).T
        sizes = np.full(len(seen.networks), small.TEST_IMAGES)
        early = {"it is measured before the step": np.append(seen.histories[2][0], right[0][:-1])}
        wrong = _wrong(seen, HISTORIES[2:], right, sizes, early)
        if bool(wrong[0]) != bool(wrong[1]):
            try:
                charged = self._wrong_training(seen)
            except Mismatch:
                charged = ["", ""]
            failed = any(not part.passed for part in self._checks.parts[-1:])
            if failed and [*map(bool, charged)] == [*map(bool, wrong)]:
                return
        expect(not any(wrong), wrong[0] or wrong[1])

    def expect_results(self) -> None:
        """Expect a new network, and that the last one of ``after_step`` is returned."""
        seen = self._small.seen()
        spread = float(seen.networks[0][1].std())
        said = f"expected a new network, with weights of about 0.01, got {spread:.2g} in step 1"
        expect(spread < 0.1, said)
        pairs = zip(seen.returned, seen.last, strict=True)
        same = all(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in pairs)
        expect(
            same, "expected after_step to get the returned network after the last step, got another"
        )

    def expect_run(self) -> None:
        """Expect the results of the real training.

        Always: four lists with an entry for each step, and a network. If all parts above have
        passed: losses that fall, or a network that has learnt, since the notebook's own loss may be
        wrong. If they have with the notebook's own functions: all the rest.
        """
        notebook = self._checks.notebook
        others: Any = notebook.names
        names = dict(zip(small.RESULTS, notebook.own(*small.RESULTS), strict=True))
        above = self._checks.parts
        there = all(value is not None for value in names.values())
        expect(there, "expected the six names from `train()`: run the cell above")
        values = [as_numbers(names[name], what=name).astype(float).ravel() for name in HISTORIES]
        sizes = [value.size for value in values]
        said = f"expected four lists of {RUN_STEPS} entries, got {sizes}"
        expect(sizes in ([RUN_STEPS] * 4, [RUN_STEPS_WITHOUT_SHORT_BATCHES] * 4), said)
        both = names["weight_matrices"], names["biases"]
        arrays: list[Any] = [array for one in both for array in looked_at(one)]
        network = small.as_network(arrays, "weight_matrices and biases", UNITS)
        if values[3][-1] < 0.97:
            said = f"the last test accuracy is {values[3][-1]:.3f}, and the text announces 0.98"
            self._checks.note(said)
        if not all(part.passed for part in above):
            return
        own = not any(part.second_try for part in above)
        labels = np.ravel(others["y_test"])
        images = np.reshape(others["X_test"], (len(labels), -1))
        loss, accuracy = small.figures(network, images, labels)
        for name, value in zip(HISTORIES, values, strict=True):
            first, end = value[:20].mean(), value[-50:].mean()
            if name.endswith("loss") and (own or accuracy < 0.9):
                most = 0.25 * first if own else first
                expect(end < most, f"{name}: expected an end below {most:.3g}, got {end:.3g}")
            elif own:
                expect(end > 0.95, f"{name}: expected an end above 0.95, got {end:.3f}")
        if own:
            said = f"expected a test accuracy of the network above 0.97, got {accuracy:.3f}"
            expect(accuracy > 0.97, said)
            last = values[2][-1], values[3][-1]
            expect(
                abs(last[0] - loss) < 0.004 and abs(last[1] - accuracy) < 0.003,
                f"expected test_loss and test_acc to end with the network's {loss:.4f} and "
                f"{accuracy:.4f}, got {last[0]:.4f} and {last[1]:.4f}",
            )


def _expect_changes(seen: Seen) -> None:
    for step, batch in enumerate(seen.batches, 2):
        expect(len(batch.images), f"expected new weights in step {step}, got the same as before it")


def _expect_clear(seen: Seen) -> None:
    """Expect that it is clear how often a step used each image."""
    _expect_changes(seen)
    for step, batch in enumerate(seen.batches, 2):
        said = "expected each image of the batch to move the weights as much as the others"
        expect(not batch.odd, f"step {step}: {said}, got one that does {batch.odd:.2g} times that")


def _expect_entries(seen: Seen, names: tuple[str, ...]) -> None:
    steps = len(seen.networks)
    for name in names:
        size = len(seen.histories[HISTORIES.index(name)])
        expect(size == steps, f"{name}: expected {steps} entries, one for each step, got {size}")


def _wrong(
    seen: Seen, names: tuple[str, ...], right: Array, sizes: Array, causes: dict[str, Array]
) -> list[str]:
    """Name the first wrong loss and the first wrong accuracy, of the last steps; "" if none is.

    `right` has both, `sizes` the numbers of images, and `causes` what a mistake makes of losses.
    """
    units = {"percent in place of a fraction": 100 * right[1]}
    units["the number of images in place of the fraction"] = sizes * right[1]
    causes = causes | {"the sum over the images in place of the mean": sizes * right[0]}
    first, messages = len(seen.networks) - len(sizes), []

    def near(due: Array) -> Array:
        return np.asarray(np.abs(values - due) <= _ERROR * np.maximum(1, np.abs(due)))

    for name, due, others in zip(names, right, (causes, units), strict=True):
        values = seen.histories[HISTORIES.index(name)][first:]
        astray = ~near(due)
        k = int(np.argmax(astray))
        why = _likely({cause: bool(near(other).all()) for cause, other in others.items()})
        said = f"{name}[{first + k}]: expected {due[k]:.5g}, got {values[k]:.5g}{why}"
        messages.append(said if astray.any() else "")
    return messages


def _likely(fits: dict[str, bool]) -> str:
    """Name a likely cause if just one of them fits."""
    causes = [cause for cause, it_fits in fits.items() if it_fits]
    return f". Likely cause: {causes[0]}" if len(causes) == 1 else ""
