"""A session whose kernel takes too long, or is interrupted."""

import contextlib
import functools
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sessions import Pair, asking

from hw_grading.examiner.remote import Gone, RemoteError
from hw_grading.examiner.session import Session
from hw_grading.sandbox.processes import Target, cpu_clock
from hw_support.time_limit import TimeLimitReached, time_limit

STUDENT = """
import signal, socket, sys, time
from hw_grading.inside.serve import Server

def spin(f):
    while True:
        pass

def wait(f):
    time.sleep(600)

def call(f):
    while True:
        f(1)

def stubborn(f):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

def stubborn_call(f):
    while True:
        try:
            f(1)
        except BaseException:
            pass

def refuse(*_):
    raise ValueError("not now")

def handled(f):
    signal.signal(signal.SIGINT, refuse)
    f()

names = dict(globals(), same=lambda x: x)
Server(socket.socket(fileno=int(sys.argv[1])), names).serve()
"""


@contextlib.contextmanager
def process() -> Iterator[tuple[Session, subprocess.Popen[bytes]]]:
    """The real server in a process that gets real signals, with functions that do not end."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", STUDENT, str(theirs.fileno())]
        child = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    try:
        interrupt = functools.partial(Target(child.pid).send, signal.SIGINT)
        session = Session(ours, interrupt, child.kill, cpu_clock(child.pid))
        session.get("spin")  # it takes a moment to start
        yield session, child
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """A time limit whose signal reaches only the thread that asks."""
    here = threading.get_ident()
    timer = threading.Timer(seconds, signal.pthread_kill, [here, signal.SIGALRM])
    with time_limit(600, 600):
        timer.start()
        yield


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("spin", "computing"),
        ("call", "computing"),
        ("spin", "time"),
        ("call", "time"),
        ("wait", "time"),
        ("spin", "alarm"),
        ("call", "alarm"),
        ("wait", "alarm"),
    ],
)
def test_what_takes_too_long_is_interrupted_and_the_session_goes_on(name: str, by: str) -> None:
    with process() as (session, _):
        function, same = session.get(name), session.get("same")
        before = session.time_left.limits
        for number in range(3):
            session.time_left.limit(0.2 if by == "computing" else 600, 0.2 if by == "time" else 600)
            with (
                pytest.raises(TimeLimitReached),
                alarm(0.2) if by == "alarm" else contextlib.nullcontext(),
            ):
                function(lambda x: x)
            session.time_left.limits = before
            assert same(number) == number
        session.end_test()
        assert session.gone is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stubborn", "stubborn_call"])
def test_a_kernel_that_cannot_be_interrupted_is_killed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_grading.examiner.time_left._SECONDS_TO_REACT", 0.7)
    with process() as (session, child):
        function = session.get(name)
        session.time_left.limit(0.1, 600)
        with pytest.raises(Gone, match="could not be interrupted"):
            function(lambda x: x)
        assert child.wait(60)
        with pytest.raises(Gone, match="could not be interrupted"):
            session.get("same")


def test_a_silent_kernel_is_killed_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_grading.examiner.time_left._SECONDS_TO_REACT", 0.7)
    pair = Pair()
    pair.session.time_left.limit(-1, 600)
    with pytest.raises(Gone, match="could not be interrupted"):
        pair.session.get("x")
    assert pair.interrupts
    assert pair.kills


@pytest.mark.parametrize(
    ("passed", "waited", "late"), [(9, 0, False), (11, 0, True), (39, 30, False)]
)
def test_time_waiting_for_the_processor_does_not_count(
    passed: float, waited: float, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0, 0.0]
    monkeypatch.setattr("hw_grading.examiner.time_left.monotonic", lambda: now[0])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        session = Session(ours, lambda: None, lambda: None, float, lambda: now[1])
        session.time_left.limit(60, 10)
        now[:] = 1000 + passed, waited
        assert session.time_left.is_up() is late


def test_an_interrupt_at_any_moment_leaves_answers_in_step() -> None:
    draw = random.Random(1)
    with process() as (session, child):
        call, same = session.get("call"), session.get("same")

        def pester(stop: threading.Event) -> None:
            while not stop.wait(draw.uniform(0.002, 0.01)):
                child.send_signal(signal.SIGINT)

        for number in range(40):
            stop = threading.Event()
            pest = threading.Thread(target=pester, args=[stop])
            pest.start()
            try:
                with pytest.raises(RemoteError, match="was interrupted"):
                    call(lambda x: x)
            finally:
                stop.set()
                pest.join()
            assert same(number) == number


@pytest.mark.slow
def test_a_students_signal_handler_interrupts_no_message() -> None:
    with process() as (session, child):
        handled, same = session.get("handled"), session.get("same")
        for number in range(5):
            with pytest.raises(RemoteError, match="was interrupted"):
                handled(lambda: child.send_signal(signal.SIGINT))
            assert same(number) == number


def test_signals_are_unblocked_after_each_question() -> None:
    def mask() -> Any:
        return signal.pthread_sigmask(signal.SIG_BLOCK, [])

    before = mask()
    seen: list[Any] = []
    with asking(apply=lambda f: f(), x=1) as session:
        session.get("x")
        session.get("apply")(lambda: seen.append(mask()))
        with contextlib.suppress(KeyError):
            session.get("y")
        assert mask() == before
    assert not seen[0] & {signal.SIGALRM, signal.SIGVTALRM}  # our functions can be stopped too
