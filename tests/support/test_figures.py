"""The facts of each kind of plot: the truth of each was written by hand, by looking at its code."""

import io
import json
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_support import figures
from hw_support.checks import Mismatch
from hw_support.figures.facts import KEY, MAX_BYTES, plain

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

N = 605
_noise = np.random.default_rng(1).normal(0, 0.004, N)
_falls = np.linspace(0, 1, N)
TRAINING_LOSS = list(0.69 * 0.1**_falls + _noise * (1 - _falls) * _falls)
TEST_LOSS = 0.7 * 0.2**_falls
TRAINING_ACC = 0.5 + 0.45 * _falls + _noise * (1 - _falls) * _falls
TEST_ACC = 0.48 + 0.5 * _falls
ARRAYS = {
    "training_loss": TRAINING_LOSS,
    "test_loss": TEST_LOSS,
    "training_acc": TRAINING_ACC,
    "test_acc": TEST_ACC,
}
LOSSES = "training_loss (0.69 to 0.069), test_loss (0.7 to 0.14)"
SCHEME = "legend, title, labels, not swapped, colours, curves=2, points=605"
PLOTS = {}


def truth(*lines, conditions=""):
    """Keep a function that draws, with the lines that are said of it."""

    def keep(draw):
        PLOTS[draw.__name__] = draw, list(lines), conditions
        return draw

    return keep


def label(ax, legend=True):
    ax.set(title="Loss", xlabel="iteration", ylabel="mean loss (nats)")
    if legend:
        ax.legend()


@truth(f"2 curves of 605 points: {LOSSES} · y log · title, both labels, legend of 2")
def right():
    ax = plt.gca()
    ax.semilogy(TRAINING_LOSS, label="training")
    ax.semilogy(TEST_LOSS, label="test")
    label(ax)


@truth(
    f"no legend · no title · no x label · no y label · 2 curves of 605 points: {LOSSES}",
    conditions=SCHEME,
)
def bare_plot():
    plt.plot(TRAINING_LOSS)
    plt.plot(TEST_LOSS)


@truth(
    "curves swapped · 2 curves of 605 points: test_loss (0.7 to 0.14), training_loss (0.69 to "
    "0.069) · title, both labels, legend of 2",
    conditions=SCHEME,
)
def swapped_under_the_legend():
    ax = plt.gca()
    ax.plot(TEST_LOSS)
    ax.plot(TRAINING_LOSS)
    label(ax, legend=False)
    ax.legend(["training loss", "test loss"])


@truth(
    "percent called a fraction · 2 curves of 605 points: 100 × training_acc (50 to 95), "
    "100 × test_acc (48 to 98) · title, both labels, legend of 2"
)
def percent_labelled_fraction():
    plt.plot(100 * TRAINING_ACC, label="training")
    plt.plot(100 * TEST_ACC, label="test")
    plt.legend()
    plt.title("Accuracy")
    plt.xlabel("iteration")
    plt.ylabel("accuracy (fraction of images)")


@truth(
    "fraction called percent · 1 curve of 605 points: test_acc (0.48 to 0.98) · title, both labels"
)
def fraction_labelled_percent():
    plt.plot(TEST_ACC)
    plt.title("Test")
    plt.xlabel("iteration")
    plt.ylabel("accuracy (%)")


@truth("1 curve of 605 points: test_acc (0.48 to 0.98) · title, both labels")
def fraction_with_ticks_in_percent():
    plt.plot(TEST_ACC)
    plt.title("Test")
    plt.xlabel("iteration")
    plt.ylabel("accuracy (%)")
    plt.gca().yaxis.set_major_formatter(PercentFormatter(1.0))


EVERY_FIFTH = (
    f"training_loss in means of 5 ({np.mean(TRAINING_LOSS[:5]):.3g} to "
    f"{np.mean(TRAINING_LOSS[-5:]):.3g}), test_loss[4::5] ({TEST_LOSS[4]:.3g} to 0.14)"
)


