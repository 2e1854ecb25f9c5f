"""Formats an explanation as lines for the instructor's terminal."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from hw_grading.records.graded_notebook import error_of, errors_in, outputs_of, parts_of
from hw_grading.records.scores import counted, in_digits
from hw_grading.regrading.explain import Explained, Explanation, defining


def in_words(found: Explanation, everything: bool = False) -> str:
    """Return the lines. Students' texts are included unchanged.

    Inputs and calls of parts that passed are shown with `everything`, or if no part failed.
    """
    lines = [f"{found.student}, {found.assignment}, inputs from seed {found.seed}"]
    lines += [f"PROBLEM: {problem.message}" for problem in found.problems]
    lines += [f"The cell {name} ended in an error: {why}" for name, why in found.errors.items()]
    if not found.tests:
        lines.append("This student lost no points in tests. To see a test anyway, add its name.")
    for test in found.tests:
        lines += ["", *_test(found, test, everything)]
    return "\n".join(lines)


def _test(found: Explanation, test: Explained, everything: bool) -> Iterator[str]:
    most = in_digits(test.score.cell.max_points)
    given = "no score" if test.score.auto is None else in_digits(test.score.auto)
    yield f"== {test.place}: {test.name}, {given} of {most} points by tests when it was graded"
    if test.score.manual is not None:
        yield f"A person gave {in_digits(test.score.manual)}; this score counts."
    if test.is_newer:
        yield (
            "The instructor changed this test after the grading. The old test is shown here. To "
            f"grade with the new one: python -m hw_grading regrade {found.assignment}"
        )
    if test.tries is None:
        yield "The test was not run: see the failure above."
        yield from _errors(test)
        return
    failed = any(one["error"] for one in test.tries)
    yield from _parts(test.tries, everything or not failed)
    if failed and not everything:
        yield (
            "For parts that passed, only the names are shown. Add --all to see their inputs and "
            "calls too."
        )
    yield from _whole_test(test)
    yield from _sources(found, test)


def _parts(tries: Sequence[Mapping[str, Any]], everything: bool) -> Iterator[str]:
    """Yield lines on the result of each part, with retries that use right functions below it."""
    groups: list[list[Mapping[str, Any]]] = []
    for one in tries:  # a part's retries follow its first try, and have stand-ins
        if one["stand_in"] and groups:
            groups[-1].append(one)
        else:
            groups.append([one])
    for first, *more in groups:
        passed = not first["error"] or any(not one["error"] for one in more)
        if first["part"]:
            hidden = ", hidden" if first["hidden"] else ""
            mark = "passed" if passed else "FAILED"
            yield f"{mark}  {first['part']} [{first['points']:g} pt{hidden}]"
        elif (first["calls"] or first["read"]) and (everything or first["error"]):
            yield "outside of all parts"
        else:
            continue
        if everything or first["error"]:
            yield from _try(first)
        for one in more:
            end = f"{one['kind']}: {one['error']}" if one["error"] else "passed"
            yield f"  with right functions instead of those that it calls: {end}"


def _try(one: Mapping[str, Any]) -> Iterator[str]:
    if one["error"]:
        yield from _block("error", [f"{one['kind']}: {one['error']}"])
    places = [
        one["line"] and f"line {one['line']} of {one['function'] or 'the answer'}",
        one["in_staff"],
        one["in_test"] and f"line {one['in_test']} of the test",
    ]
    where = ", called by ".join(filter(None, places))
    for head, text in (("where", where), ("expected", one["expected"]), ("got", one["got"])):
        yield from _block(head, [text] if text else [])
    for head in ("inputs", "read"):
        yield from _block(head, [f"{name} = {text}" for name, text in one[head].items()])
    calls = [f"{c['function']}({', '.join(c['arguments'])})\n  {c['result']}" for c in one["calls"]]
    left_out = one["calls_in_all"] - len(calls)
    if left_out > 0:
        calls.insert(2, f"... {counted(left_out, 'more call')} ...")
    yield from _block("calls", list(each_once(calls)))


def each_once(calls: Sequence[str]) -> Iterator[str]:
    """Yield each call once. For a run of equal calls, yield their number too."""
    for call, same in groupby(calls):
        yield call
        if more := len(list(same)) - 1:
            yield f"... and the same {counted(more, 'more time')}"


def _block(head: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield f"  {head}:"
        for text in texts:
            yield from (f"    {line}" for line in text.splitlines() or [""])


def _whole_test(test: Explained) -> Iterator[str]:
    yield from _errors(test)
    results = [o for o in outputs_of(test.cell) if o.get("output_type") == "execute_result"]
    text = "".join(results[0]["data"].get("text/plain", "")) if results else ""
    parts = parts_of(test.cell)
    try:
        now = float(text)
    except ValueError:
        failed = any(not part.passed for part in parts)
        now = 0.0 if failed and not results else test.score.cell.max_points
    if test.score.auto is not None and abs(now - test.score.auto) > 1e-9:
        yield (
            f"DIFFERENT RESULT: the score is {in_digits(now)} now, and was "
            f"{in_digits(test.score.auto)} in grading. "
            "Something is random, close to a limit, or changed since then."
        )


def _errors(test: Explained) -> Iterator[str]:
    for error in errors_in(test.cell):
        frames = [str(line) for line in error.get("traceback", [])[:-1]]
        yield from _block("the test ended with", [*frames, error_of(error)])


def _sources(found: Explanation, test: Explained) -> Iterator[str]:
    """Yield the whole test and the answers that it calls, with marks where something failed."""
    failed = [one for one in test.tries or () if one["error"]]
    frames = [str(line) for error in errors_in(test.cell) for line in error.get("traceback", [])]
    marked = {one["in_test"] for one in failed}
    for line in frames:
        head, _, number = line.rpartition(" ")
        if head.startswith(f"{test.name}, line") and number.isdigit():
            marked.add(int(number))
    yield f"the test {test.name}, with its hidden parts:"
    yield from _numbered(test.cell.source, marked)
    tries = failed or list(test.tries or ())
    functions = [call["function"] for one in tries for call in one["calls"]]
    functions += [one["function"] for one in failed if one["function"]]
    shown: dict[str, tuple[str, set[int]]] = {}
    for function, (name, source) in defining(found.notebook, functions).items():
        lines = {one["line"] for one in failed if one["function"] == function}
        shown.setdefault(name, (source, set()))[1].update(lines)
    for name, (source, lines) in shown.items():
        yield f"the answer {name}:"
        yield from _numbered(source, lines)


def _numbered(source: str, marked: set[int]) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), start=1):
        yield f" {'>' if number in marked else ' '}{number:4}  {line}"
