"""Score answers by the notebook's own test cells, in this process or in guarded children.

A submission is the instructor's notebook with some answers replaced. Its cells run in the order of
the notebook and in one namespace, as in a kernel; what a test cell's last expression is worth is
its score. The notebook is read at run time: whatever its cells say is what is measured.

    python tests/grading/harness.py wrong [function]            what is not caught, what is lost
    python tests/grading/harness.py right [function] [--seeds N]  elsewhere; right ones that lose
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is imported

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # answers run side by side

import ast
import contextlib
import io
import json
import random
import signal
import sys
import traceback
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "source" / "hw2" / "hw2.ipynb"

FUNCTIONS = (
    "sigmoid_activation",
    "logistic_loss",
    "relu_activation",
    "layer_forward",
    "create_weight_matrices",
    "create_bias_vectors",
    "forward_pass",
    "backward_pass",
    "my_nn_finite_difference_checker",
)
DELIVERABLES = ("q1_3a", "q1_3b_i", "q1_3b_ii", "q1_3c", "q1_3d")
SHARED = ("setup", "load_data")  # run once; everything else anew for every submission
SEED_VARIABLE = "HW_GRADING_SEED"

# Wall time, after which a cell is interrupted as by a kernel's time limit.
CELL_SECONDS, TRAINING_SECONDS = 20.0, 200.0
KEPT_CHARACTERS = 200_000  # of what a cell prints


@dataclass(frozen=True)
class Cell:
    """A code cell with a grade id, solution markers taken out."""

    id: str
    source: str
    points: float
    is_test: bool


@dataclass(frozen=True)
class PartResult:
    """What became of one named part of a test cell."""

    what: str
    points: float
    passed: bool
    message: str


@dataclass(frozen=True)
class CellResult:
    """A test cell's score, its parts, and what it printed (stderr and traceback included)."""

    score: float
    points: float
    parts: tuple[PartResult, ...] = ()
    printed: str = ""

    @property
    def lost(self) -> float:
        """Points that were not earned."""
        return self.points - self.score

    @property
    def failed_parts(self) -> list[str]:
        """``what: message`` of each part that failed; the traceback's end if the cell raised."""
        lines = [f"{part.what}: {part.message}" for part in self.parts if not part.passed]
        return lines or ([] if not self.lost else self.printed.strip().splitlines()[-1:])


Scores = dict[str, CellResult]


@cache
def load_cells() -> dict[str, Cell]:
    """Return the code cells of the source notebook that have a grade id, in order."""
    cells = {}
    for raw in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        meta = raw["metadata"].get("nbgrader")
        if raw["cell_type"] != "code" or not meta:
            continue
        lines = "".join(raw["source"]).split("\n")
        source = "\n".join(line for line in lines if not _is_marker(line))
        grade_id = meta["grade_id"]
        is_test = grade_id.startswith("test_")
        cells[grade_id] = Cell(grade_id, source, float(meta.get("points", 0)), is_test)
    return cells


def _is_marker(line: str) -> bool:
    return line.strip() in ("### BEGIN SOLUTION", "### END SOLUTION")


def charged(test_id: str) -> str:
    """Return the answer that a test cell charges: test_q1_3a charges q1_3a."""
    name = test_id.removeprefix("test_")
    answers = [a for a in (*FUNCTIONS, *DELIVERABLES, "train") if (name + "_").startswith(a + "_")]
    return max(answers, key=len, default="")


def cells_charging(*answers: str) -> tuple[str, ...]:
    """Return the graded test cells that charge one of these answers, in order."""
    cells = load_cells().values()
    return tuple(c.id for c in cells if c.is_test and c.points and charged(c.id) in answers)


@cache
def _compiled(source: str, name: str) -> tuple[types.CodeType, types.CodeType | None]:
    """Return the code of a cell, and that of its last line if it is an expression."""
    tree, last = ast.parse(source), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), f"<{name}>", "eval")
    return compile(tree, f"<{name}>", "exec"), last


