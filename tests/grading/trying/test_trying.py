"""`hw-grading try`: what it derives from a solution, and what it finds by the real grader."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from toy_course import code, python_notebook

from hw_grading.cli import main
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import Homework
from hw_grading.mistakes.proposed import read_proposed, write_proposed
from hw_grading.outcome import PartResult
from hw_grading.trying import forms, trying
from hw_grading.trying.calls import recorded
from hw_grading.trying.habits import habits
from hw_grading.trying.inputs import telling_input
from hw_grading.trying.kept import AnswersError, answers, settings_of, submissions
from hw_grading.trying.mutants import mutants_of
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Changed, Lost, Tried
from hw_grading.trying.submitting import TrialResult
from hw_grading.trying.trying import homework_digest

SETUP = code("import numpy as np\nfrom hw_support import Checks", "setup", locked=True)
GRADE = """def grade(points):
    ### BEGIN SOLUTION
    if points >= 90:
        return "A"
    return "B"
    ### END SOLUTION"""
RIGHT = "def grade(points):\n    if points >= 90:\n        return 'A'\n    return 'B'"
CASES = '(95, "A"), (20, "B"),'
# Fresh inputs are never near 90, so that chance catches no mutant.
TEST = """checks = Checks("grade", returns="letter", cases=[{}])
### BEGIN HIDDEN TESTS
checks.fresh(points=(20, 80))
### END HIDDEN TESTS
checks.table("letters", 2, "letter")"""


def answer(source: str, name: str) -> NotebookNode:
    return code(source, name, solution=True)


def checking(source: str, name: str, points: float = 1) -> NotebookNode:
    return code(source, name, grade=True, locked=True, points=points)


def with_checks(cases: str = CASES) -> NotebookNode:
    test = checking(f"{TEST.format(cases)}\nchecks.score()", "test_grade", 2)
    return python_notebook(SETUP, answer(GRADE, "grade"), test)


# -- what depends on what


@pytest.fixture
def plan() -> Plan:
    cells = [
        new_code_cell("import math"),
        code("import numpy as np", "imports", locked=True),
        code("data = np.arange(10)", "data", locked=True),
        code("np.seterr(all='ignore')", "effect", locked=True),
        answer("def one(x):\n    return x", "one"),
        checking('checks = Checks("one")\nchecks.score()', "test_one"),
        answer("def two(x):\n    return one(x) + math.pi", "two"),
        checking("assert two(1) > data[0]", "test_two"),
        answer("three = 3", "three"),
        checking("assert three", "test_three"),
        checking("from math import floor\nmost = floor(3.5)", "test_four"),
        checking("assert three == most", "test_five"),
    ]
    return Plan("week", python_notebook(*cells))


def test_a_test_needs_the_cells_whose_names_it_reads(plan: Plan) -> None:
    assert plan.needed("test_one") == {1, 3, 4, 5}
    assert plan.needed("test_two") == {0, 1, 2, 3, 4, 6, 7}
    assert plan.needed("test_three") == {1, 3, 8, 9}
    assert plan.needed("test_three", {"three": "three = two(1)"}) == {0, 1, 3, 4, 6, 8, 9}
    plan.whole.add("test_three")
    assert plan.needed("test_three") == {*range(10)} - {5}  # `Checks` leave no names


def test_a_test_runs_with_what_it_needs_of_earlier_ones(plan: Plan) -> None:
    assert plan.needed("test_five") == {1, 3, 8, 10, 11}
    assert [name for name, _ in plan.sources(["test_five"])] == ["test_four", "test_five"]
    assert "most = floor" in plan.cut(["test_five"], {}).cells[-2].source


def test_what_a_cell_binds_first_it_needs_from_none() -> None:
    cells = [
        code('checks = Checks("one")\nchecks.score()', "try_it", locked=True),
        code("data = [1]", "data", locked=True),
        code("data *= 2", "more_data", locked=True),
        answer("one = len(data)", "one"),
        checking('checks = Checks("one")\nchecks.score()', "test_one"),
    ]
    assert Plan("week", python_notebook(*cells)).needed("test_one") == {1, 2, 3, 4}


