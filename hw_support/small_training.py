"""Run a notebook's ``train`` on a small artificial set, and measure its steps.

Each image has a pixel of its own, which is black in all other images. A step changes the weights of
that pixel only if the image was in the batch. So the weights show the batches.
"""

import contextlib
import io
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks
from hw_support.compare import Mismatch, as_numbers, expect
from hw_support.notebook_access import Notebook

Array = npt.NDArray[Any]

BATCH, EPOCHS, STEP_SIZE = 100, 2, 0.4
_STEP_SIZES = (STEP_SIZE, 0.004, 0.00004)  # the next one is tried if steps are far too large
_PIXELS, _IMAGES_AT_ONCE = 784, 400
_PARAMETERS = ("weight_matrices[0]", "weight_matrices[1]", "biases[0]", "biases[1]")
HISTORIES = ("training_loss", "training_acc", "test_loss", "test_acc")
# The images of both sets. Half of the labels are 1. Most test labels are wrong, more of label 0: so
# the two labels have different test accuracies, and the test loss rises, and the network with the
# lowest test loss is not the last one.
_Group = tuple[int, int, int]  # images, their class, their label
_TRAINING: tuple[_Group, ...] = ((125, 1, 1), (125, 0, 0))
_TEST: tuple[_Group, ...] = ((8, 1, 1), (12, 0, 1), (16, 1, 0), (4, 0, 0))
IMAGES, TEST_IMAGES = (sum(group[0] for group in groups) for groups in (_TRAINING, _TEST))
_BARE_LOOP = (
    "train is not a function. Put your loop into `def train(step_size=0.1, epochs=5, rng=rng, "
    "after_step=None):`, call `after_step(weight_matrices, biases)` after each step if it is "
    "not None, and return weight_matrices, biases, training_loss, training_acc, test_loss, "
    "test_acc"
)
_NEVER_VISIBLE = (
    f"steps are far too large with each step size that was tried ({_STEP_SIZES[0]:g}, "
    f"{_STEP_SIZES[1]:g} and {_STEP_SIZES[2]:.5f}), so nothing else can be seen of them. Does "
    "train use its argument step_size, and are the parameters finite numbers?"
)


@dataclass(frozen=True)
class Seen:
    """What was seen of a training. In code, steps are counted from 0; in messages, from 1.

    The parameters before step 0 are not seen, so its batch is not seen either.
    """

    parameters: list[list[Array]]  # W1, W2, b1 and b2 after each step
    batches: list[Array]  # the indices of the images; `batches[k - 1]` of step k
    histories: list[Array]  # as in `HISTORIES`
    network: list[Array]  # W1, W2, b1 and b2 that ``train`` returned; empty if they are no arrays
    step_size: float = STEP_SIZE  # which ``train`` got
    early: bool = False  # whether ``after_step`` was called before each step
    goes_on: bool = False  # whether the training began with the network that the notebook had
    slopes: dict[int, tuple[float, str]] = field(default_factory=dict)  # of `_slopes`, by step

    @property
    def steps_in_epoch(self) -> int:
        """Steps of one epoch: three, also if there is an epoch too few or too many."""
        steps = len(self.parameters)
        return 3 if steps in (3, 6, 9) else steps // EPOCHS

    def all_steps_use(self, images: int) -> bool:
        """Whether each step changes the weights of this many images' own pixels."""
        return all(len(batch) == images for batch in self.batches)