def run_cell(source: str, name: str, namespace: dict[str, Any]) -> Any:
    """Run a cell in a namespace, with a time limit; return the value of its last line."""
    body, last = _compiled(source, name)
    previous = signal.signal(signal.SIGALRM, _interrupt)
    # Again and again, since code under test may catch the first interrupt.
    limit = TRAINING_SECONDS if name == "train" else CELL_SECONDS
    signal.setitimer(signal.ITIMER_REAL, limit, 0.5)
    try:
        exec(body, namespace)
        return None if last is None else eval(last, namespace)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@cache
def _shared_names() -> dict[str, Any]:
    mpl.use("Agg")
    sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for grade_id in SHARED:
            run_cell(load_cells()[grade_id].source, grade_id, names)
        names["plt"].close("all")
    return names


def fresh_namespace(seed: int = 0) -> dict[str, Any]:
    """Return the names that all functions of the instructor stand in.

    Data arrays are shared between namespaces; the reference batch and the functions are not.
    Everything random starts from `seed`, which hidden tests read from the environment.
    """
    names = dict(_shared_names())
    _seed_everything(seed, names)
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in load_cells().values():
            if cell.id in (*FUNCTIONS, "finite_difference_checker", "reference_batch"):
                run_cell(cell.source, cell.id, names)
    return names


def _seed_everything(seed: int, names: dict[str, Any]) -> None:
    os.environ[SEED_VARIABLE] = str(seed)
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for answers that use it
    names["rng"] = np.random.default_rng([2022, seed])


class _Kept(io.StringIO):
    """A stream that keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        if self.tell() < KEPT_CHARACTERS:
            super().write(text)
        return len(text)


def score_cell(test_id: str, namespace: dict[str, Any]) -> CellResult:
    """Run a test cell and return its score by nbgrader's rules.

    Its last expression is the score, None all points; an error, an interrupt, or anything on
    stderr is 0.
    """
    cell = load_cells()[test_id]
    namespace.pop("checks", None)
    out, err, score = _Kept(), _Kept(), 0.0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            value = run_cell(cell.source, test_id, namespace)
            score = cell.points if value is None else float(value)
        except BaseException:
            err.write(_own_traceback())
    if err.getvalue():
        score = 0.0
    parts = tuple(
        PartResult(part.what, part.points, part.passed, part.message)
        for part in getattr(namespace.get("checks"), "parts", ())
    )
    return CellResult(score, cell.points, parts, out.getvalue() + err.getvalue())


def _own_traceback() -> str:
    try:
        return traceback.format_exc(limit=-4)
    except BaseException as error:  # an exception whose text raises
        return f"{type(error).__name__} while an exception was shown\n"


def score_submission(
    answers: Mapping[str, str], *, tests: Sequence[str] | None = None, seed: int = 0
) -> Scores:
    """Score the instructor's notebook with these answers (cell id to source) in place of its own.

    Parameters
    ----------
    answers
        Sources of answer cells. One that raises is left as far as it came.
    tests
        The test cells to run; all but the training's by default. The training cell runs only if
        a test of it is asked for.
    seed
        Of the student's random numbers and of the hidden tests'.

    Returns
    -------
    dict
        A result for each test cell, in the notebook's order.
    """
    wanted = cells_charging(*FUNCTIONS, *DELIVERABLES) if tests is None else tuple(tests)
    needed = {charged(test) for test in wanted}
    names = dict(_shared_names())
    _seed_everything(seed, names)
    results = {}
    for cell in load_cells().values():
        if cell.is_test:
            if cell.id in wanted:
                results[cell.id] = score_cell(cell.id, names)
        elif _runs(cell.id, needed):
            _run_answer(answers.get(cell.id, cell.source), cell.id, names)
    return results


def _runs(grade_id: str, needed: set[str]) -> bool:
    if grade_id in DELIVERABLES:  # q1_3d compares with the results of q1_3a
        return grade_id in needed or (grade_id == "q1_3a" and "q1_3d" in needed)
    if grade_id == "train":
        return "train" in needed
    return grade_id in (*FUNCTIONS, "finite_difference_checker", "reference_batch")


def _run_answer(source: str, name: str, names: dict[str, Any]) -> None:
    with (
        contextlib.redirect_stdout(_Kept()),
        contextlib.redirect_stderr(_Kept()),
        contextlib.suppress(BaseException),
    ):
        run_cell(source, name, names)


def score_answer(
    function: str, source: str, *, tests: Sequence[str] | None = None, seed: int = 0
) -> Scores:
    """Score the notebook with one answer replaced; see `score_submission`."""
    return score_submission({function: source}, tests=tests, seed=seed)


@dataclass(frozen=True)
class Verdict:
    """What test cells make of one answer to a function, over one or more seeds."""

    runs: tuple[Scores, ...]
    own_tests: tuple[str, ...]
    died: str = ""

    @property
    def caught(self) -> bool:
        """Whether every run lost a point in the answer's own cells."""
        return all(any(run[test].lost > 1e-9 for test in self.own_tests) for run in self.runs)

    @property
    def lost_elsewhere(self) -> dict[str, float]:
        """Most points lost in one run in each of the other cells."""
        return self._lost(lambda test: test not in self.own_tests)

    @property
    def lost(self) -> dict[str, float]:
        """Most points lost in one run in each cell."""
        return self._lost(lambda test: True)

    def _lost(self, counts: Any) -> dict[str, float]:
        losses = {
            test: max(run[test].lost for run in self.runs) for test in self.runs[0] if counts(test)
        }
        return {test: lost for test, lost in losses.items() if lost > 1e-9}

    def failed_parts(self, test: str) -> list[str]:
        """Return the failed parts of the first run that lost points in a cell."""
        return next((run[test].failed_parts for run in self.runs if run[test].lost > 1e-9), [])


