"""A training is watched on generated images: each of its mistakes is reported, and nothing else."""

import itertools

import numpy as np
import pytest

from hw_support import Checks, TrainingWatch
from hw_support.compare import Mismatch

EXPECTATIONS = (
    *("function", "every_image", "new_order", "step", "own_size"),
    *("training_history", "test_history", "test_set_untouched", "last_network"),
)
ALL_BUT_NETWORK = set(EXPECTATIONS) - {"last_network"}

DRAW = np.random.default_rng


@pytest.fixture(autouse=True)
def same_images(monkeypatch):
    """Make the generated images the same in each run."""
    monkeypatch.setattr(np.random, "default_rng", lambda seed=0: DRAW(seed))


def relu(s):
    return np.maximum(s, 0), s > 0


def sigmoid(s):
    out = 1 / (1 + np.exp(-s))
    return out, out * (1 - out)


def forward_pass(X, Ws, bs, activations):
    h, _ = activations[0](X @ Ws[0] + bs[0])
    return activations[1](h @ Ws[1] + bs[1])[0], h


def logistic_loss(g, y):
    return -np.log(np.where(y[:, None] == 1, g, 1 - g)), None


class Student:
    """A right training, in which each method is a decision that a test can change."""

    def __init__(self, **otherwise):
        self.otherwise = otherwise
        self.names = {
            "relu_activation": relu,
            "sigmoid_activation": sigmoid,
            "forward_pass": forward_pass,
            "logistic_loss": logistic_loss,
            "rng": np.random.default_rng(1),
            "train": self.train,
        }

    def decision(self, name, right):
        return self.otherwise.get(name, right)

    def figures(self, images, y, Ws, bs):
        g, _ = forward_pass(images, Ws, bs, [relu, sigmoid])
        said = g[:, 0] > 0.5
        accuracy = self.decision("accuracy", lambda said, y: np.mean(said == y))
        return float(np.mean(logistic_loss(g, y)[0])), float(accuracy(said, y))

    def train(self, step_size, epochs, rng, after_step):
        X, y = self.names["X_train"].reshape(-1, 784), self.names["y_train"]
        X_test, y_test = self.names["X_test"].reshape(-1, 784), self.names["y_test"]
        X, y = self.decision("data", lambda *sets: sets[:2])(X, y, X_test, y_test)
        drawn = [rng.normal(0, 0.01, (784, 200)), rng.normal(0, 0.01, (200, 1))]
        initial = [*drawn, np.zeros((1, 200)), np.zeros((1, 1))]
        W1, W2, b1, b2 = map(self.decision("initial", lambda drawn: drawn), initial)
        Ws, bs = [W1, W2], [b1, b2]
        rows, first = [], rng.permutation(len(X))
        early = self.decision("early", False)
        for epoch in range(epochs):
            if epoch and self.decision("anew", False):
                Ws[0][:] = rng.normal(0, 0.01, (784, 200))
            order = self.decision("order", lambda rng, first: rng.permutation(len(first)))(
                rng, first
            )
            for start in range(0, self.decision("images", len(order)), 100):
                batch = self.decision("batch", lambda order, s: order[s : s + 100])(order, start)
                before = self.figures(X[batch], y[batch], Ws, bs)
                g, h = forward_pass(X[batch], Ws, bs, [relu, sigmoid])
                d2 = (g - y[batch, None]) / self.decision("divide_by", len)(batch)
                d1 = d2 @ Ws[1].T * (h > 0)
                gradients = [X[batch].T @ d1, h.T @ d2, d1.sum(0), d2.sum(0)]
                gradients = self.decision("gradients", lambda all_of_them: all_of_them)(gradients)
                size = self.decision("step_size", step_size) * self.decision("decay", 1.0) ** epoch
                if early:
                    after_step(Ws, bs)
                for parameter, gradient in zip([*Ws, *bs], gradients, strict=True):
                    parameter -= size * (gradient + self.decision("shrink", 0.0) * parameter)
                after = self.figures(X[batch], y[batch], Ws, bs)
                row = self.decision("training", lambda before, after: before)(before, after)
                rows.append((*row, *self.figures(X_test, y_test, Ws, bs)))
                if not early:
                    after_step(Ws, bs)
        return self.decision("returned", lambda *all_of_them: all_of_them)(
            Ws, bs, *map(list, zip(*rows, strict=True))
        )


def watch_of(student):
    checks = Checks("train", points=0)
    checks.names = checks.notebook.names = student.names
    return TrainingWatch(checks)


