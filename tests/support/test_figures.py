"""The facts of each kind of plot: the truth of each was written by hand, by looking at its code."""

import io
import json
import string
import warnings
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_support import figures
from hw_support.checks import Mismatch
from hw_support.figures import words
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
ONE = "1 curve of 605 points: training_loss (0.69 to 0.069)"
TWO = "2 curves of 605 points: training_loss (0.69 to 0.069), test_loss (0.7 to 0.14)"
SCHEME = "legend, title, labels, not swapped, colours, curves=2, points=605"
PLOTS = {}


def truth(line, conditions=""):
    """Keep a function that draws, with the line that is said of it."""

    def keep(draw):
        PLOTS[draw.__name__] = draw, line, conditions
        return draw

    return keep


def label(title="Loss", ylabel="mean loss (nats)"):
    plt.gca().set(title=title, xlabel="iteration", ylabel=ylabel)


def plot_both(training=TRAINING_LOSS, test=TEST_LOSS, **how):
    """Plot two curves with labels and a legend."""
    plt.plot(training, label="training", **how)
    plt.plot(test, label="test", **how)
    label()
    plt.legend()


@truth(f"{TWO} · y log · title, both labels, legend of 2")
def right():
    """Lines across the axes, and a line of two points, are no curves."""
    plot_both()
    plt.axhline(np.log(2), color="k")
    plt.axvline(121, color="k")
    plt.plot([0, 604], [0.1, 0.1], "k:")
    plt.yscale("log")


@truth(f"no legend · no title · no x label · no y label · {TWO}", SCHEME)
def bare_plot():
    plt.plot(TRAINING_LOSS)
    plt.plot(TEST_LOSS)


@truth(
    "curves swapped · 2 curves of 605 points: test_loss (0.7 to 0.14), training_loss (0.69 to "
    "0.069) · title, both labels, legend of 2",
    SCHEME,
)
def swapped_under_the_legend():
    plot_both(TEST_LOSS, TRAINING_LOSS)


@truth(f"curves swapped · {TWO} · title, both labels, legend of 2")
def legend_made_by_hand():
    """The lines are called `_child0` and `_child1`; the handles have their colours, swapped."""
    plt.plot(TRAINING_LOSS, "C0")
    plt.plot(TEST_LOSS, "C1")
    label()
    plt.legend([Line2D([], [], color="C1"), Line2D([], [], color="C0")], ["train", "test"])


@truth(
    "percent called a fraction · 2 curves of 605 points: 100 × training_acc (50 to 95), "
    "100 × test_acc (48 to 98) · title, both labels, legend of 2"
)
def percent_labelled_fraction():
    plot_both(100 * TRAINING_ACC, 100 * TEST_ACC)
    label("Accuracy", "accuracy (fraction of images)")


@truth(
    "fraction called percent · 1 curve of 605 points: test_acc (0.48 to 0.98) · title, both labels"
)
def fraction_labelled_percent():
    plt.plot(TEST_ACC)
    label("Test", "accuracy (%)")


@truth("1 curve of 605 points: test_acc (0.48 to 0.98) · title, both labels")
def fraction_with_ticks_in_percent():
    fraction_labelled_percent()
    plt.gca().yaxis.set_major_formatter(PercentFormatter(1.0))


EVERY_FIFTH = (
    f"training_loss in means of 5 ({np.mean(TRAINING_LOSS[:5]):.3g} to "
    f"{np.mean(TRAINING_LOSS[-5:]):.3g}), test_loss[4::5] ({TEST_LOSS[4]:.3g} to 0.14)"
)


@truth(
    f"not 605 points · 2 curves of 121 points: {EVERY_FIFTH} · title, both labels, legend of 2",
    SCHEME,
)
def one_point_of_five():
    plot_both(np.reshape(TRAINING_LOSS, (121, 5)).mean(axis=1), TEST_LOSS[4::5])


@truth(
    "not 605 points · 2 curves of 605 and 121 points: training_loss (0.69 to 0.069), "
    f"test_loss[:121] (0.7 to {TEST_LOSS[120]:.3g}) · title, both labels, legend of 2",
    "points=605",
)
def first_epoch_alone():
    plot_both(test=TEST_LOSS[:121])


@truth(f"curves look the same · {TWO} · title, both labels, legend of 2", SCHEME)
def two_curves_in_one_colour():
    plot_both(color="tab:blue")


