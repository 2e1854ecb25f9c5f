"""Attacks by taking too much: time, memory, processes, files, output; and by refusing to end.

The limits of the arena are short, and those of many attacks shorter still: an attack that no limit
ends would take as long as the test's own time limit.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from arena import NOTHING, POINTS, RIGHT, WRONG, Arena, Outcome, notebook

from benchmarks.busy_machine import FORK
from hw_grading.run import submission
from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow

# Ends a cell that only computes, or only waits, within seconds.
SHORT: dict[str, Any] = {
    "cpu_seconds_per_cell": 1.0,
    "wall_seconds_per_cell": 3.0,
    "iopub_timeout": 1,
}
MOST_MB = (
    400  # that the grader's processes may take for one submission, beyond what they begin with
)
EXAMINER_MB = 75  # with which an examiner begins
ONLY = 'print("begun", flush=True)\n'  # the first line of most attacks: that they were run


def ended(outcome: Outcome, *kinds: Kind) -> None:
    """No point; these kinds of problems and no other."""
    assert outcome.scores == NOTHING
    assert outcome.kinds == set(kinds), outcome.problems


def small(memory: Any, outcome: Outcome) -> None:
    """The grader's processes took little memory, and what they stored is small."""
    memory.end()
    assert memory.grader_mb < MOST_MB, memory
    assert memory.examiner_mb < EXAMINER_MB + MOST_MB, memory
    assert len(outcome.printed) < 1_000_000


def number_after(word: str, outcome: Outcome) -> int:
    """The last number that was printed behind a word."""
    return int(re.findall(rf"{word} (\d+)", outcome.printed)[-1])


# -- processes and threads


def test_a_fork_bomb(arena: Arena) -> None:
    outcome = arena.attack(
        before=ONLY
        + """
import os
while True:
    try:
        os.fork()
    except BaseException:
        pass
""",
        **SHORT,
    )
    assert "begun" in outcome.printed
    ended(outcome, Kind.TIME_LIMIT)


def test_processes_up_to_the_limit_that_stay(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
        count += 1
except BlockingIOError:
    print("processes", count)
"""
    )
    assert 5 < number_after("processes", outcome) < 60
    # What the kernel itself needs a thread for may fail now: that is the student's own loss.
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL, Kind.PROTOCOL, Kind.TIME_LIMIT}


def test_a_thread_bomb(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import threading, time
count = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        count += 1
except RuntimeError as error:
    print("threads", count)
"""
    )
    assert 5 < number_after("threads", outcome) < 60
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL, Kind.PROTOCOL, Kind.TIME_LIMIT}


