"""Keep a training run, so that weights and histories survive a restart of the kernel.

A run is one entry of a PickleShareDB: a folder with one pickle per name. That library writes in
place, reports a damaged file as a missing key, and returns its cached object. Here each run is
written in one step, the two errors differ, and every call makes a new database object.

Reading a run unpickles it, which can run code. So runs are not loaded while nbgrader grades.
"""

import contextlib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pickleshare import PickleShareDB

from .in_one_step import in_one_step

# A leading dot marks temporary files. Windows drops a trailing dot or space.
_NAME = re.compile(r"\w(?:[\w .+=-]{0,98}[\w+=-])?")
_STALE_SECONDS = 3600


class RunError(RuntimeError):
    """A run could not be saved or loaded."""


class RunNotFoundError(RunError):
    """No run of this name was saved in this folder."""


class RunDamagedError(RunError):
    """The run's file is there, but it is not a whole run."""


class RunNotSavedError(RunError):
    """Writing failed; an earlier run of the same name is still there, unchanged."""


class RunNotAvailableError(RunError):
    """Saved runs are not read while a submission is graded."""


@dataclass(frozen=True, eq=False)
class Run:
    """One finished training run; its four histories have an entry for each iteration."""

    name: str
    step_size: float
    weight_matrices: list[NDArray[np.float64]]  # shapes (d_{l-1}, d_l), first layer first
    biases: list[NDArray[np.float64]]  # shapes (1, d_l)
    training_loss: list[float]  # means
    training_acc: list[float]  # fractions
    test_loss: list[float]
    test_acc: list[float]
    made_at: datetime  # when it was saved, with its time zone

    def __str__(self) -> str:
        return (
            f"Run {self.name!r}: step size {self.step_size:g}, {len(self.test_acc)} iterations,"
            f" last test accuracy {self.test_acc[-1]:.4f},"
            f" made {self.made_at.isoformat(sep=' ', timespec='seconds')}"
        )

    def __repr__(self) -> str:
        return f"<{self}>"


def save_run(
    name: str,
    *,
    step_size: float,
    weight_matrices: Sequence[ArrayLike],
    biases: Sequence[ArrayLike],
    training_loss: Sequence[float],
    training_acc: Sequence[float],
    test_loss: Sequence[float],
    test_acc: Sequence[float],
    folder: str | os.PathLike[str] = "saved_runs",
) -> Path | None:
    """Save a run under a simple file name such as ``"step 0.1"``; an earlier one is replaced.

    The parameters, first layer first, are copied. The four histories have the same length, an entry
    for each iteration. The folder is made when missing.

    Returns
    -------
    Path, or None while a submission is graded: then nothing is written.

    Raises
    ------
    ValueError
        The name is not a simple file name, or the values are not one run.
    RunNotSavedError
        Writing failed. An earlier run of that name is unchanged.
    """
    if is_grading():
        print(
            f"save_run: saving is off while a notebook is graded, so run {name!r} is not written."
        )
        return None
    path = _run_path(folder, name)
    run = _checked_run(
        name=name,
        step_size=step_size,
        weight_matrices=weight_matrices,
        biases=biases,
        made_at=datetime.now().astimezone(),
        training_loss=training_loss,
        training_acc=training_acc,
        test_loss=test_loss,
        test_acc=test_acc,
    )
    try:
        database = PickleShareDB(path.parent)
        _remove_stale(path.parent)
        with in_one_step(path) as temporary:
            # A plain dict, so that the file does not depend on the module of the class Run.
            database[temporary.name] = dict(vars(run))
    except OSError as error:
        raise RunNotSavedError(
            f"run {name!r} was not saved to {path}: {error.strerror or error}. An earlier run of"
            " this name is unchanged. Free some space or choose another folder, then save again."
        ) from error
    return path


def load_run(name: str, *, folder: str | os.PathLike[str] = "saved_runs") -> Run:
    """Load a run and print one line that says what it is.

    Raises
    ------
    RunNotAvailableError
        A submission is graded. The disk is not touched.
    RunNotFoundError, RunDamagedError
        There is no such run (the message lists those that there are), or not a whole one.
    ValueError
        The name is not a simple file name.
    """
    if is_grading():
        raise RunNotAvailableError(
            f"run {name!r}: load_run does not work while a notebook is graded. Compute the "
            "results in the training cell; use load_run only while you work."
        )
    path = _run_path(folder, name)
    if not path.is_file():
        raise RunNotFoundError(
            f"no run {name!r} in {path.parent}. Saved runs: {_list_runs(path.parent)}."
            f" To make it, train, then call save_run({name!r}, step_size=..., ...)."
        )
    try:
        run = _checked_run(**PickleShareDB(path.parent)[name])
    except (KeyError, TypeError, ValueError) as error:
        raise RunDamagedError(
            f"run {name!r} cannot be read: {path} is damaged or is not a saved run."
            " Delete that file, then train and save again."
        ) from error
    print(run)
    return run


def is_grading() -> bool:
    """Whether a grader runs the notebook, or a student's check that does the same."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"  # set by nbgrader


def _run_path(folder: str | os.PathLike[str], name: str) -> Path:
    """Resolve the file as PickleShareDB does, which drops ``..`` without following links."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            "name: expected a simple file name of at most 100 letters, digits, spaces and"
            f" _ . + = - that begins with a letter or digit, got {name!r}"
        )
    return Path(os.path.abspath(Path(folder).expanduser())) / name


def _checked_run(
    *,
    name: str,
    step_size: float,
    weight_matrices: Sequence[ArrayLike],
    biases: Sequence[ArrayLike],
    made_at: datetime,
    **histories: Any,
) -> Run:
    """Copy the values into a Run, or raise ValueError (TypeError) about the first bad one."""
    copied = {key: _floats(key, values) for key, values in histories.items()}
    lengths = {len(values) for values in copied.values()}
    if len(lengths) > 1 or 0 in lengths:
        found = ", ".join(f"{key} has {len(values)}" for key, values in copied.items())
        raise ValueError(f"histories: expected one entry per iteration in each, got: {found}")
    weights, rows = _arrays("weight_matrices", weight_matrices), _arrays("biases", biases)
    if len(weights) != len(rows):
        raise ValueError(f"expected {len(weights)} biases, one per weight matrix, got {len(rows)}")
    if not isinstance(made_at, datetime) or made_at.tzinfo is None:
        raise ValueError(f"made_at: expected a datetime with a time zone, got {made_at!r}")
    return Run(name, float(step_size), weights, rows, **copied, made_at=made_at)


def _floats(key: str, values: Sequence[float]) -> list[float]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "buif"):
        raise ValueError(
            f"{key}: expected a list of numbers, got shape {array.shape}, dtype {array.dtype}"
        )
    return [float(value) for value in array]


def _arrays(key: str, values: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    arrays = [np.array(value, dtype=np.float64) for value in values]
    for i, array in enumerate(arrays):
        if array.ndim != 2:
            raise ValueError(f"{key}[{i}]: expected 2 dimensions, got shape {array.shape}")
    return arrays


def _list_runs(folder: Path) -> str:
    if not folder.is_dir():
        return "none yet"
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and _NAME.fullmatch(p.name))
    return ", ".join(repr(name) for name in names) or "none yet"


def _remove_stale(folder: Path) -> None:
    """Remove temporary files of killed kernels; those of a save in progress are younger."""
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):  # another kernel may have removed it first
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
