"""Each kept answer to ``train`` loses the parts of its mistake; a right one loses nothing."""

import contextlib
import re
from functools import cache

import nbformat
import numpy as np
import pytest

from hw_grading.homework.course import REPOSITORY
from hw_grading.trying import kept
from hw_support import Checks, TrainingChecks
from hw_support.checks import parts
from hw_support.checks.parts import Part
from hw_support.submission.cells import grade_id_of
from staff.hw2 import reference

PARTS = ("images", "step", "training", "test", "results", "run")
ABOVE = ("logistic_loss", "layer_forward", "forward_pass", "backward_pass")
ABOVE += ("sigmoid_activation", "relu_activation", "create_weight_matrices", "create_bias_vectors")

# The parts that fail and words of the first message; then the answers that fail so.
CASES = """
images: Likely cause: the last, short batch is left out
    the last, short batch is dropped
images: expected 6 steps in 2 epochs of 250 images, got 3
    one epoch too few: range(1, epochs)
images step training test results: expected 6 calls of after_step, one after each step, got 0
    X[:-rest] with nothing left over is X[:-0], no image at all
step: Likely cause: images and labels are not shuffled
    the images are shuffled, the labels are not
test: Likely cause: percent in place of a fraction
    a fraction for training, percent for the test set
test: expected 6 entries, one for each step, got 2. Likely cause: it is kept once an epoch
    the test set is looked at once an epoch
test: Likely cause: these are figures of the batch
    the test histories are made from training images
images step training test results: expected new weights in step 1, got the same as before it
    the network is never updated
images: expected the order to be drawn by rng, the third argument of train; it was not used
    rng is ignored: np.random draws the order
images step training test results: got 24. Does train have a fixed number of images, such as 12,080
    the number of images is fixed, 12,080
training test: Likely cause: this is test_loss: the results come in another order
    losses come first, then accuracies
images step training test results: the first two results of train: expected two weight matrices
    the histories come before the network
images step training test results: got 2. Likely cause: it is called once an epoch
    after_step is called once an epoch
images step training test results: got none of their weights
    the network is made once, above the function
step: got 0.1 times. Likely cause: step_size is not used: the step is always 0.1
    the step size is the global one
step: got 2 times. Likely cause: the sum over the batch in place of the mean
    sum in place of mean
step: got 0.0002 times. Likely cause: the mean is divided by the size of the batch once more
    sum and mean both applied: divided by n twice
step: got -0.02 times. Likely cause: the step goes up the gradient, not down
    uphill
images: expected each image once in an epoch, got image
    the batches are drawn with replacement
results: expected after_step to get the returned network after the last step, got another
    the network that is left behind is the first one
training: training_acc
    accuracy of (n, 1) against (n,): one half for ever
training: Likely cause: the sum over the images in place of the mean
    losses summed over the batch
training test: training_loss: expected 6 entries, one for each step, got 12
    both histories are one list
images: expected images of X_train only, got one of X_test in step 1
    trained on both sets
images: expected a random order, got that of X_train in step 1
    no shuffling
images: expected a new order in each epoch, got the same batches again
    shuffled once, before the first epoch
step: got 0.01 times. Likely cause: the sum is divided by 100, not by the size of this batch
    the short batch is divided by 100
training: Likely cause: it is measured after the step
    the training loss is that after the step
test: Likely cause: it is measured before the step
    the test loss is that before the step
step: biases
    the mean over the batch and all units moves the biases: axis=0 is forgotten
images step training test results: expected 6 results (weight_matrices, biases,
    returns None
images step training test results: expected a function train, got none: put your loop into one
    the loop is not in a function
step: expected weight_matrices[0] to move along the mean gradient, got another way
    the output layer is moved before its weights are used
images step training test results: expected each image of the batch to move the weights
    the mean image of X_train is subtracted
"""


def table():
    """Yield the parts that fail, words of the first message, and the answer."""
    lines = CASES.strip().splitlines()
    for said, name in zip(lines[::2], lines[1::2], strict=True):
        yield *said.split(": ", 1), name.strip()


