"""Mutation testing of what decides points: which share of small changes the tests notice.

    python -m tools.mutants --count 200 --seed 1
    python -m tools.mutants --count 20 --only hw_grading/run

The tests are those of ``make test``. The program changes one place of a package at a time, in a
clone of the last commit: another comparison, another number, ``and`` for ``or``, a ``not`` less,
``return None``. The tests of the package run once before, to see which of them run which lines. A
mutant gets the tests that run its line. If none does, the line may run in another process: then it
gets the slow tests of ``make test``. It is killed if a test fails or does not end. A mutant that
survives is `alive`, or `as good` if `ACCEPTED` has a reason for it.
"""

import argparse
import ast
import json
import os
import random
import re
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
# Mutants that may survive: in which files, what their text (see `Mutant.text`) has, and the reason.
ACCEPTED = [
    ("hw_", r"^_[A-Z_, ]+ = [\d_., ]+(#|->)|lru_cache", "one second or byte more is as good"),
    ("hw_", r"^@dataclass\(frozen=True", "nobody changes one"),
    ("hw_", r"ensure_ascii=", "the same JSON in other letters"),
    ("hw_", r"node\.(end_)?lineno or|frame\.lineno or", "a parsed node always has a line"),
    ("hw_", r"strict=True\).* -> False$", "the lengths are equal, or were compared before"),
    ("hw_grading/examiner/cells.py", r"col_offset=0", "nobody sees the place of no line"),
    ("hw_grading/examiner/notebook.py", r"^if name not in self and", "it asks for too many"),
    ("hw_grading/examiner/reference.py", r"-> \(n <= until\)$", "a test is no answer"),
    ("hw_grading/run/kernel.py", r"count >= 0", "a kernel counts from 1"),
    ("hw_grading/run/kernel.py", r"interrupt.*monotonic|_FLOOD \*|within=0\.5", "so is one more"),
    ("hw_grading/run/outputs.py", r"_later = False -> True$", "there is nothing to clear yet"),
    ("hw_grading/run/outputs.py", r"\(None, 0\).*-> 1$|_OVERHEAD\) -> 1$", "a size in bytes"),
    ("hw_grading/run/outputs.py", r"nbformat_minor|get_validator", "4.6 would be as good as 4.5"),
    ("hw_grading/run/outputs.py", r"<= 1e-09\)$|-> \(size < self", "equal numbers are rare"),
    ("hw_grading/run/outputs.py", r"-> 101$|NotebookNode\(\), 0", "no name is so long"),
    ("hw_support/checks/fresh.py", r"1\.5 \*|0\.5 \*|0\.1, 2\.0|randbits", "so are other numbers"),
    ("hw_support/checks/parts.py", r"0\.0, math\.inf|<= one\.VAR", "it has the same effect"),
    ("hw_support/checks/parts.py", r"keeps_results|count \+ 1 if", "only fewer calls are made"),
    ("hw_support/checks/parts.py", r"- other\) <= one\[1\]\)$", "equal numbers are rare"),
]
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
    was: str  # the first of these lines
    new: str

    @property
    def text(self) -> str:
        """The line, and what stands in the place of a part of it."""
        return f"{self.was} -> {self.new}"

    def reason(self, folder: Path) -> str:
        """Why it may survive, by `ACCEPTED`; "" if it may not. `folder` is the repository's."""
        name = str(self.path.relative_to(folder))
        found = (
            why
            for where, has, why in ACCEPTED
            if name.startswith(where) and re.search(has, self.text)
        )
        return next(found, "")


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield all mutants of a file."""
    source = path.read_bytes()
    lines = source.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    for node in _places(ast.parse(source)):
        if new := _changed(node):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            changed = source[:begin] + new.encode() + source[end:]
            was = lines[node.lineno - 1].decode().strip()
            yield Mutant(path, changed, range(node.lineno, node.end_lineno + 1), was, new)


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
    """Try mutants of a package; return how many were `killed`, `as good` and `alive`."""
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
            reason = "" if is_killed else mutant.reason(place.folder)
            end = "killed" if is_killed else "as good" if reason else "alive"
            ends[end] += 1
            line = lines[0].removeprefix(f"{place.folder}/")
            print(f"{end:<8} {line}: {mutant.new}{reason and f'  ({reason})'}", flush=True)
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
        print(f"{name:<32}{ends['killed']} of {ends.total()} killed ({share:.0%}); ", end="")
        print(f"{ends['as good']} survive with a reason, {ends['alive']} without")


if __name__ == "__main__":
    main()
