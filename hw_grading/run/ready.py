"""Whether submissions can be run at all, asked before the first one is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hw_grading.examiner.client import ImportCheck
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import available, environment


def expect_a_sandbox(settings: RunSettings, secrets: Sequence[Path]) -> None:
    """Expect that sandboxes can be made here, unless none are asked for.

    Parameters
    ----------
    settings
        What a sandbox is to allow.
    secrets
        What must not be seen from within.

    Raises
    ------
    GraderFault
        They cannot.
    """
    if settings.sandbox != "none":
        shown = environment.shown(settings.blas_threads, list(secrets))
        available.check(shown, settings.of_sandbox())


def expect_ready(settings: RunSettings, homework: Homework, secrets: Sequence[Path]) -> None:
    """Expect that submissions can be run on this machine, with these settings.

    Raises
    ------
    GraderFault
        They cannot.
    """
    imports = ImportCheck(homework)
    try:
        expect_a_sandbox(settings, secrets)
    finally:
        imports.wait()