def test_an_answer_is_charged_by_the_tests_that_name_it(plan: Plan) -> None:
    for name in ("one", "two"):
        assert plan.tests_of(name) == [f"test_{name}"]
    assert plan.tests_of("three") == ["test_three", "test_five"]
    assert plan.affected(["one"]) == ["test_one", "test_two"]


def test_a_notebook_is_cut_down_to_what_is_tried(plan: Plan) -> None:
    cells = plan.cut(["test_one"], {"one": "one = abs"}).cells
    assert [cell.source.partition("\n")[0] for cell in cells] == [
        "import numpy as np",
        "np.seterr(all='ignore')",
        "one = abs",
        'checks = Checks("one")',
    ]
    assert plan.notebook.cells[4].source.startswith("def one")


# -- mutants and forms


def test_mutants_change_one_node_and_exchange_no_operands() -> None:
    mutants = mutants_of('def f(a, b):\n    """A text."""\n    print(a)\n    return a * b + 1')
    sources = [mutant.source for mutant in mutants]
    assert len(sources) == len({*sources})
    names = {mutant.name for mutant in mutants}
    assert {"return a * b - 1", "return a / b + 1", "return a * b + 2"} <= names
    assert not {"return b * a + 1", "return 1 + a * b"} & names
    assert {mutant.instead for mutant in mutants} == {
        "return a * b + 1"
    }  # not what is only printed
    assert "mean = sum(data) * 3" in {mutant.name for mutant in mutants_of("mean = sum(data) / 3")}


VALUES = "def f(x, y=0):\n    return (np.array([1.0, 2.0]), [1.0, 2], 3.0)"


@pytest.mark.filterwarnings("ignore:a warning")
@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_returns_equal_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"np": np}
    exec(forms.in_form(VALUES, form, "f"), names)
    array, entries, number = came = names["f"](1)
    assert np.array_equal(np.ravel(array), [1, 2])
    assert (list(entries), number) == ([1, 2], 3)
    with pytest.raises(TypeError, match="keyword"):
        names["f"](x=1)
    kinds = type(came), type(array), np.shape(array), type(entries), type(number)
    is_same = kinds == (tuple, np.ndarray, (2,), list, float) and array.dtype == float
    assert is_same == (form in ("a copy", "prints and a warning", "other names of its arguments"))
    assert ("printed" in capsys.readouterr().err) == (form == "prints and a warning")


def test_a_solution_calls_other_functions_by_keywords() -> None:
    sources = ["def f(a, b):\n    return a - b", "def g(x):\n    return f(x, 2) + len(x)"]
    made = forms.by_keywords(sources[1], forms.parameters_in(sources))
    assert "f(a=x, b=2) + len(x)" in made
    assert forms.by_keywords(sources[0], forms.parameters_in(sources)) == ""


def test_noise_has_the_shapes_of_results_and_of_values() -> None:
    names: dict[str, Any] = {"np": np}
    exec(forms.noise("def f():\n    return np.ones((2, 3))\nvalue = 4.0", ["f"], ["value"]), names)
    assert names["f"]().shape == (2, 3)
    assert not np.any(names["f"]() == 1)
    assert names["value"] != 4


def test_a_lookup_knows_the_inputs_that_were_recorded() -> None:
    source = "def f(*arguments):\n    return np.random.default_rng().normal()"
    for given in ([np.array([1.0, 2.0]), 3], [[1, 2], (3.0, "text")], [np.float64(1.5), len]):
        names: dict[str, Any] = {"np": np}
        exec(forms.looked_up(source, {"f": [forms.key_of(given)]}), names)
        assert names["f"](*given) == names["f"](*given)  # a table has one result
        with pytest.raises(LookupError, match="no visible case"):
            names["f"]("another")


# -- inputs

HOMEWORK = Homework("week", files={"helper.py": b"LIMIT = 90\n"})


def told(
    wrong: str,
    right: str = RIGHT,
    calls: str = "grade(95)\ngrade(20.0)",
    *,
    is_case: bool = True,
    is_concept: bool = False,
) -> Any:
    first = "import numpy as np\nfrom helper import LIMIT"
    cells = [("locked", "", first), ("answer", "it", right), ("test", "test_it", calls)]
    tests = [("test_it", calls)]
    return telling_input(cells, tests, right, wrong, HOMEWORK, 5.0, is_case, is_concept)


