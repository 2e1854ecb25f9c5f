"""Whose failure it is: the kernel's messages, a mistake in an instructor's cell, or the grader."""

import errno
import os
import re
from queue import Empty

import pytest
import zmq

from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import BadExchange, error_words, exchange, fault_in
from hw_grading.run.outputs import Outputs

NO_FILES = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        *[(error, BadExchange) for error in (ValueError(), KeyError("content"), RecursionError())],
        *[(error, BadExchange) for error in (Empty(), zmq.Again(), UnicodeError(), TypeError())],
        *[(error, OSError) for error in (NO_FILES, BrokenPipeError())],
        (zmq.ZMQError(errno.EMFILE), zmq.ZMQError),
        (MemoryError(), MemoryError),
        (RuntimeError("can't start new thread"), RuntimeError),
        (HelperEnded("a fork server ended"), HelperEnded),
    ],
    ids=repr,
)
def test_only_what_a_message_can_cause_is_the_kernels_fault(
    error: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised), exchange():
        raise error


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("no signature"), "no signature"), (Empty(), "Empty")]
)
def test_a_bad_exchange_says_what_the_library_said(error: Exception, said: str) -> None:
    with pytest.raises(BadExchange, match=f"^{said}$"), exchange():
        raise error


def test_a_fault_names_the_graders_line() -> None:
    with pytest.raises(AttributeError) as raised:
        Outputs(1).take("stream", {"transient": "text"})
    said = r"^AttributeError: .* \(hw_grading/run/outputs.py, line \d+\)$"
    assert re.search(said, error_words(raised.value))
    assert error_words(ValueError()) == "ValueError"  # of no line of the grader
    assert error_words(GraderFault("no bwrap")) == "no bwrap"


NO_MODULE = "ModuleNotFoundError"


@pytest.mark.parametrize(
    ("source", "error", "fault"),
    [
        ("import nothing_here", NO_MODULE, "line 1: there is no module 'nothing_here'"),
        ("x = 1\nimport os, os.path, nothing_here.deep", NO_MODULE,
         "line 2: there is no module 'nothing_here'"),
        ("from nothing_here.deep import one", NO_MODULE,
         "line 1: there is no module 'nothing_here'"),
        ("import nothing_here", "NameError", ""),
        ("import beside.deep", NO_MODULE, ""),  # a file of the homework
        ("import json, wsgiref", NO_MODULE, ""),  # imported already, or not yet
        ("from . import nothing_here", NO_MODULE, ""),  # there is no package
        ("from .nothing_here import one", NO_MODULE, ""),
        ("try:\n    import nothing_here\nexcept ImportError: pass", NO_MODULE, ""),
        ("if False: import nothing_here", NO_MODULE, ""),
        ("%time f()\n!echo hello\nawait g()", "NameError", ""),
        ("x = 1\nx = = 1", "SyntaxError", "line 2: it is not valid Python (invalid syntax)"),
        ("x = '\0'", "SyntaxError", "line 1: it is not valid Python (source code string cannot"),
    ],
)  # fmt: skip
def test_only_what_must_fail_is_a_fault_of_the_cell(source: str, error: str, fault: str) -> None:
    found = fault_in(source, error, ("beside",))
    assert found.startswith(fault)
    assert bool(found) is bool(fault)
