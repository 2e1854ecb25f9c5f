"""What the desk suggests for plots of hw2's questions: only what the mark scheme's words cover."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from hw_grading.desk import hints
from hw_grading.desk.answers import Glance
from hw_grading.gradebook.model import Question, first_conditions
from hw_grading.gradebook.scores import ScoredCell
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.notebook import read_places
from hw_support import figures
from hw_support.figures.facts import KEY
from tools.loss_plots import loss_plots

_way = np.linspace(0, 1, 605)
ARRAYS = {
    "training_loss": 0.69 * 0.1**_way,
    "test_loss": 0.69 * 0.12**_way,
    "training_acc": 0.5 + 0.49 * _way,
    "test_acc": 0.5 + 0.48 * _way,
}
RISES = ARRAYS | {"training_loss": np.geomspace(0.69, 13, 605)}
LOSS = {"title": "Loss", "xlabel": "iteration", "ylabel": "mean loss (nats)"}
ACCURACY = {"title": "Accuracy", "xlabel": "iteration", "ylabel": "accuracy (fraction)"}


def answer(kind="loss", arrays=ARRAYS, times=1, legend=True, white=False, shown=True, **texts):
    """Return the facts of a plot of both curves of a kind."""
    figure = Figure()
    ax = figure.subplots()
    for name in ("training", "test"):
        ax.plot(times * arrays[f"{name}_{kind}"], label=name)
    if white:
        ax.lines[1].set_color("white")
    if legend:
        ax.legend()
    ax.set(yscale="log" if kind == "loss" else "linear", **(LOSS if kind == "loss" else ACCURACY))
    ax.set(**texts)
    facts = figures.checked(figures.facts_of(figure, arrays) | ({} if shown else {"shown": False}))
    assert facts is not None
    return facts


def question(name):
    """Return a question of hw2, whose rubric's items have their numbers as ids."""
    places = read_places(REPOSITORY / "source/hw2/hw2.ipynb")
    cell = ScoredCell(name, 4.0, by_hand=True)
    asked = first_conditions(cell, [cell], places).values()
    return Question(name, name, 4.0, True, conditions=dict(zip("1234", asked, strict=True)))


ANSWERS = {
    "right": (answer(), "1234"),
    "without legend": (answer(legend=False), "124"),
    "a loss that rises": (answer(arrays=RISES), "134"),
    "not shown": (answer(shown=False), ""),
    "wide limits": (answer(ylim=(1e-9, 1e9)), "123"),
    "a white curve": (answer(white=True), "3"),
    "labels of one letter": (answer(xlabel="x", ylabel="y"), "124"),
    "fractions, said": (answer("acc"), "1234"),
    "fractions, not said": (answer("acc", ylabel="accuracy"), "234"),
    "percentages, said": (answer("acc", times=100, ylabel="accuracy (%)"), "1234"),
    "percentages, not said": (answer("acc", times=100, ylabel="accuracy"), "234"),
    "called a loss": (answer("acc", ylabel="loss (fraction)"), "124"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_item_is_suggested_if_all_that_it_says_is_in_the_plot(name):
    facts, items = ANSWERS[name]
    about = question("q1_3e_ii" if "acc" in facts.axes[0].curves[0].array else "q1_3e_i")
    assert hints.of_an_answer(about, Glance(figures=(facts,)))["suggested"] == [*items]


def test_for_seven_of_eight_plots_of_a_class_the_suggestions_are_what_a_person_gives():
    about = question("q1_3e_i")
    right = 0
    for plot in (plots := [*loss_plots()]):
        facts = figures.checked(plot.output.metadata[KEY])
        seen = hints.of_an_answer(about, Glance(figures=(facts,)))
        right += seen["suggested"] == [*plot.items]
    assert (right, len(plots)) == (21, 24)


def test_what_the_manifest_expects_is_a_hint_and_suggests_nothing():
    about = Question("q", "Q", 1.0, True, expected="curves=3, title")
    seen = Glance(figures=(answer(),))
    assert hints.of_an_answer(about, seen) == {
        "wrong": ["not 3 curves"],
        "shown": figures.summaries(seen.figures),
        "suggested": [],
    }
    assert hints.in_the_grid(about, seen) == ("not 3 curves",)
