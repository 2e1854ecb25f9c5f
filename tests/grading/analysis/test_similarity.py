"""Which students' code is similar, and what the page shows of it."""

import ast
import copy
import re

import nbformat
import pytest
from graded_course import course
from html_pages import Page
from nbformat.v4 import new_code_cell

from hw_grading.__main__ import main
from hw_grading.analysis.similarity import (
    MAX_CHARACTERS,
    boilerplate_of,
    own_work,
    same_answers,
    similar_pairs,
    similar_texts,
    write_similarity,
)
from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY
from hw_grading.trying.kept import answers

__all__ = ["course"]  # used by pytest, by name

RELEASED = nbformat.read(REPOSITORY / "release" / "hw2" / "hw2.ipynb", as_version=4)
BOILERPLATE = boilerplate_of(RELEASED)
MARKUP = "<script>alert(1)</script>"


RIGHT = {}
for right in answers(REPOSITORY / "staff" / "hw2" / "answers", "right"):
    RIGHT.setdefault(right.of, []).append(right.cells[right.of])


def honest(number):
    """Right answers to each function, by a student who shares none with the others."""
    return {function: sources[number] for function, sources in RIGHT.items()}


def renamed(source):
    """The same code with another name for each variable."""
    nodes = ast.walk(ast.parse(source))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    return "# my own idea\n" + re.sub(rf"\b({'|'.join(stored)})\b", r"my_\1", source)


def notebook_of(answers, *added):
    notebook = copy.deepcopy(RELEASED)
    for name, source in answers.items():
        cell_of(notebook, name).source = source
    notebook.cells += [new_code_cell(source) for source in added]
    return notebook


def work_of(student, *content):
    return own_work(student, notebook_of(*content), RELEASED, BOILERPLATE)


def found_in(works):
    pairs = similar_pairs(works)
    return [(one.student, other.student) for one, other, _ in pairs], [max(p[2]) for p in pairs]


def test_a_copy_with_other_names_is_found_and_nothing_else():
    works = [work_of(f"honest{n}", honest(n)) for n in range(8)]
    works.append(work_of("copy", {name: renamed(code) for name, code in honest(0).items()}))
    pairs, shares = found_in(works)
    assert pairs == [("honest0", "copy")]
    assert shares[0] > 0.7


def test_a_large_group_with_the_same_answer_is_found():
    works = [work_of(f"honest{n}", honest(n)) for n in range(1, 8)]
    for n in range(16):
        code = honest(0)["backward_pass"].replace("\n", f"  # {n}\n", 1)
        works.append(work_of(f"alike{n}", {**honest(n % 8), "backward_pass": code}))
    assert same_answers(works, "backward_pass")[0] == [f"alike{n}" for n in range(16)]


def test_released_code_and_stubs_are_nobodys_work():
    test = cell_of(RELEASED, "test_backward_pass").source
    works = [work_of(name, {}, test, RELEASED.cells[1].source) for name in ("ada", "bob")]
    assert found_in(works) == ([], [])
    assert [work.answers for work in works] == [{}, {}]


TEXTS = {
    "ada": "The loss falls, because each step goes downhill on average, until it is flat.",
    "bob": "the loss falls because each step goes DOWNHILL on average until it is flat",
    "cyd": "The loss rises, because each step goes downhill on average, until it is flat.",
    "dan": "The loss falls, because each step goes <i> downhill on average, until it is flat.",
    "eve": "I do not know.",
}


def test_texts_with_the_same_words_are_the_same(course, hand_in):
    works = [work_of(student, {"q1_3e_iii_text": text}) for student, text in TEXTS.items()]
    assert same_answers(works, "q1_3e_iii_text") == [["ada", "bob"]]
    (one, other) = similar_texts(works, "q1_3e_iii_text")
    assert [(one[0], one[1]), (other[0], other[1])] == [("ada", ["cyd"]), ("ada", ["dan"])]
    for student, text in TEXTS.items():
        hand_in(student, {"q1_3e_iii_text": text})
    out = course.root / "out.html"
    write_similarity(course.root, "hw2", out, 5)
    html = out.read_text(encoding="utf-8")
    assert "q1_3e_iii_text: 2 students" in html
    assert "The loss <del>falls</del> <ins>rises</ins> because" in html
    assert "<ins>&lt;i&gt;</ins>" in html
    assert "I do not know" not in html


@pytest.fixture
def hand_in(course):
    """Return a function that hands in answers, in a course that has released hw2."""
    course.write(course.root / "release" / "hw2", nbformat.writes(RELEASED))

    def submit(student, *content):
        notebook = nbformat.writes(notebook_of(*content))
        course.write(course.root / "submitted" / student / "hw2", notebook)

    return submit


def test_the_page_names_pairs_and_what_cannot_be_compared(course, hand_in, capsys):
    for student in ("ada", "bob"):
        hand_in(student, honest(0), f"print({MARKUP!r})", "\n".join([" " * 9] * 3000))
    hand_in("eve", honest(1))
    hand_in("large", honest(0), "x = 1\n" * MAX_CHARACTERS)
    course.write(course.root / "submitted" / "broken" / "hw2", "{")
    (course.root / "submitted" / "linked").symlink_to("ada")
    (course.root / "submitted" / "none" / "hw2").mkdir(parents=True)
    (course.root / "submitted" / "none" / "hw2" / "x.txt").touch()
    assert main(["--course", str(course.root), "similarity", "hw2"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in said] == ["broken", "large", "linked", "none"]
    html = (course.root / "similarity_hw2.html").read_text(encoding="utf-8")
    assert "3 submissions were compared" in html
    assert "characters of code are too many to compare" in html
    assert re.findall(r"<h2>(.*?)</h2>", html)[0] == "Pairs"
    assert "<bdi>ada</bdi>, <bdi>bob</bdi>" in html
    assert "backward_pass: 2 students" in html
    assert "<mark>" in html
    assert "<bdi>eve" not in html
    assert not {"script", "img"} & set(Page(html).tags)
    assert MARKUP not in html
