"""Answers: what one submission has in the place of some solutions; and those that are kept.

A homework may keep answers in ``staff/<homework>/answers/``:

========================  =====================================================================
``wrong/``, ``right/``    a file for each function; each answer stands below a line ``# %% name``
``whole/``                right submissions, each by one student who wrote all functions
``unearned/``             submissions without knowledge, and the most points that they may earn
``kept.toml``             `Settings`
========================  =====================================================================

Code above the first ``# %%`` of a file begins each of its answers. A line ``# %% + grade_id``
begins another cell by the same student. ``[needs scipy]`` after a name leaves the answer out where
that package is missing. In ``whole`` and ``unearned``, a line ``# %% grade_id`` begins a cell, and
``# with literals.py`` takes the cells of another file too.

A file in ``unearned`` begins with ``At most 8 points: what it does``, or ``At most 0 points in
test_f: ...`` for those of one test cell.
"""

import importlib.util
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from hw_grading.outcome import SettingsError

FOLDER = "answers"  # in the homework's folder of ``staff``
UNEARNED = "unearned"
_HEADER = re.compile(r"^# %% (.+?)(?: \[needs ([^\]]+)\])?$", re.M)
_MOST = re.compile(r"At most (\d+(?:\.\d+)?) points?(?: in (\w+))?: (.+)")
_WITH = re.compile(r"^# with (\w+\.py)$", re.M)


class AnswersError(SettingsError):
    """The kept answers of a homework have a mistake. The text says where, and what is expected."""


@dataclass(frozen=True)
class Answer:
    """What one submission has in the place of some solutions.

    Attributes
    ----------
    of
        The grade id of the answer that is charged; ``whole`` or ``unearned`` for a submission.
    name
        The mistake, or what is unusual.
    cells
        Sources of the cells that it replaces, by grade id.
    most, test
        For unearned points: how many there may be, if anybody said; and in which test cell if not
        in all.
    """

    of: str
    name: str
    cells: Mapping[str, str]
    most: float | None = None
    test: str = ""

    def __str__(self) -> str:
        return f"{self.of}: {self.name}"


@dataclass(frozen=True)
class Settings:
    """``kept.toml``: what cannot be read from the notebook. Every key may be left out.

    Attributes
    ----------
    no_answers
        By function, wrong answers that give no result. They may lose points where it is shown.
    limits
        By function and wrong answer, why no test can catch it.
    causes
        By function and wrong answer, words of the likely causes that somebody has judged true.
    unearned
        The most points that ``noise`` and ``visible cases looked up`` may earn.
    """

    no_answers: Mapping[str, list[str]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    causes: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    unearned: Mapping[str, float] = field(default_factory=dict)

    def gives_nothing(self, answer: Answer) -> bool:
        """Whether a wrong answer gives no result."""
        return answer.name in self.no_answers.get(answer.of, ())

    def is_true(self, answer: Answer, cause: str) -> bool:
        """Whether somebody has judged a likely cause to be true of an answer."""
        words = self.causes.get(answer.of, {}).get(answer.name, [])
        return any(one in cause for one in ([words] if isinstance(words, str) else words))


def settings_of(folder: Path) -> Settings:
    """Read ``kept.toml`` in a folder of answers; `AnswersError` if a key is unknown."""
    path = folder / "kept.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = [one.name for one in fields(Settings)]
    if unknown := sorted(content.keys() - set(known)):
        raise AnswersError(f"{path}: expected the keys {', '.join(known)}; got {unknown[0]}")
    return Settings(**content)


def answers(folder: Path, kind: str) -> list[Answer]:
    """Return the ``wrong`` or ``right`` answers to single functions, sorted by function."""
    found: list[tuple[Answer, str]] = []
    for path in sorted((folder / kind).glob("*.py")):
        for name, package, source in sections(path.read_text(encoding="utf-8")):
            if name.startswith("+ "):
                last, package = found.pop()
                more = {**last.cells, name[2:]: source}
                found.append((replace(last, cells=more), package))
            else:
                found.append((Answer(path.stem, name, {path.stem: source}), package))
    return [answer for answer, package in found if importlib.util.find_spec(package or "sys")]


def submissions(folder: Path, kind: str) -> list[Answer]:
    """Return the submissions of ``whole`` or ``unearned``."""
    found = []
    for path in sorted((folder / kind).glob("*.py")):
        title = path.read_text(encoding="utf-8").split('"""')[1].split("\n")[0].rstrip(".")
        most = _MOST.fullmatch(title)
        if kind == UNEARNED and not most:
            raise AnswersError(
                f'{path}: expected a first line "At most 8 points: ...", got {title}'
            )
        points, test, name = most.groups() if most else (0, "", title)
        found.append(Answer(kind, name, cells_of(path), float(points), test or ""))
    return found


def sections(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (name, needed package, source) for each section of a file of answers."""
    found = list(_HEADER.finditer(text))
    shared = text[: found[0].start()].partition("# ruff: noqa\n")[2].strip()
    for header, following in zip(found, [*found[1:], None], strict=True):
        end = following.start() if following else len(text)
        begin = f"{shared}\n\n" if shared and not header[1].startswith("+ ") else ""
        yield header[1], header[2] or "", begin + text[header.end() : end].strip() + "\n"


def cells_of(path: Path) -> dict[str, str]:
    """Return the cells of a submission's file, by grade id."""
    text = path.read_text(encoding="utf-8")
    cells: dict[str, str] = {}
    for other in _WITH.findall(text):
        cells |= cells_of(path.with_name(other))
    return cells | {grade_id: source for grade_id, _, source in sections(text)}