@truth(
    f"not 605 points · 2 curves of 121 points: {EVERY_FIFTH} · title, both labels, legend of 2",
    conditions=SCHEME,
)
def one_point_of_five():
    plt.plot(np.reshape(TRAINING_LOSS, (121, 5)).mean(axis=1), label="training")
    plt.plot(TEST_LOSS[4::5], label="test")
    label(plt.gca())


@truth(
    "not 605 points · 2 curves of 605 and 121 points: training_loss (0.69 to 0.069), "
    f"test_loss[:121] (0.7 to {TEST_LOSS[120]:.3g}) · title, both labels, legend of 2",
    conditions="points=605",
)
def first_epoch_alone():
    plt.plot(TRAINING_LOSS, label="training")
    plt.plot(range(121), TEST_LOSS[:121], label="test")
    label(plt.gca())


@truth(
    f"curves look the same · 2 curves of 605 points: {LOSSES} · title, both labels, legend of 2",
    conditions=SCHEME,
)
def two_curves_in_one_colour():
    plt.plot(TRAINING_LOSS, color="tab:blue", label="training")
    plt.plot(TEST_LOSS, color="#1f77b4", label="test")
    label(plt.gca())


@truth(
    f"legend lacks a curve · 2 curves of 605 points: {LOSSES} · title, both labels, legend of 1",
    conditions=SCHEME,
)
def legend_with_one_of_two():
    plt.plot(TRAINING_LOSS, label="training")
    plt.plot(TEST_LOSS)
    label(plt.gca())


@truth(
    "curves swapped · 2 curves of 605 points: training_loss (0.69 to 0.069), test_loss (0.7 to "
    "0.14) · title, both labels, legend of 2"
)
def legend_made_by_hand():
    """The lines are called `_child0` and `_child1`; the handles have their colours, swapped."""
    ax = plt.gca()
    ax.plot(TRAINING_LOSS, "C0")
    ax.plot(TEST_LOSS, "C1")
    label(ax, legend=False)
    ax.legend([Line2D([], [], color="C1"), Line2D([], [], color="C0")], ["train", "test"])


@truth("no x label · 1 scatter of 50 points · title, y label")
def scatter():
    plt.scatter(np.arange(50), np.arange(50) ** 2, c=np.arange(50))
    plt.colorbar(label="time")
    plt.title("Squares")
    plt.ylabel("square")


@truth(
    "no title · 1 curve of 605 points: test_loss (0.7 to 0.14) · 1 scatter of 605 points: "
    "training_loss (0.69 to 0.069) · both labels, legend of 2"
)
def curve_and_markers():
    plt.plot(TRAINING_LOSS, "o", label="training")
    plt.plot(TEST_LOSS, label="test")
    plt.legend()
    plt.xlabel("iteration")
    plt.ylabel("loss")


@truth("5 bars · title, both labels", conditions="bars=5, title, labels")
def bar():
    plt.bar(["a", "b", "c", "d", "e"], [3, 1, 4, 1, 5])
    plt.title("Counts")
    plt.xlabel("letter")
    plt.ylabel("count")


@truth("1 image · title", conditions="images=1, title")
def imshow():
    plt.imshow(np.eye(28))
    plt.title("identity")
    plt.colorbar()


@truth(
    "no y label · axes 1 of 2: 1 curve of 605 points: training_loss (0.69 to 0.069) · title, both "
    "labels · axes 2 of 2: 1 curve of 605 points: test_loss (0.7 to 0.14) · title, x label",
    conditions="of=training_loss,test_loss, axes=2, curves=2",
)
def subplots():
    _, (left, right_) = plt.subplots(1, 2, figsize=(9, 4))
    left.plot(TRAINING_LOSS)
    label(left, legend=False)
    right_.plot(TEST_LOSS)
    right_.set(title="Test", xlabel="iteration")


@truth(
    "axes 1 of 2: 1 curve of 605 points: training_loss (0.69 to 0.069) · title, both labels · "
    "axes 2 of 2: 1 curve of 605 points: test_loss (0.7 to 0.14) · title, both labels"
)
def subplots_that_share_labels():
    figure, (upper, lower) = plt.subplots(2, sharex=True)
    upper.plot(TRAINING_LOSS)
    lower.plot(TEST_LOSS)
    lower.set_xlabel("iteration")
    figure.supylabel("loss")
    figure.suptitle("Loss")


