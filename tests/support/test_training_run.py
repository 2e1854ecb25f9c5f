"""The run on the real images is judged by the values that it left in the notebook."""

import numpy as np
import pytest

from hw_support import Checks, TrainingRun
from hw_support.compare import Mismatch


class Watch:
    """Whether a function that train calls is to blame, whose functions judge, what is returned."""

    def __init__(self, excuses=False, returns_last=True):
        self.excuses, self.returns_last = excuses, returns_last
        self.judges = {}

    def expect_last_network(self):
        if not self.returns_last:
            raise Mismatch("not the last network", "not the last network")


def sigmoid(s):
    return 1 / (1 + np.exp(-s)), None


# One hidden unit sums the pixels; the output is positive for more than two of them.
FIRST, SECOND = np.zeros((784, 200)), np.zeros((200, 1))
FIRST[:, 0] = SECOND[0] = 1.0
IMAGES = np.zeros((100, 28, 28))
IMAGES[50:, 0, :3] = 1.0  # s = 1, the others -2
LOSS = np.mean([np.log1p(np.exp(-2.0)), np.log1p(np.exp(-1.0))])


def run_of(watch=None, **otherwise):
    """A notebook whose network tells all images right."""
    falling = np.concatenate([np.linspace(0.69, 0.3, 100), np.full(505, LOSS / 2)])
    names = {
        "weight_matrices": [FIRST, SECOND],
        "biases": [np.zeros((1, 200)), np.full((1, 1), -2.0)],
        "training_loss": falling.tolist(),
        "test_loss": [0.7, *falling[1:-1], LOSS],
        "training_acc": np.ones(605),
        "test_acc": np.ones(605),
        "X_test": IMAGES,
        "y_test": np.arange(100) // 50,
        "relu_activation": lambda s: (np.maximum(s, 0), None),
        "sigmoid_activation": sigmoid,
        "forward_pass": lambda X, Ws, bs, fs: (
            fs[1](fs[0](X @ Ws[0] + bs[0])[0] @ Ws[1] + bs[1])[0],
            None,
        ),
        "logistic_loss": lambda g, y: (-np.log(np.where(y[:, None] == 1, g, 1 - g)), None),
        **otherwise,
    }
    checks = Checks("train", points=0)
    checks.names = {name: value for name, value in names.items() if value is not None}
    watch = watch or Watch()
    watch.judges = watch.judges or checks.names
    return TrainingRun(checks, watch)


EXPECTATIONS = ("lists", "learning", "accuracy", "last_entries")


def failing(run):
    told = {}
    for name in EXPECTATIONS:
        try:
            getattr(run, f"expect_{name}")()
        except Mismatch as mismatch:
            told[name] = str(mismatch)
    return told


def test_a_right_run_passes_every_check():
    assert failing(run_of()) == {}


@pytest.mark.parametrize(
    ("otherwise", "expected", "word"),
    [
        ({"training_acc": np.full(605, 100.0)}, {"lists"}, "in percent"),
        ({"training_loss": [0.69, np.nan] * 302 + [0.1]}, {"lists", "learning"}, "NaN"),
        ({"training_loss": np.full(600, 0.69)}, {"lists", "learning"}, "[600, 605, 605, 605]"),
        ({"test_acc": np.full(605, 0.5)}, {"learning", "last_entries"}, "ends at 0.500"),
        ({"biases": [np.zeros((1, 200)), np.full((1, 1), -4.0)]}, None, "0.500; above 0.97"),
        ({"weight_matrices": None}, {"accuracy", "last_entries"}, "not defined: weight_matrices"),
        ({"weight_matrices": [FIRST.T, SECOND]}, {"accuracy", "last_entries"}, "(784, 200)"),
    ],
)
def test_a_wrong_run_gets_its_complaint(otherwise, expected, word):
    told = failing(run_of(**otherwise))
    assert word in " ".join(told.values())
    assert expected is None or told.keys() == expected, told


def test_a_run_with_another_wrong_function_loses_nothing_here():
    assert failing(run_of(Watch(excuses=True), weight_matrices=None, training_loss=None)) == {}


def test_another_network_than_the_last_one_costs_the_part_of_the_last_entries():
    assert failing(run_of(Watch(returns_last=False))) == {"last_entries": "not the last network"}


def test_a_lost_short_batch_is_charged_elsewhere():
    shorter = {
        "training_loss": np.linspace(0.69, 0.01, 600),
        "training_acc": np.ones(600),
        "test_loss": [*np.linspace(0.69, 0.01, 599), LOSS],
        "test_acc": np.ones(600),
    }
    assert "lists" not in failing(run_of(**shorter))


@pytest.mark.parametrize(
    "few",
    [
        {"training_loss": [0.13, 0.08, 0.07, 0.06, 0.05], "training_acc": np.full(5, 0.97)},
        {"training_loss": np.linspace(0.69, 0.1, 51), "training_acc": np.linspace(0.5, 0.98, 51)},
    ],
    ids=["an entry for each epoch", "it ends early"],
)
def test_a_history_with_too_few_entries_costs_one_part(few):
    assert failing(run_of(**few)).keys() == {"lists"}
    stays = {name: np.full(5, 0.69) for name in few if name.endswith("loss")}
    assert {"lists", "learning"} <= failing(run_of(**stays)).keys()
    nothing = {name: [] for name in few if name.endswith("loss")}
    assert {"lists", "learning"} <= failing(run_of(**nothing)).keys()


def test_unusual_values_get_a_remark():
    run = run_of(test_loss=[*np.full(20, 2.0), *np.full(584, 0.1), LOSS])
    run.expect_learning()
    assert run._checks.notes == [
        "test_loss begins with 2.000; about 0.69, which is ln 2, is usual."
    ]


def test_a_forward_pass_that_knows_the_labels_makes_no_good_network():
    known = {image.tobytes(): k // 50 for k, image in enumerate(IMAGES)}

    def forward_pass(X, Ws, bs, fs):
        g = [[0.999 if known[x.reshape(IMAGES.shape[1:]).tobytes()] else 0.001] for x in X]
        return np.array(g), None

    nothing = [np.zeros((784, 200)), np.zeros((200, 1))], [np.zeros((1, 200)), np.zeros((1, 1))]
    run = {"weight_matrices": nothing[0], "biases": nothing[1], "test_acc": np.ones(605)}
    cheat = run_of(forward_pass=forward_pass, **run)
    assert "accuracy" not in failing(cheat)  # by its own forward_pass
    watch = Watch()
    watch.judges = run_of()._checks.names
    assert {"accuracy", "last_entries"} <= failing(run_of(watch, **run)).keys()
