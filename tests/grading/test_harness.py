"""The harness scores as nbgrader does, starts afresh for each answer, and survives bad answers."""

import builtins
import os

import guarded
import harness
import pytest
from answers import Answer, sections
from cells import Cell, homeworks, notebook_of
from guarded import judge

HW2 = notebook_of("hw2")
RAISING = "def relu_activation(s):\n    raise ValueError('odd')\n"

pytestmark = pytest.mark.usefixtures("while_grading")


def answer(source, function="relu_activation"):
    return Answer(function, "for a test", source)


@pytest.fixture
def score():
    """Score a test cell, worth 3 points, of this source."""

    def run(source, **names):
        test = Cell("test_x", source, 3, is_test=True)
        return harness.score_cell(test, {**harness.fresh_namespace(HW2), **names})

    harness.fresh_namespace(HW2)
    return run


@pytest.mark.parametrize("homework", homeworks())
def test_the_instructors_answers_get_all_points(homework):
    scores = harness.score_submission(notebook_of(homework), {})
    assert scores
    for test, result in scores.items():
        assert result.lost == 0, f"{test}\n{result.printed}"
        assert result.parts


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1.5", 1.5),
        ("None", 3),
        ("x = 1", 3),
        ("2.0\nraise ValueError", 0),
        ("raise KeyboardInterrupt", 0),
        ("raise SystemExit", 0),
        ("import sys\nprint('warning', file=sys.stderr)\n2.0", 0),
        ("not python", 0),
    ],
)
def test_a_cell_is_worth_its_last_line_all_without_one_and_nothing_after_an_error(
    score, source, expected
):
    assert score(source).score == expected


def test_an_endless_cell_is_interrupted_though_it_catches_interrupts(score, monkeypatch):
    monkeypatch.setattr(harness, "CELL_SECONDS", 0.2)
    result = score("try:\n    while True: pass\nexcept BaseException:\n    pass\nwhile True: pass")
    assert result.score == 0


def test_parts_and_printed_text_are_kept(score):
    result = score(
        "from hw_support import Checks\nchecks = Checks('x', points=3)\n"
        "with checks('right', points=1): print('seen')\n"
        "with checks('wrong', points=2): raise ValueError('odd')\n"
        "checks.score()"
    )
    assert result.score == 1
    assert [(part.what, part.passed) for part in result.parts] == [
        ("right", True),
        ("wrong", False),
    ]
    assert result.failed_parts == ["wrong: ValueError: odd"]
    assert "seen" in result.printed


def test_one_answer_is_replaced_and_the_others_stay():
    scores = harness.score_submission(HW2, {"relu_activation": RAISING})
    assert scores["test_relu_activation"].score == 0
    assert scores["test_sigmoid_activation"].lost == 0


def test_a_run_leaves_nothing_for_the_next():
    left = RAISING + "left_behind = 1\nX_train = None\n"
    harness.score_submission(HW2, {"relu_activation": left})
    names = harness.fresh_namespace(HW2)
    assert "left_behind" not in names
    assert names["X_train"] is not None


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others():
    spy = (
        "import builtins\n"
        "def relu_activation(s):\n"
        "    builtins.seen_by_test.append(np.array(s).tobytes())\n"
        "    return np.maximum(s, 0), s > 0\n"
    )
    runs = []
    for seed in (1, 1, 2):
        builtins.seen_by_test = []
        tests = HW2.tests_of("relu_activation")
        harness.score_submission(HW2, {"relu_activation": spy}, tests=tests, seed=seed)
        runs.append(builtins.seen_by_test)
    del builtins.seen_by_test
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("crash", ["import os\nos._exit(7)", "import os\nos.kill(os.getpid(), 9)"])
def test_an_answer_that_ends_its_process_gets_nothing_and_the_next_is_judged(crash):
    (_, dead), (_, alive) = judge(HW2, [answer(crash), answer("")], tests="own")
    assert "exit code" in dead.died
    assert dead.lost == {"test_relu_activation": dead.runs[0]["test_relu_activation"].points}
    assert not alive.died


def test_an_answer_that_cannot_be_interrupted_is_killed(monkeypatch):
    monkeypatch.setattr(guarded, "SUBMISSION_SECONDS", 1.0)
    deaf = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    ((_, verdict),) = judge(HW2, [answer(deaf)], tests="own")
    assert verdict.died == "time limit"
    assert verdict.caught


def test_verdicts_come_in_the_order_of_the_answers():
    slow_first = [answer("import time\ntime.sleep(1)"), *[answer(str(n)) for n in range(5)]]
    assert [one for one, _ in judge(HW2, slow_first, tests="own")] == slow_first


def test_the_parents_environment_and_notebook_are_unchanged():
    os.environ[harness.SEED_VARIABLE] = "before"
    list(judge(HW2, [answer(RAISING)], seeds=[5], tests="own"))
    assert os.environ[harness.SEED_VARIABLE] == "before"


def test_sections_have_names_tags_and_a_common_beginning():
    text = '"""Title."""\n# ruff: noqa\nh = 1\n\n# %% one\na\n\n# %% two [no value]\nb\n'
    text += "# %% + other\nc\n"
    assert list(sections(text)) == [
        ("one", "", "h = 1\n\na\n"),
        ("two", "no value", "h = 1\n\nb\n"),
        ("+ other", "", "c\n"),
    ]
