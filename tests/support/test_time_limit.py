"""Calls that do not return are ended, within others too."""

import signal
import time

import pytest

from hw_support.time_limit import TimeLimitReached, time_limit


def compute():
    while True:
        pass


def wait():
    time.sleep(60)


@pytest.mark.parametrize("endless", [compute, wait])
def test_an_endless_call_is_interrupted(endless):
    with pytest.raises(TimeLimitReached), time_limit(0.1, 0.3):
        endless()


@pytest.mark.parametrize("endless", [compute, wait])
def test_an_outer_limit_continues_after_an_inner_limit(endless):
    def outer():
        with time_limit(0.3, 1.0):
            with time_limit(50, 50):
                pass
            with pytest.raises(TimeLimitReached), time_limit(0.05, 0.05):
                endless()
            endless()

    with pytest.raises(TimeLimitReached):
        outer()


@pytest.mark.timeout(0)  # it would be a limit too
def test_code_after_a_limit_is_not_limited():
    with time_limit(500, 500), time_limit(50, 50):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
