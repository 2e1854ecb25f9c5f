"""Limits the time of the student's kernel while it answers: reads its clocks, interrupts it."""

import select
import signal
import socket
from collections.abc import Callable
from time import monotonic

from hw_grading.inside.wire import Closed

TIMERS = {signal.SIGALRM, signal.SIGVTALRM}  # of `hw_support.time_limit`, in this process
NO_LIMITS = float("inf"), float("inf")
_SECONDS_TO_REACT = 3.0  # to interrupts; after that the session and the kernel are ended
_SECONDS_BETWEEN_INTERRUPTS = 0.5
_SECONDS_BETWEEN_LOOKS = 0.1  # at the kernel's clock


class TimeLeft:
    """The limits of the kernel's time.

    `interrupt` raises KeyboardInterrupt in the kernel. `give_up` ends the session, and the kernel;
    its argument is the reason. The clocks return two numbers of seconds: those that the kernel has
    computed, and those that it has waited for a processor that others used.
    """

    def __init__(
        self,
        interrupt: Callable[[], None],
        give_up: Callable[[str], object],
        cpu_seconds: Callable[[], float],
        seconds_waited: Callable[[], float],
    ) -> None:
        self._interrupt, self._give_up = interrupt, give_up
        self._cpu_now, self._waited_now = cpu_seconds, seconds_waited
        self._limits = NO_LIMITS
        self._beyond = False  # whether a limit was reached at the last look
        # When the running question was first seen to take too long, by `_passed`; 0 if it was not.
        self.late_since = 0.0
        self._next_look = self._interrupted_at = 0.0

    def limit(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Limit the kernel's time from now on. An earlier, stricter limit stays in force."""
        computed, passed = self._limits
        until = self._cpu_now() + cpu_seconds, self._passed() + wall_seconds
        self.limits = min(computed, until[0]), min(passed, until[1])

    @property
    def limits(self) -> tuple[float, float]:
        """When the kernel has to stop: on its CPU clock, and on the clock without waiting times."""
        return self._limits

    @limits.setter
    def limits(self, limits: tuple[float, float]) -> None:
        self._limits, self._beyond = limits, False

    def wait(self, stream: socket.socket, writing: bool) -> None:
        """Wait until the socket may be ready; meanwhile, interrupt the kernel if its time is up."""
        while True:
            self.keep()
            ready = select.select([] if writing else [stream], [stream] if writing else [], [], 0.1)
            if ready[0] or ready[1]:
                return

    def keep(self) -> None:
        """Interrupt the kernel repeatedly when its time is up; give it up if it does not react."""
        if not self.is_up():
            return
        now = self._passed()
        self.late_since = self.late_since or now
        if now - self.late_since > _SECONDS_TO_REACT:
            self._give_up("it could not be interrupted when its time was up")
            raise Closed
        if now - self._interrupted_at > _SECONDS_BETWEEN_INTERRUPTS:
            self._interrupted_at = now
            self._interrupt()

    def is_up(self) -> bool:
        """Return whether a timer of this process, or a limit of the kernel, has run out."""
        if signal.sigpending() & TIMERS:
            return True
        if monotonic() > self._next_look:
            self._next_look = monotonic() + _SECONDS_BETWEEN_LOOKS
            computed, passed = self._limits
            self._beyond = self._cpu_now() > computed or self._passed() > passed
        return self._beyond

    def _passed(self) -> float:
        """Return the seconds on the clock, without those that the kernel waited for a processor."""
        return monotonic() - self._waited_now()