def test_an_input_at_a_constant_of_the_code_tells_a_mutant() -> None:
    mutant = RIGHT.replace(">=", ">")
    said, code, _ = told(mutant)
    assert (said, code) == ("`points = 90` gives 'A', the wrong answer 'B'", "(90, 'A'),")
    assert told(mutant, is_case=False)[1] == "assert grade(90) == 'A'"
    assert told(RIGHT) == ("", "", "")


ADDS = "def f(x):\n    return x + 1"


def test_a_telling_input_is_the_simplest_within_those_of_tests() -> None:
    wrong = ADDS.replace("+", "-")
    calls = "f(np.array([-0.9, 0.123456, 7.654321]))\nf(np.array([9.0]))"
    said, case, _ = told(wrong, ADDS, calls)
    assert said == "`x = [9.0]` gives [10.0], the wrong answer [8.0]"
    assert case == "([9.0], [10.0]),"
    code = told(wrong, ADDS, calls, is_case=False)[1]
    assert code == "np.testing.assert_allclose(f(np.array([9.0])), [10.0])"
    assert told(wrong, ADDS, "f(1 / 3)", is_case=False)[1].endswith(") <= 1e-06")
    said, _, _ = told(wrong, ADDS, "f(np.ones((50, 3)))")
    assert said.startswith("`x = an array of shape (50, 3)` gives an array")
    below = "def f(x):\n    return 0 if x < 1 else 1"  # tests never go so low
    assert told(below.replace("< 1", "< 2"), below, "f(3)\nf(8)") == ("", "", "")


WRONG_BUT = {
    "an argument is changed": (
        "def f(x, more=0):\n    x.sort()\n    return max(x) + more",
        "x = [3, 1]\nf(x)\nassert x == [3, 1]",
    ),
    "a default is another": (
        "def f(x, more=1):\n    return max(x) + more",
        "assert f([3, 1]) == 3",
    ),
    "an optional argument is ignored": (
        "def f(x, more=0):\n    return max(x)",
        "assert f([3, 1], 1) == 4",
    ),
}


@pytest.mark.parametrize(("wrong", "code"), WRONG_BUT.values(), ids=WRONG_BUT)
def test_what_is_proposed_was_run(wrong: str, code: str) -> None:
    right = "def f(x, more=0):\n    return max(x) + more"
    passed = "f([3, 1], 0)" if "more=1" in wrong else "f([3, 1])"
    assert told(wrong, right, passed, is_case=False)[1] == code
    exec(f"{right}\n{code}", {})
    with pytest.raises(AssertionError):
        exec(f"{wrong}\n{code}", {})


def test_of_a_random_function_no_drawn_number_is_proposed() -> None:
    random = "def f(n):\n    return float(np.random.default_rng().random() < 0.92)"
    for _ in range(20):  # a pair of draws is mostly equal; 200 are never
        assert told(random.replace("0.92", "0.5"), random, "f(30)") == ("", "", "random")
    value = "f = np.random.default_rng().normal()"
    assert told(value.replace("normal", "uniform"), value, "f > -9") == ("", "", "random")


def test_an_input_that_nothing_tests_tells_a_mistake_in_words_alone() -> None:
    right = "def f(x):\n    return 2 * x"
    wrong = f"{right}\n\ng = f\n\ndef f(x):\n    return g(abs(x))"
    assert told(wrong, right, "f(3)") == ("", "", "")
    said = "`x = -3` gives -6, the wrong answer 6"
    assert told(wrong, right, "f(3)", is_concept=True) == (said, "", "beyond")


def test_a_mutant_that_does_not_end_is_not_waited_for() -> None:
    right = "def f(n):\n    return n + 1"
    mutant = "def f(n):\n    while n > 5:\n        pass\n    return n - 1"
    assert told(mutant, right, "f(9)\nf(2)")[0] == "`n = 2` gives 3, the wrong answer 1"


def test_facts_are_found_of_lists_of_arrays_too() -> None:
    test = "import numpy as np\nf([np.ones((2, 3)), np.zeros(3)])"
    cells = [("answer", "f", "def f(x):\n    return len(x)"), ("test", "test_f", test)]
    found = recorded(cells, [("test_f", test)], ["f"], Homework("week"), fresh=False)
    assert found["f"]["table"] == [
        "x: always 2 entries; never empty; numbers from 0 to 1, none negative"
    ]


