"""Partial credit by named parts: every part is tried, reported and charged by itself."""

import signal
import subprocess
import sys

import pytest

from hw_support import Checks, assert_close
from hw_support.tally import ChecksFailed


class OddError(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [ValueError("odd"), SystemExit(0), OddError(), AssertionError(), StopIteration()]
)
def test_a_part_that_raises_fails_alone(error):
    checks = Checks("f", points=3)
    with checks("first", points=1):
        raise error
    with checks("second", points=2):
        pass
    assert checks.score() == 2.0
    assert [part.passed for part in checks.parts] == [False, True]


def test_an_interrupt_ends_the_whole_cell():
    checks = Checks("f", points=1)
    with pytest.raises(KeyboardInterrupt), checks("loops for ever", points=1):
        raise KeyboardInterrupt
    assert not checks.parts[0].passed


def test_all_visible_parts_passed_counts_as_all_points_while_hidden_ones_are_missing():
    checks = Checks("f", points=3)
    with checks("the visible part", points=1):
        pass
    assert checks.score() is None


def test_all_parts_passed_scores_the_points():
    checks = Checks("f", points=1.5)
    with checks("the only part", points=1.5):
        pass
    assert checks.score() == 1.5


def test_nothing_answered_scores_zero(capsys):
    checks = Checks("f", points=2)
    with checks("values", points=1):
        raise NotImplementedError
    assert checks.score() == 0.0
    assert "not answered yet" in capsys.readouterr().out


def test_a_visible_part_tells_the_values(capsys):
    checks = Checks("f", points=1)
    with checks("values", points=1):
        assert_close([1.0], [2.5], what="out")
    assert "out[0] is 1, expected 2.5" in capsys.readouterr().out
    assert (checks.got, checks.expected) == ([1.0], [2.5])


def test_a_hidden_part_tells_no_value_no_exception_text_and_nothing_printed(capsys):
    checks = Checks("f", points=3)
    with checks("values", points=1, hidden=True):
        assert_close([1.25], [2.5], what="out")
    with checks("raises", points=1, hidden=True):
        raise ValueError("the hidden input is 0.375")
    with checks("prints", points=1, hidden=True):
        print("the hidden input is 0.375")
        print("the hidden input is 0.375", file=sys.stderr)
    assert checks.got is checks.expected is None
    seen = "".join(capsys.readouterr())
    assert not any(number in seen for number in ("1.25", "2.5", "0.375"))
    assert "ValueError" in seen


