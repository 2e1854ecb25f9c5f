"""Whether submissions can be run at all, asked before the first one is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hw_grading.examiner import client
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import available, environment, nursery


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


def expect_ready(
    settings: RunSettings, homework: Homework, secrets: Sequence[Path], *, here: bool
) -> None:
    """Expect that submissions can be run on this machine, with these settings.

    Parameters
    ----------
    settings, secrets
        As for `expect_a_sandbox`.
    homework
        Its code is imported.
    here
        Whether this process runs them itself. Then its fork servers are started meanwhile.

    Raises
    ------
    GraderFault
        They cannot.
    """
    if here and settings.sandbox != "none" and settings.fork_kernels:
        nursery.begin(settings.blas_threads, homework.manifest.preload)
    wait_for_imports = client.begin(homework) if here else client.ImportCheck(homework).wait
    try:
        expect_a_sandbox(settings, secrets)
    finally:
        wait_for_imports()