def main(arguments: Sequence[str]) -> int:
    """Print what is not as it should be: the number of such answers is the exit status."""
    import argparse

    from answers import right_answers, whole_submissions, wrong_answers
    from guarded import judge

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=["wrong", "right"])
    parser.add_argument("function", nargs="?", help="one function, 'train' or 'whole'; else all")
    parser.add_argument("--seeds", type=int, default=None, metavar="N")
    parser.add_argument("--isolated", action="store_true", help="tests in another process")
    parser.add_argument("--all", action="store_true", help="also print what is as it should be")
    options = parser.parse_args(arguments)
    seeds = range(options.seeds or (1 if options.kind == "wrong" else 3))

    pool = wrong_answers() if options.kind == "wrong" else [*right_answers(), *whole_submissions()]
    chosen = [a for a in pool if a.function == options.function or not options.function]
    if options.function != "train":
        chosen = [a for a in chosen if a.function != "train"]
    bad = 0
    for answer, verdict in judge(chosen, seeds, isolated=options.isolated):
        lines = list(_complaints(options.kind, answer, verdict))
        bad += bool(lines)
        if lines or options.all:
            print(f"{answer.function}: {answer.name}")
            print("\n".join(f"    {line}" for line in lines), flush=True)
    print(
        f"{len(chosen)} {options.kind} answers, {len(seeds)} seed(s), {bad} not as they should be"
    )
    return min(bad, 99)


def _complaints(kind: str, answer: Any, verdict: Verdict) -> Iterator[str]:
    if verdict.died:
        yield f"the process ended: {verdict.died}"
    if kind == "wrong" and not verdict.caught:
        yield "NOT CAUGHT in its own cells"
    lost = verdict.lost_elsewhere if kind == "wrong" else verdict.lost
    note = " (no usable value)" if kind == "wrong" and answer.no_value else ""
    for test, points in lost.items():
        yield f"loses {points:g} in {test}{note}"
        for line in verdict.failed_parts(test):
            yield f"    {line[:160]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
