"""Calls that do not return are ended, within others too."""

import signal
import sys
import time

import pytest

from hw_support.checks.time_limit import TimeLimitReached, time_limit


def compute():
    while True:
        pass


def wait():
    time.sleep(60)


def catch_all():
    while True:
        try:
            compute()
        except BaseException:
            continue


def call_again():
    while True:
        try:
            sum(range(100))
        except:  # noqa: E722
            continue


@pytest.mark.parametrize("endless", [compute, wait, catch_all, call_again])
def test_an_endless_call_is_interrupted(endless):
    tracer = sys.gettrace()
    with pytest.raises(TimeLimitReached), time_limit(0.1, 0.3):
        endless()
    assert sys.gettrace() is tracer


@pytest.mark.timeout(0)  # it would be a limit too
def test_code_after_a_limit_is_not_limited():
    with time_limit(50, 50):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
