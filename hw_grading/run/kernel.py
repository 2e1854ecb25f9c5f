"""The kernel of one submission: it runs cells within limits, and finds out how each one ended.

Student code may have written every message of the kernel, or none. So a cell ends when the kernel
has said so on both of its channels, when it is killed, or when it does not answer any more.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

import zmq
from nbformat import NotebookNode
from traitlets.log import get_logger

from hw_grading.homework.cells import at_start, name_of
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import BadExchange, described, exchange
from hw_grading.run.clock import Clock
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


class Report:
    """The problems that occurred while one submission ran, in order."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.stopped: str | None = None  # why no further cell is run; None as long as cells are run

    def add(
        self, kind: Kind, message: str, cell: NotebookNode, severity: Severity = Severity.FAILED
    ) -> None:
        """Note a problem, with the grade id of the cell that caused it."""
        self.problems.append(Problem(kind, severity, message, grade_id_of(cell)))

    def stop(self, kind: Kind, why: str, cell: NotebookNode) -> None:
        """Note that no further cell is run, and why."""
        self.stopped = why
        self.add(kind, f"The rest of the notebook was not run: {why}. Its tests score 0.", cell)


@dataclass
class _Running:
    """The code that runs now."""

    cell: NotebookNode
    outputs: Outputs
    reply: dict[str, Any] | None = None
    is_idle: bool = False  # whether the last output has arrived
    overrun: tuple[Kind, str] | None = None  # what it did for which it has to end
    interrupted_at: float = 0.0  # the first time, on the clock
    waited_until_then: float = 0.0  # seconds, for a processor
    interrupted_again: float = 0.0  # the next time, in seconds after the first


