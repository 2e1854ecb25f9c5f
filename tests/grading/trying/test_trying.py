"""`hw-grading try`: what it derives from a solution, and what it finds by the real grader."""

import html
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
from hw_grading.trying import forms, submitting, trying
from hw_grading.trying.habits import habits
from hw_grading.trying.inputs import telling_input
from hw_grading.trying.kept import AnswersError, answers, settings_of, submissions
from hw_grading.trying.mutants import mutants_of
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Changed, Tried
from hw_grading.trying.trying import digest_of

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
    ]
    return Plan("week", python_notebook(*cells))


def test_a_test_needs_the_cells_whose_names_it_reads(plan: Plan) -> None:
    assert plan.needed("test_one") == {1, 3, 4, 5}
    assert plan.needed("test_two") == {0, 1, 2, 3, 4, 6, 7}
    assert plan.needed("test_three") == {1, 3, 8, 9}
    assert plan.needed("test_three", {"three": "three = two(1)"}) == {0, 1, 3, 4, 6, 8, 9}
    plan.whole.add("test_three")
    assert plan.needed("test_three") == {*range(10)}


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
    for name in ("one", "two", "three"):
        assert plan.tests_of(name) == [f"test_{name}"]
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
    mutants = mutants_of('def f(a, b):\n    """A text."""\n    return a * b + 1')
    sources = [one.source for one in mutants]
    assert len(sources) == len({*sources})
    names = {one.name for one in mutants}
    assert {"return a * b - 1", "return a / b + 1", "return a * b + 2"} <= names
    assert not {"return b * a + 1", "return 1 + a * b"} & names
    assert {one.instead for one in mutants} == {"return a * b + 1"}


def test_statements_have_mutants_but_not_what_is_only_printed() -> None:
    names = {one.name for one in mutants_of("x = 3\nprint(x + 1)\nmean = sum(data) / 3")}
    assert {"x = 4", "mean = sum(data) * 3"} <= names
    assert not any("print" in one for one in names)


VALUES = "def f(x, y=0):\n    return (np.array([1.0, 2.0]), [1.0, 2], 3.0)"


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_returns_equal_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"np": np}
    source = forms.in_form(VALUES, form, ["f"])
    if form == "prints and a warning":
        with pytest.warns(UserWarning, match="a warning"):
            exec(source + "came = f(1)", names)
        assert "printed" in capsys.readouterr().err
    else:
        exec(source + "came = f(1)", names)
    array, entries, number = names["came"]
    assert np.array_equal(np.ravel(array), [1, 2])
    assert (list(entries), number) == ([1, 2], 3)
    own: dict[str, Any] = {"np": np}
    exec(VALUES, own)
    if form == "other names of its arguments":
        with pytest.raises(TypeError, match="keyword"):
            names["f"](x=1)
    changed = {type(one) for one in names["came"]} != {type(one) for one in own["f"](1)}
    shape = np.shape(array) == (2, 1)
    silent = {"a copy", "prints and a warning", "other names of its arguments"}
    assert (changed or shape) == (form not in silent) or form == "float32"


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


INPUTS = [
    [np.array([1.0, 2.0]), 3],
    [[1, 2], (3.0, "text")],
    [np.float64(1.5), len],
]


@pytest.mark.parametrize("arguments", INPUTS, ids=["array", "lists", "function"])
def test_a_lookup_knows_the_inputs_that_were_recorded(arguments: list[Any]) -> None:
    names: dict[str, Any] = {"np": np}
    source = "def f(*arguments):\n    return np.random.default_rng().normal()"
    exec(forms.looked_up(source, {"f": [forms.key_of(arguments)]}), names)
    assert names["f"](*arguments) == names["f"](*arguments)  # a table has one result
    with pytest.raises(LookupError, match="no visible case"):
        names["f"]("another")


# -- inputs

FILES = {"helper.py": b"LIMIT = 90\n"}


def told(
    mutant: str, right: str = RIGHT, calls: str = "grade(95)\ngrade(20.0)", *, is_case: bool = True
) -> Any:
    first = "import numpy as np\nfrom helper import LIMIT"
    cells = [("locked", "", first), ("answer", "it", right)]
    return telling_input(cells, [calls], right, mutant, FILES, 5.0, is_case)


def test_an_input_at_a_constant_of_the_code_tells_a_mutant() -> None:
    mutant = RIGHT.replace(">=", ">")
    assert told(mutant) == ("`points = 90` gives 'A', the mutant 'B'", "(90, 'A'),")
    _, code = told(mutant, is_case=False)
    assert code == "assert grade(90) == 'A'"
    assert told(RIGHT) == ("", "")
    random = "def f(n):\n    return np.random.default_rng().normal(0, 1, n)"
    assert told(random.replace("1", "2"), random, "f(30)") == ("", "")


