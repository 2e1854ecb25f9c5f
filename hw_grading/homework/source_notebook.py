"""The instructor's notebook: its solutions, and checks of it before its release.

nbgrader removes what is between two lines, such as ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
If one of them is mistyped, students could read what is between them.
"""

import ast
import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import is_solution

from hw_grading.homework.checks_cells import Above, wrong_in
from hw_grading.homework.homework import Manifest
from hw_grading.homework.notebook import as_released, is_test, uses_checks
from hw_grading.homework.points import not_understood, worth_of
from hw_support.source import tree_of
from hw_support.submission.cells import grade_id_of, nbgrader_metadata
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_MEANT = re.compile(
    r"\s*(?:#+|<!--)\s*(?:begin|end)[\s_-]*(?:solution|hidden[\s_-]*test|mark\w*[\s_-]*scheme)",
    re.IGNORECASE,
)
_FOR_STAFF = re.compile(r"^\s*(?:from|import)\s+staff\b", re.MULTILINE)


def solved(released: NotebookNode, source: NotebookNode) -> NotebookNode:
    """Return a copy of the released notebook with the solutions from the source.

    ValueError if the source lacks one of its answers.
    """
    notebook = copy.deepcopy(released)
    solutions = {grade_id_of(cell): cell.source for cell in source.cells}
    for cell in filter(is_solution, notebook.cells):
        if (name := grade_id_of(cell)) not in solutions:
            raise ValueError(f"the source has no cell {quoted(name)}, which the release has")
        lines = solutions[name].split("\n")
        kept = [s for s in lines if "BEGIN SOLUTION" not in s and "END SOLUTION" not in s]
        cell.source = "\n".join(kept)
    return notebook


def mistakes(notebook: NotebookNode, *, with_checks_alone: bool = False) -> Iterator[str]:
    """Yield a sentence for each mistake: students would see too much, or a test cannot be right.

    With `with_checks_alone` only cells with `Checks` and points that a text states count: all else
    is as nbgrader has it.
    """
    about = [notebook.metadata.get(name, {}) for name in ("kernelspec", "language_info")]
    language = about[0].get("language") or about[1].get("name") or "python"
    if not with_checks_alone and not language.lower().startswith("python"):
        yield f"its kernel runs {quoted(language)}. Only Python kernels can be graded."
    above, worth = Above(), worth_of(notebook.cells)
    for number, cell in enumerate(notebook.cells, 1):
        name = nbgrader_metadata(cell).get("grade_id") or f"{number} from the top"
        has_checks = is_test(cell) and uses_checks(cell)
        said = [*_in_cell(cell)] if has_checks or not with_checks_alone else []
        yield from (f"cell {name}: {sentence}" for sentence in said)
        if has_checks and not said:
            for line, sentence in wrong_in(cell.source, above):
                yield f"cell {name}, line {line}: {sentence}"
        elif cell.cell_type == "markdown":
            for line, word in not_understood(cell.source, worth):
                yield (
                    f"cell {name}, line {line}: {quoted(word)} in {{{{ points }}}} is not a grade "
                    "id of a cell with points, and no pattern of some, such as test_*."
                )
        above.add(cell, name)


def wrong_marks(notebook: NotebookNode) -> Iterator[str]:
    """Yield a sentence for each cell that nbgrader could not release because of its metadata."""
    found, seen = False, dict[str, int]()
    for number, cell in enumerate(notebook.cells, 1):
        marks = nbgrader_metadata(cell)
        is_task, is_text = bool(marks.get("task")), cell.cell_type == "markdown"
        is_graded = bool(marks.get("grade"))
        if not (is_task or is_graded or marks.get("solution") or marks.get("locked")):
            continue
        name, points, said = marks.get("grade_id"), marks.get("points"), []
        if not name or not isinstance(name, str):
            said.append("it has no grade id. Give it one")
        elif seen.setdefault(name, number) != number:
            said.append(f"the cell {seen[name]} from the top has this id too. Change one of them")
        if is_graded and (not isinstance(points, int | float) or points < 0):
            said.append(f"its points are {points!r}, expected a number from 0 up. Set them")
        if is_task and not is_text:
            said.append("it is a task, which has to be a markdown cell. Choose another type")
        elif is_text and not is_task and is_graded != bool(marks.get("solution")):
            said.append("a text is graded by people, as an answer. Choose that type, or none,")
        for sentence in said:
            found = True
            which = (
                f"cell {name} ({number} from the top)" if name else f"cell {number} from the top"
            )
            yield f"{which}: {sentence} in the panel Create Assignment."
    if not found:
        try:
            MetadataValidator().validate_nb(copy.deepcopy(notebook))
        except Exception as error:  # it raises errors of several libraries
            yield f"nbgrader does not accept its metadata: {str(error).partition(chr(10))[0]}."