@truth(
    "legend lacks a curve · no title · no y label · 1 curve of 605 points: test_loss (0.7 to 0.14) "
    "· 2 scatters of 605 and 50 points: training_loss (0.69 to 0.069), another (0 to 1) · x label, "
    "legend of 2"
)
def curve_and_points():
    plt.plot(TRAINING_LOSS, "o", label="training")
    plt.plot(TEST_LOSS, label="test")
    plt.scatter(np.arange(50), np.linspace(0, 1, 50), c=np.arange(50))
    plt.colorbar(label="time")
    plt.sca(plt.gcf().axes[0])
    plt.legend()
    plt.xlabel("iteration")


@truth(
    "no title · no x label · no y label · axes 1 of 4: 5 bars · axes 2 of 4: 1 image · axes 3 of "
    "4: 1 other shape · title · axes 4 of 4: 1 curve of 12 points · 1 other shape",
    "bars=5, images=1, title, labels",
)
def other_kinds():
    _, axes = plt.subplots(1, 4)
    axes[0].bar(["a", "b", "c", "d", "e"], [3, 1, 4, 1, 5])
    axes[1].imshow(np.eye(28))
    axes[2].pie([1.0])
    axes[2].set_title("Pie")
    axes[3].errorbar(np.arange(12), np.arange(12), yerr=0.5, capsize=3)


@truth(
    f"no y label · axes 1 of 2: {ONE} · title, both labels · axes 2 of 2: 1 curve of 605 points: "
    "test_loss (0.7 to 0.14) · title, x label",
    "of=training_loss,test_loss, axes=2, curves=2",
)
def subplots():
    _, (left, right_) = plt.subplots(1, 2, figsize=(9, 4))
    right_.plot(TEST_LOSS)
    right_.set(title="Test", xlabel="iteration")
    plt.sca(left)
    plt.plot(TRAINING_LOSS)
    label()


@truth(
    f"axes 1 of 2: {ONE} · title, both labels · axes 2 of 2: 1 curve of 605 points: test_loss (0.7 "
    "to 0.14) · title, both labels"
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
    "y log, of=training_loss",
)
def log_by_data():
    plt.plot(np.log(TRAINING_LOSS))
    label("Loss", "log of the loss")


@truth(
    "no y label · legend over a curve · 2 curves of 605 points: test_loss (0.7 to 0.14), test_acc "
    "(0.48 to 0.98) · title, x label, legend of 2"
)
def twin_axes():
    """The second y axis has no label. The legend of both curves is at the first, over the other."""
    [one] = plt.plot(TEST_LOSS, "C0", label="test loss")
    label()
    ax = plt.gca()
    [other] = ax.twinx().plot(TEST_ACC, "C1", label="test accuracy")
    ax.legend(handles=[one, other])


@truth(f"curve cut off · small text · {ONE} · title, both labels", "inside, text")
def limits_that_cut_and_small_text():
    plt.figure(figsize=(30, 12))
    plt.plot(TRAINING_LOSS)
    plt.ylim(0, 0.3)
    label()


@truth(
    "no legend · 2 curves of 606 and 605 points: training_loss (0.69 to 0.069), test_loss and 1 "
    "more (0.8 to 0.14) · title, both labels, 2 texts inside"
)
def labels_beside_the_curves():
    """The second one begins with the loss before the training."""
    plt.plot(TRAINING_LOSS)
    plt.plot([0.8, *TEST_LOSS])
    plt.text(300, 0.2, "training")
    plt.annotate("test", (300, 0.3))
    label()


@truth(
    "curve not visible · label of one letter · curves fill too little · not 2 curves · no curve of "
    f"test_loss · {TWO} · title, both labels, legend of 2",
    "curves=2, of=training_loss,test_loss, colours, inside, labels",
)
def a_white_curve_under_wide_limits_and_a_label_of_one_letter():
    plot_both()
    plt.gca().lines[1].set_color("white")
    plt.ylim(0, 1000)
    plt.xlabel("x")


@truth(
    "curve not visible · no title · no x label · no y label · 1 scatter of 605 points: test_loss "
    "(0.7 to 0.14)"
)
def points_that_are_nearly_transparent():
    plt.scatter(range(N), TEST_LOSS, alpha=0.02)


@truth(f"curve not visible · curve cut off · {ONE} · title, both labels", "inside")
def curve_outside_the_axes():
    plt.plot(TRAINING_LOSS)
    label()
    plt.ylim(2, 3)


@truth(
    "legend over a curve · 1 curve of 605 points: test_loss (0.7 to 0.14) · title, both labels, "
    "legend of 1"
)
def legend_where_the_curve_is():
    plt.plot(TEST_LOSS, label="test")
    label()
    plt.legend(loc="center left", fontsize=40)


