"""One HTML page for graders: every student's plots and written answers beside the scores.

Everything between the page's own tags was written by students, or may have been. Therefore:

- a text is shown as text: escaped, in an element, without control characters (`escaped`);
- a picture is shown if it is a PNG: decoded, checked and encoded anew (`png_uri`). Nothing else of
  an output is shown: no HTML, no SVG, no JavaScript, no other type;
- attributes hold numbers of our own, such data URIs, and escaped student ids in ``alt``;
- the page has no script, and its Content-Security-Policy allows none and no address but ``data:``.

Students are read and written one after another: memory stays that of one notebook.
"""

from __future__ import annotations

import base64
import html
import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hw_grading.outcome import Status
from hw_grading.pages import STYLE
from hw_grading.records.graded_notebook import error_of, outputs_of, plain, text_of
from hw_grading.records.questions import Place
from hw_grading.records.results import Roster, StudentResult, read_roster, read_student
from hw_grading.records.scores import Record, Score, in_digits

MAX_PICTURE_BYTES = 2_000_000
MAX_PICTURE_PIXELS = 16_000_000  # a PNG of a few kilobytes can be larger than a browser's memory
MAX_PICTURES = 6  # of one cell
MAX_CHARACTERS = 20_000  # of one answer or output

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">8sI4sII")
_COLOURS_OF_TERMINALS = re.compile(r"\x1b\[[0-9;]*m")
# Control characters, halves of characters, and those that turn the direction of writing.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def write_plots_page(course: Path, assignment: str, out: Path) -> Path:
    """Write the page, lowest points of the tests first.

    Parameters
    ----------
    course, assignment
        As for `hw_grading.records.results.read_results`, which also says what is raised.
    out
        The file; its folder is made. It is replaced when the new page is complete.

    Returns
    -------
    Path
        `out`.
    """
    roster = read_roster(course, assignment)
    records = sorted(roster.records, key=lambda r: (r.auto_total if r.scored else -1.0, r.student))
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(_page(roster, records))
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


