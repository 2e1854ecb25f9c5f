"""The job of grading one submission: all inputs that determine its result, and the run itself.

A `Job` is plain data: it can be sent to another process or another machine. Its `key` identifies
its result. The machine that runs it needs the same versions of the same packages, but no shared
folder.
"""

import contextlib
import functools
import hashlib
import hmac
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_locked
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hw_grading
import hw_support
from hw_grading.homework.homework import KINDS, Homework
from hw_grading.homework.notes import is_notes
from hw_grading.outcome import HelperEnded, Outcome, Status
from hw_grading.run.blame import described
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission
from hw_support.submission import released
from hw_support.submission.cells import grade_id_of

OURS = "this homework's own packages"
# The files of released homeworks, which only students' commands read.
_RELEASED = released.FOLDER.relative_to(Path(str(hw_support.__file__)).parents[1])


@dataclass(frozen=True)
class Job:
    """A submission that was read and mended, and how to run it."""

    student: str
    seed: int  # of hidden tests' inputs; see `seed_of`
    notebook: str  # sanitized, as JSON, including the hidden tests
    settings: Mapping[str, Any]  # `RunSettings` by name, with JSON values
    versions: Mapping[str, str]  # the packages that the machine needs (`installed`)
    homework: Homework

    @functools.cached_property
    def key(self) -> str:
        """A digest of all inputs of the result (hexadecimal, 64 characters)."""
        homework = self.homework.digest()
        whole = [self.student, self.seed, self.notebook, self.settings, self.versions, homework]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def job_of(
    student: str, notebook: NotebookNode, settings: RunSettings, homework: Homework, secret: bytes
) -> Job:
    """Return the job of a notebook that was read and mended."""
    # Mending gives random ids to restored cells. The job needs the same ids each time.
    cells = [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(notebook.cells, 1)]
    text = json.dumps({**notebook, "cells": cells}, sort_keys=True, ensure_ascii=False)
    seed = seed_of(secret, homework.name, student, notebook)
    return Job(student, seed, text, settings.plain(), installed(), homework)


def graded_with(
    settings: Mapping[str, Any], versions: Mapping[str, str], homework: Homework
) -> dict[str, dict[str, str]]:
    """Return what a submission is graded with, apart from the instructor's cells, by kind and name.

    These are limits, digests of the homework's staff code, and packages.
    """
    limits = {name: str(value) for name, value in settings.items()}
    for kind in KINDS:
        own = homework.manifest.seconds(kind)
        limits |= {f"{kind} of {cell}": f"{seconds:g}" for cell, seconds in own.items()}
    code = {path: digest[:16] for path, digest in homework.digests.items()}
    return {"limits": limits, "code": code, "packages": dict(versions)}


def run(job: Job) -> Outcome:
    """Run a submission here; its examiner and its sandbox are separate processes.

    Run it a second time if one of the grader's processes has ended, or if the kernel has died: the
    machine may have killed it.
    """
    began = monotonic()
    for _ in range(2):
        notebook = nbformat.from_dict(json.loads(job.notebook))
        settings = RunSettings(**job.settings)
        submission = Submission(notebook, job.seed, settings, job.homework)
        try:
            outcome = submission.run()
        except Exception as error:  # a grader's fault: the submission's own are in its outcome
            outcome = Outcome(Status.NOT_GRADED, (described(error),))
            if not isinstance(error, HelperEnded):
                break
        else:
            if not submission.kernel_died:
                break
    seconds = monotonic() - began
    return replace(outcome, seconds=seconds, cpu_seconds=submission.cpu_seconds_used)


def run_elsewhere(job: Job) -> Outcome:
    """Run a submission on another machine, which may have joined after the others were checked."""
    if why := why_unfit(job.settings, job.versions):
        return Outcome(Status.NOT_GRADED, (f"a worker differs from the coordinator: {why}",))
    return run(job)


def why_unfit(settings: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Return why this machine must not grade for one with these packages; "" if it may."""
    found = installed()
    different = [name for name in versions if versions[name] != found.get(name)]
    if different:
        return "; ".join(
            f"{name} {found.get(name, 'missing')[:20]}, expected {versions[name][:20]}"
            for name in sorted(different, key=lambda name: (name != OURS, name))
        )
    try:
        _check_sandbox(settings["sandbox"], settings["blas_threads"])
    except Exception as error:
        return described(error)
    return ""


@functools.cache
def _check_sandbox(sandbox: str, blas_threads: int) -> None:
    settings = RunSettings(sandbox=sandbox, blas_threads=blas_threads)
    settings.expect_a_sandbox([Path(str(hw_grading.__file__)).parent])


# -- the seeds of hidden inputs


def seed_of(secret: bytes, homework: str, student: str, notebook: NotebookNode) -> int:
    """Return the seed of one submission, 128 bits: the same whenever it is graded.

    It is a keyed digest: nobody can predict it without the course's `secret`. It depends on the
    order of all cells of the mended notebook, on the type and text of the student's cells, and on
    the grade ids of locked cells. So a changed answer gets another seed, and so does a cell that
    was moved or became text. A student who has learned hidden inputs cannot use them in the next
    attempt. A new text of a locked cell changes no seed.
    """
    cells = (cell for cell in notebook.cells if not is_notes(cell))
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for text in (homework, student, *(text for cell in cells for text in _identity(cell))):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return int.from_bytes(digest.digest()[:16], "big")


def _identity(cell: NotebookNode) -> tuple[str, str, str]:
    grade_id = grade_id_of(cell) or ""
    return ("locked", grade_id, "") if is_locked(cell) else (cell.cell_type, grade_id, cell.source)


# -- the packages of this machine


@functools.cache
def installed() -> dict[str, str]:
    """Return the versions of Python and of the dependencies, and a digest of our own packages."""
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
