"""A cache of verdicts in a file, so that only new ones are measured.

The result of a test cell for an answer is stored under a digest of everything that determines it:
the cell, the answer and all that is run before the cell, the modules that these import, the seed,
the tools, and the versions of packages. The points of the cell's parts are not in the digest: the
cache stores which parts passed, and points are computed when a verdict is read.

A test cell is assumed to give the same verdict whether or not other test cells ran before it; a
test of these tools checks this. Unexpected verdicts and time-outs are not stored, so a machine that
is slow for a moment has no lasting effect.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cells import Cell, Notebook
from givens import given_to
from guarded import Done, Job, Judged, Which, job_for, own_tests, run_jobs
from harness import CellResult, PartResult, Scores, Verdict
from settings import ROOT
from sources import HERE, as_run, digest, digest_of_files, modules_of, package_of, without_points

FILE = ROOT / ".validity_cache" / "verdicts.sqlite"
KEPT_DAYS = 60  # after this time, verdicts that nobody requested are removed
PACKAGES = ("numpy", "scipy", "matplotlib", "msgpack")


class KeptVerdicts:
    """The file, and how to judge with it.

    Parameters
    ----------
    path
        The file; made when it is missing.
    anew
        Whether to measure cached verdicts again.

    Attributes
    ----------
    measured, found : int
        How many results of test cells were measured and how many were found.
    """

    def __init__(self, path: Path = FILE, *, anew: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=60)
        self._today = int(time.time() // 86_400)
        self._anew = anew
        self.measured = self.found = 0
        with self._file:
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, result TEXT, day INT)"
            )
            self._file.execute("DELETE FROM results WHERE day < ?", (self._today - KEPT_DAYS,))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def judge(
        self,
        notebook: Notebook,
        answers: Sequence[Judged],
        seeds: Sequence[int],
        *,
        hoped: Callable[[Any, Verdict], bool],
        tests: Which = "all",
        isolated: bool = False,
    ) -> Iterator[tuple[Any, Verdict]]:
        """Judge answers as `guarded.judge` does; measure what is not kept.

        Parameters
        ----------
        hoped
            Whether a verdict on an answer is as it should be. Others are not kept.
        """
        keys = _Keys(notebook, isolated)
        whole = [job_for(notebook, answer, seeds, tests) for answer in answers]
        kept = [self._kept(keys, job) for job in whole]
        missing = [_missing(*pair) for pair in zip(whole, kept, strict=True)]
        done = run_jobs(notebook, [job for job in missing if job.runs], isolated=isolated)
        for job, known, rest in zip(whole, kept, missing, strict=True):
            new = next(done) if rest.runs else Done(())
            runs = _merged(job, known, rest, new)
            verdict = Verdict(runs, own_tests(notebook, job.answer.function), new.died)
            if not new.died and hoped(job.answer, verdict):
                self._keep(keys, rest, new)
            self.measured += sum(len(tests) for _, tests in rest.runs)
            self.found += sum(len(results) for results in known)
            yield job.answer, verdict

    def _kept(self, keys: _Keys, job: Job) -> list[Scores]:
        """Return for each run of a job the results that are kept."""
        if self._anew:
            return [{} for _ in job.runs]
        runs: list[Scores] = []
        for seed, tests in job.runs:
            found = {}
            for test in tests:
                key = keys.of(job.answer, test, seed)
                row = self._file.execute(
                    "SELECT result, day FROM results WHERE key = ?", (key,)
                ).fetchone()
                if row and (result := keys.read(test, row[0])):
                    found[test] = result
                    if row[1] != self._today:
                        self._file.execute(
                            "UPDATE results SET day = ? WHERE key = ?", (self._today, key)
                        )
            runs.append(found)
        self._file.commit()
        return runs

    def _keep(self, keys: _Keys, job: Job, done: Done) -> None:
        rows = [
            (keys.of(job.answer, test, seed), _written(result), self._today)
            for (seed, _), results in zip(job.runs, done.runs, strict=True)
            for test, result in results.items()
            if not _ran_out_of_time(result)
        ]
        with self._file:
            self._file.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)


def _missing(job: Job, kept: Sequence[Scores]) -> Job:
    """Return the runs of a job that are not cached; of a whole submission all test cells or none.

    Answers of a whole submission may read each other's names, where the solution's do not. Then the
    cells that one test cell needs for the solution are not all that it needs here.
    """
    left = [
        (seed, tuple(test for test in tests if test not in found))
        for (seed, tests), found in zip(job.runs, kept, strict=True)
    ]
    if job.answer.function == "whole" and any(tests for _, tests in left):
        left = list(job.runs)
    return Job(job.answer, tuple((seed, tests) for seed, tests in left if tests))


def _merged(job: Job, kept: Sequence[Scores], rest: Job, new: Done) -> tuple[Scores, ...]:
    """Return the results of each run, kept and new ones, in the order of the test cells."""
    by_seed = dict(zip((seed for seed, _ in rest.runs), new.runs, strict=True))
    runs = []
    for (seed, tests), found in zip(job.runs, kept, strict=True):
        both = {**found, **by_seed.get(seed, {})}
        runs.append({test: both[test] for test in tests})
    return tuple(runs)


def _ran_out_of_time(result: CellResult) -> bool:
    messages = [part.message for part in result.parts]
    return "KeyboardInterrupt" in result.printed or any("endless loop?" in m for m in messages)


def _written(result: CellResult) -> str:
    """Return a result as text: its parts, and whether its score is the sum of those that passed."""
    parts = [[part.what, part.points, int(part.passed)] for part in result.parts]
    by_parts = sum(part.points for part in result.parts if part.passed)
    is_sum = bool(parts) and abs(by_parts - result.score) <= 1e-9
    return json.dumps([int(is_sum), result.score, result.points, parts], ensure_ascii=False)


class _Keys:
    """Digests of what determines a result, for one notebook and one way of running tests."""

    def __init__(self, notebook: Notebook, isolated: bool) -> None:
        self._notebook = notebook
        given, self._modules = given_to(notebook)
        self._base = digest(notebook.homework, given, digest_of_tools(isolated), versions())
        self._isolated = isolated
        self._tests: dict[str, tuple[str, dict[str, float]]] = {}
        self._before: dict[str, list[Cell]] = {}
        self._prefixes: dict[tuple[int, str], str] = {}

    def of(self, answer: Judged, test: str, seed: int) -> str:
        """Return the key of what a test cell makes of an answer with a seed."""
        where = (id(answer), test)  # an answer object exists as long as it is judged
        if where not in self._prefixes:
            self._prefixes[where] = self._prefix(answer.cells, test)
        return digest(self._prefixes[where], seed)

    def _prefix(self, replaced: dict[str, str], test: str) -> str:
        if test not in self._before:
            self._before[test] = self._notebook.runs([test])
        given = self._notebook.given
        before = {
            cell.id: replaced.get(cell.id, cell.source)
            for cell in self._before[test]
            if cell.id not in given
        }
        cell = self._notebook.cells[test]
        text, _ = self._test(cell)
        modules = self._modules.union(*map(modules_of, [*before.values(), cell.source]))
        run = [(name, as_run(source)) for name, source in before.items()]
        visible = _visible(cell.source) if self._isolated else ""
        return digest(self._base, run, test, text, visible, digest_of_files(modules))

    def _test(self, cell: Cell) -> tuple[str, dict[str, float]]:
        if cell.id not in self._tests:
            self._tests[cell.id] = without_points(cell.source)
        return self._tests[cell.id]

    def read(self, test: str, text: str) -> CellResult | None:
        """Return a result that was written, with the points that its parts are worth now.

        None if that is not known.
        """
        cell = self._notebook.cells[test]
        is_sum, score, points, raw = json.loads(text)
        _, worth = self._test(cell)
        parts = tuple(
            PartResult(what, worth.get(what, points), bool(passed), "")
            for what, points, passed in raw
        )
        if is_sum:
            score = sum(part.points for part in parts if part.passed)
        elif score and points != cell.points:
            return None
        return CellResult(score, cell.points, parts)


@functools.cache
def _visible(source: str) -> str:
    """Return what a test cell in isolation runs in the student's process."""
    from hw_grading.homework.instructor_cells import as_released  # takes seconds

    return without_points(as_released(source, "code"))[0]


@functools.cache
def digest_of_tools(isolated: bool) -> str:
    """Return a digest of what runs answers and test cells.

    Two modules are left out because their results are in the digest themselves: which cells are
    run, and a test cell without its hidden parts.
    """
    start = HERE / ("isolated.py" if isolated else "harness.py")
    tools = modules_of(
        start.read_text(encoding="utf-8"), package_of(start), apart_from=_COUNTED_BY_RESULT
    )
    return digest_of_files({start, HERE / "guarded.py", *tools})


_COUNTED_BY_RESULT = frozenset(
    {HERE / "settings.py", ROOT / "hw_grading" / "homework" / "instructor_cells.py"}
)


@functools.cache
def versions() -> str:
    """Return the versions of what results may depend on."""
    found = [platform.python_version(), platform.machine()]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {package}")
    return ", ".join(found)
