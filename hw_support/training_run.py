"""Check a notebook's finished training: its histories and its final network."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks
from hw_support.compare import as_numbers, expect, expect_fractions
from hw_support.small_training import HISTORIES, as_parameters, figures
from hw_support.training import TrainingWatch

Array = npt.NDArray[Any]

STEPS, STEPS_WITHOUT_SHORT_BATCH = 605, 600
UNITS = 200  # of the hidden layer


class TrainingRun:
    """The results of the notebook's training, under the names from the homework's text.

    Each ``expect_...`` raises `hw_support.Mismatch`. The `watch` knows whether a function that
    ``train`` calls is wrong. Then the test of that function has taken the points, and a wrong run
    costs none here.
    """

    def __init__(self, checks: Checks, watch: TrainingWatch) -> None:
        self._checks, self._watch = checks, watch

    def expect_lists(self) -> None:
        """Expect four lists with an entry for each step: finite losses, fractions for accuracies.

        A training without the short batches of 80 has 600 entries. It has lost a point for that
        already.
        """
        if self._watch.excuses:
            return
        values = self._own(*HISTORIES)
        lengths = [len(history) for history in values]
        expect(
            lengths in ([STEPS] * 4, [STEPS_WITHOUT_SHORT_BATCH] * 4),
            f"the four lists have {lengths} entries; {STEPS} were expected in each",
        )
        for name, history in zip(HISTORIES, values, strict=True):
            if name.endswith("acc"):
                expect_fractions(history, what=name)
            else:
                numbers = as_numbers(history, what=name)
                expect(np.isfinite(numbers).all(), f"{name} holds NaN or infinity")

    def expect_learning(self) -> None:
        """Expect losses that fall to a quarter, and accuracies that end above 0.95.

        A history with an entry for each epoch, or of a training that ends early, has lost a point
        already. Its first entries may be as small as the last ones.
        """
        if self._watch.excuses:
            return
        for name in HISTORIES:
            values = self._history(name)
            few = len(values) < STEPS_WITHOUT_SHORT_BATCH
            end = values[-(1 + len(values) // 20) if few else -50 :].mean()
            if name.endswith("acc"):
                expect(end > 0.95, f"{name} ends at {end:.3f}; above 0.95 was expected")
                continue
            first, of = (np.log(2), "ln 2") if few else (values[:20].mean(), "its first values")
            expect(end < 0.25 * first, f"{name} does not fall to a quarter of {of}")
            if not few and not abs(values[0] - np.log(2)) < 0.1:
                usual = "about 0.69, which is ln 2, is usual"
                self._checks.note(f"{name} begins with {values[0]:.3f}; {usual}.")

    def expect_accuracy(self) -> None:
        """Expect a network that classifies more than 0.97 of the test images correctly."""
        if self._watch.excuses:
            return
        _, accuracy = self._figures()
        message = f"the network's test accuracy is {accuracy:.3f}; above 0.97 was expected"
        expect(accuracy > 0.97, message)
        if accuracy < 0.975:
            self._checks.note(f"Your test accuracy is {accuracy:.3f}; about 0.98 is usual.")

    def expect_last_entries(self) -> None:
        """Expect that the final network is the last one, with which the test histories end."""
        if self._watch.excuses:
            return
        self._watch.expect_last_network()
        loss, accuracy = self._figures()
        last = self._history("test_loss")[-1], self._history("test_acc")[-1]
        expect(
            abs(last[0] - loss) < 0.004 and abs(last[1] - accuracy) < 0.003,
            f"test_loss and test_acc end with {last[0]:.4f} and {last[1]:.4f}; the final network "
            f"has {loss:.4f} and {accuracy:.4f}",
        )

    def _history(self, name: str) -> Array:
        """Return a history (steps,), with accuracies as fractions."""
        (values,) = self._own(name)
        numbers = np.ravel(as_numbers(values, what=name)).astype(float)
        expect(numbers.size > 0, f"{name} is empty")
        return numbers / 100 if name.endswith("acc") and numbers.max() > 1 else numbers

    def _own(self, *names: str) -> list[Any]:
        missing = [name for name in names if name not in self._checks.names]
        expect(not missing, f"not defined: {', '.join(missing)}. Did you run train?")
        return [self._checks.names[name] for name in names]

    def _figures(self) -> tuple[float, float]:
        """Return mean loss (nats) and accuracy on the test set."""
        Ws, bs = self._own("weight_matrices", "biases")
        network = as_parameters([*Ws, *bs], "weight_matrices and biases hold", UNITS)
        names = self._checks.names
        return figures(
            self._watch.judges, (network[:2], network[2:]), names["X_test"], names["y_test"]
        )
