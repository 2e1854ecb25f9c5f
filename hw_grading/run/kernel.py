"""The kernel of one submission: it runs cells within limits, and finds out how each one ended.

Student code may have written every message of the kernel, or none. So a cell ends when the kernel
has said so in both of its messages, when it is killed, or when it does not answer any more.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

import zmq
from nbformat import NotebookNode
from traitlets.log import get_logger

from hw_grading.homework.homework import Homework, Manifest
from hw_grading.homework.notebook import at_start, name_of
from hw_grading.notebooks import errors_in
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import BadExchange, error_words, exchange
from hw_grading.run.outputs import Outputs
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import environment
from hw_grading.sandbox.kernel import Client, KernelInSandbox, NoAnswer
from hw_grading.sandbox.processes import is_over
from hw_grading.sandbox.watch import Watch
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity, quoted

_MILLISECONDS_BETWEEN_LOOKS = 500  # at the kernel's process, while no messages arrive
_SECONDS_BETWEEN_INTERRUPTS = 1.0
_FLOOD = 50  # a cell is interrupted that prints this many times what is kept
_NO_TRACEBACK = "ERROR: An error occurred while showtraceback was disabled"


class Ended(Exception):
    """No further cell of a submission can be run: why, and the cell that caused it."""

    def __init__(self, kind: Kind, why: str, cell: NotebookNode) -> None:
        super().__init__(why)
        self.kind, self.cell = kind, cell


class Problems(list[Problem]):
    """The problems that occurred while one submission ran, in order."""

    def add(
        self, cell: NotebookNode, kind: Kind, what: str, severity: Severity = Severity.FAILED
    ) -> None:
        """Note a problem with a cell; `what` is said of the cell."""
        self.append(Problem(kind, severity, f"{at_start(cell)} {what}.", grade_id_of(cell)))


class Clock:
    """The time that is left for a submission, and for its running cell.

    `times` returns the seconds that the submission has computed, and that it has waited for a
    processor that others used, both since its start. Time that it waited does not count. So a cell,
    and the whole submission, may take up to `MAX_TIMES` times their limit.
    """

    def __init__(
        self,
        settings: RunSettings,
        manifest: Manifest,
        times: Callable[[], tuple[float, float]],
    ) -> None:
        self._settings, self._manifest, self._times = settings, manifest, times
        self._began_all = monotonic()
        self.of_all = f"the {settings.wall_seconds_per_submission:g} s for the whole submission"

    def begin(self, cell: NotebookNode, times: int = 1) -> None:
        """Start the clock of a cell, or of something that may take several times as long."""
        name, settings, own = grade_id_of(cell) or "", self._settings, self._manifest.seconds
        self._is_ending = False
        self._cpu = times * own("cpu_seconds").get(name, settings.cpu_seconds_per_cell)
        self._wall = times * own("wall_seconds").get(name, settings.wall_seconds_per_cell)
        self._began, (self._computed, self._waited) = monotonic(), self._times()

    def begin_end(self, seconds: float) -> None:
        """Start the clock anew for a cell that was interrupted, and has to end in these seconds."""
        self._is_ending = True
        self._cpu, self._wall = inf, seconds
        self._began, self._waited = monotonic(), self._times()[1]

    def limit_reached(self) -> str:
        """Return the limit that the running cell exceeded, in words; "" while it has time left."""
        computed, waited = self._times()
        if computed - self._computed > self._cpu:
            return f"within {self._cpu:g} s of CPU time"
        if is_over(self._wall, monotonic() - self._began, waited - self._waited):
            return f"within {self._wall:g} s"
        return f"within {self.of_all}" if not self._is_ending and self._all_is_over(waited) else ""

    def is_over(self) -> bool:
        """Return whether the whole submission has no time left."""
        return self._all_is_over(self._times()[1])

    def _all_is_over(self, waited: float) -> bool:
        limit = self._settings.wall_seconds_per_submission
        return is_over(limit, monotonic() - self._began_all, waited)


@dataclass
class _Running:
    """The code that runs now."""

    cell: NotebookNode
    outputs: Outputs
    reply: dict[str, Any] | None = None
    is_idle: bool = False  # whether the last output has arrived
    overrun: tuple[Kind, str] | None = None  # what it did for which it is interrupted
    next_interrupt: float = 0.0


class Kernel:
    """Runs the cells of one submission, and adds to its problems.

    A cell that takes too long, or prints too much, is interrupted. If it goes on all the same, the
    kernel and all processes that it started are killed.
    """

    def __init__(self, settings: RunSettings, homework: Homework, problems: Problems) -> None:
        """Start a kernel and its watchdog.

        Afterwards `link` is the socket for the examiner, which the caller closes.
        """
        self._settings, self._problems = settings, problems
        shown = None
        if settings.sandbox != "none":
            preload = tuple(homework.manifest.preload)
            shown = environment.what_to_show(settings.blas_threads, [], preload)
        count = settings.blas_threads
        threads = dict.fromkeys(environment.BLAS_VARIABLES, str(count)) if count else {}
        limits, files = settings.of_sandbox(), homework.archive()
        self._there = KernelInSandbox(shown, limits, settings.fork_kernels, files)
        try:
            self.link = self._there.start(settings.startup_timeout, {**os.environ, **threads})
            assert self._there.process
            self.watch = Watch(
                self._there.process.kernel,
                self._there.process,
                memory_mb=settings.memory_mb,
                cpu_seconds=settings.cpu_seconds_per_submission,
                most_files=settings.files if settings.sandbox != "none" else None,
            )
        except BaseException:
            self._there.end()
            raise
        self.clock = Clock(settings, homework.manifest, self.watch.times)
        self._client: Client | None = None
        self._room = settings.output_bytes_per_submission  # for outputs of further cells
        self.died = False  # whether the kernel has ended for no known reason
        self.exited_in: NotebookNode | None = None  # the cell that called ``exit()``

    def connect(self, seconds: float) -> dict[str, Any]:
        """Make new connections to the kernel; return what it says of itself, or raise `NoAnswer`.

        A message that was too large, or damaged, may have closed earlier connections.
        """
        if self._client:
            self._client.stop()
        self._client, about = self._there.client(seconds)
        return about

    def end(self) -> None:
        """End all processes that were started. A failure is only told: the results are there."""
        try:
            self.watch.kill()
            self.watch.end()
            if self._client:
                self._client.stop()
            self._there.end()
        except Exception as error:
            get_logger().warning("kernel: %s", error_words(error))

    # -- one cell

    def run_cell(self, cell: NotebookNode, instead: str | None = None) -> bool:
        """Run a cell and set its outputs; return whether it ran to its end.

        The code `instead` is run on behalf of the cell, without outputs, and is not counted as one.
        `Ended` if no further cell can be run. Any other exception is a fault of the grader.
        """
        code = cell.source if instead is None else instead
        if not code.strip():
            return True
        most = min(self._settings.output_bytes_per_cell, self._room)
        running = _Running(cell, Outputs(most))
        lost = None  # why the cell's end was not seen
        self.clock.begin(cell)
        try:
            self._execute(running, code, keep_history=instead is None)
        except BadExchange as error:
            lost = str(error)
        if instead is None:
            _set_outputs(cell, running.outputs, running.reply or {})
        self._room -= running.outputs.size
        if running.outputs.dropped:
            what = f"printed more than {most:,} bytes: the grader dropped the rest"
            self._problems.add(cell, Kind.OUTPUT_LIMIT, what, Severity.REPAIRED)
        self._look_after(running, lost)
        return lost is None and running.overrun is None

    def _execute(self, running: _Running, code: str, *, keep_history: bool) -> None:
        """Run code until the kernel has replied and sent its last output, or raise an error."""
        assert self._client
        channels = self._client.iopub_channel, self._client.shell_channel
        poller = zmq.Poller()
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        with exchange():
            request = self._client.execute(code, store_history=keep_history, stop_on_error=False)
        last, waited = 0.0, 0.0  # when the last message arrived, once one of the two ends is here
        while running.reply is None or not running.is_idle:
            ready = dict(poller.poll(_MILLISECONDS_BETWEEN_LOOKS))
            arrived = False
            for channel in channels:
                if channel.socket in ready:
                    with suppress(BadExchange), exchange():  # a malformed message is dropped
                        message = channel.get_msg(timeout=0)
                        if message["parent_header"].get("msg_id") == request:
                            arrived = True
                            self._take(running, message["msg_type"], message["content"])
            if not ready and not self._there.is_alive():
                raise BadExchange("the kernel has ended")
            if running.reply is not None or running.is_idle:
                now, of_processor = monotonic(), self.watch.times()[1]
                if arrived:
                    last, waited = now, of_processor
                elif is_over(self._settings.iopub_timeout, now - last, of_processor - waited):
                    raise BadExchange("the last outputs did not arrive")
            self._interrupt_if_over(running)

    def _take(self, running: _Running, kind: str, content: dict[str, Any]) -> None:
        """Process a message, or raise an error if it is malformed."""
        if kind == "execute_reply":
            running.reply = dict(content)
            if any(entry["source"] == "ask_exit" for entry in content.get("payload", ())):
                self.exited_in = running.cell
        elif kind == "status":
            running.is_idle = running.is_idle or content["execution_state"] == "idle"
        else:
            running.outputs.take(kind, content)

    def _interrupt_if_over(self, running: _Running) -> None:
        """Interrupt code that has reached a limit, until it ends; kill it after some seconds."""
        within, most = self.clock.limit_reached(), self._settings.output_bytes_per_cell
        if running.overrun:
            if within:
                kind, what = running.overrun
                self.watch.kill(kind, f"it {what}, and could not be interrupted")
                raise BadExchange("the kernel was killed")
        else:
            if within:
                running.overrun = Kind.TIME_LIMIT, f"did not end {within}"
            elif running.outputs.dropped > _FLOOD * most:
                running.overrun = Kind.OUTPUT_LIMIT, "did not stop printing"
            else:
                return
            self.clock.begin_end(self._settings.iopub_timeout)
        if monotonic() >= running.next_interrupt:
            running.next_interrupt = monotonic() + _SECONDS_BETWEEN_INTERRUPTS
            self.watch.interrupt()

    def _look_after(self, running: _Running, lost: str | None) -> None:
        """Note how a cell ended; raise `Ended` if no further cell can be run."""
        stopped, cell, name = self.watch.stop, running.cell, name_of(running.cell)
        if stopped and stopped.kind is Kind.GRADER:
            raise GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {name}, because {stopped.reason}"
            raise Ended(stopped.kind, why, cell)
        if lost and not self._there.is_alive():
            server = self._there.fork_server
            if server and server.is_ending():
                raise HelperEnded("the fork server of the kernels has ended")
            if not self.exited_in:
                self.died = True
                raise Ended(Kind.KERNEL, f"the kernel died while running {name}", cell)
        elif lost and not self._responds():
            self.watch.kill(Kind.KERNEL, "it stopped answering")
            why = f"the kernel was killed, because it stopped answering in {name}"
            raise Ended(Kind.KERNEL, why, cell)
        elif running.overrun:
            kind, what = running.overrun
            self._problems.add(cell, kind, f"{what}: the grader interrupted it")
        elif lost:
            what = f"has ended, but its outputs were lost ({quoted(lost)})"
            self._problems.add(cell, Kind.KERNEL, what)

    def _responds(self) -> bool:
        """Return whether the kernel still answers, so that it can be understood."""
        with suppress(NoAnswer, BadExchange), exchange():
            self.connect(self._settings.iopub_timeout)
            return True
        return False


def _set_outputs(cell: NotebookNode, outputs: Outputs, reply: dict[str, Any]) -> None:
    count, frames = reply.get("execution_count"), reply.get("traceback")
    cell.execution_count = count if type(count) is int and count >= 0 else None
    cell.outputs = outputs.all()
    if reply.get("status") == "error" and not errors_in(cell):  # it was not sent, or was cleared
        names = {name: str(reply.get(name, "")) for name in ("ename", "evalue")}
        shown = [str(frame) for frame in frames] if isinstance(frames, list) else []
        outputs.take("error", {**names, "traceback": shown or [_NO_TRACEBACK]})
        cell.outputs = outputs.all()
