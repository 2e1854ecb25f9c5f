"""Mutation testing of what decides points: which share of small changes the tests notice.

    python -m tools.mutants --count 200 --seed 1
    python -m tools.mutants --count 20 --only hw_grading/run

The tests are those of ``make test``. The program changes one place of a package at a time, in a
clone of the last commit: another comparison, another number, ``and`` for ``or``, a ``not`` less,
``return None``. The tests of the package run once before, to see which of them run which lines. A
mutant gets the tests that run its line. If none does, the line may run in another process: then it
gets the slow tests of ``make test``. It is killed if a test fails or does not end. Look at each
that is `alive`: it may be as good as the line, such as a time-out of one second more.
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
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from hw_grading.homework.course import REPOSITORY

# The tests of each package or module, in tests/.
TESTS = {
    "hw_grading/homework": "grading/homework grading/grade/test_job.py grading/commands "
    "notebook/test_contract.py notebook/test_text.py",
    "hw_grading/examiner": "grading/examiner grading/grade/test_job.py "
    "grading/grade/test_lifecycle.py grading/run/test_execution.py hostile/test_session.py "
    "hostile/test_wire.py hostile/test_right_functions.py",
    "hw_grading/run": "grading/run grading/examiner/test_parts.py grading/grade/test_job.py "
    "test_docs.py",
    "hw_grading/grade/save.py": "grading/grade/test_saving.py grading/gradebook/test_late.py "
    "grading/gradebook/test_extensions.py grading/gradebook/test_rubrics.py",
    "hw_support/checks": "grading/examiner/test_parts.py support/test_checks.py "
    "support/test_compare.py support/test_causes.py support/test_failures.py "
    "support/test_fresh.py support/test_time_limit.py",
    "hw_grading/gradebook": "grading/gradebook grading/analysis/test_report.py "
    "grading/analysis/test_explain.py grading/grade/test_saving.py",
    "hw_grading/lms": "grading/lms hostile/test_downloads.py",
}
_PYTEST = ["-q", "-x", "-p", "no:cacheprovider", "--timeout=120", "--tb=short", "-m"]
_FAST, _SMOKE = "not slow or smoke", "smoke"  # as `make test` chooses
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
        self._place = str(folder)  # a folder, or a module
        self._key = IMPORTED
        self.found: dict[str, set[str]] = defaultdict(set)
        sys.settrace(self._called)

    def _called(self, frame: Any, event: str, argument: object) -> Any:
        return self._ran if frame.f_code.co_filename.startswith(self._place) else None

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
    status = pytest.main([*_PYTEST, _FAST, *tests], plugins=[lines])
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

    def tests_by_line(self, package: str, tests: list[str]) -> dict[str, list[str]]:
        """Return the tests that run each line of a package. Ends the program if one fails."""
        output = self.folder / "lines.json"
        code = "import sys; from tools.mutants import trace; sys.exit(trace(*sys.argv[1:]))"
        if self._python("-c", code, package, str(output), *tests, seconds=1800):
            sys.exit(f"The tests of {package} fail without a change: {' '.join(tests)}")
        found: dict[str, list[str]] = json.loads(output.read_text(encoding="utf-8"))
        return found

    def kills(self, mutant: Mutant, marks: str, tests: list[str]) -> bool:
        """Return whether one of the tests that the marks choose fails, or does not end."""
        before = mutant.path.read_bytes()
        try:
            self._write(mutant.path, mutant.source)
            status = self._python("-m", "pytest", *_PYTEST, marks, *tests, seconds=_SECONDS)
            return status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
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


def measure(package: str, count: int, chance: random.Random) -> Counter[str]:
    """Try mutants of a package; return how many were `killed` and `alive`."""
    tests = [f"tests/{name}" for name in TESTS[package].split()]
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        place = Copy(Path(folder))
        root = place.folder / package
        paths = [root] if root.is_file() else sorted(root.rglob("*.py"))
        possible = [mutant for path in paths for mutant in mutants_of(path)]
        by_line = place.tests_by_line(package, tests)
        for mutant in chance.sample(possible, min(count, len(possible))):
            lines = [f"{mutant.path}:{number}" for number in mutant.lines]
            needed = {test for line in lines for test in by_line.get(line, ())}
            if needed and IMPORTED not in needed:
                is_killed = place.kills(mutant, _FAST, sorted(needed))
            else:
                is_killed = place.kills(mutant, _FAST if needed else _SMOKE, tests)
            end = "killed" if is_killed else "alive"
            ends[end] += 1
            line = lines[0].removeprefix(f"{place.folder}/")
            print(f"{end:<8} {line}: {mutant.new}", flush=True)
    return ends


def main() -> None:
    """Print each mutant, and the share that is killed, by package."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=200, help="mutants in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=TESTS, help="repeatable; default: all")
    asked = parser.parse_args()
    packages = asked.only or [*TESTS]
    each = asked.count // len(packages)
    found = {name: measure(name, each, random.Random(asked.seed)) for name in packages}
    found["all"] = sum(found.values(), Counter())
    for name, ends in found.items():
        share = ends["killed"] / ends.total()
        print(f"{name:<32}{ends['killed']} of {ends.total()} killed ({share:.0%})")


if __name__ == "__main__":
    main()