@cache
def cells():
    """Return the sources of the notebook's code cells, by grade id."""
    notebook = nbformat.read(REPOSITORY / "source/hw2/hw2.ipynb", as_version=4)
    return {grade_id_of(cell): cell.source for cell in notebook.cells}


@cache
def answers(kind):
    """Return the kept answers: by name, the sources of their cells."""
    found = kept.answers(REPOSITORY / "staff/hw2/answers", kind)
    return {one.name: one.cells for one in found if one.of == "train"}


def run(changed):
    """Run an answer and the visible test of ``train``; return the names."""
    names = {"__name__": "__main__", "rng": np.random.default_rng(1)}
    for name in ("setup", *ABOVE, "train"):
        with contextlib.suppress(Exception):  # a loop that is no function has no images yet
            exec(changed.get(name, cells()[name]), names)
    visible = re.sub(
        r"### BEGIN HIDDEN.*?### END HIDDEN TESTS\n", "", cells()["test_train"], flags=re.S
    )
    exec(visible, names)
    return names


def failed(changed):
    """Return the messages of an answer by part, all but that of the run."""
    names = run(changed)
    return {
        part: outcome.message
        for part, outcome in zip(PARTS, names["checks"].parts, strict=True)
        if outcome.message and part != "run"
    }


@pytest.fixture(autouse=True)
def one_seed(monkeypatch):
    """Make the synthetic images the same in each run, which a slow machine does not stop."""
    monkeypatch.setenv("HW_GRADING_SEED", "5")
    monkeypatch.setattr(parts, "WALL_SECONDS", 600.0)


@pytest.mark.parametrize(("lost", "words", "name"), [*table()])
def test_a_wrong_answer_loses_the_parts_of_its_mistake(lost, words, name):
    messages = failed(answers("wrong")[name])
    assert " ".join(messages) == lost
    assert words in next(iter(messages.values()))


@pytest.mark.parametrize("name", [None, *answers("right")])
def test_a_right_answer_passes(name):
    assert failed(answers("right")[name] if name else {}) == {}


def test_a_training_changes_no_names():
    source = cells()["train"] + "\ntraining_loss = [1.0]\n"
    source = source.replace("Ws, bs = create", "training_loss.clear()\n    Ws, bs = create", 1)
    names = run({"train": source})
    assert names["training_loss"] == [1.0]
    assert "X_train" not in names


# -- the run: hand-made results for the names of a real training


def run_part(above=(), earned=None, **changed):
    """Run the part of the run on results of a right training; return its message."""
    images, labels = np.zeros((400, 28, 28)), np.arange(400) % 2
    images[:, 0, 0] = labels
    Ws, bs = [np.zeros((784, 200)), np.ones((200, 1))], [np.zeros((1, 200)), np.full((1, 1), -4.0)]
    Ws[0][0] = 0.04
    loss = np.logaddexp(0, -4.0)  # of both labels
    falls, rises = np.linspace(0.7, loss, 605), np.linspace(0.5, 1.0, 605) ** 0.1
    falls[-50:], rises[-1] = loss, 1.0
    names = {"weight_matrices": Ws, "biases": bs, "training_loss": falls, "training_acc": rises}
    names |= {"test_loss": falls, "test_acc": rises, "X_test": images, "y_test": labels, **changed}
    names = {name: value for name, value in names.items() if value is not None}
    checks = eval("Checks('train')", names | {"Checks": Checks})
    checks.notebook.names.update(names)
    checks.parts.extend(above or [Part("a part on values", 2.0)])
    for name, points in (earned or {}).items():
        checks.notebook.points[name, "", 0] = points
    fs = [reference.relu_activation, reference.sigmoid_activation]

    def forward(*network):
        return reference.forward_pass(*network, fs)

    training = TrainingChecks(checks, forward, reference.logistic_loss, reference.backward_pass)
    checks.part("the run", 2, values=False)(lambda: training.expect_run())
    return checks.parts[-1].message


