"""Check a notebook's ``train``: batches, steps and histories on a small set, and the real run.

The test sets the weights from which ``train`` begins: its own functions take the place of
``create_weight_matrices`` and ``create_bias_vectors``. So a network that student code presents
proves nothing. Steps have to follow the gradient from there.

Each image of the small set has a pixel of its own, which is black in all other images. A step
changes the weights of that pixel only if it uses the image, and by as much as the image counts in
the step. So the weights after each step show the batches, without a look into the student's code.

Losses and gradients are computed by functions of the test cell, which calls those of the notebook:
in grading the right ones. Nothing here knows a formula that the homework asks for.
"""

import contextlib
import copy
import io
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks import Checks, results
from hw_support.checks.compare import Mismatch, as_numbers, expect, looked_at
from hw_support.checks.failures import error_message, place_of
from hw_support.checks.fresh import generator
from hw_support.checks.notebook_access import Notebook

Array = npt.NDArray[Any]
Network = list[Array]  # W1 (784, units), W2 (units, 1), b1 (1, units), b2 (1, 1)

# With this step size the small network learns something in a few steps, and steps that are 100
# times as large do not saturate it.
EPOCHS, STEP_SIZE, USUAL_STEP_SIZE = 2, 0.02, 0.1
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
MOST_STEPS = 4 * STEPS  # then `train` is stopped

UNITS, RUN_STEPS = 200, 605  # of the real run
_PIXELS = 784
_ERROR, _STEP_ERROR = 2e-5, 2e-2  # in single precision, of histories and of steps
_ALONG = 0.9  # least cosine of a step and the gradient, either way, by which batches are believed
_AT_ONCE = 50  # images whose gradients are computed together
_SEED = 1  # of the generator that the test gives to `train`


@dataclass(frozen=True)
class Batch:
    """The images that a step used. Training images have indices 0 to 249; test images follow."""

    images: Array  # indices
    labels: Array  # with which the step fits, image by image
    counts: Array  # how often each image was drawn


@dataclass(frozen=True)
class Slopes:
    """Of all images: the outputs of a network, and the gradients of each output."""

    g: Array  # (n, 1)
    by_W2: Array  # (n, units)
    by_b1: Array  # (n, units); by W1 it is the outer product of the pixels and this
    by_b2: Array  # (n, 1)


@dataclass(frozen=True)
class Seen:
    """What was seen of a training. In code, steps are counted from 0; in messages, from 1."""

    networks: list[Network]  # the first one, which the test has set, and that after each step
    slopes: list[Slopes]  # of these networks
    batches: list[Batch]  # of each step
    histories: dict[str, Array]
    rng_was_used: bool