class Kernel:
    """Runs the cells of one submission, and stops it by its `report` if no other cell can be run.

    A cell that takes too long, or prints too much, is interrupted. If it goes on all the same, the
    kernel and all processes that it started are killed.
    """

    def __init__(
        self, settings: RunSettings, homework: Homework, clock: Clock, report: Report
    ) -> None:
        self._settings, self._clock, self._report = settings, clock, report
        shown = None
        if settings.sandbox != "none":
            preload = tuple(homework.manifest.preload)
            shown = environment.what_to_show(settings.blas_threads, [], preload)
        limits, files = settings.of_sandbox(), homework.archive()
        self._there = KernelInSandbox(shown, limits, settings.fork_kernels, files)
        self._client: Client | None = None
        self._watch: Watch | None = None
        self._room = settings.output_bytes_per_submission  # for outputs of further cells
        self.interrupted = False  # whether a limit has ended the last code that was run
        self.died = False  # whether the kernel has ended, but the watchdog has not killed it
        self.exited_in: NotebookNode | None = None  # the cell that called ``exit()``

    @property
    def watch(self) -> Watch:
        """The watchdog of the kernel's processes, once these are started."""
        assert self._watch
        return self._watch

    @property
    def stopped_because(self) -> str:
        """Why the watchdog has killed the kernel; "" if it has not."""
        return self._watch.stop.reason if self._watch and self._watch.stop else ""

    @property
    def cpu_seconds_used(self) -> float:
        """CPU time of the kernel and of all processes that it started."""
        return self._watch.used_seconds if self._watch else 0.0

    # -- its start and its end

    def start(self) -> socket.socket:
        """Start the kernel and its watchdog; return the examiner's link, to be closed."""
        settings = self._settings
        count = settings.blas_threads
        threads = dict.fromkeys(environment.BLAS_VARIABLES, str(count)) if count else {}
        link = self._there.start(settings.startup_timeout, {**os.environ, **threads})
        assert self._there.process
        self._watch = Watch(
            self._there.process.kernel,
            self._there.process,
            memory_mb=settings.memory_mb,
            cpu_seconds=settings.cpu_seconds_per_submission,
            most_files=settings.files if settings.sandbox != "none" else None,
        )
        return link

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
            if self._watch:
                self._watch.kill()
                self._watch.end()
            if self._client:
                self._client.stop()
            self._there.end()
        except Exception as error:
            get_logger().warning("kernel: %s", described(error))

    def _responds(self) -> bool:
        """Return whether the kernel still answers; `BadExchange` if nobody understands how."""
        try:
            with exchange():
                self.connect(self._settings.iopub_timeout)
        except NoAnswer:
            return False
        return True

    # -- one cell

    def run_cell(self, cell: NotebookNode, instead: str | None = None) -> bool:
        """Run a cell and set its outputs; return whether it ran to its end.

        The code `instead` is run on behalf of the cell, without outputs, and is not counted as one.
        An exception is a fault of the grader.
        """
        self.interrupted = False
        code = cell.source if instead is None else instead
        if not code.strip():
            return True
        most = min(self._settings.output_bytes_per_cell, self._room)
        running = _Running(cell, Outputs(most))
        unseen = None  # why the cell's end was not seen
        self._clock.begin(cell, *self.watch.times())
        try:
            self._execute(running, code, keep_history=instead is None)
        except BadExchange as error:
            unseen = error
        self._clock.end(self.watch.times()[1])
        self.interrupted = running.overrun is not None
        if instead is None:
            _set_outputs(cell, running.outputs, running.reply or {})
        self._room -= running.outputs.size
        if running.outputs.dropped:
            said = (
                f"{at_start(cell)} printed more than {most:,} bytes: the grader dropped the rest."
            )
            self._report.add(Kind.OUTPUT_LIMIT, said, cell, Severity.MENDED)
        try:
            self._look_after(running, unseen)
        except BadExchange as error:
            self.watch.kill()
            why = f"the communication with the kernel failed in {name_of(cell)} ({quoted(error)})"
            self._report.stop(Kind.KERNEL, why, cell)
        return unseen is None and not self.interrupted and not self._report.stopped

    def _execute(self, running: _Running, code: str, *, keep_history: bool) -> None:
        """Run code until the kernel has replied and sent its last output, or raise an error."""
        assert self._client
        iopub, shell = self._client.iopub_channel, self._client.shell_channel
        takers = {iopub.socket: (iopub, self._take_output), shell.socket: (shell, self._take_reply)}
        poller = zmq.Poller()
        for channel in takers:
            poller.register(channel, zmq.POLLIN)
        with exchange():
            request = self._client.execute(code, store_history=keep_history, stop_on_error=False)
        until = inf
        while running.reply is None or not running.is_idle:
            ready = [takers[found] for found, _ in poller.poll(_MILLISECONDS_BETWEEN_LOOKS)]
            for channel, take in ready:
                with suppress(BadExchange), exchange():  # a malformed message is dropped
                    message = channel.get_msg(timeout=0)
                    if message["parent_header"].get("msg_id") == request:
                        take(running, message["msg_type"], message["content"])
            if not ready and not self._there.is_alive():
                raise BadExchange("the kernel has ended")
            if running.reply is not None or running.is_idle:
                until = min(until, monotonic() + self._settings.iopub_timeout)
            if monotonic() > until:
                raise BadExchange("the last outputs did not arrive")
            self._interrupt_if_over(running)

    def _take_output(self, running: _Running, kind: str, content: dict[str, Any]) -> None:
        if kind == "status" and content["execution_state"] == "idle":
            running.is_idle = True
        running.outputs.take(kind, content)

    def _take_reply(self, running: _Running, _: str, reply: dict[str, Any]) -> None:
        payload = reply.get("payload")  # fails if the reply is no dict: then it is dropped
        running.reply = reply
        for entry in payload if isinstance(payload, list) else ():
            if isinstance(entry, dict) and entry.get("source") == "ask_exit":
                self.exited_in = running.cell

    def _interrupt_if_over(self, running: _Running) -> None:
        """Interrupt code that has reached a limit, until it ends; kill it after some seconds."""
        computed, waited = self.watch.times()
        if not running.overrun:
            if within := self._clock.limit_reached(computed, waited):
                running.overrun = Kind.TIME_LIMIT, f"did not end {within}"
            elif running.outputs.dropped > _FLOOD * self._settings.output_bytes_per_cell:
                running.overrun = Kind.OUTPUT_LIMIT, "did not stop printing"
            else:
                return
            running.interrupted_at, running.waited_until_then = monotonic(), waited
        passed = monotonic() - running.interrupted_at
        most = self._settings.iopub_timeout
        if is_over(most, passed, waited - running.waited_until_then):
            kind, what = running.overrun
            self.watch.kill(kind, f"it {what}, and could not be interrupted")
            raise BadExchange("the kernel was killed")
        if passed >= running.interrupted_again:
            running.interrupted_again = passed + _SECONDS_BETWEEN_INTERRUPTS
            self.watch.interrupt()

    def _look_after(self, running: _Running, unseen: BadExchange | None) -> None:
        """Report how a cell ended, and stop the submission if no further cell can be run."""
        report, stopped, cell = self._report, self.watch.stop, running.cell
        if stopped and stopped.kind is Kind.GRADER:
            raise GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {name_of(cell)}, because {stopped.reason}"
            report.stop(stopped.kind, why, cell)
        elif unseen and not self._there.is_alive():
            server = self._there.fork_server
            if server and server.has_ended(within=0.5):
                raise HelperEnded("the fork server of the kernels has ended")
            self.died = True
        elif unseen and not self._responds():
            self.watch.kill()
            why = f"the kernel was killed, because it stopped answering in {name_of(cell)}"
            report.stop(Kind.KERNEL, why, cell)
        elif running.overrun:
            kind, what = running.overrun
            report.add(kind, f"{at_start(cell)} {what}: the grader interrupted it.", cell)
        elif unseen:
            why = f"The outputs of {name_of(cell)} were lost ({quoted(unseen)})."
            report.add(Kind.KERNEL, why, cell)


def _set_outputs(cell: NotebookNode, outputs: Outputs, reply: dict[str, Any]) -> None:
    count, frames = reply.get("execution_count"), reply.get("traceback")
    cell.execution_count = count if type(count) is int and count >= 0 else None
    if reply.get("status") == "error" and not outputs.has_error(reply.get("ename")):
        names = {name: str(reply.get(name, "")) for name in ("ename", "evalue")}
        shown = [str(frame) for frame in frames] if isinstance(frames, list) else []
        outputs.take("error", {**names, "traceback": shown or [_NO_TRACEBACK]})
    cell.outputs = outputs.all()