# -- habits


def test_habits_of_tests_beside_student_code_are_named() -> None:
    hidden = "x = 1\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    two = "assert x\nassert y"
    sources = {"a": hidden, "b": "cases = [1]", "c": "assert cases", "d": two, "e": f"{two}\n1.5"}
    tests = [checking(test, name, 2) for name, test in sources.items()]
    said, *found = habits(Plan("week", python_notebook(*tests)))
    assert said.startswith("5 of 5 test cells run beside student code")
    assert "(1 have hidden lines); 1 of them call" in said
    assert any(one.startswith("c needs cases, which the earlier test b binds") for one in found)
    assert any(one.startswith("b, c, d, e: students see all that is asked") for one in found)
    assert [one.partition(" ")[0] for one in found if "asserts" in one] == ["d"]
    assert [*habits(Plan("week", with_checks()))] == []


# -- answers that are kept

KEPT = {
    "wrong/f.py": "two = 2\n\n# %% twice\nf = 1\n# %% + g\ng = 1\n"
    "# %% left [needs no_such_package]\n",
    "whole/a.py": '"""All of it."""\n# %% f\nf = 2\n',
    "unearned/b.py": '"""At most 3 points in test_f: a guess."""\n# with a.py\n# %% g\ng = 2\n',
    "kept.toml": 'causes.f.twice = "sign"\nno_answers.f = ["twice"]\nunearned.noise = 2\n',
}


def test_kept_answers_are_read(tmp_path: Path) -> None:
    for name, text in KEPT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "whole/a.py").rename(tmp_path / "unearned/a.py")
    with pytest.raises(AnswersError, match="At most 8 points"):
        submissions(tmp_path, "unearned")
    (tmp_path / "unearned/a.py").rename(tmp_path / "unearned/a.txt")
    [one] = answers(tmp_path, "wrong")
    assert (str(one), [*one.cells]) == ("f: twice", ["f", "g"])
    settings = settings_of(tmp_path)
    assert settings.gives_nothing(one)
    assert settings.unearned == {"noise": 2}
    assert settings.is_true(one, "the sign is wrong")
    (tmp_path / "kept.toml").write_text("slow = []")
    with pytest.raises(
        AnswersError, match="expected the keys no_answers, limits, causes, unearned"
    ):
        settings_of(tmp_path)


# -- the report


def test_what_is_to_do_decides_whether_all_is_fine() -> None:
    survivor = Changed("f", "test_f", "return 1", "return -1")

    def is_fine(**what: Any) -> bool:
        return Tried("week", 3, 3, **{"untouched": 0, **what}).is_fine

    assert is_fine(habits=["h"], left_out=["t"], perhaps_equivalent=[survivor])
    assert is_fine(unearned=[("a guess", 1.0, "test_f", 2.0), ("noise", 1.0, "test_f", None)])
    assert not is_fine(unearned=[("noise", 1.0, "test_f", 0.0)])
    assert not is_fine(untouched=1)
    assert not is_fine(findings=["f"])
    assert not is_fine(stopped=True)
    assert not is_fine(survivors=[survivor])
    assert is_fine(by_chance=[(survivor, 0, 6)], beyond=[survivor], varied=["f"])
    assert not is_fine(by_chance=[(survivor, 2, 6)])
    assert not is_fine(none_passes=True)


def test_the_first_wrong_answer_with_some_results_gives_them_its_name(tmp_path: Path) -> None:
    tried = Tried("ps", 2, 2, 0)
    part = PartResult("test_f", "values", 2, 0, passed=False, fingerprint="results: out: 1.5")
    by_message = replace(part, fingerprint="ValueError: # is too small")
    for name in ("a kept answer", "a mutant"):
        tried.propose(name, [by_message, part])
    tried.propose("another", [replace(part, cell="test_g")])
    write_proposed(tmp_path, "ps", tried.proposed)
    assert read_proposed(tmp_path, "ps") == {
        "test_f": {"results: out: 1.5": "a kept answer"},
        "test_g": {"results: out: 1.5": "another"},
    }
    (tmp_path / "ps.names.json").write_text("{")
    assert read_proposed(tmp_path, "ps") == {}


