"""A homework's manifest, ``staff/<homework>/homework.toml``: the settings of one homework.

Every key is optional. A mistake in the file raises a `ManifestError`: one line that names the file,
the key, the value that was found and the values that are allowed.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hw_grading.outcome import GraderFault

FILE_NAME = "homework.toml"
KINDS = ("cpu_seconds", "wall_seconds")  # the kinds of limits
_FORM = "%Y-%m-%d %H:%M:%S"
_YEARS = range(1970, 3000)
_MOST_SHOWN = 60  # characters of a value
# What is allowed, in words, by pydantic's error type. pydantic fills in the braces.
_ALLOWED = {
    "string_type": 'text in quotes, such as "..."',
    "int_type": "a whole number, without quotes",
    "float_type": "a number, without quotes",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of {ge:g} or more",
    "less_than_equal": "a number of {le:g} or less",
    "tuple_type": 'a list of texts, such as ["...", "..."]',
    "dict_type": "a section [{section}.GRADE_ID] for each cell, with {keys}",
    "model_type": "a section [{section}.GRADE_ID], with {keys}",
    "literal_error": "{expected}",
}


class ManifestError(GraderFault):
    """The manifest has a mistake. The text says where, and what is allowed."""


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CellLimits(_Section):
    """The limits of one cell that differ from the course's limits."""

    cpu_seconds: Seconds | None = None
    wall_seconds: Seconds | None = None  # elapsed time


class Beside(_Section):
    """What graders see beside an answer."""

    answers: Names = ()  # grade ids of the answers that this one is about; graders see their code
    printed: Names = ()  # grade ids of cells whose printed text belongs to this answer


class Late(_Section):
    """What one homework sets for late work; the course's rules are ``c.LatePolicy``."""

    # The most slip days that a student may use for this homework; None: all of the course's
    most_slip_days: Annotated[int, Field(ge=0)] | None = None


class Manifest(_Section):
    """What one homework sets."""

    title: str = ""  # of `START.html`
    points: NotNegative | None = None  # of the notebook in all; None skips the check
    due: str | None = None  # `YYYY-MM-DD HH:MM:SS` in `time_zone`
    time_zone: str = "UTC"  # IANA name
    zone_in_words: str = ""  # the name of the time zone that students read
    certification: str = ""  # grade id of the cell with name and pledge; "" if there is none
    # What graders see beside an answer that they grade by hand, by the answer's grade id.
    shown_beside: Mapping[str, Beside] = Field(default_factory=dict)
    # Modules that the notebook imports. They are imported once, before the class is graded. If a
    # module has a function `preload()`, it is called after the import.
    preload: Names = ()
    limits: Mapping[str, CellLimits] = Field(default_factory=dict)  # of cells, by grade id
    late: Late = Late()
    start: Names = ()  # paragraphs for `START.html`, as plain text

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError("an IANA name, such as America/Los_Angeles") from error
        return name

    @field_validator("due")
    @classmethod
    def _is_a_date(cls, text: str) -> str:
        with contextlib.suppress(ValueError):
            if datetime.strptime(text, _FORM).year in _YEARS:
                return text
        raise ValueError(
            'a date that exists, written as "2022-10-04 23:59:59", '
            f"in the years {_YEARS[0]} to {_YEARS[-1]}"
        )

    @model_validator(mode="after")
    def _exists_in_its_zone(self) -> Manifest:
        """Refuse a time that does not exist because the clocks are put forward."""
        if moment := self.due_moment:
            there_and_back = moment.astimezone(UTC).astimezone(moment.tzinfo)
            if there_and_back.replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise ValueError(
                    f"due is {self.due!r}, which does not exist in {self.time_zone}: the clocks "
                    "skip it. Choose another time"
                )
        return self

    @property
    def due_moment(self) -> datetime | None:
        """The due date with its time zone; None if there is none."""
        if self.due is None:
            return None
        return datetime.strptime(self.due, _FORM).replace(tzinfo=ZoneInfo(self.time_zone))

    def seconds(self, kind: str) -> dict[str, float]:
        """Return the limits of one kind, "cpu_seconds" or "wall_seconds", by grade id."""
        found = {name: getattr(limits, kind) for name, limits in self.limits.items()}
        return {name: seconds for name, seconds in found.items() if seconds is not None}


_SECTIONS: dict[str, type[BaseModel]] = {"limits": CellLimits, "shown_beside": Beside, "late": Late}


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; one that does not exist leaves every key out."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"{path}, line {line}, has the byte 0x{error.object[error.start]:02x}, which is not "
            "UTF-8. Save the file in UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(
            f"{path} is not TOML: {error}. Write lines such as points = 100, each key once, and "
            "put text in quotes."
        ) from error
    try:
        return Manifest(**content)
    except ValidationError as error:
        raise ManifestError(f"{path}: {_sentence(error.errors()[0])}") from error


def _sentence(error: Any) -> str:
    """Return a sentence on what is wrong: the key, what was found, what is allowed."""
    key, value = _place(error["loc"]), error["input"]
    if error["type"] == "extra_forbidden":
        if error["loc"][0] == "late":
            return (
                f"{key} is {_shown(value)}, but the rules for late work are the course's. Remove "
                "it, and set c.LatePolicy in nbgrader_config.py. Allowed keys here: most_slip_days."
            )
        section = _SECTIONS[error["loc"][0]] if len(error["loc"]) > 1 else Manifest
        known = ", ".join(section.model_fields)
        return f"{key} is {_shown(value)}, but there is no such key. Allowed keys here: {known}."
    said = str(error["msg"]).removeprefix("Value error, ")
    if not key:  # an error about several keys together
        return f"{said}."
    if error["type"] != "value_error":
        named = {"section": error["loc"][0]}
        if named["section"] in _SECTIONS:
            named["keys"] = " or ".join(_SECTIONS[named["section"]].model_fields)
        said = _ALLOWED[error["type"]].format(**named, **error.get("ctx", {}))
        if key == "late":  # this section is for the whole homework, not for a cell
            said = said.replace("[late.GRADE_ID]", "[late]")
    return f"{key} is {_shown(value)}. Allowed: {said}."


def _place(path: Sequence[str | int]) -> str:
    """Return a key as TOML writes it, such as ``limits.q1.cpu_seconds`` or ``preload[0]``."""
    words = [p if isinstance(p, int) or p.isprintable() else repr(p) for p in path]
    return "".join(f"[{w}]" if isinstance(w, int) else f".{w}" for w in words).removeprefix(".")


def _shown(value: object) -> str:
    """Return a value as TOML writes it, or nearly so, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return str(value)
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