ACCURACIES = (
    "2 curves of 605 points: 100 × training_acc (50 to 95), 100 × test_acc (48 to 98) · title, "
    "both labels, legend of 2"
)


@truth(f"percent not said · label of another quantity · {ACCURACIES}", "labels")
def percent_without_a_word_on_an_axis_for_the_loss():
    plot_both(100 * TRAINING_ACC, 100 * TEST_ACC)


@truth("no legend · curves swapped · " + TWO + " · title, both labels")
def colours_swapped_in_the_title():
    plt.plot(TRAINING_LOSS, "#0072B2")
    plt.plot(TEST_LOSS, "#D55E00")
    label("Loss: training (orange), test (blue)")


@truth("no legend · " + TWO + " · title, both labels", "not swapped")
def colours_named_in_the_title():
    plt.plot(TRAINING_LOSS, "tab:blue")
    plt.plot(TEST_LOSS, "0.3")
    label("Loss: blue is the training batch and grey the test set")


@truth("empty figure · nothing drawn", "legend, title")
def empty_axes():
    plt.subplots()


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
    draw, line, conditions = PLOTS[name]
    draw()
    plt.gcf().savefig(io.BytesIO())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts = [facts_of(plt.gcf())]
    assert " · ".join([*figures.wrong(facts, conditions), *figures.summaries(facts)]) == line


# What is said of conditions on a figure of two curves, one of which has 121 points.
CONDITIONS = {
    "legend, title, labels, x label, y label, colours, inside, text, not swapped, falls": [],
    "units": ["fraction or percent not said"],
    "starts 0.69 to 0.7, training_loss ends 0 to 0.07": [],
    "training_loss ends 0.1 to 1": ["training_loss ends outside 0.1 to 1"],
    "starts 0 to 0.69, test_acc ends 0 to 1": ["starts outside 0 to 0.69", "no curve of test_acc"],
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


LOSSES = {
    "falls": ([0.7, 0.9, 0.1], []),
    "rises": ([0.69, 5.0, 13.0], ["not falling"]),
    "rises and falls again": ([0.69, 13.0, 0.1], ["not falling"]),
    "is not finite": ([0.69, 0.2, np.nan], ["not falling"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_falls_if_it_ends_lower_and_never_doubles(name):
    values, said = LOSSES[name]
    plt.plot(values)
    assert figures.failing([facts_of(plt.gcf())], "falls") == said


def test_percentages_of_an_array_start_and_end_as_fractions():
    plt.plot(100 * TEST_ACC)
    facts = [facts_of(plt.gcf())]
    assert figures.failing(facts, "test_acc starts 0.4 to 0.5, ends 0.9 to 1") == []
    assert figures.unknown("test_acc starts 0.4 to 0.5", ["loss"]) == ["test_acc starts 0.4 to 0.5"]


def test_a_figure_that_is_not_shown_fails_every_condition():
    right()
    facts = facts_of(plt.gcf())
    assert figures.failing([facts, replace(facts, shown=False)], "title, curves=2") == []
    assert figures.wrong([replace(facts, shown=False)], "title, curves=3") == [
        "not shown",
        "not 3 curves",
    ]


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


def test_hostile_legends_are_compared_once(monkeypatch):
    asked = []
    monkeypatch.setattr(words, "_is_alike", lambda *pair: asked.append(pair))
    parts = [f"{a}{b}" for a in string.ascii_lowercase for b in string.ascii_lowercase]
    curves = [
        {"array": "_".join(parts[n : n + 26]), "entry": " ".join(parts[n + 9 : n + 35])}
        for n in range(22)
    ]
    data = [{"axes": [{"curves": curves, "notes": number}]} for number in range(20)]
    facts = figures.facts_in([{"metadata": {KEY: one}} for one in data])
    assert len(facts) == 20
    for _ in range(3):  # views of an answer with several items
        assert figures.wrong(facts, "legend, labels")
        assert figures.failing(facts, "not swapped, title")
    assert 0 < len(asked) <= 20 * 22 * 22 * 8 * 8


GOOD = {"axes": [{"curves": [{"points": 3, "label": "a"}], "title": "T"}], "width": 6.4}
BAD = [
    None,
    {"axes": "many"},
    {"axes": [{"curves": [{"points": -1e301}]}]},
    {"axes": [{"curves": [{"first": float("nan")}]}]},
    {"width": 10**400},
    {"axes": [{"notes": 2}] * 2000},
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