def test_a_report_that_was_kept_is_the_same(tmp_path: Path) -> None:
    one = Changed("f", "test_f", "return 1", "return -1", "`x = 1`", "assert f(1) == 1")
    lost = Lost("f: a form", {"test_f": 1.0}, "line 1")
    tried = Tried("week", 3, 3, 0, survivors=[one], by_chance=[(one, 1, 6)], forms_lost=[lost])
    tried.keep(tmp_path / "kept", "today")
    again = Tried.read(tmp_path / "kept", "today")
    assert again == tried
    assert [*again.lines()] == [*tried.lines()]
    assert Tried.read(tmp_path / "kept", "tomorrow") is None


@pytest.mark.parametrize("name", ["hw0", "hw2"])
def test_validity_is_about_todays_cells_and_answers(name: str) -> None:
    page = (REPOSITORY / "docs/validity.md").read_text()
    about = f"<!-- {name} {homework_digest(Course(REPOSITORY), name)} -->\n## {name}\n"
    assert about in page, "docs/validity.md is old: run `make validity`"


# -- the command


def course_of(folder: Path, made: NotebookNode, config: str = "") -> list[str]:
    """Write a course of one homework; return how the command begins."""
    source = folder / "source" / "week"
    source.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "any"\n'
        f"from hw_grading import configure\nconfigure(c)\n{config}"
    )
    nbformat.write(made, source / "week.ipynb")
    return ["--course", str(folder), "try", "week"]


@pytest.mark.slow
def test_the_proposed_case_catches_the_mutant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(course_of(tmp_path, with_checks())) == 1
    said = capsys.readouterr().out
    assert "your solutions: 2 of 2 points\n  the untouched release: 0 points" in said
    assert "in test_grade (week.ipynb): `points = 90` gives 'A', the wrong answer 'B'" in said
    page = (tmp_path / "grading/tried/week.md").read_text()
    assert "if points > 90:" in page
    cases = f"{CASES} (90, 'A'),"
    assert cases.endswith(next(line.strip() for line in said.splitlines() if "(90," in line))
    main(course_of(tmp_path, with_checks(cases)))
    assert "if points > 90:" not in capsys.readouterr().out
    status = main(course_of(tmp_path, with_checks(f"{cases} (89, 'B'),")))
    first = capsys.readouterr().out
    assert status == 0, first
    assert main(course_of(tmp_path, with_checks(f"{cases} (89, 'B'),"))) == 0
    assert capsys.readouterr().out == first


