"""Tries a homework's tests: on its solutions, on mutants of them, on other forms, on kept answers.

Every answer is a job for the class's own workers, cut down to the cells that it can change. Results
are kept in the course, so a second run repeats only what has changed.
"""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat

from hw_grading.batch.settings import WholeClass
from hw_grading.homework.cells import as_released, uses_checks
from hw_grading.homework.course import Course, released_copy
from hw_grading.homework.homework import STAFF
from hw_grading.plugins.trial import try_alone
from hw_grading.texts import in_digits
from hw_grading.trying import forms, kept
from hw_grading.trying.habits import habits
from hw_grading.trying.inputs import Recorded, recorded, telling_input
from hw_grading.trying.mutants import Mutant, mutants_of
from hw_grading.trying.plan import CodeCell, Plan
from hw_grading.trying.report import Changed, Lost, Tried, write_page
from hw_grading.trying.submitting import Result, Sources, Submitted, Submitting
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import quoted

_FOLDER = "tried"  # in the folder of the class's results
_LONG_CPU_SECONDS = 20.0  # of a run; what takes longer is left out unless all is wanted
_DEAR_CPU_SECONDS = 2.0  # of a test for which a part of its points is enough
_SEARCH_CPU_SECONDS = 2.0  # for an input that tells a mutant
_CAUSE = re.compile(r"Likely cause: (.+?)[.?]?(?: (?:Fresh input|Input): |$)")


@dataclass(frozen=True)
class Options:
    """What is tried: mutants of each answer (0: all), also what takes long, and from which seed."""

    mutants: int = 20
    everything: bool = False
    seed: int = 1

    @property
    def seeds(self) -> int:
        """How many times the solutions are graded, each time with other fresh cases."""
        return 5 if self.everything else 3


@dataclass(frozen=True)
class _Survivor:
    """A mutant to which its own tests gave all points."""

    plan: Plan
    cell: CodeCell
    tests: Sequence[str]
    mutant: Mutant


def try_tests(course: Course, assignment: str, options: Options) -> tuple[Tried, Path]:
    """Try the tests of a homework; see the command ``hw-grading try``. Return also the page.

    The course gets no other file but results that are kept. `UserError` if it has no such homework,
    or if it cannot be released or graded.
    """
    course.expect_homework(assignment)
    own = WholeClass(config=course.config)
    results = own.place(course.root).absolute()
    secret = own.secret(course.root, course.directory.course_id).absolute()
    settings = (
        f"c.WholeClass.folder = {str(results)!r}\nc.WholeClass.secret_file = {str(secret)!r}\n"
    )
    with tempfile.TemporaryDirectory(prefix="hw-try-") as place:
        scratch = released_copy(course, assignment, Path(place), settings)
        cells = try_alone(scratch, assignment)
        tried = Tried(
            assignment,
            findings=[sentence for cell in cells for sentence in cell.findings],
            points=sum(cell.points for cell in cells),
            solutions=sum(cell.solutions or 0.0 for cell in cells),
            untouched=sum(cell.untouched or 0.0 for cell in cells),
            digest=digest_of(scratch, assignment),
            habits=habits(course, scratch, assignment),
        )
        sound = {cell.name for cell in cells if cell.is_sound}
        with ExitStack() as stack:
            one = _Trying(scratch, options, results / _FOLDER, tried, stack)
            one.sound = sound
            one.run(course.root / STAFF / assignment / kept.FOLDER)
    page = results / _FOLDER / f"{assignment}.html"
    write_page(page, [tried])
    return tried, page


