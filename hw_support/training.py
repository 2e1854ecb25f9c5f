"""Watch a training on a small artificial set: the images and the size of each step.

Each image has a pixel of its own, which is black in all other images. A step changes the weights of
that pixel only if the image was in the batch. So the weights show the batches, however ``train``
makes them.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks
from hw_support.compare import Mismatch, as_numbers, expect

Array = npt.NDArray[Any]

__all__ = ["TrainingWatch"]

IMAGES, TEST_IMAGES, BATCH, EPOCHS, STEP_SIZE = 250, 40, 100, 2, 0.4
_PIXELS, _IMAGES_AT_ONCE = 784, 400
_PARAMETERS = ("weight_matrices[0]", "weight_matrices[1]", "biases[0]", "biases[1]")
HISTORIES = ("training_loss", "training_acc", "test_loss", "test_acc")
_BARE_LOOP = (
    "train is not a function. Put your loop into `def train(step_size=0.1, epochs=5, rng=rng, "
    "after_step=None):`, call `after_step(weight_matrices, biases)` after each step if it is "
    "not None, and return weight_matrices, biases, training_loss, training_acc, test_loss, "
    "test_acc"
)


@dataclass(frozen=True)
class _Seen:
    """What was seen of a training; the parameters before the first step are not seen."""

    parameters: list[list[Array]]  # after each step: W1, W2, b1, b2
    batches: list[Array]  # from step 2 on: the numbers of the images in the batch
    histories: list[Array]  # training loss, training accuracy, test loss, test accuracy
    slopes: dict[int, tuple[float, str]] = field(default_factory=dict)  # by step, once measured


def _remembered(expectation: Callable[[TrainingWatch], None]) -> Callable[[TrainingWatch], None]:
    """Remember whether an expectation fails with the notebook's own functions."""

    @functools.wraps(expectation)
    def remembered(watch: TrainingWatch) -> None:
        try:
            expectation(watch)
        except BaseException:  # student code may raise anything
            watch._own_is_wrong |= not watch._checks.standing_in
            raise

    return remembered