# Answers whose tests miss a mistake each: the tests, a wrong answer, and how the report says so.
NEVER_VARIED = {
    "total": (
        "def total(x, start=0):\n    return sum(x) + start",
        "assert total([1, 2]) == 3\nassert total([5]) == 5",
        "def total(x, start=0):\n    return sum(x)",
        "the argument start is ignored",
    ),
    "length": (
        "def length(v):\n    return sum(n * n for n in v) ** 0.5",
        "assert length([3, 4]) == 5",
        "def length(v):\n    return (v[0] ** 2 + v[1] ** 2) ** 0.5",
        "v: always 2 entries",
    ),
    "middle": (
        "def middle(x):\n    return sorted(x)[len(x) // 2]",
        "assert middle([3, 1, 2]) == 2\nassert middle([9]) == 9",
        "def middle(x):\n    x.sort()\n    return x[len(x) // 2]",
        "x is changed in place",
    ),
    "root": (
        "def root(start):\n    x = start\n    for _ in range(60):\n"
        "        x = (x + 4 / x) / 2\n    return x",
        "assert abs(root(1.0) - 2) < 1e-6\nassert abs(root(7.0) - 2) < 1e-6",
        "def root(start):\n    return 2.0",
        "the sign of start is ignored",
    ),
    "letters": (
        "from collections import Counter\n\ndef letters(word):\n    return Counter(word)",
        'assert letters("noon") == {"n": 2, "o": 2}\nassert letters("a") == {"a": 1}',
        "def letters(word):\n    return {one: word.count(one) for one in word}",
        "the result is a dict, no Counter",
    ),
    "words": (
        'import re\n\ndef words(text):\n    return re.findall(r"\\w+", text)',
        'assert words("a cat") == ["a", "cat"]',
        'import re\n\ndef words(text):\n    return re.findall(r"[a-z]+", text)',
        "the pattern '[a-z]+' for '\\\\w+'",
    ),
    "steps": (
        "def steps(n):\n    count = 0\n    while n > 1:\n        n, count = n - 2, count + 1\n"
        "    return count",
        "assert steps(1) == 0\nassert steps(9) == 4",
        "def steps(n):\n    return min(max(n, 0) // 2, 5000)",
        "`while n > 1` stops after 1000 rounds",
    ),
    "share": (
        'def share(part, of):\n    if of == 0:\n        raise ValueError("of is 0")\n'
        "    return part / of",
        "assert share(1, 2) == 0.5\nassert share(-3, -4) == 0.75",
        "def share(part, of):\n    return part / of if of else 0.0",
        "raise ValueError: no test reaches it",
    ),
    "average": (
        "def average(x):\n    return sum(x) / len(x) if x else 0.0",
        "assert average([1, 2]) == 1.5\nassert average([-4]) == -4",
        "def average(x):\n    return sum(x) / len(x)",
        "x: 1 to 2 entries; never empty",
    ),
    "trace": (
        "def trace(m):\n    return sum(m[i][i] for i in range(min(m.shape)))",
        "assert trace(np.eye(2)) == 2\nassert trace(np.eye(3)) == 3",
        "def trace(m):\n    return sum(m[i][i] for i in range(len(m)))",
        "m: always square, 2 sizes",
    ),
    "add_up": (
        "def add_up(x):\n    return sum(x)",
        "assert add_up([2, 1]) == 3\nassert add_up([]) == 0",
        "def add_up(x):\n    return sum({*x})",
        "no value twice",
    ),
}  # fmt: skip


@pytest.mark.slow
def test_what_tests_never_vary_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, kept = [new_code_cell("import numpy as np")], tmp_path / "staff/week/answers/wrong"
    kept.mkdir(parents=True)
    for name, (right, test, wrong, _) in NEVER_VARIED.items():
        head, _, body = right.partition(f"def {name}")
        signature, _, body = body.partition("\n")
        solution = f"    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        cells.append(answer(f"{head}def {name}{signature}\n{solution}", name))
        cells.append(checking(test, f"test_{name}"))
        (kept / f"{name}.py").write_text(f"# %% one\n{wrong}\n")
    main([*course_of(tmp_path, python_notebook(*cells)), "--mutants", "1"])
    said = capsys.readouterr().out
    assert f"kept wrong answers that are caught: 0 of {len(NEVER_VARIED)}" in said
    page = (tmp_path / "grading/tried/week.md").read_text()
    blocks = re.split(r"^(?=\w+ \(week.ipynb\):)", page, flags=re.M)
    announced = [
        name
        for name, (*_, words) in NEVER_VARIED.items()
        if any(block.startswith(f"{name} (week.ipynb):") and words in block for block in blocks)
    ]
    assert announced == [*NEVER_VARIED]
    assert "        x = [3, 1, 2]\n        middle(x)\n        assert x == [3, 1, 2]" in page
    # Nothing has changed: no workers are needed to say the same.
    monkeypatch.setattr(trying, "Grading", None)
    main(["--course", str(tmp_path), "try", "week", "--mutants", "1"])
    assert capsys.readouterr().out == said


@pytest.mark.slow
def test_nbgraders_own_example_has_no_flaky_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Course(tmp_path / "course")
    tmp_path.joinpath("nbgrader_config.py").write_text("c = get_config()\n")
    Course(tmp_path).run_nbgrader("quickstart", "course", "--autotest", log=tmp_path / "log")
    with (course.folder / "nbgrader_config.py").open("a") as file:
        file.write("\nfrom hw_grading import configure\nconfigure(c)\n")
    main(["--course", str(course.folder), "try", "ps1", "--mutants", "3"])
    said = capsys.readouterr().out
    assert "ps1: of the wrong answers that were tried, none gets full points" in said
    assert "your solutions: 3 of 3 points" in said
    assert "not each time" not in said
    # A test of 0 points catches by failing: all mutants of `my_dictionary` have lost nothing else.
    [(caught, made)] = re.findall(r"mutants that are caught: (\d+) of (\d+)", said)
    assert caught == made