def wrong_ids(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each cell, as it is in the file, without an id of its own."""
    seen = dict[str, int]()
    for number, cell in enumerate(cells, 1):
        name = cell.get("id")
        if not name:
            said = "it has no `id`"
        elif seen.setdefault(name, number) != number:
            said = f"its `id`, {quoted(name)}, is also that of the cell {seen[name]} from the top"
        else:
            continue
        yield f"cell {number} from the top: {said}. Open the notebook in JupyterLab and save it."


def check_cells(notebook: NotebookNode, file: Path, *, with_checks_alone: bool = False) -> None:
    """Raise `UserError`, with these sentences, if the notebook of a file has `mistakes`."""
    found = mistakes(notebook, with_checks_alone=with_checks_alone)
    refuse(f"{file}: {sentence}" for sentence in found)


def refuse(sentences: Iterable[str]) -> None:
    """Raise `UserError` with these sentences, if there are any."""
    if wrong := list(sentences):
        raise UserError("\n".join([*wrong, "Nothing was released."]))


def unknown_cells(manifest: Manifest, known: Set[str]) -> Iterator[str]:
    """Yield a sentence for each cell that a manifest names and a homework does not have."""
    named = {*manifest.limits, *manifest.shown_beside, *manifest.plots}
    if "certification" in manifest.model_fields_set:
        named |= {manifest.certification} - {""}
    for beside in manifest.shown_beside.values():
        named |= {*beside.answers, *beside.printed}
    for grade_id in sorted(named - known):
        yield f"it names the cell {quoted(grade_id)}, but no cell of the notebook has this id."


def unused_generators(fresh: str, tested: Set[str]) -> Iterator[str]:
    """Yield a sentence for each function of ``fresh.py`` that draws for no `Checks`.

    `fresh` is the text of that file. `tested` are the names that the tests' `Checks` have.
    """
    for node in tree_of(fresh).body:
        match node:
            case ast.FunctionDef(name=name, args=ast.arguments(posonlyargs=[], args=[_])):
                if name not in tested and name[0] != "_":
                    yield (
                        f"{name} draws for no Checks: expected a name that a test's Checks has "
                        f"({', '.join(sorted(tested)) or 'there is none'}). Rename the function. "
                        "If it only helps others, begin its name with '_'."
                    )


def _in_cell(cell: NotebookNode) -> Iterator[str]:
    if wrong := next(_wrong_delimiters(cell.source), ""):
        yield wrong  # what follows it comes from it
        return
    is_answer, is_solved = nbgrader_metadata(cell).get("solution"), "BEGIN SOLUTION" in cell.source
    if cell.get("attachments") and (is_answer or is_solved or "BEGIN MARK SCHEME" in cell.source):
        yield (
            f"students would get its attached picture {quoted(min(cell.attachments))} although "
            "text is removed. Move the picture into a cell of its own, or into the text as data."
        )
    if is_solved and not is_answer:
        yield "it has a solution, but its type is not that of an answer (panel Create Assignment)."
    if is_test(cell):
        yield from _in_test(cell)
    elif cell.cell_type == "code":
        yield from _in_code(cell)
    if not is_test(cell) and "BEGIN HIDDEN TESTS" in cell.source:
        yield "it has hidden tests, but its type is not Autograder tests (panel Create Assignment)."


def _wrong_delimiters(source: str) -> Iterator[str]:
    open_kind = ""
    for line in source.splitlines():
        marks = [(w, kind) for w in ("BEGIN", "END") for kind in _KINDS if f"{w} {kind}" in line]
        if not marks and _MEANT.match(line):
            names = ", ".join(f"BEGIN {kind} and END {kind}" for kind in _KINDS)
            yield f"the line {quoted(line.strip())} removes nothing. Allowed are {names}."
        for word, kind in marks:
            if open_kind != (kind if word == "END" else ""):
                yield f"{word} {kind} is not allowed here: each BEGIN needs its own END below it."
            open_kind = kind if word == "BEGIN" else ""
    if open_kind:
        yield f"BEGIN {open_kind} has no END {open_kind} below it."


def _in_test(cell: NotebookNode) -> Iterator[str]:
    released = as_released(cell.source)
    if found := _FOR_STAFF.search(released):
        yield (
            f"students would read {quoted(found[0].strip())}. Put it between BEGIN HIDDEN TESTS "
            "and END HIDDEN TESTS."
        )
    # A cell without `Checks` runs in the kernel, where magics are allowed.
    for text, whose in ((cell.source, ""), (released, ", without its hidden tests")):
        if why := _why_no_python(text, with_magics=not uses_checks(cell)):
            yield f"it is not valid Python{whose} ({why})."
            return


def _in_code(cell: NotebookNode) -> Iterator[str]:
    """Check a code cell that is no test. One with the tag raises-exception may be wrong."""
    if "raises-exception" in cell.metadata.get("tags", ()):
        return
    if why := _why_no_python(cell.source, with_magics=True):
        yield (
            f"it is not valid Python ({why}). If it is a text, make it a markdown cell. If it is "
            "meant to fail, give it the tag raises-exception."
        )


def _why_no_python(text: str, *, with_magics: bool) -> str:
    if with_magics:
        from IPython.core.inputtransformer2 import TransformerManager  # slow, and only here
    try:
        ast.parse(TransformerManager().transform_cell(text) if with_magics else text)
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        return f"{error.args[0]}{line}"
    return ""