@truth(
    "y not log · no curve of training_loss · 1 curve of 605 points: ln training_loss "
    f"({np.log(TRAINING_LOSS[0]):.3g} to {np.log(TRAINING_LOSS[-1]):.3g}) · title, both labels",
    conditions="y log, of=training_loss",
)
def log_by_data():
    plt.plot(np.log(TRAINING_LOSS))
    plt.title("Loss")
    plt.xlabel("iteration")
    plt.ylabel("log of the loss")


@truth(
    "no y label · 2 curves of 605 points: test_loss (0.7 to 0.14), test_acc (0.48 to 0.98) · "
    "title, x label, legend of 2"
)
def twin_axes():
    """The second y axis has no label. The legend of both curves is at the first."""
    ax = plt.gca()
    [one] = ax.plot(TEST_LOSS, "C0", label="test loss")
    label(ax, legend=False)
    [other] = ax.twinx().plot(TEST_ACC, "C1", label="test accuracy")
    ax.legend(handles=[one, other])


@truth("2 curves of 605 points: " + LOSSES + " · title, both labels, legend of 2")
def with_guides():
    """Lines across the axes, and a line of two points, are no curves."""
    ax = plt.gca()
    ax.plot(TRAINING_LOSS, label="training")
    ax.plot(TEST_LOSS, label="test")
    ax.axhline(np.log(2), color="k")
    ax.axvline(121, color="k")
    ax.plot([0, 604], [0.1, 0.1], "k:")
    label(ax)


@truth("no title · 1 curve of 12 points · 1 other shape · both labels")
def error_bars():
    plt.errorbar(np.arange(12), np.arange(12), yerr=0.5, capsize=3)
    plt.xlabel("x")
    plt.ylabel("y")


@truth(
    "curve cut off · 1 curve of 605 points: training_loss (0.69 to 0.069) · title, both labels",
    conditions="inside",
)
def limits_that_cut():
    plt.plot(TRAINING_LOSS)
    plt.ylim(0, 0.3)
    label(plt.gca(), legend=False)


@truth(
    "small text · 1 curve of 605 points: training_loss (0.69 to 0.069) · title, both labels",
    conditions="text",
)
def small_text():
    plt.figure(figsize=(30, 12))
    plt.plot(TRAINING_LOSS)
    label(plt.gca(), legend=False)


@truth("no legend · 2 curves of 605 points: " + LOSSES + " · title, both labels, 2 texts inside")
def labels_beside_the_curves():
    plt.plot(TRAINING_LOSS)
    plt.plot(TEST_LOSS)
    plt.text(300, 0.2, "training")
    plt.annotate("test", (300, 0.3))
    label(plt.gca(), legend=False)


@truth(
    "1 curve of 606 points: test_loss and 1 more (0.8 to 0.14) · title, both labels",
)
def with_the_loss_before_training():
    plt.plot([0.8, *TEST_LOSS])
    label(plt.gca(), legend=False)


@truth("empty figure · nothing drawn", conditions="legend, title")
def empty_axes():
    plt.subplots()


@truth("1 other shape · title")
def pie():
    plt.pie([1.0])
    plt.title("Pie")


@pytest.fixture(autouse=True)
def closed():
    plt.close("all")
    yield
    plt.close("all")


def facts_of(figure):
    data = json.loads(json.dumps(figures.facts_of(figure, ARRAYS)))
    facts = figures.checked(data)
    assert facts is not None
    assert plain(facts) == data
    return facts


@pytest.mark.parametrize("name", PLOTS)
def test_the_facts_of_a_plot_are_those_that_a_person_sees(name):
    draw, lines, conditions = PLOTS[name]
    draw()
    plt.gcf().savefig(io.BytesIO())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts = [facts_of(plt.gcf())]
    assert [" · ".join([*figures.wrong(facts, conditions), *figures.summaries(facts)])] == lines