class SmallTraining:
    """Runs of the notebook's ``train`` on the set, and measures of their steps."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        # By the number of the try and by step size.
        self._runs: dict[tuple[int, float], Seen | BaseException] = {}
        # The functions, by name, from which losses and accuracies are computed.
        self.judges: Mapping[str, Any] = checks.names
        # Training images come first, test images last.
        draw = np.random.default_rng()
        drawn = [draw.permutation(_images(*groups)) for groups in (_TRAINING, _TEST)]
        classes, self._labels = np.concatenate(drawn).T
        pixels = draw.permutation(_PIXELS)
        # Each image's own pixel, and the pixels that all images share.
        self._own, shared = np.split(pixels, [len(self._labels)])
        ink = draw.uniform(0.1, 0.6, (len(self._labels), len(shared)))
        # A class has more ink in its half of the shared pixels.
        half = np.arange(len(shared)) < len(shared) // 2
        self._images = np.zeros((len(self._labels), _PIXELS))
        self._images[np.arange(len(self._labels)), self._own] = 1.0
        self._images[:, shared] = np.where(half == (classes[:, None] == 1), ink, 0.2 * ink)

    def _visible(self) -> Seen:
        """Return what was seen with the largest step size at which steps are not far too large."""
        for step_size in _STEP_SIZES:
            seen = self._seen(step_size)
            if not self._too_far(seen):
                return seen
        raise Mismatch(_NEVER_VISIBLE)

    def _seen(self, step_size: float = STEP_SIZE) -> Seen:
        """Return what was seen. Parts share one run for each number of try."""
        key = self._checks.number_of_try, step_size
        if key not in self._runs:
            try:
                self._runs[key] = self.run(step_size)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # student code may raise anything; each part reports it
                self._runs[key] = error
        seen = self._runs[key]
        if isinstance(seen, BaseException):
            raise seen
        return seen

    def run(self, step_size: float = STEP_SIZE) -> Seen:
        """Run ``train`` without changing the notebook's names."""
        notebook = self._checks.notebook
        train = self._checks.names.get("train")
        expect(callable(train), _BARE_LOOP)
        parameters: list[list[Array]] = []
        had = _network_in(lambda: map(self._checks.names.get, ("weight_matrices", "biases")))

        def after_step(weight_matrices: Any, biases: Any) -> None:
            are_lists = all(hasattr(one, "__iter__") for one in (weight_matrices, biases))
            expect(are_lists, "after_step expects two lists: weight_matrices, biases")
            parameters.append(as_parameters([*weight_matrices, *biases], "after_step got"))

        after_step.__qualname__ = "after_step"
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
            returned = _called(notebook, train, step_size, EPOCHS, notebook.own("rng"), after_step)
        expect(returned is not None, "train returned None. Is a `return` missing?")
        is_dictionary = hasattr(returned, "keys")
        count = "a dictionary" if is_dictionary else f"{len(returned := list(returned))} values"
        expect(
            count == "6 values",
            f"train returned {count}; 6 were expected: weight_matrices, biases, "
            "training_loss, training_acc, test_loss, test_acc",
        )
        expect(parameters, "train never called after_step; it must call it after each step")
        histories = [as_numbers(h, what="a history").astype(float).ravel() for h in returned[2:]]
        network = _network_in(lambda: returned[:2])
        early = bool(network) and self._is_early(parameters, histories[2])
        if early:
            parameters = [*parameters[1:], network]
        moved = [
            np.abs(after[0] - before[0]).max(axis=1) > 0
            for before, after in itertools.pairwise(parameters)
        ]
        batches = [np.flatnonzero(rows[self._own]) for rows in moved]
        goes_on = _goes_on(had, parameters[0])
        return Seen(parameters, batches, histories, network, step_size, early, goes_on)

    def _is_early(self, parameters: list[list[Array]], test_losses: Array) -> bool:
        """Whether ``after_step`` got the parameters before each step: test losses are one ahead."""
        if len(test_losses) != len(parameters) or len(parameters) < 2:
            return False
        test_set = np.arange(IMAGES, IMAGES + TEST_IMAGES)
        try:
            right = np.array([self._figures(there, test_set)[0] for there in parameters])
        except Exception:  # the student's functions, which a part will report
            return False
        ahead, astray = np.abs(test_losses[:-1] - right[1:]), np.abs(test_losses - right)
        return bool(np.all(ahead < 1e-4) and np.any(astray > 1e-3))

    def _too_far(self, seen: Seen) -> str:
        """Say how many times the mean gradient a step is, if that is far too many; "" if it is not.

        After such steps the network saturates: images change no weights, and the batches cannot be
        seen. This costs points in `TrainingWatch.expect_step`; all else is seen with smaller steps.
        """
        for before, batch in zip(seen.parameters, seen.batches, strict=False):
            if not batch.size:
                loss = self._figures(before, np.arange(IMAGES))[0]
                return "" if 0.002 < loss < 2 else "far too many"
        if not seen.batches:
            return ""
        try:
            along = self._slopes(seen, 1)[0]
        except Mismatch:  # no step changes the loss any more
            return "far too many"
        return f"about {-along:.2g}" if abs(along) > 5 * STEP_SIZE else ""

    def _slopes(self, seen: Seen, step: int) -> tuple[float, str]:
        """Compare a step (not step 0) with slopes of the mean loss, from finite differences.

        Returned are the step divided by minus the mean gradient, and the names of parameters that
        moved in another direction.
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
            measured[step] = _compared(moved, loss_at, seen.step_size, way, thorough=step == 1)
            if not measured[step][1]:
                break
        return measured[step]

    def _figures(self, parameters: list[Array], which: Array) -> tuple[float, float]:
        """Return mean loss and accuracy on images with these indices, computed by `judges`."""
        network = [p.copy() for p in parameters[:2]], [p.copy() for p in parameters[2:]]
        return figures(self.judges, network, self._images[which], self._labels[which])


def _called(notebook: Notebook, train: Any, *arguments: object) -> Any:
    """Call ``train``, by names if it has those of the docstring: others may stand between them."""
    named = dict(zip(("step_size", "epochs", "rng", "after_step"), arguments, strict=True))
    names = {parameter.name for parameter in notebook.parameters(train) or ()}
    return train(**named) if names >= named.keys() else train(*arguments)


def _images(*groups: _Group) -> list[tuple[int, int]]:
    """Return class and label of each image."""
    return [(kind, label) for images, kind, label in groups for _ in range(images)]


def _goes_on(had: list[Array], after_one_step: list[Array]) -> bool:
    """Whether a step from a trained network came here: W2 is far from it in a new network."""
    if not had or had[1].shape != after_one_step[1].shape:
        return False
    moved = np.linalg.norm(after_one_step[1] - had[1])
    return bool(moved < 0.5 * np.linalg.norm(had[1]))


def _network_in(lists: Callable[[], Iterable[Any]]) -> list[Array]:
    """Return the parameters in the two lists that a call returns; nothing if it is no network."""
    try:
        return as_parameters([p for each in lists() for p in each], "there are")
    except Exception:  # whatever it is, the test of the run reports it
        return []


def as_parameters(arrays: Sequence[Any], whose: str, units: int | None = None) -> list[Array]:
    """Return W1 (784, units), W2 (units, 1), b1 (1, units) and b2 (1, 1), as float arrays.

    NumPy computes the same with biases of shape (units,), so flat arrays are accepted. `units` is
    None if W1 decides. `whose` begins the message: ``"after_step got"``. `Mismatch` if there are
    not four arrays of numbers of these shapes.
    """
    expect(
        len(arrays) == len(_PARAMETERS),
        f"{whose} {len(arrays)} arrays; two weight matrices and two biases were expected",
    )
    if units is None:
        units = np.shape(arrays[0])[-1] if np.ndim(arrays[0]) else 0
    found = []
    shapes = [(_PIXELS, units), (units, 1), (1, units), (1, 1)]
    for array, shape, name in zip(arrays, shapes, _PARAMETERS, strict=True):
        numbers = as_numbers(array, what=name)
        if numbers.ndim < 2 and numbers.size == np.prod(shape):
            numbers = numbers.reshape(shape)
        found.append(as_numbers(numbers, what=name, shape=shape).astype(float))
    return found


def figures(
    names: Mapping[str, Any], network: Sequence[Any], images: Array, labels: Array
) -> tuple[float, float]:
    """Return mean loss (nats) and accuracy of a network: weights and biases, two lists.

    `names` has the functions by their names in the notebook. Images have shape (n, 28, 28) or
    (n, 784). ``forward_pass`` gets a few hundred at a time, because its caches take memory.
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


