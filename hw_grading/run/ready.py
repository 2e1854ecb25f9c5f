"""Checks whether this machine can run submissions, before the first one is run."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hw_grading.examiner import client
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import environment, fork_client


def expect_a_sandbox(settings: RunSettings, secrets: Sequence[Path]) -> None:
    """Raise `GraderFault` if no sandbox can be made, unless the settings turn sandboxes off."""
    if settings.sandbox != "none":
        shown = environment.what_to_show(settings.blas_threads, list(secrets))
        environment.check(shown, settings.of_sandbox())


def expect_ready(
    settings: RunSettings,
    homework: Homework,
    secrets: Sequence[Path],
    wait_for_imports: Callable[[], None] | None = None,
    *,
    examined: bool = True,
) -> None:
    """Check that submissions can be run on this machine; raise `GraderFault` if they cannot.

    `wait_for_imports` waits until another process has imported the homework's code, and raises
    `GraderFault` if that fails. It is None if this process runs submissions itself: then its fork
    servers are started meanwhile, and its examiner if test cells are `examined`.
    """
    if not wait_for_imports:
        if settings.sandbox != "none" and settings.fork_kernels:
            fork_client.begin(settings.blas_threads, homework.manifest.preload)
        wait_for_imports = client.begin(homework) if examined else None
    try:
        expect_a_sandbox(settings, secrets)
    finally:
        if wait_for_imports:
            wait_for_imports()