def test_a_warning_costs_nothing_and_reaches_no_stderr():
    program = (
        "import numpy as np; from hw_support import Checks\n"
        "checks = Checks('f', points=1)\n"
        "with checks('warns', points=1):\n    np.log(np.zeros(1))\n"
        "print(checks.score())"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    assert "divide by zero" in ran.stdout
    assert ran.stdout.endswith("1.0\n")


def test_names_that_a_hidden_part_binds_are_restored_and_names_of_a_visible_part_stay():
    names = {"Checks": Checks, "kept": "student's own"}
    exec(
        "checks = Checks('f', points=2)\n"
        "with checks('visible', points=1):\n    seen = 1\n"
        "with checks('hidden', points=1, hidden=True):\n    kept = 'test'; new = 2\n"
        "kept_after = kept\n",
        names,
    )
    assert names["kept_after"] == "student's own"
    assert "new" not in names
    assert names["seen"] == 1


def test_validation_shows_the_messages_of_failed_parts(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    checks = Checks("f", points=2)
    with checks("values", points=1):
        assert_close([1.0], [2.0], what="out")
    with pytest.raises(ChecksFailed, match=r"values: out\[0\] is 1, expected 2"):
        checks.score()


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(3600)"])
def test_a_part_that_does_not_return_fails_and_the_next_is_tried(monkeypatch, capsys, code):
    monkeypatch.setattr("hw_support.attempts.CPU_SECONDS", 0.2)
    monkeypatch.setattr("hw_support.attempts.WALL_SECONDS", 1.0)
    checks = Checks("f", points=2)
    with checks("loops", points=1):
        exec(code)
    monkeypatch.setattr("hw_support.attempts.WALL_SECONDS", 600.0)
    with checks("returns", points=1):
        pass
    assert checks.score() == 1.0
    assert "did not return within" in capsys.readouterr().out


def test_a_part_that_catches_every_exception_still_ends(monkeypatch):
    monkeypatch.setattr("hw_support.attempts.CPU_SECONDS", 0.2)
    swallowed = 0
    checks = Checks("f", points=1)
    with checks("swallows", points=1):
        while swallowed < 3:
            try:
                while True:
                    pass
            except BaseException:
                swallowed += 1
        while True:
            pass
    assert swallowed == 3
    assert checks.score() == 0.0


def test_a_limit_that_strikes_while_a_part_is_left_does_not_end_the_cell():
    # Freeing a large list runs no Python code: the signal waits until a function is called.
    class Strikes:
        def __exit__(self, *_):
            signal.raise_signal(signal.SIGALRM)

        def __enter__(self):
            pass

    checks = Checks("f", points=1)
    attempt = checks("values", points=1)
    attempt.__enter__()
    attempt._streams.enter_context(Strikes())  # left first, while the limit is still in force
    assert attempt.__exit__(None, None, None)
    assert [part.passed for part in checks.parts] == [True]


def test_functions_that_a_function_calls_are_replaced_until_the_score():
    names = {"Checks": Checks, "helper": lambda: "student's"}
    exec(
        "checks = Checks('f', points=1)\n"
        "checks.replace(helper=lambda: 'reference', other=1)\n"
        "with checks('part', points=1, hidden=True):\n    assert helper() == 'reference'\n"
        "during = helper()\n"
        "result = checks.score()\n",
        names,
    )
    assert names["during"] == "reference"
    assert names["helper"]() == "student's"
    assert "other" not in names
    assert names["result"] == 1.0


def test_an_interrupt_puts_replaced_functions_back():
    names = {"Checks": Checks, "helper": "student's"}
    with pytest.raises(KeyboardInterrupt):
        exec(
            "checks = Checks('f', points=1)\n"
            "checks.replace(helper='reference')\n"
            "with checks('part', points=1):\n    raise KeyboardInterrupt\n",
            names,
        )
    assert names["helper"] == "student's"


def test_a_hidden_part_leaves_the_random_generators_unchanged():
    names = {"Checks": Checks}
    code = (
        "import random\nimport numpy as np\n"
        "rng = np.random.default_rng(3)\nnp.random.seed(3)\nrandom.seed(3)\n"
        "checks = Checks('f', points=1)\n"
        "with checks('draws', points=1, hidden={hidden}):\n"
        "    {draws}\n"
        "drawn = rng.random(), np.random.rand(), random.random()\n"
    )
    exec(code.format(hidden=True, draws="rng.random(9), np.random.rand(9), random.random()"), names)
    with_hidden_part = names["drawn"]
    exec(code.format(hidden=True, draws="pass"), names)
    assert with_hidden_part == names["drawn"]


def test_an_unanswered_function_is_named(capsys):
    def forward_pass():
        raise NotImplementedError

    checks = Checks("q1_3c", points=1)
    with checks("the mean", points=1):
        forward_pass()
    assert "forward_pass is not answered yet" in capsys.readouterr().out


def test_a_cell_without_points_has_no_score():
    checks = Checks("not graded", points=0)
    with checks("right", points=0):
        pass
    assert checks.score() is None


# -- remarks


def test_a_note_is_printed_and_costs_nothing(capsys):
    checks = Checks("f", points=1)
    with checks("a part", points=1):
        pass
    checks.note("The two gradients\n  disagree: 0.75.")
    checks.note("The two gradients disagree: 0.75.")
    assert checks.score() == 1.0
    assert checks.notes == ["The two gradients disagree: 0.75."]
    assert capsys.readouterr().out.splitlines() == [
        "passed  a part [1 pt]",
        "note    The two gradients disagree: 0.75.",
        "f: 1 of 1 points in this notebook.",
    ]


def test_a_note_of_a_hidden_part_tells_nothing(capsys):
    checks = Checks("f", points=2)
    with checks("hidden", points=1, hidden=True):
        checks.note("The input was 42.")
    with checks("hidden, and it fails", points=1, hidden=True):
        checks.note("The input was 43.")
        raise ValueError("43")
    checks.note("Look at your plot.")
    assert checks.notes == ["Look at your plot."]
    assert "4" not in capsys.readouterr().out


def test_an_empty_note_is_dropped(capsys):
    checks = Checks("f", points=1)
    checks.note(" \n")
    assert checks.notes == []
    assert capsys.readouterr().out == ""


def run_cells(names, *cells):
    """Run cells one after another in a notebook with these names."""
    for cell in cells:
        exec(compile(cell, "<cell>", "exec"), names)


def test_a_test_cell_leaves_the_students_functions_unchanged():
    names = {"Checks": Checks, "loss": lambda: 3.0}
    run_cells(
        names,
        "checks = Checks('one', points=1)\nwith checks('a', points=1):\n    loss = loss() + 1",
        "first = checks\nagain = loss()",
        "checks = Checks('two', points=2)\nwith checks('b', points=2):\n    got = loss()",
    )
    assert names["again"] == names["got"] == 3.0
    assert names["checks"] is not names["first"]
    assert [part.what for part in names["checks"].parts] == ["b"]


def test_names_bound_between_parts_are_kept():
    names = {"Checks": Checks, "W": lambda: "of an earlier test", "helper": lambda: 1}
    cell = """
checks = Checks("f", points=2)
W = [2]
for what in ("a", "b"):
    with checks(what, points=1):
        helper, W = helper() + W[0], W
        assert helper == 3
"""
    run_cells(names, cell)
    assert [part.passed for part in names["checks"].parts] == [True, True]


def test_a_second_try_uses_stand_ins_and_the_better_result_counts():
    names = {"Checks": Checks, "helper": lambda: 1, "stand_in": lambda: 2}
    cell = """
checks = Checks("f", points=3)
checks.stand_ins(10, helper=stand_in)
tried = []
for wanted in (1, 2, 3):
    for attempt in checks.tries(f"{wanted}", points=1):
        with attempt:
            tried.append((wanted, helper()))
            assert helper() == wanted
"""
    run_cells(names, cell)
    assert names["tried"] == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert [part.passed for part in names["checks"].parts] == [True, True, False]
    assert names["helper"]() == 1
    assert not names["checks"].standing_in


def test_the_message_is_that_of_the_try_with_the_students_own_functions():
    names = {"Checks": Checks, "helper": lambda: 1 / 0, "stand_in": lambda: [][0]}
    cell = """
checks = Checks("f", points=1)
checks.stand_ins(10, helper=stand_in)
for attempt in checks.tries("part", points=1):
    with attempt:
        helper()
"""
    run_cells(names, cell)
    (part,) = names["checks"].parts
    assert "ZeroDivisionError" in part.message


def test_results_are_run_again_with_stand_ins_in_a_second_try():
    names = {"Checks": Checks, "f": lambda: 1, "right": lambda: 2, "In": ["answer = f() + 1"]}
    run_cells(names, names["In"][0])
    cell = """
checks = Checks("answer", points=1)
checks.stand_ins(10, f=right)
for attempt in checks.tries("part", points=1):
    with attempt:
        (got,) = checks.results("answer")
        assert got == 3
"""
    run_cells(names, cell)
    assert [part.passed for part in names["checks"].parts] == [True]
    assert names["answer"] == 2


def test_an_answer_may_run_again_with_one_of_the_students_own_functions():
    names = {"Checks": Checks, "f": lambda: 1, "g": lambda: [5], "In": ["answer = f() + g()[0]"]}
    run_cells(names, names["In"][0])
    cell = """
checks = Checks("answer", points=1)
checks.stand_ins(10, f=lambda: 2, g=lambda: 5)
checks.stand_ins(10, ["g"], f=lambda: 2, g=lambda: 5)
for attempt in checks.tries("part", points=1):
    with attempt:
        assert checks.results("answer") == [f() + g()]
"""
    run_cells(names, cell)
    assert [part.passed for part in names["checks"].parts] == [True]
    assert names["g"]() == [5]


def test_a_part_that_shows_results_of_an_unanswered_function_earns_nothing():
    names = {"Checks": Checks, "f": lambda: 0, "g": lambda: 0, "right": lambda: 0}
    cell = """
checks = Checks("shown", points=3)
checks.stand_ins(10, f=right, g=right)
checks.unanswered = lambda name: "g gives nothing" if name == "g" else ""
for shows in (["f"], ["f", "g"], []):
    for attempt in checks.tries("part", points=1, shows=shows):
        with attempt:
            f()
"""
    run_cells(names, cell)
    parts = names["checks"].parts
    assert [part.passed for part in parts] == [True, False, True]
    assert parts[1].message == "there is no result to show: g gives nothing"


def test_a_wrong_function_costs_nothing_where_its_results_are_shown():
    names = {"Checks": Checks, "f": lambda: 1 / 0, "right": lambda: [1, 2]}
    run_cells(
        names,
        "checks = Checks('shown', points=1)\nchecks.stand_ins(10, f=right)\n"
        "for attempt in checks.tries('part', points=1, shows=['f']):\n"
        "    with attempt:\n        f()",
    )
    assert [part.passed for part in names["checks"].parts] == [True]


def test_calls_of_stand_ins_in_a_part_are_limited():
    names = {"Checks": Checks, "f": lambda x: 0, "right": lambda x: x, "more": [lambda x: 0]}
    cell = """
checks = Checks("f", points=4)
checks.stand_ins(10, f=right, more=[right])
for count in (5, 6, 5):
    for attempt in checks.tries("part", points=1):
        with attempt:
            assert sum(f(1) + more[0](1) for _ in range(count)) == 2 * count
with checks("own", points=1):
    assert all(f(1) == 0 for _ in range(100))
"""
    run_cells(names, cell)
    assert [part.passed for part in names["checks"].parts] == [True, False, True, True]


def test_no_test_cell_is_run_again():
    cell = """
checks = Checks("answer", points=1)
checks.stand_ins(10, f=right)
for attempt in checks.tries("part", points=1):
    with attempt:
        given = f()
        assert checks.results("answer", given=["given"]) == [2]
"""
    names = {"Checks": Checks, "f": lambda: 1, "right": lambda: 2, "given": 0}
    names["In"] = ["given = 1", "answer = f()", cell]
    run_cells(names, *names["In"])
    assert [part.passed for part in names["checks"].parts] == [True]
    assert len(names["checks"].parts) == 1


def test_results_that_no_cell_binds_are_missing():
    names = {"Checks": Checks, "In": ["1 / 0\nanswer = 1", "other = 2"]}
    cell = """
checks = Checks("answer", points=1)
checks.stand_ins(10, f=1)
for attempt in checks.tries("part", points=1):
    with attempt:
        checks.results("answer")
"""
    run_cells(names, cell)
    (part,) = names["checks"].parts
    assert "name 'answer' is not defined" in part.message


def test_kept_names_have_their_old_values_after_anything_is_written_into_them():
    names = {"history": [1, 2], "n": 3}
    notebook = Checks("f", points=0).notebook
    notebook.names = names
    with notebook.kept("history", "n", "missing"):
        names["history"].clear()
        names.update(n=4, missing=5)
    assert names == {"history": [1, 2], "n": 3}