class TrainingWatch:
    """Runs the notebook's ``train`` on a small artificial set, and reports mistakes.

    Parameters
    ----------
    checks
        The checks of the test cell. While ``train`` runs, the notebook's names X_train, y_train,
        X_test and y_test hold 250 training images and 40 test images.

    Notes
    -----
    The steps are compared with slopes of the loss from the notebook's own forward_pass and
    logistic_loss. A grader puts right functions into `judges`, because a student's forward_pass
    could know the labels. In a second try of `Checks.tries`, ``train`` calls right functions too.
    Each ``expect_...`` raises `Mismatch` with the expected and the actual result.
    """

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._runs: dict[bool, _Seen | BaseException] = {}
        self.judges: Mapping[str, Any] = checks.names  # functions for losses and accuracies
        self._own_is_wrong = False  # a part failed with the notebook's own functions
        # Training images come first, test images last.
        draw = np.random.default_rng()
        self._labels = np.concatenate(
            [draw.permutation(np.arange(count) % 2) for count in (IMAGES, TEST_IMAGES)]
        )
        pixels = draw.permutation(_PIXELS)
        self._own, shared = np.split(pixels, [len(self._labels)])
        ink = draw.uniform(0.1, 0.6, (len(self._labels), len(shared)))
        half = np.arange(len(shared)) < len(shared) // 2
        self._images = np.zeros((len(self._labels), _PIXELS))
        self._images[np.arange(len(self._labels)), self._own] = 1.0
        self._images[:, shared] = np.where(half == (self._labels[:, None] == 1), ink, 0.2 * ink)

    # -- the run

    def _seen(self) -> _Seen:
        """Return what was seen, with one run for the notebook's functions and one for stand-ins."""
        key = self._checks.standing_in
        if key not in self._runs:
            try:
                self._runs[key] = self._run()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # student code may raise anything; each part reports it
                self._runs[key] = error
        seen = self._runs[key]
        if isinstance(seen, BaseException):
            raise seen
        return seen

    def _run(self) -> _Seen:
        notebook = self._checks.notebook
        train = self._checks.names.get("train")
        expect(callable(train), _BARE_LOOP)
        parameters: list[list[Array]] = []

        def after_step(weight_matrices: Any, biases: Any) -> None:
            given = [*weight_matrices, *biases]
            expect(
                len(given) == 4,
                f"after_step got {len(given)} arrays; two weight matrices and two biases were "
                "expected",
            )
            units = np.shape(given[0])[-1:] or (0,)
            shapes = [(_PIXELS, *units), (*units, 1), (1, *units), (1, 1)]
            parameters.append(
                [
                    np.array(as_numbers(p, what="a parameter", shape=shape), dtype=float)
                    for p, shape in zip(given, shapes, strict=True)
                ]
            )

        images = self._images.reshape(-1, 28, 28)
        small = {
            "X_train": images[:IMAGES].copy(),
            "y_train": self._labels[:IMAGES].copy(),
            "X_test": images[IMAGES:].copy(),
            "y_test": self._labels[IMAGES:].copy(),
        }
        run = ("weight_matrices", "biases", *HISTORIES)
        silent = contextlib.redirect_stdout(io.StringIO())
        with notebook.kept(*run), notebook.replaced(**small), silent:
            returned = train(STEP_SIZE, EPOCHS, notebook.own("rng"), after_step)  # type: ignore[misc]
        expect(returned is not None, "train returned None. Is a `return` missing?")
        returned = list(returned)
        expect(
            len(returned) == 6,
            f"train returned {len(returned)} values; 6 were expected: weight_matrices, biases, "
            "training_loss, training_acc, test_loss, test_acc",
        )
        expect(parameters, "train never called after_step; it must call it after each step")
        histories = [as_numbers(h, what="a history").astype(float).ravel() for h in returned[2:]]
        moved = [
            np.abs(after[0] - before[0]).max(axis=1) > 0
            for before, after in itertools.pairwise(parameters)
        ]
        return _Seen(
            parameters,
            [np.flatnonzero(rows[self._own]) for rows in moved],
            histories,
        )

    # -- expectations

    def expect_function(self) -> None:
        """Expect six results, an entry in each list and a call of ``after_step`` for each step."""
        seen = self._seen()
        lengths = [len(history) for history in seen.histories]
        expect(
            lengths == [len(seen.parameters)] * 4,
            f"the four lists have {lengths} entries, and train called after_step "
            f"{len(seen.parameters)} times; one entry and one call for each step were expected",
        )

    def expect_every_image(self) -> None:
        """Expect each image in one batch of the last epoch: 100, 100 and the last 50."""
        seen = self._seen()
        self._expect_learning(seen)
        steps = len(seen.parameters)
        expect(
            steps in (4, 6),  # 4 without the short batches, which is reported below
            f"{EPOCHS} epochs of {IMAGES} images took {steps} steps; 6 were expected",
        )
        if self._too_far(seen):
            return
        batches = seen.batches[-(steps // EPOCHS) :]
        used = np.bincount(np.concatenate(batches), minlength=IMAGES)[:IMAGES]
        sizes = [len(batch) for batch in batches]
        others = int((used != 1).sum())
        expect(
            np.all(used == 1) and sorted(sizes) == [50, 100, 100],
            f"an epoch of {IMAGES} images had batches of {sizes} images, and {others} images "
            "were not used exactly once; batches of 100, 100 and 50 were expected, with each "
            "image once",
        )

    def expect_new_order(self) -> None:
        """Expect random batches, drawn anew in the second epoch."""
        seen = self._seen()
        self._expect_learning(seen)
        each = len(seen.parameters) // EPOCHS
        drawn = any(len(b) > 1 and len(b) < b[-1] - b[0] + 1 for b in seen.batches)
        expect(
            drawn,
            "the batches take the images in the order of X_train; a random order was expected",
        )
        again = [
            np.array_equal(first, second)
            for first, second in zip(seen.batches, seen.batches[each:], strict=False)
        ]
        expect(
            not any(again),
            "the second epoch uses the same batches as the first; a new random order was expected",
        )

    @_remembered
    def expect_step(self) -> None:
        """Expect steps of minus the step size times the mean gradient, for full batches."""
        seen = self._seen()
        self._expect_learning(seen)
        asked = f"times the mean gradient of their batch; {-STEP_SIZE:g} times was expected"
        far = self._too_far(seen)
        expect(not far, f"the parameters moved by {far} {asked}")
        for step in self._steps(seen, short=False):
            along, others = self._slopes(seen, step)
            said = f"step {step + 1}, with a step size of {STEP_SIZE:g}: "
            expect(
                not others,
                f"{said}{others} did not move along the mean gradient of the batch",
            )
            expect(
                abs(along / STEP_SIZE - 1) < 0.02,
                f"{said}the parameters moved by {-along:.3g} {asked}",
            )

    def expect_own_size(self) -> None:
        """Expect that the short batch's gradient is divided by its own size."""
        seen = self._seen()
        self._expect_learning(seen)
        if self._too_far(seen):
            return
        measured = [self._slopes(seen, step) for step in self._steps(seen, short=False)]
        if any(others for _, others in measured):
            return  # a wrong direction costs points in `expect_step`; no size to compare
        full = np.mean([along for along, _ in measured])
        for step in self._steps(seen, short=True):
            share, size = self._slopes(seen, step)[0] / full, len(seen.batches[step - 1])
            expect(
                abs(share - 1) < 0.02,
                f"the last batch of {size} images moves the parameters {share:.2g} times as far "
                f"as its mean gradient does. Did you divide the sum by {BATCH} instead of {size}?",
            )

    @_remembered
    def expect_training_history(self) -> None:
        """Expect the loss and accuracy of each batch, before its step."""
        seen = self._seen()
        self._expect_learning(seen)
        loss, accuracy = seen.histories[:2]
        self._expect_entries(seen, "training")
        if self._too_far(seen):
            return
        for step in range(1, len(loss)):
            batch = seen.batches[step - 1]
            before, later = (self._figures(seen.parameters[k], batch) for k in (step - 1, step))
            after = ". This entry is the loss after the step" if _near(loss[step], later[0]) else ""
            expect(
                _near(loss[step], before[0]),
                f"training_loss[{step}] is {loss[step]:.4g}; the mean loss of its batch before "
                f"the step is {before[0]:.4g}{after}",
            )
            _expect_share(accuracy[step], before[1], f"training_acc[{step}]", "its batch")

    @_remembered
    def expect_test_history(self) -> None:
        """Expect the loss and accuracy of the test set, after each step."""
        seen = self._seen()
        loss, accuracy = seen.histories[2:]
        self._expect_entries(seen, "test")
        for step, parameters in enumerate(seen.parameters):
            after = self._figures(parameters, np.arange(IMAGES, IMAGES + TEST_IMAGES))
            expect(
                _near(loss[step], after[0]),
                f"test_loss[{step}] is {loss[step]:.4g}; the mean loss of the test set after the "
                f"step is {after[0]:.4g}",
            )
            _expect_share(accuracy[step], after[1], f"test_acc[{step}]", "the test set")

    def expect_test_set_untouched(self) -> None:
        """Expect that no step learns from a test image."""
        tested = any((batch >= IMAGES).any() for batch in self._seen().batches)
        expect(not tested, "a step learns from images of X_test")

    @property
    def excuses(self) -> bool:
        """Whether ``train`` is right with right functions but wrong with the notebook's own.

        Then a function that ``train`` calls is wrong, and the test of that function takes the
        points. Check the steps and histories first.
        """
        return self._checks.standing_in and self._own_is_wrong and self._is_right()

    def _is_right(self) -> bool:
        try:
            self.expect_step()
            self.expect_training_history()
            self.expect_test_history()
        except KeyboardInterrupt:
            raise
        except BaseException:  # student code may raise anything
            return False
        return True

    # -- measuring

    def _expect_learning(self, seen: _Seen) -> None:
        steps = len(seen.parameters)
        expect(
            steps >= 2 * EPOCHS,
            f"{EPOCHS} epochs of {IMAGES} images took {steps} steps; 6 were expected",
        )
        expect(
            all(len(batch) for batch in seen.batches),
            "in one step no image changed the weights. Does train keep the new arrays?",
        )

    def _too_far(self, seen: _Seen) -> str:
        """Describe steps so large that the network saturates; "" if they are not.

        Then images change no weights, and the batches cannot be seen. This costs points in
        `expect_step`.
        """
        try:
            along = self._slopes(seen, 1)[0]
        except Mismatch:  # no step changes the loss any more
            return "far too many"
        return f"about {-along:.2g}" if abs(along) > 5 * STEP_SIZE else ""

    def _expect_entries(self, seen: _Seen, which: str) -> None:
        for name, history in zip(HISTORIES, seen.histories, strict=True):
            expect(
                len(history) == len(seen.parameters) or not name.startswith(which),
                f"{name} has {len(history)} entries for {len(seen.parameters)} steps",
            )

    def _steps(self, seen: _Seen, short: bool) -> list[int]:
        sizes = {k + 1: len(batch) for k, batch in enumerate(seen.batches)}
        return [k for k, size in sizes.items() if (size < max(sizes.values())) == short]

    def _slopes(self, seen: _Seen, step: int) -> tuple[float, str]:
        """Compare a step with slopes of the mean loss, from finite differences.

        Returns
        -------
        along, others
            The step divided by minus the mean gradient, and the names of parameters that moved in
            another direction ("" if none).
        """
        measured = seen.slopes
        if step in measured:
            return measured[step]
        before, after = seen.parameters[step - 1], seen.parameters[step]
        moved = [b - a for a, b in zip(before, after, strict=True)]

        def loss_at(way: float, directions: list[Array]) -> float:
            there = [p + way * d for p, d in zip(before, directions, strict=True)]
            return self._figures(there, seen.batches[step - 1])[0]

        for way in (0.2, 0.002):  # share of a step; the second is for steps that are far too large
            measured[step] = _compared(moved, loss_at, way, thorough=step == 1)
            if not measured[step][1]:
                break
        return measured[step]

    def _figures(self, parameters: list[Array], which: Array) -> tuple[float, float]:
        """Return mean loss and accuracy on some images, from the notebook's functions."""
        network = [p.copy() for p in parameters[:2]], [p.copy() for p in parameters[2:]]
        return figures(self.judges, network, self._images[which], self._labels[which])


def figures(
    names: Mapping[str, Any], network: Sequence[Any], images: Array, labels: Array
) -> tuple[float, float]:
    """Return mean loss (nats) and accuracy of a network.

    Parameters
    ----------
    names
        Functions by their names in the notebook.
    network
        Weights and biases, two lists.
    images, labels
        Shape (n, 28, 28) or (n, 784), and (n,). ``forward_pass`` gets a few hundred at a time,
        because its caches take memory.
    """
    activations = [names["relu_activation"], names["sigmoid_activation"]]
    losses, right = 0.0, 0
    for start in range(0, len(labels), _IMAGES_AT_ONCE):
        y = labels[start : start + _IMAGES_AT_ONCE]
        x = images[start : start + _IMAGES_AT_ONCE].reshape(len(y), -1)
        g, _ = names["forward_pass"](x, *network, activations)
        loss, _ = names["logistic_loss"](g, y.copy())
        losses += float(np.mean(as_numbers(loss, what="loss"))) * len(y)
        said = np.ravel(as_numbers(g, what="the output")) > 0.5
        right += int(np.sum(said == (y == 1)))
    return losses / len(labels), right / len(labels)


def _compared(
    moved: list[Array],
    loss_at: Callable[[float, list[Array]], float],
    way: float,
    thorough: bool,
) -> tuple[float, str]:
    """Compute the result of `TrainingWatch._slopes` from central differences of the loss.

    Each parameter is moved along its step. If `thorough`, it is also moved along the step's entries
    in another order, because a step may have right and wrong parts.
    """

    def slope(k: int, direction: Array) -> float:
        """Return the slope of the loss as parameter k moves along a direction."""
        directions = [direction if i == k else np.zeros_like(m) for i, m in enumerate(moved)]
        return (loss_at(way, directions) - loss_at(-way, directions)) / (2 * way)

    sizes = [float(np.linalg.norm(m)) for m in moved]
    slopes = [slope(k, m) for k, m in enumerate(moved)]
    multiples = [-(z**2) / d if d else np.nan for z, d in zip(sizes, slopes, strict=True)]
    expect(np.isfinite(multiples).any(), "the loss does not depend on the parameters")
    as_asked = any(abs(m / STEP_SIZE - 1) < 0.02 for m in multiples)
    along = STEP_SIZE if as_asked else float(np.nanmedian(multiples))
    draw = np.random.default_rng(0)
    others = []
    for k, name in enumerate(_PARAMETERS):
        astray = not abs(multiples[k] / along - 1) < 0.05
        if thorough and not astray:
            mixed = draw.permuted(moved[k].ravel()).reshape(moved[k].shape)
            off = float(np.sum(moved[k] * mixed)) + along * slope(k, mixed)
            astray = abs(off) > 0.05 * sizes[k] ** 2
        if astray:
            others.append(name)
    return along, " and ".join(others)


def _near(got: float, wanted: float) -> bool:
    return got == wanted or abs(got - wanted) <= 1e-3 * max(1.0, abs(wanted))  # both may be inf


def _expect_share(got: float, share: float, name: str, of: str) -> None:
    """Expect an accuracy; another part takes the points for percent."""
    right = abs(got - share) < 1e-3 or abs(got - 100 * share) < 0.1
    expect(right, f"{name} is {got:.4g}, and the network classifies {share:.4g} of {of} correctly")
