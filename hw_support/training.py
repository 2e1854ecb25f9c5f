"""Check a notebook's ``train`` on a small artificial set: its batches, steps and histories."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np

from hw_support.checks import Checks
from hw_support.compare import expect
from hw_support.small_training import (
    BATCH,
    EPOCHS,
    HISTORIES,
    IMAGES,
    STEP_SIZE,
    TEST_IMAGES,
    Seen,
    SmallTraining,
)


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


class TrainingWatch(SmallTraining):
    """Runs the notebook's ``train`` on a small artificial set, and reports mistakes.

    While ``train`` runs, the notebook's names X_train, y_train, X_test and y_test hold 250 training
    images and 40 test images. The steps are compared with slopes of the loss from the notebook's
    own forward_pass and logistic_loss. A grader puts right functions into `judges`, because a
    student's forward_pass could know the labels. Each ``expect_...`` raises `Mismatch`.
    """

    def __init__(self, checks: Checks) -> None:
        super().__init__(checks)
        # Whether a `_remembered` expectation has failed with the notebook's own functions.
        self._own_is_wrong = False

    def expect_function(self) -> None:
        """Expect six results, and a call of ``after_step`` for each step.

        The calls are right if there are as many as entries in one of the lists, or as steps of a
        right training. Lists with another number of entries cost the parts of the histories.
        """
        seen = self._seen()
        lengths = [len(history) for history in seen.histories]
        expect(
            len(seen.parameters) in (*lengths, *_STEPS),
            f"the four lists have {lengths} entries, and train called after_step "
            f"{len(seen.parameters)} times; one entry and one call for each step were expected",
        )
        expect(not seen.early, "after_step is called before each step; expected is after it")
        expect(
            not seen.goes_on,
            "train goes on with the network that was trained before; a new network was expected",
        )

    def expect_every_image(self) -> None:
        """Expect each image in one batch of the last epoch: 100, 100 and the last 50."""
        seen = self._learning()
        steps = len(seen.parameters)
        expect(steps in _STEPS, _steps_taken(steps))
        expect(not seen.all_steps_use(IMAGES), _ALL)
        if self._hides_batches(seen):
            return
        batches = seen.batches[-seen.steps_in_epoch :]
        everything = max(len(batch) for batch in batches) == _EVERY_PIXEL
        expect(not everything, _EVERYTHING)
        used = np.bincount(np.concatenate(batches), minlength=IMAGES)[:IMAGES]
        sizes = [len(batch) for batch in batches]
        others = int((used != 1).sum())
        images = "1 image was" if others == 1 else f"{others} images were"
        not_once = f", and {images} not used exactly once" if others else ""
        expect(
            np.all(used == 1) and sorted(sizes) == [50, 100, 100],
            f"an epoch of {IMAGES} images had batches of {sizes} images{not_once}; batches of 100, "
            "100 and 50 were expected, with each image once",
        )

    def expect_new_order(self) -> None:
        """Expect random batches, drawn anew in the second epoch."""
        seen = self._learning()
        expect(not seen.all_steps_use(IMAGES), _ALL)
        if self._hides_batches(seen):
            return
        each = seen.steps_in_epoch
        # Of 100 images drawn from 250, two in five have the next one in the batch too.
        drawn = any(len(b) > 1 and np.mean(np.diff(b) == 1) < 0.75 for b in seen.batches)
        order = (
            f"the batches take the images in the order of X_train, or long runs of them; {_RANDOM}"
        )
        expect(drawn, order)
        drawn = any(len(b) < 2 or (np.diff(b) != 1).any() for b in seen.batches[: each - 1])
        expect(drawn, f"the first epoch takes the images in the order of X_train; {_RANDOM}")
        pairs = zip(seen.batches, seen.batches[each:], strict=False)
        expect(
            not any(len(one) < IMAGES and np.array_equal(one, other) for one, other in pairs),
            "the second epoch uses the same batches as the first; a new random order was expected",
        )

    @_remembered
    def expect_step(self) -> None:
        """Expect steps of minus the step size times the mean gradient, for full batches."""
        seen = self._learning()
        asked = f"times the mean gradient of their batch; {-STEP_SIZE:g} times was expected"
        expect(not seen.all_steps_use(_EVERY_PIXEL), _DECAY)
        far = self._too_far(self._seen())
        expect(not far, f"the parameters moved by {far} {asked}")
        expect(not self._carries_on(seen), _CARRIES_ON)
        for step in self._steps(seen, short=False):
            along, others = self._slopes(seen, step)
            said = f"step {step + 1}, with a step size of {STEP_SIZE:g}: "
            expect(not others, f"{said}{others} did not move along the mean gradient of the batch")
            right = abs(along / STEP_SIZE - 1) < 0.02
            expect(right, f"{said}the parameters moved by {-along:.3g} {asked}")

    def expect_own_size(self) -> None:
        """Expect that the short batch's gradient is divided by its own size.

        Steps that are far too large, such as a sum in place of a mean, cost points in
        `expect_step`.
        """
        seen = self._learning()
        if self._too_far(self._seen()) or self._hides_batches(seen):
            return
        measured = {step: self._slopes(seen, step) for step in self._steps(seen, short=False)}
        if any(others for _, others in measured.values()):
            return  # a wrong direction costs points in `expect_step`; no size to compare
        each = seen.steps_in_epoch
        for step in self._steps(seen, short=True):
            # Only steps of its epoch, since the step size may wrongly change between epochs.
            full = [a for k, (a, _) in measured.items() if k // each == step // each]
            share = self._slopes(seen, step)[0] / float(np.mean(full)) if full else 1.0
            size = len(seen.batches[step - 1])
            by_full_size = abs(share - size / BATCH) < 0.02
            why = f". Did you divide the sum by {BATCH} instead of {size}?" if by_full_size else ""
            expect(
                abs(share - 1) < 0.02,
                f"the last batch of {size} images moves the parameters {share:.3g} times as far "
                f"as its mean gradient does{why}",
            )

    @_remembered
    def expect_training_history(self) -> None:
        """Expect the loss and accuracy of each batch, before its step."""
        seen = self._learning()
        loss, accuracy = seen.histories[:2]
        self._expect_entries(seen, "training")
        if self._hides_batches(seen):
            return
        figures = [
            [self._figures(seen.parameters[k], batch) for k in (step, step + 1)]
            for step, batch in enumerate(seen.batches)
        ]
        late = all(_near(loss[step], later[0]) for step, (_, later) in enumerate(figures, 1))
        for step, (before, _) in enumerate(figures, 1):
            expect(
                _near(loss[step], before[0]),
                f"training_loss[{step}] is {loss[step]:.4g}; the mean loss of its batch before "
                f"the step is {before[0]:.4g}"
                + (". The entries are the losses after the step" if late else ""),
            )
            _expect_share(accuracy[step], before[1], f"training_acc[{step}]", "its batch")

    @_remembered
    def expect_test_history(self) -> None:
        """Expect the loss and accuracy of the test set, after each step."""
        seen = self._visible()
        loss, accuracy = seen.histories[2:]
        self._expect_entries(seen, "test")
        for step, parameters in enumerate(seen.parameters):
            after = self._figures(parameters, np.arange(IMAGES, IMAGES + TEST_IMAGES))
            expect(
                _near(loss[step], after[0]),
                f"test_loss[{step}] is {loss[step]:.4g}; the network that after_step got then has "
                f"a mean loss of {after[0]:.4g} on the test set",
            )
            _expect_share(accuracy[step], after[1], f"test_acc[{step}]", "the test set")

    def expect_last_network(self) -> None:
        """Expect that ``train`` returns the network of the last step; nothing if it fails."""
        try:
            seen = self._seen()
        except KeyboardInterrupt:
            raise
        except BaseException:  # student code may raise anything; `expect_function` reports it
            return
        if seen.network:
            pairs = zip(seen.network, seen.parameters[-1], strict=True)
            same = all(
                came.shape == last.shape
                and np.allclose(came, last, rtol=1e-3, atol=1e-5, equal_nan=True)
                for came, last in pairs
            )
            expect(same, "train does not return the network that after_step got last")

    def expect_test_set_untouched(self) -> None:
        """Expect that no step learns from a test image."""
        batches = [b for b in self._visible().batches if len(b) < _EVERY_PIXEL]
        tested = any((batch >= IMAGES).any() for batch in batches)
        expect(
            not tested,
            "a step changes the weights of pixels that are black in all of X_train. Does train "
            "learn from images of X_test, or from images that were prepared outside of train?",
        )

    @property
    def excuses(self) -> bool:
        """Whether ``train`` is right with right functions but wrong with the notebook's own.

        Then the test of the wrong function takes the points. Call `expect_step` and the
        expectations of histories first: they note whether they fail with the notebook's own.
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

    def _learning(self) -> Seen:
        """Return the steps that were seen; expect two or more in an epoch, each with a change."""
        seen = self._visible()
        steps = len(seen.parameters)
        expect(seen.steps_in_epoch >= 2, _steps_taken(steps))
        unchanged = (
            "between two calls of after_step no image changed the weights. Does train keep the new "
            "arrays, and does after_step get them once in each step?"
        )
        expect(all(len(batch) for batch in seen.batches), unchanged)
        return seen

    def _expect_entries(self, seen: Seen, which: str) -> None:
        steps = len(seen.parameters)
        for name, history in zip(HISTORIES, seen.histories, strict=True):
            right = len(history) == steps or not name.startswith(which)
            expect(
                right,
                f"{name} has {len(history)} entries for {steps} steps; one for each was expected"
                + (". Are the four lists one list?" if len(history) == 4 * steps else ""),
            )

    def _hides_batches(self, seen: Seen) -> bool:
        """Whether batches cannot be seen: steps move more than the weights of a batch's pixels."""
        every = seen.all_steps_use(_EVERY_PIXEL) or seen.all_steps_use(IMAGES)
        return every or self._carries_on(seen)

    def _carries_on(self, seen: Seen) -> bool:
        """Whether each step also moves what the one before it has moved, at least in its epoch."""
        pairs = itertools.pairwise(seen.batches)
        inside = [np.isin(before, after).all() for before, after in pairs]
        if not len(seen.batches[0]) < len(seen.batches[-1]) == IMAGES:
            return False
        if all(inside):
            return True
        each = seen.steps_in_epoch
        # inside[0] compares steps 1 and 2. The first step of an epoch may begin anew.
        if not all(same for step, same in enumerate(inside, 2) if step % each):
            return False
        along, others = self._slopes(seen, 1)
        return bool(others) or abs(along / seen.step_size - 1) > 0.02  # if not, the batches grow

    def _steps(self, seen: Seen, short: bool) -> list[int]:
        """Return the steps with short batches, or those with full ones; step 0 is left out."""
        sizes = {k + 1: len(batch) for k, batch in enumerate(seen.batches)}
        return [k for k, size in sizes.items() if (size < max(sizes.values())) == short]


