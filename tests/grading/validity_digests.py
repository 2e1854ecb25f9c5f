"""The paths of the pages, what determines each page, and what has changed since it was written."""

import re
from pathlib import Path

from answers import Answer, right_answers, whole_submissions, wrong_answers
from cells import Notebook, equivalent_of
from givens import given_to
from settings import ROOT, Settings
from sources import HERE, as_run, digest, digest_of_files, modules_of
from verdicts import digest_of_tools

_TOOLS = (
    *("answers.py", "causes_told.py", "measuring.py", "mutants.py", "validity.py"),
    "validity_page.py",
)


def page_of(homework: str = "") -> Path:
    """Return the path of a homework's page, or of the overview."""
    docs = ROOT / "docs"
    return docs / "validity" / f"{homework}.md" if homework else docs / "validity.md"


def digests(notebook: Notebook) -> dict[str, str]:
    """Return digests of what determines a page: of what all answers share, and of each group.

    A group's digest covers the solution, its test cells with their points, the answers and the
    equivalent mutants. It does not cover text, due date, mark schemes and what a person grades.
    """
    settings = notebook.settings
    given, modules = given_to(notebook)
    cells = [*notebook.runs(notebook.tests_of(*notebook.tested))]
    cells = [cell for cell in cells if cell.id not in notebook.given]
    untested = [cell for cell in cells if cell.id not in notebook.tested]
    tests = [notebook.cells[name] for name in notebook.tests_of(*notebook.tested)]
    modules = modules.union(*(modules_of(cell.source) for cell in (*cells, *tests)))
    found = {
        notebook.homework: digest(
            given,
            [(cell.id, as_run(cell.source)) for cell in untested],
            digest_of_files(modules),
            digest_of_files(HERE / name for name in _TOOLS),
            digest_of_tools(True),
            (settings.slow, settings.costly, sorted(settings.goals.items())),
        )
    }
    for name in (*notebook.tested, "whole"):
        found[name] = _digest_of_group(notebook, name)
    return {name: value[:16] for name, value in found.items()}


def _digest_of_group(notebook: Notebook, name: str) -> str:
    homework = notebook.homework
    cells = [notebook.cells[one] for one in (name, *notebook.tests_of(name)) if one != "whole"]
    answers = [*wrong_answers(homework), *right_answers(homework), *whole_submissions(homework)]
    return digest(
        [(cell.id, as_run(cell.source), cell.points) for cell in cells],
        [_content(answer) for answer in answers if answer.function == name],
        sorted(equivalent_of(homework).get(name, {}).items()),
        [sorted(table.get(name, {}).items()) for table in _labels(notebook)],
    )


def _labels(notebook: Notebook) -> tuple[Settings.Labels, ...]:
    return notebook.settings.causes, notebook.settings.false_causes


def _content(answer: Answer) -> tuple[object, ...]:
    others = [(name, as_run(source)) for name, source in sorted(answer.others.items())]
    return answer.name, answer.tag, as_run(answer.source), others


def out_of_date(notebook: Notebook) -> list[str]:
    """Return what has changed since the page was written; the homework's name for what is shared.

    If a page is missing, everything is out of date.
    """
    path = page_of(notebook.homework)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    written = dict(re.findall(r"^(\w+) ([0-9a-f]{16})$", text.partition("-->")[0], re.M))
    now = digests(notebook)
    return [name for name in {**now, **written} if now.get(name) != written.get(name)]
