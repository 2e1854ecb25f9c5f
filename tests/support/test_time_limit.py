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
def test_a_call_without_end_is_ended(endless):
    with pytest.raises(TimeLimitReached), time_limit(0.1, 0.3):
        endless()


@pytest.mark.parametrize("endless", [compute, wait])
def test_a_limit_goes_on_after_one_that_stood_within_it(endless):
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
def test_what_comes_after_a_limit_is_not_limited():
    with time_limit(500, 500), time_limit(50, 50):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