def escaped(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a text as HTML that shows it, cut at so many characters."""
    lines = _COLOURS_OF_TERMINALS.sub("", text[:limit]).split("\n")
    # As in a terminal, a carriage return starts the line anew: of a progress bar the end is left.
    kept = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    kept = html.escape(_UNSAFE.sub("\N{REPLACEMENT CHARACTER}", kept))
    more = len(text) - limit
    return kept if more <= 0 else f"{kept}\n… and {more:,} more characters"


def png_uri(data: Any) -> str:
    """Return a notebook's picture as a data URI.

    Parameters
    ----------
    data
        What stands under ``image/png``: base64, in a string or in lines.

    Raises
    ------
    ValueError
        If it is no PNG, or too large.
    """
    text = "".join(text_of(data).split())
    if len(text) > MAX_PICTURE_BYTES * 4 / 3 + 4:
        raise ValueError(f"it is larger than {MAX_PICTURE_BYTES:,} bytes")
    try:
        raw = base64.b64decode(text, validate=True)
        signature, _, chunk, width, height = _IHDR.unpack_from(raw)
    except (ValueError, struct.error):
        raise ValueError("it is not a PNG") from None
    if signature != _PNG or chunk != b"IHDR":
        raise ValueError("it is not a PNG")
    if not 0 < width * height <= MAX_PICTURE_PIXELS:
        raise ValueError(f"it has {width} × {height} pixels")
    return "data:image/png;base64," + base64.b64encode(raw).decode("ascii")


def _page(roster: Roster, records: list[Record]) -> Iterator[str]:
    title = escaped(f"{roster.assignment}: plots and written answers", 200)
    style = STYLE.read_text(encoding="utf-8")
    names = [cell.name for cell in roster.cells if cell.by_hand]
    order = {name: number for number, name in enumerate(roster.places)}
    names += [name for name in roster.without_points if name in order]
    names.sort(key=lambda name: order.get(name, len(order)))
    schemes = {place: place.scheme for place in map(roster.place, names) if place.scheme}
    numbers = {place: number for number, place in enumerate(schemes, start=1)}

    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#students">To the students</a>
<header>
<h1>{title}</h1>
<p>Students: {len(records)}, lowest points of the tests first.
Tests give {in_digits(roster.auto_max)} points, a person gives the other
{in_digits(roster.max_total - roster.auto_max)}. Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</p>
</header>
<aside>
<section>
<h2>Mark schemes</h2>
"""
    for place, scheme in schemes.items():
        yield f"<details><summary>{escaped(str(place))}</summary>\n"
        yield f'<div class="text" id="m{numbers[place]}">{escaped(scheme)}</div></details>\n'
    yield '</section>\n<nav aria-labelledby="list">\n<h2 id="list">Students</h2>\n<ol>\n'
    for number, record in enumerate(records, start=1):
        points = in_digits(record.auto_total) if record.scored else "–"
        yield f'<li><a href="#s{number}">{_name(record)} <span>{points}</span></a></li>\n'
    yield '</ol>\n</nav>\n</aside>\n<main id="students">\n'
    for number, record in enumerate(records, start=1):
        yield from _student(roster, record, number, names, numbers)
    yield "</main>\n</body>\n</html>\n"


def _student(
    roster: Roster, record: Record, number: int, names: Iterable[str], schemes: Mapping[Place, int]
) -> Iterator[str]:
    result, cells = read_student(roster, record)
    facts = []
    if record.scored:
        facts.append(f"tests <b>{in_digits(record.auto_total)}</b> of {in_digits(roster.auto_max)}")
        facts.append(f"total <b>{in_digits(record.total)}</b> of {in_digits(roster.max_total)}")
        if record.waiting:
            facts.append(f"{in_digits(record.waiting)} to be graded")
    if record.late:
        facts.append(f"late {record.late}")
    if result.status is not Status.GRADED:
        facts.append(f'<strong class="alarm">{result.status}</strong>')
    if result.problems:
        count = len(result.problems)
        facts.append(f"{count} {'problem' if count == 1 else 'problems'}")
    yield f'<article id="s{number}" aria-labelledby="h{number}">\n'
    yield f'<div class="bar"><h2 id="h{number}">{_name(record)}</h2>'
    yield "".join(f"<span>{fact}</span>" for fact in facts) + "</div>\n"
    yield _remarks(result)
    if not cells:
        yield '<p class="note">There is no graded notebook to show.</p>\n'
    else:
        scores = {s.cell.name: s for s in record.scores} if record.scored else {}
        yield '<div class="cards">\n'
        for name in names:
            place = roster.place(name)
            points = _points(scores.get(name), has_none=name in roster.without_points)
            if place in schemes:
                points += f' · <a href="#m{schemes[place]}">mark scheme</a>'
            yield f'<section class="card">\n<h3>{escaped(str(place))} <code>{escaped(name)}</code>'
            yield f'</h3>\n<p class="score">{points}</p>\n'
            if name in cells:
                yield from _content(cells[name], f"{plain(record.student, 200)}, {place}")
            else:
                yield '<p class="note">The graded notebook lacks this cell.</p>\n'
            yield "</section>\n"
        yield "</div>\n"
    yield "</article>\n"


def _remarks(result: StudentResult) -> str:
    """Return the reason, the problems and the faults of one student."""
    parts = []
    said = [problem.message for problem in result.problems]
    if result.status is Status.NOT_GRADED:
        said.insert(0, result.reason)
    if said:
        items = "".join(f"<li>{escaped(message, 1_000)}</li>" for message in said)
        parts.append(f'<ul class="problems">{items}</ul>\n')
    if result.faults:
        items = "".join(f"<li>{escaped(str(fault), 1_000)}</li>" for fault in result.faults)
        summary = f"What went wrong in the tests and cells ({len(result.faults)})"
        parts.append(f"<details><summary>{summary}</summary><ul>{items}</ul></details>\n")
    return "".join(parts)


def _points(score: Score | None, *, has_none: bool) -> str:
    if has_none:
        return "no points of its own"
    if score is None:
        return "no score yet"
    most = in_digits(score.cell.max_points)
    given = f"<b>{in_digits(score.points)}</b> of {most}"
    if score.manual is not None:
        return given + (", to be looked at again" if score.waits else "")
    if score.waits:
        return f'<b class="waits">to be graded</b>, of {most}'
    return f"{given}, nothing was answered" if score.auto == 0 else given


def _content(cell: Mapping[str, Any], whose: str) -> Iterator[str]:
    """Show the outputs of a code cell, or the text and the attached pictures of any other."""
    if cell.get("cell_type") != "code":
        yield _text(text_of(cell.get("source")))
        attached = cell.get("attachments")
        yield from _pictures(attached.values() if isinstance(attached, dict) else (), whose)
        return
    outputs = outputs_of(cell)
    bundles = [o["data"] for o in outputs if isinstance(o.get("data"), dict)]
    shown = list(_pictures(bundles, whose))
    if not any(part.startswith("<img") for part in shown):
        yield '<p class="note">There is no plot.</p>\n'
    yield from shown
    for output in outputs:
        if output.get("output_type") == "error":
            yield f'<p class="error">{escaped(error_of(output))}</p>\n'
    printed = "".join(text_of(o.get("text")) for o in outputs if o.get("output_type") == "stream")
    results = [text_of(b.get("text/plain")) for b in bundles if "image/png" not in b]
    if text := "\n".join(filter(None, [printed.rstrip(), *results])):
        yield _text(text)


def _pictures(bundles: Iterable[Any], whose: str) -> Iterator[str]:
    """Show what is a PNG in bundles of data by type, and say what is not shown."""
    notes = []
    shown = 0
    for bundle in bundles:
        if not isinstance(bundle, dict):
            continue
        if "image/png" in bundle and shown < MAX_PICTURES:
            try:
                uri = png_uri(bundle["image/png"])
            except ValueError as why:
                notes.append(f"A picture is not shown: {why}.")
                continue
            shown += 1
            alt = escaped(f"{whose}, picture {shown}")
            yield f'<img loading="lazy" alt="{alt}" src="{uri}">\n'
        elif "image/png" in bundle:
            notes.append(f"More pictures than {MAX_PICTURES} are not shown.")
        elif kinds := [kind for kind in bundle if kind != "text/plain"]:
            kind = plain(str(kinds[0]), 40)
            notes.append(f"Something of type {kind} is not shown here; formgrader may show it.")
    for note in dict.fromkeys(notes):
        yield f'<p class="note">{escaped(note)}</p>\n'


def _text(text: str) -> str:
    text = text.strip()
    # What may be too long for its card is scrolled there, by those without a mouse too.
    long = len(text) > 400 or text.count("\n") > 10
    focusable = ' tabindex="0"' if long else ""
    return f'<div class="text"{focusable}>{escaped(text) or "(empty)"}</div>\n'


def _name(record: Record) -> str:
    return f"<bdi>{escaped(plain(record.student, 200))}</bdi>"
