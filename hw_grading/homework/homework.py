"""A homework of a course: its name, its manifest, and its staff code."""

from __future__ import annotations

import hashlib
import io
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hw_grading.homework.layout import SOLUTIONS, STAFF
from hw_grading.homework.notebook import sources_in
from hw_grading.outcome import SettingsError
from hw_support import figures
from hw_support.checks.failures import one_line, visible

FILE_NAME = "homework.toml"
MISTAKES = "mistakes.toml"  # named mistakes, which change no score: `hw_grading.mistakes`
KINDS = ("cpu_seconds", "wall_seconds")  # the kinds of limits
_MAX_SHOWN = 60  # characters of a value
_NOT_FOR_GRADING = {"answers", FILE_NAME, MISTAKES}
LONGEST_ID = 128  # characters; the limit in nbgrader's tables


class ManifestError(SettingsError):
    """The manifest has a mistake. The text says where, what was found, and what is allowed."""


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)]


def _day(text: str) -> str:
    try:
        return f"{date.fromisoformat(text):%Y-%m-%d}"
    except ValueError:
        raise ValueError('expected a day that exists, such as "2022-10-20"') from None


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class CellLimits(_Section):
    """The limits of one cell that differ from the course's limits."""

    cpu_seconds: Seconds | None = None
    """CPU time (s) of the cell, in place of `c.ExecuteSubmission.cpu_seconds_per_cell`."""
    wall_seconds: Seconds | None = None
    """Elapsed time (s) of the cell, in place of `c.ExecuteSubmission.wall_seconds_per_cell`."""


class Beside(_Section):
    """What graders see beside an answer."""

    answers: Names = ()
    """Grade ids of the answers that this one is about. Graders see their code."""
    printed: Names = ()
    """Grade ids of cells whose printed text belongs to this answer."""


class Late(_Section):
    """What one homework sets for late work; the course's rules are ``c.LatePolicy``."""

    most_slip_days: Annotated[int, Field(ge=0)] | None = None
    """The most slip days that a student may use for this homework. Without it: all of the
    course's."""


class Requests(_Section):
    """What students may ask about their points, by a file that their page of feedback makes."""

    most: Annotated[int, Field(ge=0)] = 10
    """The most questions of this homework about which one student may ask. With 0, none."""
    characters: Annotated[int, Field(gt=0, le=20_000)] = 2_000
    """The most characters about one question."""
    until: Annotated[str, AfterValidator(_day)] | None = None
    """The last day to ask, `"YYYY-MM-DD"`, in `time_zone`. Without it there is none."""


class Manifest(_Section):
    """What one homework sets, in ``staff/<homework>/homework.toml``. Every key is optional."""

    title: str = ""
    """The title of `START.html`."""
    points: NotNegative | None = None
    """The points of the whole notebook. A release with another sum is refused. Without it the sum
    is not checked."""
    due: str | None = None
    """The due date, `YYYY-MM-DD HH:MM:SS`, in `time_zone`. Without it no work is late."""
    time_zone: str = "UTC"
    """The IANA name of the time zone, such as `America/Los_Angeles`."""
    zone_in_words: str = ""
    """The name of the time zone that students read, such as `Pacific`."""
    certification: str = "certification"
    """The grade id of the cell with name, student id and pledge. Without it: the cell
    `certification`, if the notebook has one."""
    shown_beside: Mapping[str, Beside] = Field(default_factory=dict)
    """What graders see beside an answer that they grade by hand, by the answer's grade id."""
    arrays: Annotated[tuple[Identifier, ...], Field(strict=False)] = ()
    """Names of the notebook's arrays that plots show. A grader sees which of them a curve shows."""
    plots: Mapping[str, str] = Field(default_factory=dict)
    """What `check` expects of a student's plots, by the answer's grade id: conditions on facts,
    such as `legend, title, points=40`. Students can read them."""
    preload: Names = ()
    """Modules that the notebook imports. They are imported once, before the class is graded. If a
    module has a function `preload()`, it is called after the import."""
    limits: Mapping[str, CellLimits] = Field(default_factory=dict)
    """Limits of single cells, by grade id."""
    late: Late = Late()
    """What this homework changes in the rules for late work."""
    requests: Requests = Requests()
    """What students may ask about their points."""
    start: Names = ()
    """Paragraphs for `START.html`, as plain text."""

    @model_validator(mode="after")
    def _has_a_possible_due_date(self) -> Manifest:
        try:
            ZoneInfo(self.time_zone)
            if self.due_moment:
                self.due_moment.astimezone(UTC)
        except (OSError, ValueError, OverflowError, ZoneInfoNotFoundError) as error:
            raise ValueError(
                'due, time_zone: expected a date that exists, such as "2022-10-04 23:59:59", and '
                f"an IANA name, such as America/Los_Angeles, found {self.due!r}, {self.time_zone!r}"
            ) from error
        return self

    @model_validator(mode="after")
    def _has_conditions_that_exist(self) -> Manifest:
        for name, conditions in self.plots.items():
            if wrong := figures.unknown(conditions, self.arrays):
                raise ValueError(f"plots.{name}: {unknown_condition(wrong[0])}")
        return self

    @property
    def due_moment(self) -> datetime | None:
        """The due date with its time zone; None if there is none."""
        if self.due is None:
            return None
        wall = datetime.strptime(self.due, "%Y-%m-%d %H:%M:%S")
        return wall.replace(tzinfo=ZoneInfo(self.time_zone))

    def takes_requests(self, at: datetime) -> bool:
        """Whether students may ask about their points at a time (UTC, without a zone)."""
        here, rules = at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.time_zone)), self.requests
        return rules.most > 0 and (rules.until is None or f"{here:%Y-%m-%d}" <= rules.until)

    def seconds(self, kind: str) -> dict[str, float]:
        """Return the limits of one kind, "cpu_seconds" or "wall_seconds", by grade id."""
        found = {name: getattr(limits, kind) for name, limits in self.limits.items()}
        return {name: seconds for name, seconds in found.items() if seconds is not None}


