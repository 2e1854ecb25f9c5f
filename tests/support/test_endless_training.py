"""A `train` that never ends is stopped early, and one that only takes long is not."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hw_support import endless_training, get_mnist_threes_nines
from hw_support.time_limit import TimeLimitReached

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
SECONDS = 0.15  # of CPU time, in place of 8


@pytest.fixture(autouse=True)
def short_seconds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(endless_training, "_SECONDS", SECONDS)
    before = signal.getsignal(signal.SIGPROF)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def outcome(code: str) -> str:
    """Define ``train``, watch it, run it on as many images as the homework has."""
    names: dict[str, Any] = {"X_train": np.zeros((12080, 1)), "time": time}
    exec(code, names)
    endless_training.watch_training()
    try:
        return str(names["train"]())
    except TimeLimitReached as error:
        return str(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@needs_fork
def test_an_endless_loop_is_stopped() -> None:
    said = outcome("def train(*_):\n    while True:\n        pass\n")
    assert said == (
        "train did not return within 0.15 s on a small set of 250 images, so it was stopped. Does "
        "it have a loop that never ends?"
    )


@needs_fork
def test_an_endless_loop_is_stopped_in_a_function_that_train_calls() -> None:
    code = "def step():\n    while True:\n        pass\n\ndef train(*_):\n    step()\n"
    assert "so it was stopped" in outcome(code)


@needs_fork
def test_an_endless_loop_that_catches_errors_is_stopped() -> None:
    code = """
def train(*_):
    caught = 0
    while True:
        try:
            while True:
                pass
        except Exception:
            pass
        except BaseException:
            caught += 1
            if caught == 2:
                raise
"""
    assert "so it was stopped" in outcome(code)


def test_a_training_whose_time_depends_on_the_images_goes_on() -> None:
    code = """
def train(*_):
    end = time.process_time() + len(X_train) / 12080 * 1.2
    while time.process_time() < end:
        pass
    return "the network"
"""
    assert outcome(code) == "the network"


def test_a_training_that_fails_with_the_small_set_goes_on() -> None:
    code = """
def train(*_):
    print("seen once")
    if len(X_train) < 12080:
        raise ValueError("too few images")
    end = time.process_time() + 1.2
    while time.process_time() < end:
        pass
    return "the network"
"""
    assert outcome(code) == "the network"


def test_other_functions_are_not_stopped() -> None:
    code = """
def other():
    end = time.process_time() + 1.2
    while time.process_time() < end:
        pass
    return "a result"

def train(*_):
    return "the network"

train, later = other, train
"""
    assert outcome(code) == "a result"


@pytest.mark.parametrize("grading", [True, False])
def test_the_watch_begins_with_the_data_while_a_grader_runs_the_notebook(
    grading: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    if grading:
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    get_mnist_threes_nines()
    if hasattr(signal, "setitimer"):
        assert (signal.getitimer(signal.ITIMER_PROF)[1] > 0) == grading
