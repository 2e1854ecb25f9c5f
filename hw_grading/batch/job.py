"""The job of grading one submission: all inputs that determine its result, and the run itself.

A `Job` is plain data: it can be sent to another process or another machine. Its `key` identifies
its result. The machine that runs it needs the same versions of the same packages, but no shared
folder.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import platform
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hw_grading
import hw_support
from hw_grading.batch.seeds import another
from hw_grading.homework.homework import KINDS, Homework
from hw_grading.outcome import GraderFault, HelperEnded, NotGraded, Outcome, Spent
from hw_grading.run.blame import described
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission
from hw_support.submission import released

OURS = "this homework's own packages"
# The files of released homeworks, which only students' commands read.
_RELEASED = released.FOLDER.relative_to(Path(str(hw_support.__file__)).parents[1])
_looking = threading.Lock()


class WorkerUnfit(GraderFault):
    """A worker must not grade, because its results could differ from the coordinator's."""


@dataclass(frozen=True)
class Job:
    """A submission that was read and mended, and how to run it."""

    student: str
    seed: int  # of hidden tests' inputs in the first run; see `hw_grading.batch.seeds`
    notebook: str  # sanitized, as JSON, including the hidden tests
    settings: Mapping[str, Any]  # `RunSettings` by name, with JSON values
    versions: Mapping[str, str]  # the packages that the machine needs (`installed`)
    homework: Homework

    @property
    def graded_with(self) -> dict[str, dict[str, str]]:
        """What it is graded with, apart from the instructor's cells, as texts by kind and name."""
        return graded_with(self.settings, self.versions, self.homework)

    @functools.cached_property
    def key(self) -> str:
        """A digest of all inputs of the result (hexadecimal, 64 characters)."""
        homework = self.homework.digest()
        whole = [self.student, self.seed, self.notebook, self.settings, self.versions, homework]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def graded_with(
    settings: Mapping[str, Any], versions: Mapping[str, str], homework: Homework
) -> dict[str, dict[str, str]]:
    """Return limits, digests of the homework's staff code, and packages, by name."""
    limits = {name: str(value) for name, value in settings.items()}
    for kind in KINDS:
        own = homework.manifest.seconds(kind)
        limits |= {f"{kind} of {cell}": f"{seconds:g}" for cell, seconds in own.items()}
    code = {path: digest[:16] for path, digest in homework.digests.items()}
    return {"limits": limits, "code": code, "packages": dict(versions)}


def run(job: Job) -> Outcome:
    """Run a submission here; its examiner and its sandbox are separate processes.

    Run it a second time if one of the grader's processes has ended, or if the kernel has died: the
    machine may have killed it. The second run has another seed. After a dead kernel it gets the
    time that is left, and there is none if that is too little.
    """
    began = monotonic()
    settings, seed = RunSettings(**job.settings), job.seed
    for is_last in (False, True):
        notebook = nbformat.from_dict(json.loads(job.notebook))
        submission = Submission(notebook, seed, settings, job.homework)
        seed = another(seed)
        try:
            outcome: Outcome = submission.run()
            spent = monotonic() - began, submission.cpu_seconds_used
            if submission.kernel_died and not is_last and (left := settings.after(*spent)):
                settings = left
                continue
        except Exception as error:  # a grader's fault: the submission's own are in its outcome
            if isinstance(error, HelperEnded) and not is_last:
                continue
            outcome = NotGraded(described(error))
        break
    return replace(outcome, spent=Spent(monotonic() - began, submission.cpu_seconds_used))


def run_elsewhere(job: Job) -> Outcome:
    """Run a submission on a machine that was not checked yet; it may be `WorkerUnfit`."""
    if different := differences(job.versions, installed()):
        raise WorkerUnfit(
            f"the worker's packages differ from the coordinator's: {'; '.join(different)}"
        )
    try:
        _check_sandbox(job.settings["sandbox"], job.settings["blas_threads"])
    except Exception as error:  # otherwise this worker would take every job, and fail at each
        raise WorkerUnfit(described(error)) from error
    return run(job)


@functools.cache
def _check_sandbox(sandbox: str, blas_threads: int) -> None:
    settings = RunSettings(sandbox=sandbox, blas_threads=blas_threads)
    settings.expect_a_sandbox([Path(str(hw_grading.__file__)).parent])


def installed() -> dict[str, str]:
    """Return the versions of Python and of the dependencies, and a digest of our own packages."""
    with _looking:  # reading markers in two threads at once is a race in CPython 3.11
        return _installed()


@functools.cache
def _installed() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    left = [(hw_grading.DISTRIBUTION, "grading")]
    while left:
        name, extra = left.pop()
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            distribution = importlib.metadata.distribution(name)
            versions[name] = distribution.version
            for requirement in map(Requirement, distribution.requires or ()):
                needed = canonicalize_name(requirement.name)
                marker = requirement.marker
                if needed not in versions and (not marker or marker.evaluate({"extra": extra})):
                    left.append((needed, ""))
    packages = [Path(str(package.__file__)).parent for package in (hw_grading, hw_support)]
    versions[OURS] = digest_of_packages(packages)
    return dict(sorted(versions.items()))


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Describe the first differences between two results of `installed`."""
    names = [name for name in expected if expected[name] != found.get(name)]
    named = [
        f"{name} {found.get(name, 'missing')[:20]}, expected {expected[name][:20]}"
        for name in sorted(names, key=lambda name: (name != OURS, name))[:5]
    ]
    return named + ([f"and {len(names) - 5} more"] if len(names) > 5 else [])


def digest_of_packages(packages: list[Path]) -> str:
    """Return a digest of all files of some packages that grading can depend on.

    Caches, hidden files and released homeworks are left out.
    """
    digest = hashlib.sha256()
    for folder in packages:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder.parent)
            made = any(part == "__pycache__" or part.startswith(".") for part in name.parts)
            if not made and _RELEASED not in name.parents and path.is_file():
                digest.update(str(name).encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