def unknown_condition(condition: str) -> str:
    """Return a sentence about a condition on a plot's facts that does not exist."""
    return (
        "expected conditions such as legend, title, points=40, of=NAMES, with names of `arrays`, "
        f"separated by a comma and a blank, found {one_line(repr(condition), _MAX_SHOWN)}"
    )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; a missing file means all defaults. May raise `ManifestError`."""
    try:
        return Manifest(**tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        return Manifest()
    except ValidationError as error:
        raise ManifestError(f"{path}: {_sentence(error.errors()[0])}") from error
    except (OSError, ValueError) as error:  # also of an encoding or of TOML
        raise ManifestError(
            f"{path} cannot be read: {error}. Write lines such as points = 100, each key once, put "
            "text in quotes, and save the file in UTF-8"
        ) from error


def _keys_beside(place: Sequence[str | int]) -> list[str]:
    """Return the keys that a manifest may have where an unknown one was found."""
    sections: Mapping[str, type[BaseModel]]
    sections = {"late": Late, "limits": CellLimits, "requests": Requests, "shown_beside": Beside}
    kind: type[BaseModel] = sections[str(place[0])] if len(place) > 1 else Manifest
    return list(kind.model_fields)


def _sentence(error: Any) -> str:
    """Return a sentence on what is wrong: the key, what was expected, what was found."""
    said = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    if not error["loc"]:  # an error about several keys together
        return said
    if error["type"] == "extra_forbidden":
        said = f"there is no such key, expected one of {', '.join(_keys_beside(error['loc']))}"
    place = one_line(".".join(map(str, error["loc"])), 200)
    return f"{place}: {said}, found {one_line(repr(error['input']), _MAX_SHOWN)}"


@dataclass(frozen=True)
class Homework:
    """What grading needs to know about one homework.

    This is plain data. It travels with a submission to other processes and machines.
    """

    name: str  # of the assignment, and of its folders in `source` and `staff`
    manifest: Manifest = field(default_factory=Manifest)
    # Its solutions and the files of its staff code by path, such as "staff/hw/fresh.py".
    code: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    # The files beside its notebooks by path. Each submission gets a copy in its working folder.
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def modules(self) -> list[str]:
        """The names of the modules to import before grading: those of the manifest and the code."""
        files = [Path(path).with_suffix("") for path in self.code if path.endswith(".py")]
        own = sorted(".".join(p.parts).removesuffix(".__init__") for p in files)
        return [*self.manifest.preload, *own]

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digests of its code and of its files, by path; of its solutions, by cell."""
        found = self._digests_by_path
        for path in [path for path in found if path.startswith(f"{SOLUTIONS}/")]:
            del found[path]
            cells = sources_in(self.code[path]).items()
            found |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in cells}
        return found

    @property
    def _digests_by_path(self) -> dict[str, str]:
        files = {f"source/{self.name}/{path}": content for path, content in self.files.items()}
        every = {**self.code, **files}
        return {path: hashlib.sha256(content).hexdigest() for path, content in every.items()}

    def digest(self) -> str:
        """Return a digest of everything that can change a score (hexadecimal, 64 characters)."""
        limits = {name: sorted(self.manifest.seconds(name).items()) for name in KINDS}
        whole = repr((limits, sorted(self._digests_by_path.items())))
        return hashlib.sha256(whole.encode()).hexdigest()

    def archive(self) -> bytes:
        """Return its files as a zip; nothing if it has none."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, content in self.files.items():
                archive.writestr(path, content)
        return packed.getvalue() if self.files else b""


def homework_of(
    course: Path,
    assignment: str,
    files: Mapping[str, bytes] | None = None,
    solutions: Mapping[str, bytes] | None = None,
) -> Homework:
    """Read a homework of the course whose root folder contains ``staff``.

    `files` are those of `Course.files`, `solutions` those of `solutions_of`. Without a folder in
    ``staff`` the manifest is empty. `ManifestError` if the manifest has a mistake.
    """
    manifest = manifest_of(course, assignment)  # first: a mistake in it is named before all others
    code = dict(solutions or {})
    for path in sorted((course / STAFF / assignment).rglob("*")):
        inner = path.relative_to(course)
        if (
            path.is_file()
            and inner.parts[2] not in _NOT_FOR_GRADING
            and "__pycache__" not in inner.parts
        ):
            code[inner.as_posix()] = path.read_bytes()
    return Homework(assignment, manifest, code, files or {})


def manifest_of(course: Path, assignment: str) -> Manifest:
    """Read only a homework's manifest; see `homework_of`."""
    return read_manifest(course / STAFF / assignment / FILE_NAME)


def has_manifest(course: Path, assignment: str) -> bool:
    """Whether a homework has a manifest: only then it sets the due date."""
    return (course / STAFF / assignment / FILE_NAME).is_file()


def why_no_id(student: str) -> str:
    """Return the reason why a name is not a valid student id; "" if it is valid.

    An id is written into pages, tables, commands and paths. So it may only contain characters that
    need no escaping in any of them.
    """
    if len(student) > LONGEST_ID:
        return f"its name has more than {LONGEST_ID} characters"
    if re.fullmatch(r"\w[\w.@+-]*", student) and visible(student) == student:
        return ""
    allowed = "expected letters, digits and _ . @ + -, and first a letter, a digit or _"
    return f"its name is {student!a}: {allowed}"
