"""Mutation testing of the grader: which share of small changes to a room its fast tests notice.

    python -m tools.mutants --count 200 --seed 1

It changes one place of a room at a time, in a clone of the last commit: another comparison, another
number, ``and`` for ``or``, a ``not`` less, ``return None``. Each room's tests run once before, to
see which tests run which lines. A mutant then gets only the tests that run its line. It is killed
if one of them fails or does not end.
"""

import argparse
import ast
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from hw_grading.homework.course import REPOSITORY

# The tests of each room, in tests/.
ROOMS = {
    "homework": "test_manifest test_course test_regions test_points test_new test_mending "
    "test_job test_cells test_notes test_other_homework test_release test_seeds test_submissions "
    "../notebook/test_contract ../notebook/test_text",
    "examiner": "test_parts test_job test_fresh_cases test_lifecycle test_execution "
    "../hostile/test_session ../hostile/test_wire",
    "gradebook": "test_results test_rubrics test_late test_corrections test_extensions "
    "test_migration test_questions test_report test_explain test_saving",
    "lms": "test_roster test_collect test_exports ../hostile/test_downloads",
}
_PYTEST = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "--timeout=60", "--tb=short"]
_SECONDS = 180  # for the tests of one mutant
_PAIRS: list[tuple[type[ast.cmpop], type[ast.cmpop]]] = [
    (ast.Eq, ast.NotEq),
    (ast.Lt, ast.LtE),
    (ast.Gt, ast.GtE),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
]
_OTHER = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
IMPORTED = ""  # the key of lines that run when the tests are collected


@dataclass(frozen=True)
class Mutant:
    """A file with one expression or statement replaced."""

    path: Path
    source: bytes  # of the whole file
    lines: range  # of what is replaced
    new: str


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield all mutants of a file."""
    source = path.read_bytes()
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    for node in _places(ast.parse(source)):
        if new := _changed(node):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            changed = source[:begin] + new.encode() + source[end:]
            yield Mutant(path, changed, range(node.lineno, node.end_lineno + 1), new)


def _places(tree: ast.AST) -> Iterator[Any]:
    """Yield the nodes that may change; not those in annotations and f-strings."""
    for name, value in ast.iter_fields(tree):
        for node in value if isinstance(value, list) else [value]:
            skipped = name in ("annotation", "returns") or isinstance(node, ast.JoinedStr)
            if isinstance(node, ast.AST) and not skipped:
                yield node
                yield from _places(node)


def _changed(node: ast.AST) -> str | None:
    """Return the source of what stands in the place of a node; None if it stays."""
    match node:
        case ast.Compare():
            operators = [_OTHER[type(node.ops[0])](), *node.ops[1:]]
            return f"({ast.unparse(ast.Compare(node.left, operators, node.comparators))})"
        case ast.BoolOp():
            swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            return f"({ast.unparse(ast.BoolOp(swapped, node.values))})"
        case ast.UnaryOp(op=ast.Not()):
            return f"({ast.unparse(node.operand)})"
        case ast.Constant(value=bool() as value):
            return str(not value)
        case ast.Constant(value=int() | float() as value):
            return repr(value + 1)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            return "return None"
    return None


class Lines:
    """A plug-in of pytest that notes which tests run which lines of a folder.

    Lines that run while a test is set up belong to all tests of its file: they may share fixtures.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}{os.sep}"
        self._key = IMPORTED
        self.found: dict[str, set[str]] = defaultdict(set)
        sys.settrace(self._called)

    def _called(self, frame: Any, event: str, argument: object) -> Any:
        return self._ran if frame.f_code.co_filename.startswith(self._folder) else None

    def _ran(self, frame: Any, event: str, argument: object) -> Any:
        self.found[f"{frame.f_code.co_filename}:{frame.f_lineno}"].add(self._key)
        return self._ran

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note the lines of the test's fixtures for its file."""
        self._key = item.nodeid.partition("::")[0]

    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Note the lines of the test."""
        self._key = item.nodeid


def trace(folder: str, output: str, *tests: str) -> int:
    """Run tests; write which lines of the folder they run, and return pytest's exit status."""
    lines = Lines(Path(folder).resolve())
    status = pytest.main([*_PYTEST, *tests], plugins=[lines])
    sys.settrace(None)
    found = {line: sorted(keys) for line, keys in lines.found.items()}
    Path(output).write_text(json.dumps(found), encoding="utf-8")
    return int(status)


class Copy:
    """A clone of the repository, in which mutants are tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, self.folder], check=True)
        self._changes = 0

    def tests_by_line(self, room: str, tests: list[str]) -> dict[str, list[str]]:
        """Return the tests that run each line of a room. Ends the program if one fails."""
        output = self.folder / "lines.json"
        code = "import sys; from tools.mutants import trace; sys.exit(trace(*sys.argv[1:]))"
        if self._python("-c", code, f"hw_grading/{room}", str(output), *tests, seconds=1800):
            sys.exit(f"The tests of {room} fail without a change: {' '.join(tests)}")
        found: dict[str, list[str]] = json.loads(output.read_text(encoding="utf-8"))
        return found

    def kills(self, mutant: Mutant, tests: list[str]) -> bool:
        """Return whether a test fails, or does not end, in the mutant."""
        before = mutant.path.read_bytes()
        try:
            self._write(mutant.path, mutant.source)
            return bool(self._python("-m", "pytest", *_PYTEST, *tests, seconds=_SECONDS))
        except subprocess.TimeoutExpired:
            return True
        finally:
            self._write(mutant.path, before)

    def _write(self, path: Path, source: bytes) -> None:
        """Write a file, with a time that no compiled copy of it has."""
        self._changes += 1
        path.write_bytes(source)
        os.utime(path, (time.time(), 1_000_000_000 + self._changes))

    def _python(self, *words: str, seconds: float) -> int:
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        options: dict[str, Any] = {"cwd": self.folder, "env": environment, "timeout": seconds}
        command = [sys.executable, *words]
        return subprocess.run(command, stdout=subprocess.DEVNULL, **options).returncode


def measure(room: str, count: int, chance: random.Random) -> tuple[int, int]:
    """Try mutants of a room; return how many were killed, and how many there were."""
    tests = [os.path.normpath(f"tests/grading/{name}.py") for name in ROOMS[room].split()]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        place = Copy(Path(folder))
        paths = sorted((place.folder / "hw_grading" / room).rglob("*.py"))
        possible = [mutant for path in paths for mutant in mutants_of(path)]
        by_line = place.tests_by_line(room, tests)
        chosen = chance.sample(possible, min(count, len(possible)))
        killed = 0
        for mutant in chosen:
            lines = [f"{mutant.path}:{number}" for number in mutant.lines]
            needed = {test for line in lines for test in by_line.get(line, ())}
            needed = {*tests} if IMPORTED in needed else needed
            is_killed = bool(needed) and place.kills(mutant, sorted(needed))
            killed += is_killed
            word = "killed" if is_killed else "alive" if needed else "not run"
            line = lines[0].removeprefix(f"{place.folder}/")
            print(f"{word:<8} {line}: {mutant.new}", flush=True)
    return killed, len(chosen)


def main() -> None:
    """Print each mutant, and the share that is killed, by room."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200, help="mutants of all rooms together")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    shares = {
        room: measure(room, asked.count // len(ROOMS), random.Random(asked.seed)) for room in ROOMS
    }
    shares["all"] = sum(k for k, _ in shares.values()), sum(n for _, n in shares.values())
    for room, (killed, count) in shares.items():
        print(f"{room:<12}{killed} of {count} killed ({killed / count:.0%})")


if __name__ == "__main__":
    main()