FAILED, SECOND = Part("a part", 2.0, "wrong"), Part("a part", 2.0, second_try=True)
PASSED = Part("a part", 2.0)
RISING = np.linspace(0.1, 0.7, 605)
ZEROS = {"weight_matrices": [np.zeros((784, 200)), np.zeros((200, 1))]}
ZEROS |= {"biases": [np.zeros((1, 200)), np.zeros((1, 1))]}
UNTRAINED = ZEROS | {"biases": [np.zeros((1, 200)), np.ones((1, 1))]}
CONSTANTS = dict.fromkeys(("training_loss", "training_acc", "test_loss", "test_acc"), np.zeros(605))


@pytest.mark.parametrize(
    ("above", "changed", "message"),
    [
        ((), {}, ""),
        ((), {"test_acc": None}, "expected the six names from `train()`: run the cell above"),
        ((), {"test_acc": np.ones(5)}, "expected four lists of 605 entries, got [605, 605, 605,"),
        ((), {"weight_matrices": [1.0]}, "weight_matrices and biases: expected two weight"),
        ((), {"test_loss": RISING}, "test_loss: expected an end below"),
        ((), {"training_acc": np.full(605, 0.9)}, "training_acc: expected an end above 0.95, g"),
        ((), UNTRAINED, "expected a test accuracy of the network above 0.97"),
        ((), {"test_loss": np.linspace(0.7, 0.001, 605)}, "expected test_loss and test_acc to end"),
        # What counts in the second try, or after a part that failed, is that there was a run.
        ((SECOND,), {"test_loss": RISING}, ""),
        ((SECOND,), UNTRAINED, ""),
        ((SECOND,), ZEROS, "expected a trained network, got zeros alone"),
        ((PASSED, FAILED), CONSTANTS, "expected histories of a training, got the same number"),
        ((PASSED, FAILED), {"test_loss": RISING}, ""),
        ((PASSED, FAILED), dict.fromkeys(CONSTANTS, RISING[:484]), ""),
        ((PASSED, FAILED), {"test_loss": RISING[:484]}, "expected four lists of 605 entries"),
        ((PASSED, FAILED), {"test_loss": None}, "expected the six names from `train()`"),
        ((PASSED, FAILED), {"test_loss": ["a"] * 605}, "test_loss: expected number"),
        ((PASSED, FAILED), {"biases": [0.0, 0.0]}, "biases[0]: expected shape (1, 200)"),
        ((FAILED,), {}, "counts only if a part that compares values passes"),
    ],
)
def test_a_run_is_judged_by_what_the_parts_above_allow(above, changed, message):
    assert run_part(above, **changed)[: len(message) or None] == message


def test_a_run_that_is_wrong_by_functions_that_have_paid_costs_nothing():
    assert run_part(earned={"relu_activation": (3.0, 3.0)}, test_loss=RISING)
    assert not run_part(earned={"sigmoid_activation": (4.0, 6.0)}, test_loss=RISING)


def stops(**_):
    return not_defined  # noqa: F821


def is_not_answered(**_):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("train", "above", "points", "is_excused"),
    [
        (stops, [SECOND], 0.0, True),
        (stops, [PASSED], 3.0, False),  # no function has lost points
        (stops, [PASSED, FAILED], 0.0, False),  # train is wrong itself
        (is_not_answered, [SECOND], 0.0, False),
        (lambda **_: None, [SECOND], 0.0, False),  # the student has not called it
    ],
)
def test_a_run_that_functions_with_lost_points_stop_costs_nothing(
    train, above, points, is_excused, capsys
):
    earned = {"relu_activation": (points, 3.0)}
    message = run_part(above, earned, train=train, test_acc=None)
    assert message == (
        "" if is_excused else "expected the six names from `train()`: run the cell above"
    )
    assert ("which has cost points in its own test" in capsys.readouterr().out) == is_excused