def test_daemons_that_leave_their_session_and_their_parent(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, signal, subprocess, time
for ignored in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    signal.signal(ignored, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(0.1)
        os._exit(0)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
subprocess.Popen("nohup sleep 1000 & disown", shell=True)
time.sleep(0.3)
print("left behind")
"""
    )
    assert "left behind" in outcome.printed
    ended(outcome)


def test_many_busy_processes_run_at_a_low_priority(arena: Arena) -> None:
    """In sessions of their own, which each have a share on many systems."""
    outcome = arena.attack(
        before="""
import os, time
for _ in range(30):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
while os.getpriority(os.PRIO_PROCESS, 0) == 0:
    time.sleep(0.1)
print("priority", os.getpriority(os.PRIO_PROCESS, 0))
if os.fork() == 0:
    print("priority", os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    os._exit(0)
""",
        cpu_seconds_per_cell=240.0,
        wall_seconds_per_cell=120.0,
    )
    assert number_after("priority", outcome) >= 4
    ended(outcome)


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this system does not divide by sessions"
)
def test_busy_processes_that_go_on_in_new_sessions(arena: Arena) -> None:
    """A session has the usual priority when it is made."""
    outcome = arena.attack(
        before=ONLY
        + """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def go_on():
    while True:
        os.setsid()
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        while True:
            try:
                if os.fork():
                    os._exit(0)
                break
            except OSError:  # there are too many at the moment
                pass
for _ in range(20):
    if os.fork() == 0:
        go_on()
time.sleep(1000)
""",
        cpu_seconds_per_cell=1200.0,
        wall_seconds_per_cell=240.0,
    )
    assert "begun" in outcome.printed
    ended(outcome, Kind.TIME_LIMIT)
    assert "sessions of busy processes" in str(outcome.problems)


# -- memory


@pytest.mark.smoke
def test_memory_of_one_process(arena: Arena, memory: Any) -> None:
    outcome = arena.attack(
        before="""
import numpy
taken, blocks = 0, []
try:
    while True:
        blocks.append(numpy.ones(50 << 17))
        taken += 50
except MemoryError:
    print("taken", taken)
    del blocks
"""
    )
    assert 500 < number_after("taken", outcome) < 1500
    ended(outcome)
    small(memory, outcome)


def test_memory_of_many_processes(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, time
for number in range(8):
    if os.fork() == 0:
        if os.fork() == 0:  # an orphan
            block = bytearray(b"x") * (250 << 20)
            time.sleep(1000)
        os._exit(0)
time.sleep(1000)
""",
        cpu_seconds_per_cell=60.0,
        wall_seconds_per_cell=120.0,
    )
    ended(outcome, Kind.MEMORY_LIMIT)


FILL = """
import os
def fill(folder):
    size = number = 0
    try:
        while True:
            with open(f"{folder}/{number}", "wb", buffering=0) as file:
                for _ in range(18):
                    size += file.write(b"x" * 2**20)
            number += 1
    except OSError as error:
        print(folder, error.strerror)
    return size >> 20
"""


def test_files_in_all_folders_that_can_be_written(arena: Arena) -> None:
    outcome = arena.attack(
        before=FILL + 'print("wrote", sum(map(fill, ["/tmp", "/dev/shm", "/home/student"])))'
    )
    assert outcome.printed.count("No space left") == 3
    assert 100 < number_after("wrote", outcome) <= 150
    ended(outcome)


def test_a_full_home_folder_keeps_nobody_from_being_tested(arena: Arena) -> None:
    outcome = arena.attack(RIGHT, before=FILL + 'print("wrote", fill("/home/student"))')
    assert number_after("wrote", outcome) > 40
    assert outcome.scores == POINTS
    assert outcome.kinds == set()


def test_files_with_holes_and_files_that_are_too_large(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, signal
refused = 0
for folder in ("/tmp", "/dev/shm", "/home/student"):
    for size in (10 << 30, 2**62, 21 << 20):
        try:
            with open(folder + "/hole", "wb") as file:
                os.truncate(file.fileno(), size)
        except OSError:
            refused += 1
        try:
            with open(folder + "/hole", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            refused += 1
        os.unlink(folder + "/hole")
print("refused", refused)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
"""
    )
    assert number_after("refused", outcome) == 18
    ended(outcome)


def test_empty_files_take_memory_too(arena: Arena) -> None:
    """About 1 kB each, which no limit of bytes counts."""
    outcome = arena.attack(
        before="""
import os, time
number = 0
while number < 3_000_000:
    os.mknod(f"/tmp/{number}")
    number += 1
print("came to the end")
"""
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds == {Kind.DISK_LIMIT}
    assert "came to the end" not in outcome.printed


MAPPED = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def left_behind(flags, file):
    at = libc.mmap(None, 50 << 20, 3, flags, file, 0)
    if at in (None, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "no place for it")
    ctypes.memset(at, 1, 50 << 20)
    libc.munmap(at, (50 << 20) - 4096)
    return 50
"""
# Memory that belongs to no process: it must not be had, or it must count.
UNCOUNTED = {
    "shared memory of System V": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
def take():
    segment = libc.shmget(0, 50 << 20, 0o1600)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "no segment")
    at = libc.shmat(segment, None, 0)
    if at in (None, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "no place for it")
    ctypes.memset(at, 1, 50 << 20)
    libc.shmdt(at)
    return 50
""",
    "files without a name": """
import os
def take():
    file = os.memfd_create("mine")
    return sum(os.write(file, b"x" * (1 << 20)) for _ in range(18)) >> 20
""",
    "queues of sockets": """
import os, socket, time
def fill():
    "As much as the sockets of one process take, 200 MB at most."
    keep, size = [], 0
    try:
        while size < 200 << 20:
            pair = socket.socketpair()
            keep.append(pair)
            for end in pair:
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
                except PermissionError:
                    pass
                end.setblocking(False)
                try:
                    while True:
                        size += end.send(b"x" * 65536)
                except BlockingIOError:
                    pass
    except OSError:  # as many as one process may have
        pass
    return keep, size
def take():
    read, write = os.pipe()
    if os.fork() == 0:
        keep, size = fill()
        os.write(write, str(size >> 20).encode())
        time.sleep(1000)
    size = int(os.read(read, 100))
    os.close(read)
    os.close(write)
    return size
""",
    "descriptors that are on their way": """
import array, os, socket
def take():
    # A file without a name whose last descriptor lies in a socket's queue.
    ours, theirs = socket.socketpair()
    file = os.memfd_create("mine")
    size = sum(os.write(file, b"x" * (1 << 20)) for _ in range(18)) >> 20
    socket.send_fds(ours, [b"x"], [file])
    os.close(file)
    return size
""",
    "shared pages that are mapped no more": MAPPED
    + """
def take():
    return left_behind(0x21, -1)
""",
    "pages of a device that are mapped no more": MAPPED
    + """
def take():
    return left_behind(1, os.open("/dev/zero", os.O_RDWR))
""",
    "descriptions of mappings": MAPPED
    + """
def take():
    if os.fork() == 0:
        at = libc.mmap(None, 4096 * 62_000, 3, 0x22, -1, 0)
        for place in range(at, at + 4096 * 62_000, 8192):
            libc.mprotect(place, 4096, 1)
        time.sleep(1000)
    time.sleep(0.3)
    return 30
""",
}


@pytest.mark.parametrize("what", UNCOUNTED)
def test_memory_that_belongs_to_no_process(arena: Arena, what: str) -> None:
    outcome = arena.attack(
        before=UNCOUNTED[what]
        + """
import time
taken = 0
try:
    while taken < 1800:
        taken += take()
        time.sleep(0.01)
except OSError as error:
    print("refused", error)
print("taken", taken)
time.sleep(1.5)
""",
        memory_mb=1300,
        cpu_seconds_per_cell=20.0,
        wall_seconds_per_cell=20.0,
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.MEMORY_LIMIT}
    if not outcome.kinds:
        assert number_after("taken", outcome) < 1300


def test_record_locks_take_no_memory_and_databases_are_still_written(arena: Arena) -> None:
    """Each is memory of the system's, and a file may have any number."""
    outcome = arena.attack(
        before="""
import fcntl, os, sqlite3
file = open("/tmp/locked", "w")
for place in range(2000):
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2 * place)
if os.fork() == 0:
    try:
        fcntl.lockf(open("/tmp/locked", "w"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(1, b"nothing is locked")
    finally:
        os._exit(0)
os.wait()
data = sqlite3.connect("/tmp/data")
data.execute("create table numbers (number int)")
data.execute("insert into numbers values (12)")
data.commit()
print("read", sqlite3.connect("/tmp/data").execute("select * from numbers").fetchall())
"""
    )
    assert "nothing is locked" in outcome.printed
    assert "read [(12,)]" in outcome.printed
    ended(outcome)


def test_a_hundred_thousand_open_files(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, time
print("ipykernel opens what it needs to print")  # when none is left, it waits in vain
time.sleep(1)
files = []
try:
    for _ in range(100_000):
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print("opened", len(files), error)
"""
    )
    assert number_after("opened", outcome) < 512
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL, Kind.PROTOCOL, Kind.TIME_LIMIT}


# -- output

FLOODS = {
    "print": "print('x' * 1000)",
    "stderr": "import sys; print('x' * 1000, file=sys.stderr)",
    "descriptor 1": "import os; os.write(1, b'x' * 1000)",
    "descriptor 2": "import os; os.write(2, b'x' * 1000)",
    "display": "from IPython.display import display; display('x' * 1000)",
    "html": "from IPython.display import display, HTML; display(HTML('<b>x</b>' * 1000))",
    "logging": "import logging; logging.warning('x' * 1000)",
    "warnings": "import warnings; warnings.warn('x' * 1000 + str(id(object())))",
    "a program": "import subprocess; subprocess.run(['seq', '100000'])",
    "a system command": "get_ipython().system('seq 100000')",
}
ENDLESS = """
import time
print("begun", flush=True)
time.sleep(0.3)  # or it is part of a message that is too large
while True:
    try:
        {}
    except BaseException:
        pass
"""


@pytest.mark.parametrize("way", FLOODS)
def test_a_flood_of_output(arena: Arena, memory: Any, way: str) -> None:
    outcome = arena.attack(
        before=ENDLESS.format(FLOODS[way]),
        cpu_seconds_per_cell=3.0,
        wall_seconds_per_cell=6.0,
        iopub_timeout=1,
        output_bytes_per_cell=50_000,
    )
    assert "begun" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.OUTPUT_LIMIT, Kind.TIME_LIMIT, Kind.KERNEL}
    assert outcome.kinds & {Kind.OUTPUT_LIMIT, Kind.TIME_LIMIT}
    small(memory, outcome)


REPLACING = {
    "clear_output": """
from IPython.display import clear_output
while True:
    clear_output()
    print("x" * 10_000)
""",
    "update_display": """
from IPython.display import display
handle = display("begun", display_id=True)
while True:
    handle.update("x" * 10_000)
""",
    "comm messages": """
from ipykernel.comm import Comm
comm = Comm(target_name="mine")
while True:
    comm.send({"x": "x" * 100_000})
""",
    "status messages": """
kernel = get_ipython().kernel
while True:
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "busy", "x": "x" * 9999},
                        parent=kernel.get_parent(), ident=b"status")
""",
    "messages of no kind": """
kernel = get_ipython().kernel
while True:
    kernel.session.send(kernel.iopub_socket, "nothing", {"x": "x" * 100_000},
                        parent=kernel.get_parent(), ident=b"nothing")
""",
    "inputs": """
while True:
    get_ipython().displayhook.start_displayhook()
    get_ipython().kernel._publish_execute_input("x" * 10_000, get_ipython().kernel.get_parent(), 1)
""",
}


@pytest.mark.parametrize("way", REPLACING)
def test_endless_messages_that_are_not_stored(arena: Arena, memory: Any, way: str) -> None:
    outcome = arena.attack(before=ONLY + REPLACING[way], **SHORT)
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.OUTPUT_LIMIT, Kind.TIME_LIMIT, Kind.KERNEL}
    assert outcome.kinds & {Kind.OUTPUT_LIMIT, Kind.TIME_LIMIT}
    small(memory, outcome)


LARGE = {
    "a text of 50 MB": "print('x' * 50_000_000)",
    "a text of 15 MB": "print('x' * 15_000_000)",
    "a picture of 50 MB": "from IPython.display import display, Image\n"
    "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(50_000_000), format='png'))",
    "a page of 10 million characters": "from IPython.display import display, HTML\n"
    "display(HTML('<p>x' * 2_500_000))",
    "a page of deep tags": "from IPython.display import display, HTML\n"
    "display(HTML('<div>' * 30_000))",
    "a million lines": "print('\\n' * 1_000_000)",
    "ten thousand outputs": "from IPython.display import display\n"
    "for number in range(10_000):\n    display(number)",
    "json of deep lists": "from IPython.display import publish_display_data as show\n"
    "deep = []\nfor _ in range(900):\n    deep = [deep]\nshow({'application/json': deep})",
}


@pytest.mark.parametrize("what", LARGE)
def test_a_large_output(arena: Arena, memory: Any, what: str) -> None:
    outcome = arena.attack(
        before=LARGE[what], after="print('after')", cpu_seconds_per_cell=10.0, iopub_timeout=1
    )
    assert "after" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.OUTPUT_LIMIT, Kind.KERNEL}
    small(memory, outcome)


MANY = "from IPython.display import display, publish_display_data\n" + ONLY
SWELLING = {
    "control characters": MANY + "print('\\x01' * 190_000)",
    "empty lines": MANY + "print('\\n' * 190_000)",
    "small outputs": MANY + "for number in range(900):\n    display(number)",
    "two streams in turn": MANY
    + "import sys\nfor _ in range(400):\n    for to in (sys.stdout, sys.stderr):\n"
    "        print('.', file=to, flush=True)",
    "errors": MANY + "for _ in range(20):\n"
    "    try: raise type('\\x01' * 10_000, (Exception,), {})('\\x01' * 20_000)\n"
    "    except Exception: get_ipython().showtraceback()",
    "an output that a widget takes to itself": MANY
    + """
from ipykernel.comm import Comm
state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel"}
state |= {"outputs": [], "msg_id": ""}
widget = Comm(target_name="jupyter.widget", data={"state": state})
mine = get_ipython().kernel.get_parent()["header"]["msg_id"]
def take(id):
    widget.send({"method": "update", "state": {"msg_id": id}, "buffer_paths": []})
from IPython.display import clear_output
for _ in range(10):
    publish_display_data({"text/plain": "x" * 150_000})
    take(mine)
    clear_output()
    take("")
print("begun")
""",
}


@pytest.mark.parametrize("what", SWELLING)
def test_outputs_that_are_larger_in_a_file_or_many(arena: Arena, what: str) -> None:
    outcome = arena.attack(
        RIGHT | {"total": f"{RIGHT['total']}\n{SWELLING[what]}"},
        before=SWELLING[what],
        after=SWELLING[what],
        output_bytes_per_submission=300_000,
    )
    assert outcome.printed.count("begun") >= 2
    assert outcome.scores == POINTS
    assert outcome.kinds <= {Kind.OUTPUT_LIMIT}
    assert len(nbformat.writes(outcome.nb).encode()) < 1_000_000
    assert sum(len(cell.get("outputs", ())) for cell in outcome.nb.cells) < 350


ELSEWHERE = """
import json, sys
sys.path.insert(0, {hostile!r})
from pathlib import Path
from arena import Arena, notebook
outcome = Arena(Path({root!r})).grade(notebook({{"total": "total = 10"}}, {before!r}), **{options})
print(json.dumps([outcome.scores, sorted(outcome.kinds), str(outcome.fault), outcome.printed]))
"""


def graded_elsewhere(root: Path, before: str, **options: Any) -> tuple[dict[str, float], set[str]]:
    """Grade in a process of its own, which is killed if it hangs: here no test could end it.

    Returns
    -------
    scores, kinds
        Of the submission, whose answer to `total` is right.
    """
    hostile = str(Path(__file__).parent)
    script = ELSEWHERE.format(
        hostile=hostile, root=str(root), before=ONLY + before, options={**SHORT, **options}
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        printed, errors = grader.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        family = psutil.Process(grader.pid).children(recursive=True)
        for process in (*family, psutil.Process(grader.pid)):
            with contextlib.suppress(psutil.Error):
                process.kill()
        grader.wait()
        pytest.fail("the grader hung")
    assert printed, errors[-2000:]
    scores, kinds, fault, text = json.loads(printed)
    assert fault == "None"
    assert "begun" in text
    return scores, set(kinds)


def test_an_error_too_large_for_a_message(tmp_path: Path) -> None:
    """Then the kernel's reply does not come, nor any after it."""
    scores, kinds = graded_elsewhere(tmp_path, "raise ValueError('x' * 15_000_000)")
    assert scores in (NOTHING, NOTHING | {"test_total": 1.0})
    assert kinds <= {Kind.KERNEL, Kind.TIME_LIMIT, Kind.OUTPUT_LIMIT}


GARBAGE = """
import os, socket, time
count = 0
for number in range(3, 300):
    try:
        connection = socket.socket(fileno=os.dup(number))
        if "/run/kernel/socket" in str(connection.getsockname()):
            connection.setblocking(False)
            {}
            count += 1
    except OSError:
        pass
print("connections", count)
time.sleep(0.5)
"""
DAMAGES = {
    "garbage": "connection.send(b'\\xff' * 1000)",
    "a frame of 2**62 bytes": "connection.send(b'\\x02' + (2**62).to_bytes(8, 'big'))",
    "a command that there is not": "connection.send(b'\\x04\\xff' + b'x' * 255)",
    "an end": "connection.shutdown(socket.SHUT_RDWR)",
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_to_the_connections_of_the_kernel(tmp_path: Path, what: str) -> None:
    scores, kinds = graded_elsewhere(tmp_path, GARBAGE.format(DAMAGES[what]))
    assert scores in (NOTHING, NOTHING | {"test_total": 1.0})
    assert kinds <= {Kind.KERNEL, Kind.TIME_LIMIT, Kind.PROTOCOL}


def test_questions_to_a_person_who_is_not_there(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import getpass, sys
raw = get_ipython().kernel.raw_input
for ask in (input, getpass.getpass, sys.stdin.readline, lambda: raw("?")):
    try:
        print("answered", repr(ask()))
    except Exception as error:
        print("refused", type(error).__name__)
"""
    )
    assert outcome.printed.count("refused StdinNotImplementedError") == 3
    assert "answered ''" in outcome.printed.replace("\\'", "'")
    ended(outcome)


# The kernel's own sockets, used past its session: 100 messages of 10 MB.
RAW = """
import time, zmq
kernel = get_ipython().kernel
parent = kernel.get_parent()
ident = parent["header"]["session"].encode()
iopub = kernel.iopub_socket.io_thread.socket
def message(kind):
    content = {"data": {"x": "y" * 10_000_000}, "comm_id": "mine", "name": "stdout", "text": "y"}
    return kernel.session.serialize(kernel.session.msg(kind, content, parent=parent), ident)
sent = 0
def send(socket, parts, **options):
    global sent
    socket.send_multipart(parts, copy=False, **options)
    sent += 10
print("begun", flush=True)
time.sleep(0.2)
"""
RAW_FLOODS = {
    "requests for input": """
for _ in range(100):
    send(kernel.stdin_socket, [ident, b"<IDS|MSG>", b"", b"y" * 10_000_000])
""",
    "one message again and again": """
parts = message("comm_msg")
for _ in range(100):
    send(iopub, parts)
""",
    "messages without a signature": """
for _ in range(100):
    send(iopub, [b"<IDS|MSG>", b"", b"y" * 10_000_000])
""",
    "replies": """
parts = message("execute_reply")
for _ in range(100):
    send(kernel.shell_stream.socket, parts)
""",
    "one message of a hundred parts": """
part = b"y" * 10_000_000
for _ in range(100):
    iopub.send(part, zmq.SNDMORE, copy=False)
    sent += 10
iopub.send(b"")
""",
}


@pytest.mark.parametrize("way", RAW_FLOODS)
def test_large_messages_faster_than_they_are_read(arena: Arena, memory: Any, way: str) -> None:
    outcome = arena.attack(
        before=RAW + RAW_FLOODS[way] + "\ntime.sleep(1)\nprint('sent', sent)\n",
        cpu_seconds_per_cell=10.0,
        iopub_timeout=1,
        memory_mb=3000,
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL, Kind.OUTPUT_LIMIT, Kind.TIME_LIMIT, Kind.MEMORY_LIMIT}
    small(memory, outcome)


# -- time

LOOPS = {
    "plain": "while True: pass",
    "that catches everything": """
while True:
    try:
        while True: pass
    except BaseException:
        pass
""",
    "in C: a power": "pow(3, 10**9)",
    "in C: a pattern": "import re; re.match('(a+)+b', 'a' * 60)",
    "in C: a sum": "import itertools; sum(itertools.count())",
    "in C: numpy": "x = np.ones((3000, 3000))\nwhile True: x = np.linalg.svd(x)[0]",
    "asleep": "import time; time.sleep(1000)",
    "asleep, and not to be woken": """
import time
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass
""",
    "with SIGINT ignored": """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
""",
    "with SIGINT blocked": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass
""",
    "with SIGINT handled": """
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: print("caught"))
while True: pass
""",
    "waiting for a lock": "import threading; lock = threading.Lock()\nwhile True: lock.acquire()",
    "waiting for a child": "import os, time\nif os.fork() == 0: time.sleep(1000)\nos.wait()",
    "of threads": """
import hashlib, threading
def burn():
    while True: hashlib.sha256(bytes(10_000_000)).digest()
for _ in range(20):
    threading.Thread(target=burn, daemon=True).start()
burn()
""",
    "of processes": """
import os
for _ in range(10):
    if os.fork() == 0:
        while True: pass
while True: pass
""",
}
INDENT = "\n    "
FUNCTION_LOOPS = (
    "that catches everything",
    "in C: a power",
    "asleep",
    "with SIGINT ignored",
    "with SIGINT blocked",
    "of processes",
)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cell_that_does_not_end(arena: Arena, loop: str) -> None:
    outcome = arena.attack(before="import numpy as np\n" + ONLY + LOOPS[loop], **SHORT)
    assert "begun" in outcome.printed
    ended(outcome, Kind.TIME_LIMIT)


@pytest.mark.parametrize("loop", FUNCTION_LOOPS)
def test_a_function_that_does_not_end(arena: Arena, loop: str) -> None:
    body = LOOPS[loop].strip().replace("\n", INDENT)
    outcome = arena.attack(
        {"double": f"def double(x):{INDENT}{body}{INDENT}return 2 * x", "total": "total = 10"},
        **SHORT,
    )
    assert outcome.scores["test_double"] == 0
    assert outcome.kinds <= {Kind.TIME_LIMIT, Kind.PROTOCOL}
    assert outcome.kinds


def test_a_function_that_waits_in_every_call_uses_up_no_more_than_the_submissions_time(
    arena: Arena,
) -> None:
    slow = "import time\ndef {}(*x):\n    time.sleep(1.5)"
    answers = {name: slow.format(name) for name in ("double", "mean", "apply")}
    outcome = arena.attack(
        answers | {"total": "time.sleep(2)\ntotal = 10"},
        wall_seconds_per_submission=4.0,
        iopub_timeout=1,
    )
    ended(outcome, Kind.TIME_LIMIT)
    assert "for the whole submission" in outcome.problems[-1].message


def test_computing_in_children_that_are_gone_before_anybody_looks(arena: Arena) -> None:
    """Nobody waits for them, so that their time is added to nobody's."""
    outcome = arena.attack(
        before=ONLY
        + """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
""",
        cpu_seconds_per_cell=2.0,
        wall_seconds_per_cell=120.0,
    )
    assert "begun" in outcome.printed
    ended(outcome, Kind.TIME_LIMIT)
    assert "2 s of CPU time" in str(outcome.problems)


def test_computing_in_children_one_after_another(arena: Arena) -> None:
    outcome = arena.attack(
        before=ONLY
        + """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(6):
    if os.fork() == 0:
        end = time.process_time() + 1
        while time.process_time() < end:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
print("all of", "it")
""",
        cpu_seconds_per_cell=2.0,
        wall_seconds_per_cell=120.0,
    )
    assert "begun" in outcome.printed
    assert "all of it" not in outcome.printed
    ended(outcome, Kind.TIME_LIMIT)


def test_timers_that_go_off_all_the_time(arena: Arena) -> None:
    outcome = arena.attack(
        before=ONLY
        + """
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)
signal.signal(signal.SIGVTALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_VIRTUAL, 1e-6, 1e-6)
""",
        **SHORT,
    )
    assert "begun" in outcome.printed
    assert outcome.scores == NOTHING
    # A handler that interrupts itself again and again may also end the kernel.
    assert outcome.kinds <= {Kind.TIME_LIMIT, Kind.KERNEL}


# -- the kernel's end

DEATHS = {
    "exit": "import os; os._exit(0)",
    "abort": "import os; os.abort()",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "replaced": "import os; os.execv('/usr/bin/true', ['true'])",
    "deep recursion": """
import sys, threading
sys.setrecursionlimit(10**9)
def deep(): deep()
class Deep:
    def __getattr__(self, name): return getattr(self, name)
try: deep()
finally: import ctypes; ctypes.string_at(0)
""",
    "shut down": """
import threading
app = __import__("ipykernel.kernelapp").kernelapp.IPKernelApp.instance()
app.kernel.do_shutdown(False)
app.kernel.io_loop.add_callback(app.kernel.io_loop.stop)
""",
}


@pytest.mark.parametrize("way", DEATHS)
def test_a_kernel_that_ends(arena: Arena, way: str) -> None:
    outcome = arena.attack({"total": "total = 10"}, before=ONLY + DEATHS[way])
    ended(outcome, Kind.KERNEL)


@pytest.mark.parametrize("way", ["exit", "abort", "segfault", "killed", "replaced"])
def test_a_function_that_ends_the_kernel(arena: Arena, way: str) -> None:
    outcome = arena.attack({"double": f"def double(x):\n    {DEATHS[way]}", "total": "total = 10"})
    ended(outcome, Kind.KERNEL)


STUNS = {
    "stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "replaced by a sleep": "import os; os.execv('/usr/bin/sleep', ['sleep', '1000'])",
    "replaced by a loop": "import os; os.execv('/usr/bin/yes', ['yes'])",
    "stopped again and again": """
import os, signal, time
kernel = os.getpid()
if os.fork() == 0:
    while True:
        os.kill(kernel, signal.SIGSTOP)
        time.sleep(0.01)
""",
    "without descriptors": "import os; os.closerange(0, 1000)",
    "without sockets": """
import zmq
kernel = get_ipython().kernel
for socket in (kernel.shell_stream, kernel.control_stream, kernel.stdin_socket):
    socket.close()
""",
    "without files": "import os\nfor n in os.listdir('/run/kernel'): os.unlink('/run/kernel/' + n)",
    "busy with tasks": """
import asyncio
async def forever():
    while True: pass
for _ in range(10):
    asyncio.ensure_future(forever())
""",
    "busy with waiting tasks": "import asyncio; await asyncio.sleep(1000)",
    "of another key": "get_ipython().kernel.session.key = b'mine'",
    "of another session": """
session = get_ipython().kernel.session
session.session = "theirs"
session.send = lambda *a, **k: None
""",
    "without an event loop": "import asyncio; asyncio.get_event_loop().stop()",
    "without modules": """
import sys
for name in list(sys.modules):
    if name != "sys": del sys.modules[name]
""",
    "that collects rubbish for ever": """
class Endless:
    def __del__(self):
        while True: pass
thing = Endless()
del thing
""",
    "that ends for ever": """
import atexit, sys, threading
def forever():
    while True: pass
atexit.register(forever)
threading._register_atexit(forever)
raise SystemExit
""",
    "that asks to be started anew": """
kernel = get_ipython().kernel
for kind in ("shutdown_request", "interrupt_request"):
    content = {"restart": True}
    kernel.session.send(kernel.control_stream.socket, kind, content, ident=b"mine")
get_ipython().run_cell("exit()")
get_ipython().ask_exit()
""",
}


@pytest.mark.parametrize("way", STUNS)
def test_a_kernel_that_is_there_and_does_not_work(arena: Arena, way: str) -> None:
    outcome = arena.attack({"total": "total = 10"}, before=ONLY + STUNS[way], **SHORT)
    # Some of these harm nothing: then an honest answer counts.
    assert outcome.scores in (NOTHING, NOTHING | {"test_total": 1.0})
    harmless = outcome.scores["test_total"] == 1
    assert outcome.kinds <= {Kind.KERNEL, Kind.TIME_LIMIT, Kind.PROTOCOL}
    assert harmless or outcome.kinds


def test_a_thread_that_prints_into_later_cells(arena: Arena, memory: Any) -> None:
    outcome = arena.attack(
        before=ONLY
        + """
import threading, time
def chat():
    while True:
        print("from behind " * 100)
        time.sleep(0.001)
threading.Thread(target=chat, daemon=True).start()
"""
    )
    assert "from behind" in outcome.printed
    tests = [c for c in outcome.nb.cells if "test_" in str(c.metadata.get("nbgrader"))]
    assert "from behind" not in str([cell.outputs for cell in tests])
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.OUTPUT_LIMIT}
    small(memory, outcome)


# -- between test and student


CALLING = """while True:
        try: f(x)
        except BaseException: pass"""


def test_a_function_that_calls_the_tests_function_for_ever(arena: Arena, memory: Any) -> None:
    outcome = arena.attack(
        {"apply": f"def apply(f, x):{INDENT}" + CALLING},
        cpu_seconds_per_cell=3.0,
        iopub_timeout=1,
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.TIME_LIMIT, Kind.PROTOCOL}
    assert outcome.kinds
    small(memory, outcome)


def test_a_function_that_calls_itself_and_the_tests_function_without_end(
    arena: Arena, memory: Any
) -> None:
    outcome = arena.attack(
        {"apply": f"def apply(f, x):{INDENT}return apply(f, f(x))"},
        before="import sys; sys.setrecursionlimit(10**6)",
        cpu_seconds_per_cell=3.0,
        iopub_timeout=1,
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.TIME_LIMIT, Kind.PROTOCOL, Kind.KERNEL}
    small(memory, outcome)


RETURNED = {
    "1 GB": "np.ones(1 << 27)",
    "32 MB of truth": "np.ones(32 << 20, dtype=bool)",
    "a million lists": "[[0.0]] * 1_000_000",
    "a list of lists without end": "loop()",
    "a view that is larger than memory": "np.broadcast_to(1.0, (1 << 40,))",
    "a number of a million digits": "10**1_000_000",
    "numbers without end": "iter(int, 1)",
    "a text of 1 GB": "'x' * (1 << 30)",
    "an array with one entry, said to be more": "Liar()",
}


@pytest.mark.parametrize("what", RETURNED)
def test_a_function_that_returns(arena: Arena, memory: Any, what: str) -> None:
    double = f"""
import numpy as np
def loop():
    x = []
    x.append(x)
    return x
class Liar:
    shape = (1 << 40,)
    def __len__(self): return 1 << 40
    def __getitem__(self, key): return 1.0
    def __iter__(self):
        while True: yield 1.0
def double(x):
    return {RETURNED[what]}
"""
    outcome = arena.attack({"double": double, "total": "total = 10"}, iopub_timeout=1)
    assert outcome.scores == NOTHING | {"test_total": 1.0}
    assert outcome.kinds <= {Kind.TIME_LIMIT}
    small(memory, outcome)


# -- the grader's end

KILLED = """
import sys
sys.path.insert(0, {hostile!r})
from pathlib import Path
from arena import Arena, notebook
Arena(Path({root!r})).grade(notebook({{}}, before={code!r}), cpu_seconds_per_cell=600.0,
                            wall_seconds_per_cell=600.0)
"""


def test_a_test_that_computes_without_end_with_what_it_was_given(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call in C, in which no timer goes off: the examiner is ended from outside."""
    monkeypatch.setattr(submission, "_EXAMINER_CPU_SECONDS", 1.5)
    nb = notebook(RIGHT | {"apply": "def apply(f, x):\n    f(np.ones((2400, 2400), int))"})
    [test] = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "test_apply"]
    hidden = "assert apply(lambda x: x @ x.T, 3.0) == 10.0"
    test.source = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    outcome = arena.grade(nb, wall_seconds_per_cell=40.0)
    assert outcome.fault is None
    assert outcome.scores == POINTS | {"test_apply": 0.0, "test_total": 0.0}
    assert outcome.kinds == {Kind.TIME_LIMIT}, outcome.problems
    assert "1.5 s of CPU time to check the notebook's answers" in str(outcome.problems)
    arena.expect_no_harm(outcome)


@contextlib.contextmanager
def grading_elsewhere(
    root: Path, code: str, begun: Callable[[list[psutil.Process]], bool]
) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Grade in a process of its own, which is killed in the end with all that it started.

    The block begins when the attack has begun; it gets the grader, and its processes then.
    """
    script = KILLED.format(
        hostile=str(Path(__file__).parent), root=str(root / "elsewhere"), code=code
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    family: list[psutil.Process] = []
    try:
        until = time.monotonic() + 120
        while not begun(family):
            assert time.monotonic() < until, "the attack did not begin"
            time.sleep(0.2)
            family = psutil.Process(grader.pid).children(recursive=True)
        yield grader, family
    finally:
        grader.kill()
        grader.wait()
        psutil.wait_procs(family, timeout=60)


AS_MANY_AS_MAY_BE = FORK + "while True:\n    pass\n"
COMPUTES = """
import time
def mean(x):
    end = time.process_time() + 1
    while time.process_time() < end:
        pass
    return np.asarray(x, dtype=float).mean(axis=0)
"""


def test_scores_are_the_same_beside_as_many_busy_processes_as_may_be(
    arena: Arena, tmp_path: Path
) -> None:
    """Under the limits of a class."""

    def are_there(family: list[psutil.Process]) -> bool:
        return sum("answering.nursery" in _command(process) for process in family) > 30

    honest = [notebook(RIGHT | {"mean": COMPUTES}), notebook({"mean": COMPUTES})]
    limits = {"cpu_seconds_per_cell": 60.0, "wall_seconds_per_cell": 180.0}
    with grading_elsewhere(tmp_path, AS_MANY_AS_MAY_BE, are_there):
        graded = [arena.grade(nb, **limits) for nb in honest]
    assert [outcome.scores for outcome in graded] == [POINTS, NOTHING | {"test_mean": 3.0}]
    assert [outcome.problems for outcome in graded] == [[], []]


def test_the_grader_killed_leaves_nothing(tmp_path: Path) -> None:
    code = """
import os, subprocess, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(0.01)
subprocess.Popen(["sleep", "98765"], start_new_session=True)
while True:
    pass
"""
    with grading_elsewhere(tmp_path, code, _has_sleeper) as (grader, family):
        names = " ".join(word for p in family for word in _command(p))
        assert "hw_grading.examiner.process" in names
        assert "bwrap" in names
        assert len(family) >= 8
        grader.kill()
        # Only folders with sockets stay, in the folder for temporary files.
        _, left = psutil.wait_procs(family, timeout=60)
        names = [" ".join(_command(process))[:60] for process in left]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
    assert names == []


def _has_sleeper(processes: list[psutil.Process]) -> bool:
    return any("98765" in _command(process) for process in processes)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_answers_in_use_are_wrong(arena: Arena) -> None:
    """What all of these rest on: with the arena's own answers nothing is gained."""
    assert arena.attack(WRONG).scores == NOTHING
