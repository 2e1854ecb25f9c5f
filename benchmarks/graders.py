"""Measure several graders at once: work done twice, in the time of a model, and a busy server.

The model uses the server's own functions: where `n` leads, leases, and saves. It does not sleep.
"""

import heapq
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.desk import (
    NAME,
    PLOTS,
    TEXTS,
    Server,
    save_body,
    serving,
    show,
    write_class,
)
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Conflict, Mark
from hw_grading.homework.course import Course

STUDENTS, GRADERS = 300, 12  # of the busy server
SECONDS = 60  # for which they grade without a pause
CELLS = [f"plot{n + 1}" for n in range(PLOTS)] + [f"text{n + 1}" for n in range(TEXTS)]
RENEWED = 30.0  # seconds of activity after which a page renews its lease
PATIENCE = 30.0  # seconds after which a grader for whom no answer is free presses `n` again


def run() -> None:
    """Print what is done twice, how far apart graders stay, and the times of a busy server."""
    for graders, students in ((3, 24), (6, STUDENTS)):
        with tempfile.TemporaryDirectory() as folder:
            ran = simulated(_course(Path(folder, "course"), students), graders)
        print(
            f"{graders} graders, {students} answers, 7 s each: {len(ran.graded)} gradings, "
            f"{ran.apart():.1f} answers apart, {ran.jumps():.0%} of steps are jumps"
        )
    with tempfile.TemporaryDirectory() as folder:
        course = _course(Path(folder) / "course", STUDENTS)
        with serving(course.folder, Path(folder)) as server:
            _measure(server)


def _course(folder: Path, students: int) -> Course:
    write_class(folder, students)
    return Course(folder)


# -- the model


@dataclass
class Ran:
    """What the graders of a model did."""

    order: Sequence[str]  # of the answers
    graded: list[tuple[str, str]] = field(default_factory=list)  # grader and student, each time
    refused: int = 0  # gradings that another grader had saved before
    # The places in the order of all graders at work, each time when one of them opens an answer.
    places: list[dict[str, int]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)  # from place to place

    def apart(self) -> float:
        """Return how many answers the two nearest graders are apart, on average."""
        pairs = [itertools.combinations(places.values(), 2) for places in self.places]
        return statistics.mean(min(abs(a - b) for a, b in two) for two in map(list, pairs) if two)

    def jumps(self) -> float:
        """Return the share of steps that did not lead to the next answer."""
        return statistics.mean(step != 1 for step in self.steps)


def simulated(
    course: Course,
    graders: int,
    seconds: float = 7.0,
    *,
    assignment: str = NAME,
    cell: str = CELLS[0],
    killed: int = 0,
    seed: int = 1,
) -> Ran:
    """Let graders begin a question together, and grade until nothing is left.

    Each takes `seconds`, more or less, for an answer. The browsers of the first `killed` graders
    end while they look at their second answer.
    """
    draw = random.Random(seed)
    now = [datetime(2026, 1, 1)]
    book = ManualGrading(course, assignment, lambda: now[0])
    ran = Ran(book.order(cell, book.gradings(cell)))
    pages = {f"grader{n}": draw.randbytes(16).hex() for n in range(graders)}
    at: dict[str, tuple[str, str, float]] = {}  # student, version, and time when it is graded
    events = [(0.0, name) for name in pages]
    opened = dict.fromkeys(pages, 0)
    while events:
        clock, name = heapq.heappop(events)
        now[0] = datetime(2026, 1, 1) + timedelta(seconds=clock)
        here, version, until = at.get(name, ("", "", clock))
        if here and clock < until:
            book.open(cell, pages[name], name, student=here)
            heapq.heappush(events, (min(until, clock + RENEWED), name))
            continue
        if here:
            rubric = book.rubric(cell)
            mark = Mark(frozenset([rubric.items[0].id]), done=True)
            about: dict[str, Any] = {"grader": name, "rubric_revision": rubric.revision}
            ran.refused += isinstance(
                book.save(cell, {here: version}, mark, **about)[here], Conflict
            )
            ran.graded.append((name, here))
        found = book.open(cell, pages[name], name, here=here)
        if found.student is None:
            at.pop(name, None)
            if found.others:
                heapq.heappush(events, (clock + PATIENCE, name))
            continue
        until = clock + seconds * draw.uniform(0.7, 1.3)
        at[name] = (found.student, book.grading(cell, found.student).version, until)
        places = {who: ran.order.index(student) for who, (student, _, _) in at.items()}
        ran.places.append(places)
        if here:
            ran.steps.append(places[name] - ran.order.index(here))
        opened[name] += 1
        if opened[name] == 2 and name in list(pages)[:killed]:
            del at[name]
            continue
        heapq.heappush(events, (min(until, clock + RENEWED), name))
    book.close()
    return ran


# -- a busy server


def _measure(server: Server) -> None:
    while server.ask("overview")["reading"]["read"] < STUDENTS:
        time.sleep(0.5)
    server.ask("grader", {"name": "head"})
    for place, cell in enumerate(CELLS):
        names = [f"grader{number}" for number in range(place, GRADERS, len(CELLS))]
        server.ask(f"share/{cell}", {"shares": [{"grader": name} for name in names]})
    times: dict[str, list[float]] = {"a save": [], "n": [], "opening an answer": []}
    acknowledged: dict[str, str] = {}  # the comment of each answer that was saved
    until = time.monotonic() + SECONDS

    def grade(number: int) -> None:
        one = Server(server.port, server.token)
        one.ask("grader", {"name": f"grader{number}"})
        page, here, cell = f"{number:032x}", "", CELLS[number % len(CELLS)]
        question, helping = one.ask(f"question/{cell}"), False
        while time.monotonic() < until:
            where = {"page": page, "here": here, "helping": helping}
            opened = _timed(times["n"], one.ask, f"open/{cell}", where)
            if opened["student"] is None:
                if helping or not opened["elsewhere"]:
                    return
                helping = True  # the own share is done
                continue
            here = opened["student"]
            shown = _timed(times["opening an answer"], show, one, cell, here)
            comment = f"comment {time.perf_counter()} of {number}"
            body = save_body(question["rubric"], here, shown, comment=comment)
            if here in _timed(times["a save"], one.ask, f"save/{cell}", body)["saved"]:
                acknowledged[f"{cell}/{here}"] = comment

    with ThreadPoolExecutor(GRADERS) as threads:
        list(threads.map(grade, range(GRADERS)))
    print(f"{GRADERS} graders with shares, without a pause, at most {SECONDS} s:")
    for what, seconds in times.items():
        late = sorted(seconds)[int(0.99 * len(seconds))]
        middle = statistics.median(seconds)
        print(f"{what}, {len(seconds)} times: median {middle:.2f} s, 99 % within {late:.2f} s")
    found = {place: server.ask(f"answer/{place}")["grading"] for place in acknowledged}
    lost = sum(found[place]["comment"] != said for place, said in acknowledged.items())
    print(f"{len(acknowledged)} acknowledged marks, of which {lost} are lost")


def _timed(times: list[float], what: Callable[..., Any], *values: Any) -> Any:
    start = time.perf_counter()
    got = what(*values)
    times.append(time.perf_counter() - start)
    return got