# What is said of conditions on a figure of two curves, one of which has 121 points.
CONDITIONS = {
    "legend, title, labels, x label, y label, colours, units, inside, text, not swapped": [],
    "curves=2, curves>=2, axes=1, figures=1, images=0, bars=0, scatters=0, y linear": [],
    "of=training_loss": [],
    "of=training_loss,test_loss": ["no curve of test_loss"],
    "points=605, points>=121, points>=605": ["not 605 points", "fewer than 605 points"],
    "curves=3, images>=3": ["not 3 curves", "fewer than 3 images"],
    "y log, x log": ["y not log", "x not log"],
    "titel": ["unknown condition titel"],
    "": [],
}


@pytest.mark.parametrize(("conditions", "said"), CONDITIONS.items())
def test_conditions_that_fail_are_named(conditions, said):
    first_epoch_alone()
    facts = facts_of(plt.gcf())
    assert figures.failing([facts], conditions) == said
    assert [*figures.unknown(conditions)] == [one for one in ["titel"] if one == conditions]
    if said:
        with pytest.raises(Mismatch, match="the figure: expected"):
            figures.expect_figure(facts, conditions)
    else:
        figures.expect_figure([facts], conditions)


def test_without_a_figure_nothing_is_missing_and_conditions_fail():
    assert figures.wrong([], "") == figures.summaries([]) == []
    assert figures.failing([], "of=a, curves=1") == ["empty figure"]


def test_facts_of_a_large_figure_fit_and_say_what_is_left_out():
    _, places = plt.subplots(7, 7)
    for ax in places.flat:
        ax.plot(TRAINING_LOSS, label="a label of some length")
        ax.plot(TEST_LOSS, label="another label of some length")
        ax.legend()
    facts = facts_of(plt.gcf())
    assert len(facts.axes) + facts.more == 49
    assert len(json.dumps(plain(facts)).encode()) <= MAX_BYTES
    assert "axes 1 of 49: 2 curves of 605 points" in figures.summaries([facts])[0]
    plt.figure()
    plt.plot(np.zeros((3, 300)))
    assert figures.summaries([facts_of(plt.gcf())])[0].startswith("300 curves of 3 points")


def test_taking_facts_changes_nothing_of_the_picture():
    right()
    before, after = io.BytesIO(), io.BytesIO()
    plt.savefig(before)
    facts_of(plt.gcf())
    plt.savefig(after)
    assert before.getvalue() == after.getvalue()


GOOD = {"axes": [{"curves": [{"points": 3, "label": "a"}], "title": "T"}], "width": 6.4}
BAD = [
    None,
    [],
    "facts",
    {"unknown": 1},
    {"axes": "many"},
    {"axes": [{"curves": [{"points": "3"}]}]},
    {"axes": [{"curves": [{"points": -1e301}]}]},
    {"axes": [{"curves": [{"points": True}]}]},
    {"axes": [{"curves": [{"first": float("nan")}]}]},
    {"axes": [{"title": ["T"]}]},
    {"width": 10**400},
    {"text": float("inf")},
    {"axes": [{"notes": 2}] * 2000},
    {"axes": [[]]},
]


@pytest.mark.parametrize("data", BAD, ids=range(len(BAD)))
def test_invalid_facts_that_anybody_may_have_written_are_dropped(data):
    assert figures.checked(data) is None
    assert figures.facts_in([{"metadata": {KEY: data}}, {"metadata": 3}, {}]) == ()
    assert figures.checked(GOOD).axes[0].title == "T"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from(["axes", "curves", "title"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["axes", "curves", "title", "points", "text"]), inner)
        ),
    )
)
def test_whatever_is_in_the_metadata_gives_words_or_nothing(data):
    facts = figures.facts_in([{"metadata": {KEY: data}}])
    assert "".join(figures.wrong(facts) + figures.summaries(facts)).isprintable()


def test_a_hostile_text_is_cut_and_shown_in_escapes():
    data = {"axes": [{"curves": [{"array": "\x1b[2J\u202e\ud800" + 900 * "x", "points": 2}]}]}
    [line] = figures.summaries([figures.checked(data)])
    assert line.isprintable()
    assert len(line) < 150