def _single_entries(array: Array, most: int = 5) -> Iterable[Array]:
    """Yield copies of an array in which only one entry is not 0: each of the first `most`."""
    for index in itertools.islice(np.ndindex(array.shape), most):
        one = np.zeros_like(array)
        one[index] = array[index]
        yield one


def _compared(
    moved: list[Array],
    loss_at: Callable[[float, list[Array]], float],
    step_size: float,
    way: float,
    thorough: bool,
) -> tuple[float, str]:
    """Compute the result of `SmallTraining._slopes` from central differences of the loss.

    Each parameter is moved along its step. If `thorough`, it is also moved along the step's entries
    in another order, because a step may have right and wrong parts. If all entries are the same,
    another order changes nothing. So single entries are moved then.
    """

    def slope(k: int, direction: Array) -> float:
        directions = [direction if i == k else np.zeros_like(m) for i, m in enumerate(moved)]
        return (loss_at(way, directions) - loss_at(-way, directions)) / (2 * way)

    sizes = [float(np.linalg.norm(m)) for m in moved]
    slopes = [slope(k, m) for k, m in enumerate(moved)]
    multiples = [-(z**2) / d if d else np.nan for z, d in zip(sizes, slopes, strict=True)]
    known = [multiple for multiple in multiples if np.isfinite(multiple) and multiple != 0]
    expect(known, "the loss does not depend on the parameters")
    as_asked = any(abs(multiple / step_size - 1) < 0.02 for multiple in known)
    along = step_size if as_asked else float(np.median(known))
    draw = np.random.default_rng(0)
    others = []
    for k, name in enumerate(_PARAMETERS):
        astray = not abs(multiples[k] / along - 1) < 0.05
        if thorough and not astray:
            mixed = draw.permuted(moved[k].ravel()).reshape(moved[k].shape)
            same = mixed.size > 1 and np.ptp(mixed) < 1e-4 * np.abs(mixed).max()
            for direction in _single_entries(mixed) if same else [mixed]:
                off = float(np.sum(moved[k] * direction)) + along * slope(k, direction)
                astray = astray or abs(off) > 0.05 * float(np.sum(direction**2))
        if astray:
            others.append(name)
    return along, " and ".join(others)
