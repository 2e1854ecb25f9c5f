"""The named mistakes of a homework, in ``staff/<homework>/mistakes.toml``.

A mistake is a sentence for students, and the fingerprints of the failures by which it is known. A
person names it on the desk or writes it by hand. It never changes a score, so nothing is graded
again when the file changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hw_grading.homework.homework import MISTAKES, STAFF
from hw_grading.texts import write_whole
from hw_support.submission.file import UserError

LONGEST_SENTENCE = 500  # characters


class Mistake(BaseModel):
    """A named mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: str  # the grade id of the test cell that finds it
    sentence: str = Field(min_length=1, max_length=LONGEST_SENTENCE)  # for students
    fingerprints: tuple[str, ...]  # see `hw_support.checks.fingerprint`
    terms: Mapping[str, int] = {}  # how many students had it, by term, such as "2026-fall"
    told: bool = True  # whether `check` tells it to students too


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mistake: tuple[Mistake, ...] = ()


def read_mistakes(course: Path, assignment: str) -> tuple[Mistake, ...]:
    """Return the named mistakes of a homework; none without a file. `UserError` if it is wrong."""
    path = course / STAFF / assignment / MISTAKES
    try:
        return _File(**tomllib.loads(path.read_text(encoding="utf-8"))).mistake
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {place}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def sentence_for(mistakes: Iterable[Mistake], test: str, fingerprint: str) -> str:
    """Return the sentence of the one mistake with this fingerprint; "" if none or several do."""
    found = {
        one.sentence for one in mistakes if one.test == test and fingerprint in one.fingerprints
    }
    return found.pop() if fingerprint and len(found) == 1 else ""


def write_mistake(course: Path, assignment: str, mistake: Mistake) -> None:
    """Add a mistake to the file, in the place of any that shares a fingerprint with it."""
    path = course / STAFF / assignment / MISTAKES
    kept = [one for one in read_mistakes(course, assignment) if not _is_same(one, mistake)]
    _write(path, [*kept, mistake])


def remove_mistake(course: Path, assignment: str, mistake: Mistake) -> None:
    """Remove a mistake from the file, and any that shares a fingerprint with it."""
    path = course / STAFF / assignment / MISTAKES
    _write(path, [one for one in read_mistakes(course, assignment) if not _is_same(one, mistake)])


def _is_same(one: Mistake, other: Mistake) -> bool:
    return one.test == other.test and not set(one.fingerprints).isdisjoint(other.fingerprints)


def _write(path: Path, mistakes: Iterable[Mistake]) -> None:
    document = tomlkit.document()
    document.add(tomlkit.comment("Mistakes that are known, with the sentences that students read."))
    rows = tomlkit.aot()
    for one in mistakes:
        rows.append(tomlkit.item(one.model_dump(mode="json", exclude_defaults=True)))
    document["mistake"] = rows
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, tomlkit.dumps(document).encode())
