"""Answers that students give, right and wrong, each with a name that says what it does.

They are in ``staff/<homework>/answers/``, in the folders ``right``, ``wrong`` and ``whole``. A file
of answers is named after the function that they answer. Each answer is below a line ``# %% name``;
a tag in square brackets after the name gives more information:

    [no value]     the function raises or returns nothing that another cell could use
    [needs scipy]  left out if that package cannot be imported

Code above the first of these lines begins every answer of the file. A line ``# %% + grade_id``
begins another cell by the same student, which belongs to the answer above. A file in ``whole`` is
one submission: its lines ``# %% grade_id`` begin the answer cells that it replaces.
"""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from settings import answers_folder

_HEADER = re.compile(r"^# %% (.+?)(?: \[([^\]]+)\])?$", re.M)


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes
    ----------
    function : str
        The grade id of the answer cell that is charged; ``whole`` for a whole submission.
    name : str
        The mistake, or what is unusual about a right answer.
    source : str
        What the student wrote into the cell.
    tag : str
        The text in square brackets after the name.
    others : dict of str to str
        Sources of further cells that the same student wrote.
    """

    function: str
    name: str
    source: str
    tag: str = ""
    others: dict[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> dict[str, str]:
        """Sources of all answer cells that are replaced."""
        return {**({self.function: self.source} if self.source else {}), **self.others}

    def __str__(self) -> str:
        return f"{self.function}: {self.name}"


def sections(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, tag, source) for each section of a file of answers."""
    found = list(_HEADER.finditer(text))
    shared = text[: found[0].start()].partition("# ruff: noqa\n")[2].strip()
    for header, following in zip(found, [*found[1:], None], strict=True):
        end = following.start() if following else len(text)
        source = text[header.end() : end].strip() + "\n"
        begin = f"{shared}\n\n" if shared and not header[1].startswith("+ ") else ""
        yield header[1], header[2] or "", begin + source


def _answers(homework: str, kind: str) -> list[Answer]:
    answers: list[Answer] = []
    for path in sorted((answers_folder(homework) / kind).glob("*.py")):
        for name, tag, source in sections(path.read_text(encoding="utf-8")):
            if name.startswith("+ "):
                answers[-1].others[name[2:]] = source
            else:
                answers.append(Answer(path.stem, name, source, tag))
    return [answer for answer in answers if _is_possible(answer)]


def _is_possible(answer: Answer) -> bool:
    needs = answer.tag.removeprefix("needs ") if answer.tag.startswith("needs ") else "sys"
    return importlib.util.find_spec(needs) is not None


def wrong_answers(homework: str) -> list[Answer]:
    """Return all wrong answers, sorted by function."""
    return _answers(homework, "wrong")


def right_answers(homework: str) -> list[Answer]:
    """Return all right answers to one function, sorted by function."""
    return _answers(homework, "right")


def whole_submissions(homework: str) -> list[Answer]:
    """Return right submissions in which one student wrote all functions."""
    submissions = []
    for path in sorted((answers_folder(homework) / "whole").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        cells = {grade_id: source for grade_id, _, source in sections(text)}
        title = text.split('"""')[1].split("\n")[0].rstrip(".")
        submissions.append(Answer("whole", title, "", others=cells))
    return submissions