def failing(student):
    """Return the expectations that fail, with their messages."""
    watch = watch_of(student)
    told = {}
    for name in EXPECTATIONS:
        try:
            getattr(watch, f"expect_{name}")()
        except Mismatch as mismatch:
            told[name] = str(mismatch)
    return told


@pytest.mark.parametrize(
    "otherwise",
    [
        {},
        {"returned": lambda *six: [*six[:2], *(np.array(h)[:, None] for h in six[2:])]},
        {"returned": lambda Ws, bs, a, b, c, d: (Ws, bs, a, [100 * x for x in b], c, d)},
    ],
    ids=["plain", "histories of shape (n, 1)", "percent, which is charged elsewhere"],
)
def test_a_right_training_passes_every_check(otherwise):
    assert failing(Student(**otherwise)) == {}


@pytest.mark.parametrize(
    ("otherwise", "expected", "word"),
    [
        ({"images": 200}, {"every_image"}, "50 images were not used"),
        ({"order": lambda rng, first: np.arange(len(first))}, {"new_order"}, "order of X_train"),
        (
            {"order": lambda rng, first: np.roll(np.sort(first), rng.integers(20, 80))},
            {"new_order"},
            "or long runs of them",
        ),
        (
            {"order": lambda rng, first: first},
            {"new_order"},
            "the second epoch uses the same batches",
        ),
        (
            {"order": lambda rng, first: rng.integers(0, len(first), len(first))},
            None,  # what comes twice counts twice in the gradient
            "images were not used exactly once",
        ),
        (
            {"batch": lambda order, s: order[s : s + 100 - (s == 0)]},
            {"every_image"},
            "and 1 image was not used exactly once",
        ),
        (
            {"batch": lambda order, s: order[max(0, s - 1) : s + 99 + (s == 200)]},
            {"every_image"},
            "batches of [99, 100, 51] images; batches of 100",
        ),
        ({"step_size": 0.1}, {"step"}, "moved by -0.1 times"),
        ({"step_size": -0.4}, {"step"}, "moved by 0.4 times"),
        ({"decay": 0.5}, {"step"}, "moved by -0.2 times"),
        ({"early": True}, {"function"}, "called before each step"),
        ({"anew": True}, None, "Is the network made anew in each epoch"),
        ({"divide_by": lambda batch: 100}, {"own_size"}, "divide the sum by 100 instead of 50"),
        (
            {"divide_by": lambda batch: 1},
            {"step"},
            "times the mean gradient of their batch; -0.4 times was expected",
        ),
        (
            {"gradients": lambda g: [500 * each for each in g]},
            {"step"},
            "moved by far too many times the mean gradient",
        ),
        (
            {"gradients": lambda g: [0 * g[0], g[1], g[2], g[3]]},
            {"every_image", "new_order", "step", "own_size", "training_history"},
            "no image changed the weights",
        ),
        ({"gradients": lambda g: [*g[:2], 0 * g[2], g[3]]}, {"step"}, r"biases[0] did not move"),
        ({"gradients": lambda g: [*g[:2], g[2].mean(), g[3]]}, {"step"}, r"biases[0] did not move"),
        ({"gradients": lambda g: [-g[0], *g[1:]]}, {"step"}, "weight_matrices[0] did not move"),
        (
            {"training": lambda before, after: after},
            {"training_history"},
            "The entries are the losses after the step",
        ),
        (
            {"returned": lambda *six: (*six[:4], six[2], six[5])},
            {"test_history"},
            "a mean loss of 0.6996 on the test set",
        ),
        (
            {"returned": lambda *six: (*six[:2], *(history[::3] for history in six[2:]))},
            {"training_history", "test_history"},
            "training_loss has 2 entries for 6 steps; one for each was expected",
        ),
        (
            {"accuracy": lambda said, y: np.mean(said[y == 1])},
            {"test_history"},
            "of the test set correctly",
        ),
        ({"shrink": 0.01}, {"step"}, "Is there weight decay"),
        ({"batch": lambda order, start: order}, {"every_image", "new_order"}, "all of X_train"),
        (
            {"batch": lambda order, start: order[: start + 100]},
            {"every_image"},
            "had batches of [100, 200, 250] images",
        ),
        (
            {"data": lambda X, y, *test: (X - X.mean(axis=0), y)},
            {"every_image", "new_order", "step"},
            "are the images no longer 0 where they are black",
        ),
        (
            {"returned": lambda *six: (*six[:2], *[[0.5] * 24] * 4)},
            {"training_history", "test_history"},
            "Are the four lists one list?",
        ),
        (
            {"returned": lambda *six: (*six[:4], *(history[2::3] for history in six[4:]))},
            {"test_history"},
            "test_loss has 2 entries for 6 steps",
        ),
        (
            {"returned": lambda *six: ([0.9 * W for W in six[0]], *six[1:])},
            {"last_network"},
            "does not return the network that after_step got last",
        ),
        ({"returned": lambda *six: None}, ALL_BUT_NETWORK, "Is a `return` missing"),
        ({"returned": lambda *six: six[:2]}, ALL_BUT_NETWORK, "6 were expected"),
        (
            {"returned": lambda *six: dict(zip("abcdef", six, strict=True))},
            ALL_BUT_NETWORK,
            "train returned a dictionary; 6 were expected",
        ),
    ],
)
def test_a_wrong_training_gets_exactly_one_complaint(otherwise, expected, word):
    told = failing(Student(**otherwise))
    assert expected is None or told.keys() == expected, told
    assert word in " ".join(told.values())


