"""The job of grading one submission: all inputs that determine its result, and the run itself.

A `Job` is plain data: it can be sent to another process or another machine. Its `key` identifies
its result. The machine that runs it needs the same versions of the same packages, but no shared
folder.
"""

import functools
import hashlib
import json
import platform
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hw_grading
import hw_support
from hw_grading.homework.homework import KINDS, Homework
from hw_grading.homework.notes import limited
from hw_grading.homework.requirements import with_dependencies
from hw_grading.outcome import HelperEnded, Outcome
from hw_grading.run.blame import error_words
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_support.submission.problems import Kind, Problem, Severity

OURS = "this homework's own packages"


@dataclass(frozen=True)
class Job:
    """A notebook that was read and repaired, and how to run it."""

    student: str
    notebook: str  # repaired, as JSON, with the hidden tests
    settings: Mapping[str, Any]  # `RunSettings` by name, with JSON values
    versions: Mapping[str, str]  # the packages that the machine needs (`installed`)
    homework: Homework
    problems: tuple[Problem, ...] = ()  # found by reading it
    name: str = ""  # of the notebook
    file: str = ""  # the digest of the submitted file, taken before it was read
    seed: str = ""  # from which seeds are drawn, for tests of a course: see `seed_of_run`

    @functools.cached_property
    def key(self) -> str:
        """A digest of all inputs of the result (hexadecimal, 64 characters)."""
        problems = [asdict(problem) for problem in self.problems]
        about = [self.student, self.notebook, self.settings, self.versions, problems, self.seed]
        homework = [self.homework.digest(), *self.homework.manifest.arrays]
        whole = json.dumps([*about, homework], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()

    def nb(self) -> NotebookNode:
        """Return the notebook, which the caller may change."""
        notebook: NotebookNode = nbformat.from_dict(json.loads(self.notebook))
        return notebook


@dataclass(frozen=True)
class Conditions:
    """What all notebooks of a run are graded under, as the settings of the course say."""

    homework: Homework
    settings: RunSettings
    seed: str = ""

    def job(self, student: str, notebook: NotebookNode, **more: Any) -> Job:
        """Return the job of a notebook; `more` are further fields of it."""
        # Repairing gives random ids to restored cells. The job needs the same ids each time.
        cells = [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(notebook.cells, 1)]
        text = json.dumps({**notebook, "cells": cells}, sort_keys=True, ensure_ascii=False)
        settings, versions = self.settings.plain(), installed(self.settings.packages)
        return Job(student, text, settings, versions, self.homework, seed=self.seed, **more)


def graded_with(
    settings: Mapping[str, Any], versions: Mapping[str, str], homework: Homework
) -> dict[str, dict[str, str]]:
    """Return what a submission is graded with, apart from the instructor's cells, by kind and name.

    These are limits, digests of the homework's staff code, and packages.
    """
    limits = {name: str(value) for name, value in settings.items() if name != "packages"}
    for kind in KINDS:
        own = homework.manifest.seconds(kind)
        limits |= {f"{kind} of {cell}": f"{seconds:g}" for cell, seconds in own.items()}
    code = {path: digest[:16] for path, digest in homework.digests.items()}
    return {"limits": limits, "code": code, "packages": dict(versions)}


def run(job: Job) -> Outcome:
    """Run a submission here; its examiner and its sandbox are separate processes.

    Run it a second time if one of the grader's processes has ended, or if the kernel has died: the
    machine may have killed it. The second run draws other inputs: in the first, student code may
    have found out the answers to those that it met. It is noted as a problem.

    Student code can kill its kernel. So a first run stands that has used more than half of its
    limits: both together take at most one and a half times as long as one.
    """
    began, cpu_seconds = monotonic(), 0.0
    settings = RunSettings(**job.settings)
    again: list[Problem] = []
    for attempt in (1, 2):
        submission = SubmissionRun(job.nb(), seed_of_run(job, attempt), settings, job.homework)
        try:
            outcome = submission.run()
        except Exception as error:  # a grader's fault: the submission's own are in its outcome
            outcome = Outcome.not_graded(error_words(error))
            if not isinstance(error, HelperEnded):
                break
            again = [_run_again(Kind.GRADER, f"The grader failed ({error_words(error)})")]
        else:
            outcome = replace(outcome, problems=limited([*job.problems, *again, *outcome.problems]))
            used = submission.cpu_seconds_used, monotonic() - began
            limits = settings.cpu_seconds_per_submission, settings.wall_seconds_per_submission
            is_long = any(2 * one > most for one, most in zip(used, limits, strict=True))
            if not submission.kernel_died or is_long:
                break
            again = [_run_again(Kind.KERNEL, "The kernel ended for no known reason")]
        finally:
            cpu_seconds += submission.cpu_seconds_used
    return replace(outcome, seconds=monotonic() - began, cpu_seconds=cpu_seconds)


def seed_of_run(job: Job, attempt: int) -> int:
    """Draw the seed of fresh cases, 128 bits: student code never meets the same ones twice.

    The seeds of a job that has one itself are those of its student, in each run.
    """
    if not job.seed:
        return secrets.randbits(128)
    text = f"{job.seed} {job.homework.name} {job.student} {attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def _run_again(kind: Kind, why: str) -> Problem:
    severity = Severity.FAILED if kind is Kind.KERNEL else Severity.REPAIRED
    said = f"{why}: the notebook was run a second time, with other inputs."
    return Problem(kind, severity, said)


def run_elsewhere(job: Job) -> Outcome:
    """Run a submission on another machine, which may have joined after the others were checked."""
    if why := why_unfit(job.settings, job.versions):
        return Outcome.not_graded(f"a worker differs from the coordinator: {why}")
    return run(job)


def why_unfit(settings: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Return why this machine must not grade for one with these packages; "" if it may."""
    found = installed(versions.keys() - {"Python", OURS})
    different = [name for name in versions if versions[name] != found.get(name)]
    if different:
        return "; ".join(
            f"{name} {found.get(name, 'missing')[:20]}, expected {versions[name][:20]}"
            for name in sorted(different, key=lambda name: (name != OURS, name))
        )
    try:
        _check_sandbox(settings["sandbox"], settings["blas_threads"])
    except Exception as error:
        return error_words(error)
    return ""


@functools.cache
def _check_sandbox(sandbox: str, blas_threads: int) -> None:
    settings = RunSettings(sandbox=sandbox, blas_threads=blas_threads)
    settings.expect_a_sandbox([Path(str(hw_grading.__file__)).parent])


# -- the packages of this machine


def installed(more: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python and of all dependencies, and a digest of our own packages.

    `more` are the packages that the course's settings name.
    """
    return dict(_installed(tuple(map(canonicalize_name, more))))


@functools.cache
def _installed(more: tuple[str, ...]) -> dict[str, str]:
    versions = with_dependencies(map(Requirement, (hw_grading.DISTRIBUTION, *more)))
    versions["Python"] = platform.python_version()
    packages = [Path(str(package.__file__)).parent for package in (hw_grading, hw_support)]
    versions[OURS] = digest_of_packages(packages)
    return dict(sorted(versions.items()))


def digest_of_packages(packages: list[Path]) -> str:
    """Return a digest of all files of some packages; see `files_of_package`."""
    digest = hashlib.sha256()
    for folder in packages:
        for name, path in files_of_package(folder).items():
            digest.update(name.encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files_of_package(folder: Path) -> dict[str, Path]:
    """Return the files of a package that pip installs, by their paths from its parent folder.

    They are the same in the repository and where the package was installed from its wheel.
    """
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*"))}
    return {
        f"{folder.name}/{inner.as_posix()}": path
        for inner, path in paths.items()
        if path.is_file()
        and inner != Path("pyproject.toml")
        and not any(part.startswith((".", "__pycache__")) for part in inner.parts)
    }