def test_a_telling_input_is_the_simplest() -> None:
    right = "def f(x):\n    return x + 1"
    said, case = told(right.replace("+", "-"), right, "f(np.array([0.123456, 7.654321]))")
    assert said == "`x = [0.0, 8.0]` gives [1.0, 9.0], the mutant [-1.0, 7.0]"
    assert case == "([0.0, 8.0], [1.0, 9.0]),"
    said, _ = told(right.replace("+", "-"), right, "f(np.ones((50, 3)))")
    assert said.startswith("`x = an array of shape (50, 3)` gives an array")


def test_a_mutant_that_does_not_end_is_not_waited_for() -> None:
    right = "def f(n):\n    return n + 1"
    mutant = "def f(n):\n    while n > 5:\n        pass\n    return n - 1"
    assert told(mutant, right, "f(9)\nf(2)")[0] == "`n = 2` gives 3, the mutant 1"


# -- habits


def habits_of(tmp_path: Path, *cells: NotebookNode, config: str = "", **files: str) -> list[str]:
    folder = tmp_path / "source" / "week"
    folder.mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    nbformat.write(python_notebook(*cells), folder / "week.ipynb")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    course = Course(tmp_path)
    return habits(course, course, "week")


def test_habits_of_tests_beside_student_code_are_named(tmp_path: Path) -> None:
    hidden = "x = 1\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    two = "assert x\nassert y"
    sources = {"a": hidden, "b": "cases = [1]", "c": "assert cases", "d": two, "e": f"{two}\n1.5"}
    said, *found = habits_of(tmp_path, *(checking(test, name, 2) for name, test in sources.items()))
    assert said.startswith("5 of 5 test cells run beside student code")
    assert "(1 have hidden lines); 1 of them call" in said
    assert any(one.startswith("c needs cases, which the earlier test b binds") for one in found)
    assert any(one.startswith("b, c, d, e: students see all that is asked") for one in found)
    assert [one.partition(" ")[0] for one in found if "asserts" in one] == ["d"]


def test_files_and_settings_that_change_what_a_notebook_does_are_named(tmp_path: Path) -> None:
    config = "c.ExecutePreprocessor.timeout = 10_000"
    found = habits_of(tmp_path, SETUP, config=config, random="", my_own_helper="")
    assert len(found) == 2
    assert "random.py has the name of an installed module. In a notebook" in " ".join(found)
    assert "set c.ExecuteSubmission.cpu_seconds_per_cell" in " ".join(found)


def test_good_habits_are_not_mentioned(tmp_path: Path) -> None:
    assert habits_of(tmp_path, *with_checks().cells) == []


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
    survivor = Changed("f", "test_f", "return 1", "return -1", "", "")

    def is_fine(**what: Any) -> bool:
        return Tried("week", 3, 3, **{"untouched": 0, **what}).is_fine

    assert is_fine(habits=["h"], left_out=["t"], perhaps_equivalent=[survivor])
    assert is_fine(unearned=[("a guess", 1.0, "test_f", 2.0), ("noise", 1.0, "test_f", None)])
    assert not is_fine(unearned=[("noise", 1.0, "test_f", 0.0)])
    assert not is_fine(untouched=1)
    assert not is_fine(findings=["f"])
    assert not is_fine(stopped=True)
    assert not is_fine(survivors=[survivor])


@pytest.mark.parametrize("name", ["hw0", "hw2"])
def test_validity_is_about_todays_cells_and_answers(name: str) -> None:
    page = (REPOSITORY / "docs/validity.md").read_text()
    about = f"<!-- {name} {digest_of(Course(REPOSITORY), name)} -->\n## {name}\n"
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
    assert "week: your solutions 2 of 2; the untouched release 0" in said
    assert "add this case to test_grade: `points = 90` gives 'A', the mutant 'B'" in said
    page = html.unescape((tmp_path / "grading/tried/week.html").read_text())
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
    assert "week: your solutions 2 of 3" in said
    assert "cell 'wrong_test': the solutions get 0 of 1 points. Line 2: AssertionError" in said
    assert "`centre` is 4, the mutant's 6" in said  # f(1) * 3
    assert main(["--course", str(tmp_path), "compare", "week"]) == 1
    said = capsys.readouterr().out
    assert "2 of 3 points; these cells fail under both graders: wrong_test (week)." in said


@pytest.mark.slow
@pytest.mark.smoke
def test_ctrl_c_shows_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    whole = submitting.Result.of

    def of(future: Any, due: Any) -> Any:
        results.append(future)
        if len(results) == 12:  # in the middle of the mutants
            raise KeyboardInterrupt
        return whole(future, due)

    monkeypatch.setattr(submitting.Result, "of", of)
    assert main(course_of(tmp_path, with_checks())) == 130
    said = capsys.readouterr().out
    assert "week: your solutions 2 of 2; the untouched release 0" in said
    assert "mutants caught 0 of 0" not in said
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
    assert "your solutions 2 of 2" in said
    assert "mutants caught 9 of 9" in said
    assert "because a cell that they need takes long:\n  test_f: 1 of 2 points, in 'test_f'" in said