def test_momentum_is_named_and_nothing_is_said_of_batches_that_cannot_be_seen():
    velocity = []

    def gradients(now):
        velocity[:] = [0.9 * v + g for v, g in zip(velocity or [0] * 4, now, strict=True)]
        return velocity

    told = failing(Student(gradients=gradients))
    assert told.keys() == {"step"}, told
    assert "momentum" in told["step"]


@pytest.mark.parametrize("factor", [25.0, 100.0, 500.0, 12080.0, -100.0])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:divide by zero")
def test_steps_far_too_large_cost_one_part_however_the_loss_is_clipped(factor):
    student = Student(gradients=lambda gradients: [factor * each for each in gradients])
    student.names["logistic_loss"] = lambda g, y: (np.minimum(logistic_loss(g, y)[0], 16), None)
    assert failing(student).keys() == {"step"}


def test_a_network_that_is_shown_at_the_end_only_is_not_taken_for_a_saturated_one():
    student = Student(step_size=1.0)

    def train(step_size, epochs, rng, after_step):
        six = student.train(step_size, epochs, rng, lambda *network: None)
        for _ in six[2]:
            after_step(*six[:2])
        return six

    student.names["train"] = train
    told = failing(student)
    expected = {"every_image", "new_order", "step", "own_size", "training_history", "test_history"}
    assert told.keys() == expected
    assert "no image changed the weights" in told["step"]


def test_a_network_of_nan_is_the_last_one():
    watch_of(Student(step_size=np.nan)).expect_last_network()


@pytest.mark.parametrize("step_size", [200.0, np.nan])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:divide by zero")
def test_a_training_of_which_nothing_can_be_seen_is_told_so(step_size):
    told = failing(Student(step_size=step_size))
    assert {"every_image", "step", "training_history", "test_history"} <= told.keys()
    assert "Does train use its argument step_size" in told["step"]


def test_a_network_that_is_saturated_from_the_beginning_earns_no_step():
    network = [np.zeros((784, 200)), np.zeros((200, 1)), np.zeros((1, 200)), np.full((1, 1), 50.0)]

    def train(step_size, epochs, rng, after_step):
        for _ in range(3 * epochs):
            after_step(network[:2], network[2:])
        return network[:2], network[2:], *[[0.0] * 3 * epochs] * 4

    student = Student()
    student.names["train"] = train
    parts = {"every_image", "new_order", "step", "own_size", "training_history", "test_history"}
    assert failing(student).keys() >= parts


def test_gradients_that_add_up_in_an_epoch_are_named():
    sums = []

    def gradients(now):
        before = sums[-1] if len(sums) % 3 else [0] * 4
        sums.append([a + b for a, b in zip(before, now, strict=True)])
        return sums[-1]

    told = failing(Student(gradients=gradients))
    assert told.keys() == {"step"}, told
    assert "do gradients add up" in told["step"]


def test_a_gradient_of_length_1_is_not_said_to_be_divided_by_another_number():
    def of_length_1(gradients):
        length = sum(np.sum(g**2) for g in gradients) ** 0.5
        return [g / length for g in gradients]

    told = failing(Student(gradients=of_length_1))
    assert told.keys() == {"step", "own_size"}, told
    assert "Did you divide" not in told["own_size"]


def test_a_short_batch_that_moves_slightly_too_far_is_told_with_its_digits():
    said = failing(Student(divide_by=lambda batch: len(batch) / (1 + 0.03 * (len(batch) < 100))))
    assert "moves the parameters 1.03 times as far" in said["own_size"]