@pytest.mark.slow
def test_wrong_answers_to_a_random_function_are_graded_several_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = "    ### BEGIN SOLUTION\n    return random.random() < 0.5\n    ### END SOLUTION"
    cells = [
        code("import random", "imports", locked=True),
        answer(f"def coin():\n{solution}", "coin"),
        checking("assert len({coin() for _ in range(80)}) == 2", "test_coin"),
    ]
    main([*course_of(tmp_path, python_notebook(*cells)), "--all"])
    said = capsys.readouterr().out
    assert re.search(r"coin \(week.ipynb\):\n.*\n.*\+ .*\n      caught in \d of 6", said)
    assert "Perhaps equivalent" not in said
    assert "assert coin() ==" not in said


@pytest.mark.slow
def test_a_homework_that_cannot_be_tried_is_said_in_a_few_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = python_notebook(SETUP, checking("assert (1 == 1", "test_one"))
    assert main(course_of(tmp_path / "a", broken)) != 0
    said = capsys.readouterr().err.strip().split("\n")
    assert len(said) == 2
    assert "week.ipynb: cell test_one: it is not valid Python" in said[0]
    never = python_notebook(answer("one = 1", "one"), checking("assert one == 2", "test_one"))
    assert main(course_of(tmp_path / "b", never)) == 1
    said = capsys.readouterr().out.split("\n")
    assert said[0] == "week: your solutions pass no test, so nothing else was tried"
    assert not any("mutants" in line for line in said)


PLAIN = [
    new_code_cell("import numpy as np"),
    answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION", "f"),
    checking("y = f(3)\nassert y == 5", "wrong_test"),
    checking("assert f(1) == 2\nassert f(4) == 5", "right_test"),
    answer("### BEGIN SOLUTION\ncentre = f(1) * 2\n### END SOLUTION", "centre"),
    checking("assert centre > 3", "weak_test"),
]


@pytest.mark.slow
def test_solutions_that_fail_are_named_with_line_and_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(course_of(tmp_path, python_notebook(*PLAIN))) == 1
    said = capsys.readouterr().out
    finding = "cell 'wrong_test': the solutions get 0 of 1 points. Line 2: AssertionError"
    assert "your solutions: 2 of 3 points" in said
    assert finding in said
    assert "`centre` is 4, in the wrong answer 6" in said  # f(1) * 3
    assert main(["--course", str(tmp_path), "compare", "week"]) == 1
    assert finding in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.smoke
def test_ctrl_c_shows_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = []
    add = TrialResult.add

    def stopped(self: TrialResult, outcome: Any, *about: Any) -> None:
        outcomes.append(outcome)
        if len(outcomes) == 12:  # in the middle of the mutants
            raise KeyboardInterrupt
        add(self, outcome, *about)

    monkeypatch.setattr(TrialResult, "add", stopped)
    assert main(course_of(tmp_path, with_checks())) == 130
    said = capsys.readouterr().out
    assert "your solutions: 2 of 2 points\n  the untouched release: 0 points" in said
    assert "mutants that are caught: 0 of 0" not in said
    assert "Stopped: the rest was not tried." in said


DEAR = [
    answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION", "f"),
    answer(
        "### BEGIN SOLUTION\nwhile sum(range(10**6)) and __import__('time').process_time() < 2:\n"
        "    pass\nlong_run = 1\n### END SOLUTION",
        "long_run",
    ),
    checking("assert f(1) == 2\n1 + ('long_run' in globals())", "test_f", 2),
]


@pytest.mark.slow
def test_a_dear_cell_is_run_for_the_solutions_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "_DEAR_CPU_SECONDS", 0.1)
    main(course_of(tmp_path, python_notebook(*DEAR)))
    said = capsys.readouterr().out
    assert "your solutions: 2 of 2 points" in said
    assert "mutants that are caught: 9 of 9" in said
    assert "because a cell that they need takes long:\n  test_f: 1 of 2 points, in 'test_f'" in said