_EVERY_PIXEL = IMAGES + TEST_IMAGES  # the images whose own pixels a step changes, if it changes all

_EVERYTHING = (
    "in one step the weights of all pixels changed, also of those that are black in its batch. "
    "Is the network made anew in each epoch, or does something else change its weights?"
)


_CARRIES_ON = (
    "each step also moves what the steps before it have moved. Is there momentum, or do gradients "
    "add up?"
)
_RANDOM = "a random order was expected"
_STEPS = (4, 6)  # of two epochs: 4 without the short batches, which cost a part of their own
_ALL = (
    "each step changes the weights of the pixels of all images. Does it use all of X_train, or are "
    "the images no longer 0 where they are black?"
)
_DECAY = (
    "each step moves the weights of all pixels, also of those that are black in its batch, where "
    "the gradient is 0. Is there weight decay, is the network made anew in each step, or are the "
    "images no longer 0 where they are black?"
)


def _steps_taken(steps: int) -> str:
    return f"{EPOCHS} epochs of {IMAGES} images took {steps} steps; 6 were expected"


def _near(got: float, wanted: float) -> bool:
    return got == wanted or abs(got - wanted) <= 1e-3 * max(1.0, abs(wanted))  # both may be inf


def _expect_share(got: float, share: float, name: str, of: str) -> None:
    """Expect an accuracy as a fraction or in percent; another part takes the points for percent."""
    right = abs(got - share) < 1e-3 or abs(got - 100 * share) < 0.1
    expect(right, f"{name} is {got:.4g}, and the network classifies {share:.4g} of {of} correctly")
