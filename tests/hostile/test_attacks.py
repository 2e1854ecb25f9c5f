"""Every attack in `attacks/`; attack_files.py says how they are written."""

import os
import subprocess
import tempfile
from math import inf
from pathlib import Path
from typing import Any

import psutil
import pytest
from arena import NOTHING, POINTS, RIGHT, Arena, Outcome, notebook
from attack_files import Attack, Header, all_attacks, carry_out, expect
from nbformat.v4 import new_output

from hw_grading.commands.sample import cell_of
from hw_support.submission.problems import Kind, Problem, Severity

ALL = list(all_attacks())


def _each() -> list[Any]:
    return [
        pytest.param(
            attack,
            variant,
            id=f"{attack.name}/{variant}".rstrip("/"),
            marks=[pytest.mark.smoke] if attack.header.smoke else [],
        )
        for attack in ALL
        if not attack.header.checked_in
        for variant in attack.variants or [""]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "variant"), _each())
def test_attack(arena: Arena, attack: Attack, variant: str, request: pytest.FixtureRequest) -> None:
    memory = request.getfixturevalue("memory") if attack.header.bounded else None
    carry_out(arena, attack.name, variant, memory)


def test_an_attack_that_another_file_checks_is_named_there() -> None:
    elsewhere = [attack for attack in ALL if attack.header.checked_in]
    assert elsewhere
    for attack in elsewhere:
        assert not attack.header.smoke  # its test has the mark
        file = Path(__file__).with_name(attack.header.checked_in)
        assert f'"{attack.name}"' in file.read_text(encoding="utf-8")


# For each key of a header: a value that an invented outcome meets, and one that it does not.
EXPECTED = {
    "scores": ([{}, POINTS], [{}, {"test_double": 1.0}]),
    "problems": (["time-limit"], []),
    "problems_among": (["time-limit", "kernel"], ["kernel"]),
    "prints": (["begun"], ["begun", "done"]),
    "never_prints": (["done"], ["begun"]),
    "numbers": ({"begun": [7, 7]}, {"begun": [8, inf]}),
    "looks_for": (["SEED"], ["SEED"]),
}


@pytest.mark.parametrize("key", EXPECTED)
def test_an_expectation_that_is_not_met_fails(key: str) -> None:
    right, wrong = EXPECTED[key]
    nb = notebook({})
    text = "begun 6\nbegun 7\nlooked at 1 found []\n"
    cell_of(nb, "double").outputs = [new_output("stream", text=text)]
    problem = Problem(Kind.TIME_LIMIT, Severity.FAILED, "ended after 5 s")
    outcome = Outcome(nb, problems=[problem])
    expect(Header(**{"scores": "all", key: right}), outcome)
    if key == "looks_for":
        cell_of(nb, "mean").outputs = [new_output("stream", text="looked at 2 found [1]\n")]
    with pytest.raises(AssertionError):
        expect(Header(**{"scores": "all", key: wrong}), outcome)


@pytest.mark.parametrize(
    "header",
    [Header(scores="all", prints_unless_problems=["done"]), Header(scores=[POINTS, {}])],
)
def test_a_text_or_points_may_be_missing_only_with_a_problem(header: Header) -> None:
    outcome = Outcome(notebook({}))
    with pytest.raises(AssertionError):
        expect(header, outcome)
    outcome.problems = [Problem(Kind.TIME_LIMIT, Severity.FAILED, "ended after 5 s")]
    expect(header, outcome)


# -- the arena itself


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize(("answers", "scores"), [(RIGHT, POINTS), ({}, NOTHING)])
def test_right_answers_get_all_points_and_wrong_ones_none(
    arena: Arena, answers: dict[str, str], scores: dict[str, float]
) -> None:
    assert arena.attack(answers).scores == scores
    assert arena.grade(notebook(answers), sandbox="none").scores == scores


# -- attacks with checks that a header cannot state


@pytest.mark.slow
@pytest.mark.smoke
def test_links_to_the_course_in_the_working_folder(arena: Arena) -> None:
    carry_out(arena, "writing/links", COURSE=str(arena.course))


@pytest.mark.slow
def test_removing_everything_leaves_no_folder_of_sockets(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        carry_out(arena, "writing/everything_removed")
        assert [name for name in os.listdir(folder) if "kernel" in name] == []


@pytest.mark.slow
def test_things_left_for_the_next_student_are_gone(arena: Arena) -> None:
    for _ in range(2):
        carry_out(arena, "writing/things_left")


@pytest.mark.slow
@pytest.mark.smoke
def test_a_signal_to_everything_reaches_no_other_process(arena: Arena) -> None:
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            carry_out(arena, "system/signal_to_everything")
            assert bystander.poll() is None
            assert psutil.Process(bystander.pid).status() != psutil.STATUS_STOPPED
        finally:
            bystander.kill()


@pytest.mark.slow
def test_a_search_that_could_find_something_does(arena: Arena) -> None:
    needles = [text[::-1] for text in ("in the open", "an open file")]
    attack = Attack.read("peeking/search_in_the_open").submission(NEEDLES=needles)
    printed = arena.grade(notebook(**attack)).printed.replace("\\", "")
    assert "('look mine', 'nepo eht ni'" in printed
    assert "('/tmp/a file', 'elif nepo na'" in printed
