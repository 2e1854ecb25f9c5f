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

from hw_grading.homework.homework import MISTAKES
from hw_grading.homework.layout import STAFF
from hw_grading.texts import write_whole
from hw_support.checks.fingerprint import is_of_results
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

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """What no other mistake of a homework has."""
        return self.test, frozenset(self.fingerprints)


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


def sentence_for(
    mistakes: Iterable[Mistake], test: str, fingerprint: str, failed: Iterable[str] = ()
) -> str:
    """Return the sentence for a failure of a test; "" if no mistake fits, or several do.

    `failed` are the fingerprints of all of the answer's failures in the test. Of the mistakes with
    this fingerprint the one counts that has most in common with them. Wrong results are enough;
    of messages, which several mistakes may share, all have to be there.
    """
    those = {fingerprint, *failed}
    fits: dict[float, set[str]] = {}
    for mistake in mistakes:
        its = set(mistake.fingerprints)
        is_enough = is_of_results(fingerprint) or its <= those
        if mistake.test == test and fingerprint in its and is_enough:
            fits.setdefault(len(its & those) / len(its | those), set()).add(mistake.sentence)
    best = fits[max(fits)] if fingerprint and fits else set()
    return best.pop() if len(best) == 1 else ""


def write_mistake(course: Path, assignment: str, mistake: Mistake) -> None:
    """Write a mistake into the file, in the place of one with the same fingerprints."""
    _change(course, assignment, [mistake], [mistake])


def remove_mistake(course: Path, assignment: str, mistake: Mistake) -> None:
    """Remove a mistake from the file, by its test and fingerprints."""
    _change(course, assignment, [mistake], [])


def write_terms(
    course: Path, assignment: str, term: str, counts: Iterable[tuple[Mistake, int]]
) -> None:
    """Write how many students had each mistake in a term."""
    counted = [
        one.model_copy(update={"terms": {**one.terms, term: count}}) for one, count in counts
    ]
    _change(course, assignment, counted, counted)


def _change(
    course: Path, assignment: str, remove: Iterable[Mistake], add: Iterable[Mistake]
) -> None:
    """Remove and add mistakes. The comments in the file, and its order, stay."""
    path = course / STAFF / assignment / MISTAKES
    read_mistakes(course, assignment)  # `UserError` before anything is written
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        document = tomlkit.document()
        document.add(tomlkit.comment("Known mistakes, and the sentences that students read."))
    rows = document.setdefault("mistake", tomlkit.aot())
    new = {one.key: one.model_dump(mode="json", exclude_defaults=True) for one in add}
    gone = {one.key for one in remove}
    for place in range(len(rows) - 1, -1, -1):
        key = Mistake(**rows[place].unwrap()).key
        if key in new:
            rows[place].update(new.pop(key))
        elif key in gone:
            del rows[place]
    for row in new.values():
        rows.append(tomlkit.item(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, tomlkit.dumps(document).encode())