class TrainingChecks:
    """The parts of the test of ``train``; a test cell runs them in the order that they have here.

    Each raises `Mismatch` for its own mistakes alone: a step is compared with the gradient of the
    batch that was used, and histories with that batch and with the labels that the step used.

    Parameters
    ----------
    checks
        Of the test cell.
    forward, loss, backward
        Functions of the cell that call the notebook's own: ``forward(X, weight_matrices, biases)``
        returns outputs (n, 1) and caches, ``loss(g, y)`` losses and their derivatives by g, and
        ``backward(dL_dg, caches)`` the gradients of each example. In grading the right ones run.
    """

    def __init__(
        self,
        checks: Checks,
        forward: Callable[..., Any],
        loss: Callable[..., Any],
        backward: Callable[..., Any],
    ) -> None:
        self._checks = checks
        self._forward, self._loss, self._backward = map(checks.right, (forward, loss, backward))
        self._runs: dict[bool, Seen] = {}  # by whether it is the second try
        if not checks.is_graded and checks.functions_above_lost_points():
            checks.note("train is compared with your own functions: first repair those that failed")
        # What the real run has left, and the data: read before any student code is called.
        self._left = dict(zip(RESULTS, checks.notebook.own(*RESULTS), strict=True))
        self._test_set = checks.notebook.own("X_test", "y_test")
        # Training images come first, test images last.
        self._draw = draw = generator("train")
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
        for step, batch in enumerate(seen.batches, 1):
            said = f"expected images of X_train only, got one of X_test in step {step}"
            expect(np.all(batch.images < IMAGES), said)
        steps = len(seen.batches)
        cause = ". Likely cause: the last, short batch is left out" if steps == 4 else ""
        said = f"expected {STEPS} steps in 2 epochs of {IMAGES} images, got {steps}"
        expect(steps == STEPS, said + cause)
        first, second = seen.batches[: len(SIZES)], seen.batches[len(SIZES) :]
        for epoch in (first, second):
            drawn = np.sum([np.bincount(b.images, b.counts, IMAGES) for b in epoch], axis=0)
            for image in np.flatnonzero(drawn > 1)[:1]:
                said = f"expected each image once in an epoch, got image {image}"
                raise Mismatch(f"{said} {drawn[image]:.0f} times")
            sizes = [len(batch.images) for batch in epoch]
            said = f"expected batches of {SIZES} images, got {sizes}"
            expect(sorted(sizes) == sorted(SIZES), said)
        for step, batch in enumerate(seen.batches, 1):
            # Of 100 images drawn from 250, two in five have the next one in the batch too.
            in_order = np.mean(np.diff(batch.images) == 1) > 0.75
            expect(not in_order, f"expected a random order, got that of X_train in step {step}")
        pairs = zip(first, second, strict=True)
        same = any(np.array_equal(one.images, other.images) for one, other in pairs)
        expect(not same, "expected a new order in each epoch, got the same batches again")
        said = "expected the order to be drawn by rng, the third argument of train; it was not used"
        expect(seen.rng_was_used, said)

    def expect_step(self) -> None:
        """Expect steps of minus the step size times the mean gradient of the batch."""
        seen = self._seen()
        for step, batch in enumerate(seen.batches):
            wrong = self._wrong_step(seen, step, self.labels[batch.images])
            if wrong and not self._wrong_step(seen, step, batch.labels):
                wrong = (
                    f"step {step + 1}: expected the gradient with the labels of y_train, got that "
                    "with other labels. Likely cause: images and labels are not shuffled with the "
                    "same permutation"
                )
            expect(not wrong, wrong)

    def expect_training_history(self) -> None:
        """Expect the loss and accuracy of each batch, before its step."""
        wrong = self._wrong(self._seen(), training=True)
        expect(not any(wrong), wrong[0] or wrong[1])

    def expect_test_history(self) -> None:
        """Expect the loss and accuracy of the test set, after each step.

        One helper often computes both kinds of histories. So a mistake in losses alone, or in
        accuracies alone, is not counted here if the part on training has counted it.
        """
        wrong = self._wrong(self._seen(), training=False)
        if bool(wrong[0]) != bool(wrong[1]) and not self._checks.parts[-1].passed:
            with contextlib.suppress(Mismatch):
                above = self._wrong(self._seen(), training=True)
                if [*map(bool, above)] == [*map(bool, wrong)]:
                    return
        expect(not any(wrong), wrong[0] or wrong[1])

    def expect_results(self) -> None:
        """Expect a new network in each call; the last one of ``after_step`` is returned."""
        self._seen()
        _, networks, came = self._trained(self._rng())  # fails if no new weights are drawn
        expect(networks, "expected calls of after_step in a second call of train too, got none")
        returned = as_network(*results(came, ", ".join(RESULTS))[:2], whose="train")
        pairs = zip(returned, networks[-1], strict=True)
        same = all(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in pairs)
        said = "expected after_step to get the returned network after the last step, got another"
        expect(same, said)

    def expect_run(self) -> None:
        """Expect the results of the real training.

        If ``train`` has passed all parts above, and its functions all their own tests: losses fall,
        and the network has learnt what the lists say. If not, a run that is wrong has cost points
        above. Then there has to be one: four lists and a network, of which not all is constant. And
        if ``train`` is right, and stops in a function that has lost points, there may be none.
        """
        above = self._checks.parts
        has_paid = self._checks.functions_above_lost_points()
        names = self._left
        if any(value is None for value in names.values()):
            if has_paid and all(part.passed for part in above) and (why := self._why_it_stops()):
                self._checks.note(f"there is no run: {why}, which has cost points in its own test")
                return
            raise Mismatch("expected the six names from `train()`: run the cell above")
        values = {n: as_numbers(names[n], what=n).astype(float).ravel() for n in HISTORIES}
        is_judged = not has_paid and all(part.passed and not part.second_try for part in above)
        sizes = [value.size for value in values.values()]
        due = RUN_STEPS if is_judged else max(sizes[0], 2)
        said = f"expected four lists of {RUN_STEPS} entries, got {sizes}"
        expect(sizes == [due] * 4, said)
        both = names["weight_matrices"], names["biases"]
        network = as_network(*both, whose="weight_matrices and biases", units=UNITS)
        expect(any(map(np.any, network)), "expected a trained network, got zeros alone")
        varies = any(np.ptp(value) != 0 for value in values.values())
        expect(varies, "expected histories of a training, got the same number in each entry")
        *_, last_loss, last_accuracy = (value[-1] for value in values.values())
        if last_accuracy < 0.97:
            said = f"the last test accuracy is {last_accuracy:.3f}, and the text announces 0.98"
            self._checks.note(said)
        if not is_judged:
            return
        X, y = (np.asarray(looked_at(value)) for value in self._test_set)
        outputs, _ = self._outputs(network, X.reshape(y.size, -1))
        loss, accuracy, _ = self._figures(outputs, y.ravel())
        for name, value in values.items():
            first, end = value[:20].mean(), value[-50:].mean()
            if name.endswith("loss"):
                said = f"{name}: expected an end below {0.25 * first:.3g}, got {end:.3g}"
                expect(end < 0.25 * first, said)
            else:
                expect(end > 0.95, f"{name}: expected an end above 0.95, got {end:.3f}")
        said = f"expected a test accuracy of the network above 0.97, got {accuracy:.3f}"
        expect(accuracy > 0.97, said)
        near = abs(last_loss - loss) < 0.004 and abs(last_accuracy - accuracy) < 0.003
        said = f"expected test_loss and test_acc to end with {loss:.4f} and {accuracy:.4f}, as "
        expect(near, f"{said}of the network, got {last_loss:.4f} and {last_accuracy:.4f}")

    def _why_it_stops(self) -> str:
        """Say why ``train`` stops in the student's own functions; "" if it does not.

        As elsewhere, a function that is not answered is no excuse.
        """
        try:
            self._call(self._rng(), None, {})
        except NotImplementedError:
            return ""
        except Exception as error:
            return error_message(error, place_of(error, self._checks.notebook.names))
        return ""

    # -- what was seen

    def _seen(self) -> Seen:
        """Return what was seen. The parts of a test share one run for each of the two tries."""
        key = self._checks.second_try
        if key not in self._runs:
            self._runs[key] = self._run()
        return self._runs[key]

    def _run(self) -> Seen:
        """Run ``train``, and say what was seen."""
        rng = self._rng()
        start, networks, came = self._trained(rng)
        Ws, bs, *lists = results(came, ", ".join(RESULTS))
        returned = as_network(Ws, bs, whose="the first two results of train")
        pairs = zip(HISTORIES, lists, strict=True)
        histories = {name: as_numbers(v, what=name).astype(float).ravel() for name, v in pairs}
        calls = len(networks)
        message = f"expected {STEPS} calls of after_step, one after each step, got {calls}"
        message += _likely(["it is called once an epoch"] if calls == EPOCHS else [])
        as_many = calls in (STEPS, *map(len, histories.values()))
        expect(calls > EPOCHS and as_many, message)
        if _are_same(networks[0], start) and not _are_same(returned, networks[-1]):
            networks = [*networks, returned]  # it was called before each step
        else:
            networks = [start, *networks]
        slopes = [self._slopes(network) for network in networks]
        steps = zip(itertools.pairwise(networks), slopes, strict=False)
        batches = [
            self._batch(step, before, after, at)
            for step, ((before, after), at) in enumerate(steps, 1)
        ]
        was_used = bool(self._checks.notebook.call_there(was_used_since, rng, _SEED))
        return Seen(networks, slopes, batches, histories, was_used)

    def _trained(self, rng: Any) -> tuple[Network, list[Network], Any]:
        """Run ``train`` without changing the notebook's names.

        Return the network from which it began, that of each call of ``after_step``, and the result.
        """
        networks: list[Network] = []
        weights: list[Array] = []  # the last that were drawn before the first step
        biases: list[Array] = []

        def after_step(weight_matrices: Any, biases: Any) -> None:
            networks.append(as_network(weight_matrices, biases, whose="after_step"))
            said = f"expected {STEPS} steps of the test's {IMAGES} images, got {MOST_STEPS}. Does "
            said += "train have a fixed number of images, such as 12,080?"
            expect(len(networks) < MOST_STEPS, said)

        def drawn(noted: list[Array], shapes: Iterable[tuple[int, int]]) -> list[Array]:
            made = [self._draw.normal(0.0, 0.01, shape) for shape in shapes]
            if not networks:
                noted[:] = copy.deepcopy(made)
            return made

        def create_weight_matrices(layer_dims: Any) -> list[Array]:
            return drawn(weights, itertools.pairwise(_sizes(layer_dims)))

        def create_bias_vectors(layer_dims: Any) -> list[Array]:
            return drawn(biases, ((1, d) for d in _sizes(layer_dims)[1:]))

        after_step.__qualname__ = "after_step"
        create = {one.__name__: one for one in (create_weight_matrices, create_bias_vectors)}
        try:
            came = self._call(rng, after_step, create)
        except (IndexError, ValueError) as error:
            if isinstance(error, ValueError) and "size 0" not in str(error):
                raise
            said = error_message(error, place_of(error, self._checks.notebook.names))
            raise Mismatch(
                f"{said}. The test gives X_train and y_train {IMAGES} other images. Does train "
                "use arrays that were made from the real ones outside of it?"
            ) from error
        said = (
            "expected train to draw a new network in each call, by create_weight_matrices and "
            "create_bias_vectors (the test puts its own in their place), got none of their weights"
        )
        expect(weights and biases, said)
        return as_network(weights, biases, whose="create_weight_matrices"), networks, came

    def _call(self, rng: Any, after_step: Any, functions: dict[str, Any]) -> Any:
        """Call ``train`` on the test's images, with these functions, and change no names."""
        notebook = self._checks.notebook
        train: Any = notebook.own("train")
        expect(callable(train), "expected a function train, got none: put your loop into one")
        arrays = self.images.reshape(-1, 28, 28), self.labels
        (X_train, X_test), (y_train, y_test) = (np.split(a.copy(), [IMAGES]) for a in arrays)
        instead = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
        earlier = self._left.items()  # it may change these in place
        copies = {n: Notebook.MISSING if v is None else copy.deepcopy(v) for n, v in earlier}
        with (
            notebook.replaced(**instead, **functions, **copies),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            return train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=after_step)

    def _rng(self) -> Any:
        """Return a generator of the notebook, which is not the notebook's own ``rng``."""
        return self._checks.notebook.call_there(new_generator, _SEED)

    def _outputs(self, network: Network, images: Array) -> tuple[Array, Any]:
        """Return outputs (n, 1) and caches of a pass that begins with the sums ``images @ W1``.

        So it is a pass through a layer (units, units): with W1 itself, the gradients of 50 images
        would have 63 MB.
        """
        W1, W2, b1, b2 = network
        g, caches = self._forward(images @ W1, [np.eye(W1.shape[1]), W2], [b1, b2])
        return np.reshape(
            as_numbers(g, what="the output of forward_pass"), (len(images), 1)
        ), caches

    def _slopes(self, network: Network) -> Slopes:
        """Return outputs of all images, and their gradients."""
        found = []
        for start in range(0, len(self.images), _AT_ONCE):
            images = self.images[start : start + _AT_ONCE]
            g, caches = self._outputs(network, images)
            grad_Ws, grad_bs = results(self._backward(np.ones_like(g), caches), "grad_Ws, grad_bs")
            grads = [looked_at(grad_Ws)[1], *looked_at(grad_bs)]
            sizes = len(network[1]), len(network[1]), 1
            for gradient, size in zip(grads, sizes, strict=True):
                said = "the steps are compared with your backward_pass, which has other shapes here"
                expect(np.size(gradient) == len(images) * size, f"{said}: repair it first")
            found.append([g, *(np.reshape(one, (len(images), -1)) for one in grads)])
        return Slopes(*map(np.concatenate, zip(*found, strict=True)))

    def _losses(self, g: Array, labels: Array) -> tuple[Array, Array]:
        """Return losses (n,), and their derivatives by g (n, 1)."""
        loss, dL_dg = results(self._loss(g, labels), "loss, dL_dg")
        return np.reshape(loss, -1), np.reshape(dL_dg, (-1, 1))

    def _figures(self, g: Array, labels: Array, counts: Any = None) -> Array:
        """Return mean loss (nats) and accuracy of images, each of which counts so often.

        The third number is the accuracy that a comparison of (n, 1) with (n,) gives.
        """
        says, is_nine = g[:, 0] > 0.5, labels == 1
        each = [self._losses(g, labels)[0], says == is_nine, says, is_nine]
        loss, accuracy, said, nines = np.average(each, axis=1, weights=counts)
        return np.array([loss, accuracy, said * nines + (1 - said) * (1 - nines)])

    def _gradient(self, slopes: Slopes, images: Array, labels: Array, counts: Array) -> Network:
        """Return the gradient of the mean loss of these images, by parameter."""
        _, dL_dg = self._losses(slopes.g[images], labels)
        each = (counts / counts.sum())[:, None] * dL_dg
        by_b1, by_W2 = each * slopes.by_b1[images], each * slopes.by_W2[images]
        by_b2 = each * slopes.by_b2[images]
        weights = self.images[images].T @ by_b1, by_W2.sum(axis=0)[:, None]
        return [*weights, *(one.sum(axis=0, keepdims=True) for one in (by_b1, by_b2))]

    def _batch(self, step: int, before: Network, after: Network, slopes: Slopes) -> Batch:
        """Return what a step used, from the rows of W1 that belong to the images' own pixels.

        `Mismatch` if it moves nothing, or not along the gradient of these images. A step of a wrong
        size, or up the gradient, is along it.
        """
        change = after[0] - before[0]
        moved = change[self._own]

        def weights(labels: Array) -> Array:
            """Return what the step subtracts: how many times each image's own gradient."""
            by_sums = self._losses(slopes.g, labels)[1] * slopes.by_b1
            along, sizes = -np.sum(moved * by_sums, axis=1), np.sum(by_sums**2, axis=1)
            return np.asarray(np.divide(along, sizes, out=np.zeros_like(along), where=sizes > 0))

        labels, used = self.labels, weights(self.labels)
        # Nearly all batches have 30 images or more.
        images = np.flatnonzero(np.abs(used) > 0.3 * np.sort(np.abs(used))[-30])
        if np.any(used[images] > 0) and np.any(used[images] < 0):  # if not: a step uphill
            labels = np.where(used < 0, 1 - labels, labels)
            used = weights(labels)
        said = f"expected new weights in step {step}, got the same as before it"
        expect(len(images), said)
        sizes = np.abs(used[images])
        shares = sizes / np.median(sizes)
        counts = np.maximum(np.rint(shares), 1)
        for odd in shares[np.abs(shares - counts) > 0.1][:1]:
            raise Mismatch(
                f"step {step}: expected each image of the batch to move the weights as much as the "
                f"others, got one that does {odd:.2g} times that. Does train change the pixels, by "
                "a mean or a scale? Use X_train as it is"
            )
        gradient = self._gradient(slopes, images, labels[images], counts)[0]
        size = max(float(np.linalg.norm(gradient) * np.linalg.norm(change)), 1e-300)
        said = f"step {step}: expected weight_matrices[0] to move along the gradient of the batch"
        expect(abs(np.sum(gradient * change)) > _ALONG * size, f"{said}, got another way")
        return Batch(images, labels[images], counts)

    # -- what is right

    def _of_batches(self, seen: Seen, slopes: Sequence[Slopes]) -> Array:
        """Return the figures (3, steps) of the batches, by one network for each."""
        rows = [
            self._figures(at.g[b.images], b.labels, b.counts)
            for at, b in zip(slopes, seen.batches, strict=False)
        ]
        return np.transpose(rows)

    def _wrong(self, seen: Seen, *, training: bool) -> list[str]:
        """Name the first wrong loss and the first wrong accuracy; "" if none is.

        `Mismatch` if there is not one of each for each step.
        """
        before, after = (self._of_batches(seen, s) for s in (seen.slopes, seen.slopes[1:]))
        tests = slice(IMAGES, None)
        tested = np.transpose(
            [self._figures(at.g[tests], self.labels[tests]) for at in seen.slopes]
        )
        due = dict(zip(HISTORIES, [*before[:2], *tested[:2, 1:]], strict=True))
        n: Any = TEST_IMAGES
        if training:
            names, (loss, accuracy, of_pairs) = HISTORIES[:2], before
            n = np.array([batch.counts.sum() for batch in seen.batches])
            causes = {"it is measured after the step": after}
        else:
            names, (loss, accuracy, of_pairs) = HISTORIES[2:], tested[:, 1:]
            causes = {
                "it is measured before the step": tested[:, :-1],
                "these are figures of the batch": after,
            }
        units = (
            {"the sum over the images in place of the mean": n * loss},
            {
                "percent in place of a fraction": 100 * accuracy,
                "the number of images in place of the fraction": n * accuracy,
                "(n, 1) is compared with (n,), which gives (n, n): flatten the first": of_pairs,
            },
        )
        steps, messages = len(seen.batches), []
        for name in names:
            size = len(seen.histories[name])
            said = f"{name}: expected {steps} entries, one for each step, got {size}"
            expect(size == steps, said + _likely(["it is kept once an epoch"] * (size == EPOCHS)))
        for row, name in enumerate(names):
            values, right = seen.histories[name], due[name]
            made = {cause: figures[row] for cause, figures in causes.items()} | units[row]
            for other in set(HISTORIES) - {name}:
                made[f"this is {other}: the results come in another order"] = due[other]
            fits = [cause for cause, figures in made.items() if _near(values, figures).all()]
            k = int(np.argmin(_near(values, right)))
            said = f"{name}[{k}]: expected {right[k]:.5g}, got {values[k]:.5g}{_likely(fits)}"
            messages.append("" if _near(values, right).all() else said)
        return messages

    def _wrong_step(self, seen: Seen, step: int, labels: Array) -> str:
        """Say how a step differs from the one that these labels ask for; "" if it does not."""
        batch, (before, after) = seen.batches[step], seen.networks[step : step + 2]
        gradients = self._gradient(seen.slopes[step], batch.images, labels, batch.counts)
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
                    "step_size is not used: the step is always 0.1": USUAL_STEP_SIZE / STEP_SIZE,
                }
                fits = [c for c, by in causes.items() if abs(along / STEP_SIZE / by - 1) < 0.02]
                said = f"{name} to move by {STEP_SIZE:g} times the mean gradient"
                return f"{where} {said}, got {along:.3g} times{_likely(fits)}"
        return ""


def _sizes(layer_dims: Any) -> list[int]:
    """Return the sizes of layers as ints; `Mismatch` if one is too large."""
    sizes = [int(size) for size in as_numbers(layer_dims, what="layer_dims").ravel()]
    expect(max(sizes, default=0) <= _PIXELS, f"expected layer_dims [784, 200, 1], got {sizes[:9]}")
    return sizes


def new_generator(seed: int) -> np.random.Generator:
    """Return a generator; called where the notebook is, which alone can use it."""
    return np.random.default_rng(seed)


def was_used_since(rng: np.random.Generator, seed: int) -> bool:
    """Whether a generator has drawn since `new_generator` made it."""
    return rng.bit_generator.state != new_generator(seed).bit_generator.state


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


def _are_same(one: Network, other: Network) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-12) for a, b in pairs)