def calling(student, after):
    """Let ``train`` call ``after(after_step, weight_matrices, biases)`` after each step."""
    student.names["train"] = lambda step_size, epochs, rng, after_step: student.train(
        step_size, epochs, rng, lambda Ws, bs: after(after_step, Ws, bs)
    )
    return student


def test_options_of_the_students_own_may_stand_between_those_of_the_docstring():
    student = Student()

    def train(batch_size=100, step_size=0.1, epochs=5, verbose=False, rng=None, after_step=None):
        assert (batch_size, verbose) == (100, False)
        return student.train(step_size, epochs, rng, after_step)

    student.names["train"] = train
    assert failing(student) == {}


def test_a_training_that_goes_on_with_the_network_that_was_there_is_noticed():
    trained = watch_of(Student())._seen().network
    left = iter([array.copy() for array in trained])
    fresh, going_on = Student(), Student(initial=lambda drawn: next(left))
    for student in (fresh, going_on):
        student.names["weight_matrices"], student.names["biases"] = trained[:2], trained[2:]
    assert failing(fresh) == {}
    told = failing(going_on)
    assert "goes on with the network" in told["function"]


def test_biases_may_be_flat():
    def flat(after_step, Ws, bs):
        after_step(Ws, [b.ravel() for b in bs])

    student = Student(returned=lambda Ws, bs, *four: (Ws, [b.ravel() for b in bs], *four))
    assert failing(calling(student, flat)) == {}


def test_a_parameter_of_another_shape_is_named():
    def transposed(after_step, Ws, bs):
        after_step([Ws[0], Ws[1].T], bs)

    told = failing(calling(Student(), transposed))
    assert told.keys() == ALL_BUT_NETWORK
    assert all(m.startswith("weight_matrices[1] has shape (1, 200)") for m in told.values())


def test_an_entry_that_happens_to_be_the_loss_after_the_step_is_no_cause():
    steps = itertools.count()

    def training(before, after):  # six steps in a run
        return after if next(steps) % 6 < 2 else (0.3, before[1])

    told = failing(Student(training=training))
    assert told["training_history"].startswith("training_loss[1] is ")
    assert "after the step" not in told["training_history"]


def test_a_first_epoch_that_is_not_shuffled_is_noticed():
    shuffled = itertools.cycle([False, True])

    def order(rng, first):
        return rng.permutation(len(first)) if next(shuffled) else np.arange(len(first))

    assert failing(Student(order=order)).keys() == {"new_order"}


def test_two_calls_of_after_step_in_a_step_are_named():
    def twice(after_step, Ws, bs):
        after_step(Ws, bs)
        after_step(Ws, bs)

    told = failing(calling(Student(), twice))
    assert "train called after_step 12 times" in told["function"]
    assert "does after_step get them once in each step" in told["every_image"]


def test_what_after_step_expects_is_said_if_it_gets_numbers():
    told = failing(calling(Student(), lambda after_step, Ws, bs: after_step(1, 0.69)))
    assert told["function"] == "after_step expects two lists: weight_matrices, biases"


def test_a_network_that_is_made_anew_has_learnt_from_no_test_image():
    assert "test_set_untouched" not in failing(Student(anew=True))


def test_a_training_on_test_images_is_detected():
    def both(X, y, X_test, y_test):
        return np.concatenate([X, X_test])[-250:], np.concatenate([y, y_test])[-250:]

    told = failing(Student(data=both))
    assert "Does train learn from images of X_test" in told["test_set_untouched"]


def test_most_test_labels_are_wrong_so_the_network_with_the_lowest_test_loss_is_an_early_one():
    histories = watch_of(Student())._seen().histories
    assert np.argmin(histories[2]) < len(histories[2]) - 1


def test_a_bare_loop_gets_the_advice_to_write_a_function():
    student = Student()
    student.names["train"] = None
    told = failing(student)
    assert told.keys() == ALL_BUT_NETWORK
    assert all("Put your loop into `def train(" in message for message in told.values())


def test_a_wrong_loss_excuses_a_training_only_if_right_functions_make_it_right():
    student = Student()
    student.names["logistic_loss"] = lambda g, y: (logistic_loss(g, 1 - y)[0], None)
    checks = Checks("train", points=0)
    checks.names = checks.notebook.names = student.names
    watch = TrainingWatch(checks)
    with pytest.raises(Mismatch):
        watch.expect_step()
    assert not watch.excuses
    checks.stood_in_for, checks.number_of_try = frozenset({"logistic_loss"}), 2
    with checks.notebook.replaced(logistic_loss=logistic_loss):
        assert watch.excuses
    assert checks.standing_in
