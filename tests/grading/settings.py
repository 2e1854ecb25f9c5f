"""What the tools that measure the tests cannot read from a homework's notebook."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "validity.toml"


@dataclass(frozen=True)
class Settings:
    """``staff/<homework>/answers/validity.toml``; every key may be left out.

    Attributes
    ----------
    slow
        Answer cells that take seconds: they are run for their own tests only, right answers with
        fewer seeds, wrong ones with one, and no mutants are made of them.
    costly
        Answers whose test cells take about a second: right answers to others are tried by them
        with one seed, and those to themselves with fewer.
    caches
        Functions that return (result, cache), where the cache is the student's own business, with
        the functions that read it.
    no_arrays
        Functions that take no arrays.
    one_array
        Functions that return one array, and no pair or list of them.
    goals
        How many answers and mutants are required: ``wrong``, ``right``, ``mutants``. The defaults
        are 5, 4 and 10 for each function.
    no_answers
        For each function, wrong answers that return nothing, or the same number everywhere. They
        may lose points where their results are shown.
    causes, false_causes
        For each function and wrong answer, words of the likely causes that tests tell of it, as
        somebody has judged them: true ones and false ones.
    """

    Labels = Mapping[str, Mapping[str, "str | list[str]"]]

    slow: tuple[str, ...] = ()
    costly: tuple[str, ...] = ()
    caches: Mapping[str, list[str]] = field(default_factory=dict)
    no_arrays: tuple[str, ...] = ()
    one_array: tuple[str, ...] = ()
    goals: Mapping[str, int] = field(default_factory=dict)
    no_answers: Mapping[str, list[str]] = field(default_factory=dict)
    causes: Labels = field(default_factory=dict)
    false_causes: Labels = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """All grade ids that are named."""
        named = {*self.slow, *self.costly, *self.no_arrays, *self.one_array, *self.caches}
        tables = self.no_answers, self.causes, self.false_causes
        return named.union(*self.caches.values(), *tables)

    def is_no_answer(self, answer: Any) -> bool:
        """Whether a wrong answer gives nothing, or the same number everywhere."""
        return answer.name in self.no_answers.get(answer.function, ())


def answers_folder(homework: str) -> Path:
    """Return the folder with a homework's answers."""
    return ROOT / "staff" / homework / "answers"


def settings_of(homework: str) -> Settings:
    """Read ``validity.toml`` of a homework."""
    path = answers_folder(homework) / SETTINGS
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = [one.name for one in fields(Settings)]
    if unknown := content.keys() - set(known):
        raise ValueError(
            f"{path}: {', '.join(sorted(unknown))} is not a known key. Allowed are "
            f"{', '.join(known)}."
        )
    names = {
        key: tuple(content.get(key, ())) for key in ("slow", "costly", "no_arrays", "one_array")
    }
    return Settings(**{**content, **names})