def digest_of(course: Course, assignment: str) -> str:
    """Return a digest of a homework's code cells and staff code, 16 hexadecimal digits.

    If it has changed, so may have what is found out.
    """
    digest = hashlib.sha256()
    for path in course.notebooks_in(course.source(assignment), assignment):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                digest.update(f"{grade_id_of(cell)}\0{cell.source}\0".encode())
    staff = course.root / STAFF / assignment
    for path in sorted([*staff.rglob("*.py"), *staff.rglob("kept.toml")]):
        digest.update(path.relative_to(staff).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class _Trying(Submitting):
    """One run of the command, with its workers."""

    def __init__(
        self, course: Course, options: Options, folder: Path, tried: Tried, stack: ExitStack
    ) -> None:
        limit = None if options.everything else _LONG_CPU_SECONDS
        super().__init__(course, tried, folder, limit, stack)
        self._options = options
        self._survivors: list[_Survivor] = []

    def run(self, answers: Path) -> None:
        """Try everything; what Ctrl-C has left out is missing in the report."""
        try:
            self._find_out_what_tests_need()
            self._try_other_seeds()
            calls, visible = self._recorded(), self._recorded(released=True)
            self._try_mutants()
            self._try_forms(calls)
            self._try_without_knowledge(visible, answers)
            self._try_kept(answers)
            self._collect()
            self._try_with_other_tests()
            self._search()
        except KeyboardInterrupt:
            self._tried.stopped = True
        finally:
            self._progress.close("")
            self._remembered.save()
        for one in self._survivors:
            self._tried.perhaps_equivalent.append(self._changed(one, "", ""))

    def _find_out_what_tests_need(self) -> None:
        """Leave out tests that the solutions do not pass, and those that take long.

        A test that needs a long cell, such as a training, is tried without it, by the points that
        the solutions get then.
        """
        cut: dict[str, Result] = {}

        def first(plan: Plan, test: str, result: Result) -> None:
            cut[test] = result
            self._seconds[test] = result.cpu_seconds
            if result.lost and test in self.sound:
                plan.whole.add(test)

        def again(plan: Plan, test: str, result: Result) -> None:
            is_dear = result.took_long or result.cpu_seconds > _DEAR_CPU_SECONDS
            if is_dear and (due := cut[test].earned.get(test, 0.0)):
                plan.whole.remove(test)
                self._due[test] = due
                parts = [quoted(p.name) for p in cut[test].parts if not p.passed]
                lost = in_digits(cut[test].lost[test])
                of = in_digits(cut[test].lost[test] + due)
                self._tried.left_out.append(f"{test}: {lost} of {of} points, in {', '.join(parts)}")
                return
            self._seconds[test] = result.cpu_seconds
            if result.lost:
                self.sound = {*self.sound} - {test}
                if result.took_long and not self._options.everything:
                    self._tried.left_out.append(f"{test} (`--all` tries it)")
                else:
                    self._tried.findings.append(
                        f"{test}: the solutions pass it, but not each time. {result.why}".strip()
                    )

        for plan in self._plans:
            for test in self._usable(plan, plan.tests):
                alone: Submitted = [(plan, [test], {})]
                self._ask(f"the solutions in {test}", alone, partial(first, plan, test))
        self._collect()
        for plan in self._plans:
            for test in plan.whole:
                alone = [(plan, [test], {})]
                self._ask(f"the solutions in {test}", alone, partial(again, plan, test))
        self._collect()

    def _try_other_seeds(self) -> None:
        def note(result: Result) -> None:
            for part in result.parts:
                if not part.passed and part.cell in result.lost and part.points:
                    self._tried.findings.append(
                        f"{part.cell}: with other fresh cases the solutions lose "
                        f"{in_digits(part.points)} points. {part.message}"
                    )

        for number in range(2, self._options.seeds + 1):
            who = f"(try {number})"
            self._ask("the solutions with other fresh cases", self._whole({}), note, who=who)

    def _usable(self, plan: Plan, tests: Collection[str]) -> list[str]:
        return [test for test in plan.tests if test in tests and test in self.sound]

    def _whole(self, sources: Sources, test: str = "") -> Submitted:
        """Return a submission of all notebooks with all tests, or one of them."""
        return [
            (plan, self._usable(plan, [test] if test else plan.tests), sources)
            for plan in self._plans
        ]

    def _charged(self) -> Iterator[tuple[Plan, CodeCell, list[str]]]:
        """Yield each solution that a test charges, with these tests."""
        for plan in self._plans:
            for name, cell in plan.answers.items():
                if tests := self._usable(plan, plan.tests_of(name)):
                    yield plan, cell, tests

    def _recorded(self, *, released: bool = False) -> dict[str, Recorded]:
        """Return what the tests ask of the functions of each notebook: all, or as `released`."""
        found = {}
        for plan in self._plans:
            functions = [name for cell in plan.answers.values() for name in cell.functions]
            tests = self._sources(plan, self._usable(plan, plan.tests))
            tests = [as_released(test, "code") for test in tests] if released else tests
            about = plan.reference, tests, functions, self._homework.files
            nothing: Recorded = {"kinds": {}, "keys": {}}
            found[plan.name] = self._remembered(recorded, *about)() or nothing
        return found

    def _sources(self, plan: Plan, tests: Collection[str]) -> list[str]:
        return [plan.tests[test].source for test in tests]

    def _try_mutants(self) -> None:
        draw = random.Random(self._options.seed)

        def note(one: _Survivor, result: Result) -> None:
            self._tried.mutants += 1
            self._tried.caught += bool(result.lost)
            if not result.lost:
                self._survivors.append(one)

        for plan, cell, tests in self._charged():
            mutants = mutants_of(cell.source)
            most = self._options.mutants
            if most and not self._options.everything and len(mutants) > most:
                numbers = sorted(draw.sample(range(len(mutants)), most))
                mutants = [mutants[number] for number in numbers]
            for mutant in mutants:
                one = _Survivor(plan, cell, tests, mutant)
                self._ask(
                    f"{cell.name}: `{mutant.name}`",
                    [(plan, tests, {cell.name: mutant.source})],
                    partial(note, one),
                    is_mutant=True,
                )

    def _try_with_other_tests(self) -> None:
        """Run mutants that survived with all other tests that they can change."""

        def note(one: _Survivor, result: Result) -> None:
            if result.lost:
                self._tried.caught += 1
                self._survivors.remove(one)

        for one in self._survivors:
            others = self._usable(one.plan, one.plan.affected([one.cell.name]))
            tests = [test for test in others if test not in one.tests]
            self._ask(
                f"{one.cell.name}: `{one.mutant.name}`",
                [(one.plan, tests, {one.cell.name: one.mutant.source})],
                partial(note, one),
                is_mutant=True,
            )
        self._collect()

    def _search(self) -> None:
        """Look for inputs that tell survivors."""
        searches = [
            self._remembered(
                telling_input,
                one.plan.reference,
                self._sources(one.plan, one.tests),
                one.cell.source,
                one.mutant.source,
                self._homework.files,
                _SEARCH_CPU_SECONDS,
                uses_checks(one.plan.notebook.cells[one.plan.tests[one.tests[0]].index]),
            )
            for one in self._survivors
        ]
        for search in searches:
            told, case = search() or ("", "")
            changed = self._changed(self._survivors.pop(0), told, case)
            (self._tried.survivors if told else self._tried.perhaps_equivalent).append(changed)

    def _changed(self, one: _Survivor, told: str, case: str) -> Changed:
        return Changed(one.cell.name, one.tests[0], one.mutant.instead, one.mutant.name, told, case)

    def _try_forms(self, recordings: Mapping[str, Recorded]) -> None:
        def note(name: str, result: Result) -> None:
            self._tried.forms += 1
            if result.lost:
                self._tried.forms_lost.append(Lost(name, result.lost, result.why))

        for plan, cell, tests in self._charged():
            found = recordings[plan.name]
            made = {
                f"{name}: {form}": forms.in_form(cell.source, form, [name])
                for name in cell.functions
                if found["keys"].get(name)
                for form in forms.forms_of(found["kinds"][name])
            }
            parameters = forms.parameters_in(one.source for one in plan.answers.values())
            if source := forms.by_keywords(cell.source, parameters):
                made[f"{cell.name}: {forms.KEYWORDS}"] = source
            for name, source in made.items():
                self._ask(
                    name,
                    [(plan, tests, {cell.name: source})],
                    partial(note, name),
                )

    def _try_without_knowledge(self, recordings: Mapping[str, Recorded], answers: Path) -> None:
        limits = kept.settings_of(answers).unearned

        def note(what: str, most: float | None, result: Result) -> None:
            earned = {test: points for test, points in result.earned.items() if points}
            if earned or most:
                where = ", ".join(earned)
                self._tried.unearned.append((what, sum(earned.values()), where, most))

        noisy, looked_up = [], []
        for plan in self._plans:
            keys = recordings[plan.name]["keys"]
            noise, lookups = {}, {}
            for cell in plan.answers.values():
                values = [name for name in cell.binds if name not in cell.functions]
                noise[cell.name] = forms.noise(cell.source, cell.functions, sorted(values))
                seen = {name: keys.get(name, []) for name in cell.functions}
                lookups[cell.name] = (
                    forms.looked_up(cell.source, seen) if seen else noise[cell.name]
                )
            tests = self._usable(plan, plan.tests)
            noisy.append((plan, tests, noise))
            # What a test shows in full can be looked up: `habits` says so.
            looked_up.append((plan, [t for t in tests if not plan.shows_all(t)], lookups))
        for what, submitted in (("noise", noisy), ("visible cases looked up", looked_up)):
            self._ask(what, submitted, partial(note, what, limits.get(what)))
        for answer in kept.submissions(answers, "unearned"):
            self._ask(
                str(answer),
                self._whole(answer.cells, answer.test),
                partial(note, answer.name, answer.most),
            )

    def _try_kept(self, answers: Path) -> None:
        settings = kept.settings_of(answers)

        def wrong(answer: kept.Answer, result: Result) -> None:
            self._tried.wrong += 1
            own = [test for plan in self._plans for test in _tests_of(plan, answer.of)]
            if not result.lost and answer.name not in settings.limits.get(answer.of, ()):
                self._tried.missed.append(str(answer))
            elsewhere = {test: points for test, points in result.lost.items() if test not in own}
            if elsewhere and not settings.gives_nothing(answer):
                self._tried.elsewhere.append(Lost(str(answer), elsewhere, result.why))
            causes = {cause for part in result.parts for cause in _CAUSE.findall(part.message)}
            self._tried.causes += len(causes)
            self._tried.not_judged += [
                f"{answer}: {cause}"
                for cause in sorted(causes)
                if not settings.is_true(answer, cause)
            ]

        def right(answer: kept.Answer, result: Result) -> None:
            self._tried.right += 1
            if result.lost:
                self._tried.right_lost.append(Lost(str(answer), result.lost, result.why))

        kinds = [
            (wrong, kept.answers(answers, "wrong")),
            (right, kept.answers(answers, "right") + kept.submissions(answers, "whole")),
        ]
        for note, those in kinds:
            for answer in those:
                self._expect_cells(answer)
                submitted = [
                    (plan, self._tests_for(plan, answer), answer.cells) for plan in self._plans
                ]
                self._ask(str(answer), submitted, partial(note, answer))

    def _tests_for(self, plan: Plan, answer: kept.Answer) -> list[str]:
        """Return the tests that an answer can change.

        A test of a training uses the other functions as the instructor's training does, and a
        student's own goes with the student's functions. So it is left out if the answer has none.
        """
        own = {test for name in answer.cells for test in _tests_of(plan, name)}
        affected = self._usable(plan, plan.affected([*answer.cells]))
        return [test for test in affected if test in own or test not in self._due]

    def _expect_cells(self, answer: kept.Answer) -> None:
        known = {name for plan in self._plans for name in plan.answers}
        for name in sorted(answer.cells.keys() - known):
            self._tried.findings.append(f"the kept answer {answer}: no answer cell is named {name}")


def _tests_of(plan: Plan, answer: str) -> Iterable[str]:
    return plan.tests_of(answer) if answer in plan.answers else ()
