"""Attacks by writing: into every place of the file system, and into the folder of the sockets.

That folder is the only one which the grader sees too: it connects to what is there, looks at it
while a submission runs, and removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arena import NOTHING, Arena, Outcome

import hw_grading.inside
import hw_support
from hw_grading.problems import Kind

pytestmark = pytest.mark.slow

# Prints "WORKED name" or "refused name why" for everything that is tried.
TRY = """
import os, shutil, stat, time
def attempt(name, function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        print(f"refused {name} {type(error).__name__} {error}")
    else:
        print(f"WORKED {name}")
        return result
"""
# Asks every second or so whether it was killed: what is written next is one too many.
WAIT = "\nimport time; time.sleep(1)\n"


def worked(outcome: Outcome) -> set[str]:
    """The names of what worked; at least one thing must have been tried."""
    text = outcome.printed.replace("\\n", "\n")
    assert re.search(r"(WORKED|refused) ", text), text[-2000:]
    return set(re.findall(r"WORKED (\w+)", text))


def refused(outcome: Outcome) -> set[str]:
    return set(re.findall(r"refused (\w+)", outcome.printed))


def nothing_gained(outcome: Outcome, seconds: float = 15) -> None:
    """No point, no problem worth a note, and an end in time."""
    assert outcome.scores == NOTHING
    assert outcome.kinds == set()
    assert outcome.seconds < seconds


def too_much_written(outcome: Outcome, seconds: float = 15) -> None:
    """Killed for what it wrote."""
    assert outcome.scores == NOTHING
    assert outcome.kinds == {Kind.DISK_LIMIT}
    assert outcome.seconds < seconds


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the folders of the sockets are made; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert [name for name in os.listdir(folder) if "kernel" in name] == []


class Watcher:
    """Looks again and again, from outside, at what lies in the folders of the sockets."""

    def __init__(self, runs: Path) -> None:
        self.most_bytes = 0
        self.modes: set[int] = set()
        self._runs = runs
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            size = 0
            for where, folders, files in os.walk(self._runs):
                for name in folders + files:
                    with contextlib.suppress(OSError):
                        status = os.lstat(os.path.join(where, name))
                        size += status.st_blocks * 512
                        self.modes.add(status.st_mode)
            self.most_bytes = max(self.most_bytes, size)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


# -- everywhere


def test_a_file_in_every_folder_that_there_is(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os
tried, could = 0, []
for where, folders, _ in os.walk("/"):
    tried += 1
    try:
        os.close(os.open(where + "/mine", os.O_CREAT | os.O_WRONLY))
        os.unlink(where + "/mine")
        could.append(where)
    except OSError:
        pass
mine = ("/home/student", "/tmp", "/dev/shm", "/run/kernel")
print("tried", tried > 1000, "could", sorted({p for p in mine for c in could if c == p}))
print("others", [c for c in could if not any((c + "/").startswith(p + "/") for p in mine)])
""",
        cpu_seconds_per_cell=20.0,
        wall_seconds_per_cell=60.0,
    )
    nothing_gained(outcome, 60)
    printed = outcome.printed.replace("\\'", "'")
    assert "tried True could ['/dev/shm', '/home/student', '/run/kernel', '/tmp']" in printed
    assert "others []" in printed


def own_files() -> dict[Path, str]:
    """Digests of what the sandbox shows of this project and of the environment."""
    paths = [*Path(hw_support.__file__).parent.glob("*.py")]
    paths += Path(hw_grading.inside.__file__).parent.glob("*.py")
    paths += [Path(os.__file__), Path(np_file()), Path(sys.executable).resolve()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def np_file() -> str:
    import numpy as np

    return np.__file__


def test_overwriting_the_environment_and_the_homework(arena: Arena) -> None:
    before = own_files()
    outcome = arena.attack(
        before=TRY
        + """
import mmap, sys, numpy
places = [os.__file__, numpy.__file__, os.path.realpath(sys.executable), "/usr/bin/env",
          "/etc/ld.so.cache", "/opt/homework/hw_support/checks.py", "/opt/homework/hw_support",
          "/opt/homework/answering/serve.py", "/opt/homework/answering", "/opt/env", "/usr/lib"]
def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"raise SystemExit")
def through_memory(path):
    with open(path, "rb") as file:
        mmap.mmap(file.fileno(), 100, prot=mmap.PROT_READ | mmap.PROT_WRITE)
for path in places:
    assert os.path.exists(path), path
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    attempt("overwrite", overwrite, path)
    attempt("empty", os.truncate, path, 0)
    attempt("through_memory", through_memory, path)
    attempt("chmod", os.chmod, path, 0o777)
    attempt("chown", os.chown, path, 1000, 1000)
    attempt("touch", os.utime, path, (0, 0))
    attempt("delete", os.rmdir if folder == path else os.unlink, path)
    attempt("rename", os.rename, path, path + ".old")
    attempt("move_over", os.rename, shutil.copy("/usr/bin/env", "/tmp/copy"), path)
    attempt("hard_link", os.link, path, "/tmp/link")
    attempt("attribute", os.setxattr, path, "user.mine", b"1")
    attempt("file_within", open, folder + "/a.py", "w")
    attempt("cache", os.makedirs, folder + "/__pycache__")
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 13
    assert own_files() == before


def test_the_course_by_its_real_paths(arena: Arena) -> None:
    names = ("gradebook.db", "source/hw2/hw2.ipynb", "autograded/attacker/hw2/hw2.ipynb")
    outcome = arena.attack(
        before=TRY
        + f"""
import sqlite3
for name in {names}:
    real = "{arena.course}/" + name
    for path in (real, "../../../" + name, "../" * 30 + real):
        attempt("write", open, path, "w")
        attempt("append", open, path, "a")
        attempt("link", os.symlink, "/tmp", path)
        attempt("rename", os.rename, "/tmp", path)
        attempt("database", lambda: sqlite3.connect(path).execute("create table grade (x)"))
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 5


def test_links_to_the_course_in_the_working_folder(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + f"""
for number, name in enumerate(("gradebook.db", "source/hw2/hw2.ipynb", "nbgrader_config.py")):
    os.symlink("{arena.course}/" + name, str(number))
    attempt("write", open, str(number), "w")
    attempt("read", open, str(number))
os.symlink("{arena.course}", "course")
attempt("folder", os.listdir, "course")
os.symlink("/proc/self/root", "root")
attempt("root", os.listdir, "root")
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"write", "read", "folder", "root"}


def test_devices_old_and_new(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
for folder in ("/tmp", "/home/student", "/dev/shm", "/run/kernel", "/dev"):
    for kind, numbers in ((stat.S_IFCHR, [(1, 1), (1, 3), (1, 11), (10, 229), (10, 232), (5, 1)]),
                          (stat.S_IFBLK, [(254, 0), (8, 0), (7, 0)])):
        for major, minor in numbers:
            attempt("mknod", os.mknod, f"{folder}/new", kind | 0o666, os.makedev(major, minor))
for name in ("kmsg", "mem", "kmem", "port", "sda", "vda", "nvme0n1", "dm-0", "loop0",
             "loop-control", "fuse", "kvm", "vsock", "vhost-vsock", "net/tun", "console", "tty1",
             "input/event0", "dri/card0", "snapshot", "hpet", "uinput", "mapper/control",
             "userfaultfd"):
    attempt("open", os.open, "/dev/" + name, os.O_RDWR)
for where, _, names in os.walk("/dev"):
    for name in names:
        path = os.path.join(where, name)
        if not os.path.islink(path):
            print("there is", path)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"mknod", "open"}
    found = set(re.findall(r"there is /dev/([\w/]+)", outcome.printed))
    assert found <= {"null", "zero", "full", "random", "urandom", "tty", "pts/ptmx"}


def test_names_as_odd_as_they_can_be(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
names = [b"..", b".", b"", b"a/../../../../etc", b"\\0", b"new\\nline", b"x" * 255, b"x" * 256,
         b"\\xff\\xfe\\x80", b"-rf", b"*", b"$(id)", b"`id`", b" ", b"\\x1b[2J", b"\\xe2\\x80\\xae"]
made = 0
for folder in (b"/home/student/", b"/tmp/"):
    for name in names:
        try:
            os.mkdir(folder + name)
            made += 1
        except (OSError, ValueError):
            pass
print("made", made)
os.chdir(b"/home/student/\\xff\\xfe\\x80")
path = "/tmp/" + "x" * 255
for _ in range(30):  # longer than any path may be
    os.chdir("/tmp/" if path is None else path)
    os.mkdir("y" * 255)
    path = "y" * 255
print("deep")
"""
    )
    nothing_gained(outcome)
    assert "made 20" in outcome.printed
    assert "deep" in outcome.printed


def test_rights_owners_and_masks(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import subprocess
for folder in ("/tmp", "/home/student", "/dev/shm"):
    path = shutil.copy("/usr/bin/id", folder + "/id")
    attempt("chown", os.chown, path, 0, 0)
    attempt("chgrp", os.chown, path, -1, 0)
    attempt("capability", os.setxattr, path, "security.capability", b"\\1\\0\\0\\2" + bytes(16))
    attempt("trusted", os.setxattr, path, "trusted.mine", b"1")
    os.chmod(path, 0o6777)
    print("runs as", subprocess.run(path, capture_output=True, text=True).stdout[:9])
for path in ("/", "/home", "/opt", "/run", "/dev", "/usr"):
    attempt("open_up", os.chmod, path, 0o777)
os.umask(0o777)
open("/tmp/closed", "w")
os.umask(0)
os.chmod("/home/student", 0)
os.chmod("/tmp", 0)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert outcome.printed.count("runs as uid=1000") == 3
    assert "uid=0" not in outcome.printed


def test_moving_and_removing_mounts(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import ctypes
mounts = ("/tmp", "/home/student", "/home", "/dev/shm", "/dev", "/run/kernel", "/run", "/usr",
          "/opt", "/opt/fonts", "/opt/env", "/")
for path in mounts:
    attempt("move", os.rename, path, "/tmp/moved")
    attempt("move_here", os.rename, path, "moved")
    attempt("remove", os.rmdir, path)
    os.makedirs("/tmp/new", exist_ok=True)
    attempt("replace", os.rename, "/tmp/new", path)
    attempt("link", os.symlink, "/tmp", path)
libc = ctypes.CDLL(None, use_errno=True)
for one, other in ((b"/tmp", b"/home/student"), (b"/run/kernel", b"/tmp")):
    def exchange():
        if libc.renameat2(-100, one, -100, other, 2) != 0:
            raise OSError(ctypes.get_errno(), "no")
    attempt("exchange", exchange)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 6


def test_removing_everything_that_can_be_removed(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
import os, shutil
shutil.rmtree("/", ignore_errors=True)
print("left", os.listdir("/run/kernel"), os.listdir("/home/student"), len(os.listdir("/usr")) > 3)
""",
        after="import os; print('still', os.getcwd())",
    )
    assert "left [] [] True" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL}
    assert outcome.seconds < 30


def test_things_left_for_the_next_student(arena: Arena) -> None:
    leave = """
import os, glob
for folder in ("/tmp", "/dev/shm", "/home/student", "/run/kernel", "/home/student/.ipython"):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/left.py", "w") as file:
        file.write("raise SystemExit")
for path in glob.glob("/home/student/.cache/matplotlib/*"):
    with open(path, "w") as file:
        file.write("poison")
startup = "/home/student/.ipython/profile_default/startup"
os.makedirs(startup, exist_ok=True)
with open(startup + "/00.py", "w") as file:
    file.write("double = 'theirs'")
try:
    open("/opt/fonts/mine", "w")
except OSError:
    print("fonts are not to be written")
print("left them")
"""
    look = """
import os
found = [os.path.join(where, name)
         for folder in ("/tmp", "/dev/shm", "/home/student", "/run/kernel", "/opt/fonts")
         for where, _, names in os.walk(folder) for name in names]
lists = [p for p in found if "fontlist" in p]
print("found", [p for p in found if "left" in p or "startup/00" in p or "mine" in p],
      len(lists) > 0, any("poison" in open(p).read(100) for p in lists))
print("theirs", "double" in globals())
"""
    outcome = arena.attack(before=leave)
    nothing_gained(outcome)
    assert "left them" in outcome.printed
    assert "fonts are not to be written" in outcome.printed
    outcome = arena.attack(before=look)
    assert "found [] True False" in outcome.printed
    assert "theirs False" in outcome.printed


# -- the folder of the sockets


def test_sockets_that_are_links_to_sockets_of_the_machine(arena: Arena, runs: Path) -> None:
    """The grader connects anew when a connection ends: it must not be sent elsewhere."""
    came: list[Any] = []
    path = runs / "s"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o777)
    listener.listen(50)
    listener.settimeout(0.1)
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                came.append(listener.accept())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    outcome = arena.attack(
        before=f"""
import os, socket, time
for number in range(1, 6):
    os.unlink(f"/run/kernel/socket-{{number}}")
    os.symlink({str(path)!r}, f"/run/kernel/socket-{{number}}")
print("linked", flush=True)
time.sleep(0.3)
ended = 0
for number in range(3, 300):
    try:
        connection = socket.socket(fileno=os.dup(number))
        if "/run/kernel/socket" in str(connection.getsockname()):
            connection.shutdown(socket.SHUT_RDWR)
            ended += 1
    except OSError:
        pass
time.sleep(1)
""",
        wall_seconds_per_cell=4.0,
    )
    over.set()
    thread.join()
    listener.close()
    path.unlink()
    assert "linked" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL, Kind.TIME_LIMIT}
    assert outcome.seconds < 25
    assert came == []


@pytest.mark.parametrize("what", ["link", "folder", "pipe", "file", "dangling"])
def test_other_things_in_the_place_of_the_sockets_and_files(
    arena: Arena, runs: Path, what: str
) -> None:
    make = {
        "link": f"os.symlink('{arena.course}/source/hw2/hw2.ipynb', path)",
        "folder": f"os.mkdir(path); os.symlink('{arena.course}', path + '/course')",
        "pipe": "os.mkfifo(path)",
        "file": "open(path, 'w').write('not a socket')",
        "dangling": "os.symlink(path, path)",
    }[what]
    outcome = arena.attack(
        before=f"""
import os
for name in os.listdir("/run/kernel"):
    path = "/run/kernel/" + name
    os.unlink(path)
    {make}
print("replaced", len(os.listdir("/run/kernel")))
"""
    )
    nothing_gained(outcome)
    assert "replaced 7" in outcome.printed


def test_ten_thousand_files_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
for number in range(10_000):
    open(f"/run/kernel/{number}", "w").close()
print("made them")
"""
        + WAIT
    )
    too_much_written(outcome)


def test_a_large_file_beside_the_sockets(arena: Arena, runs: Path) -> None:
    watcher = Watcher(runs)
    outcome = arena.attack(
        before="""
with open("/run/kernel/large", "wb", buffering=0) as file:
    try:
        while file.write(b"x" * 2**20):
            pass
    except OSError as error:
        print("at the end", file.tell(), error)
"""
        + WAIT
    )
    watcher.end()
    too_much_written(outcome)
    assert 1e6 < watcher.most_bytes < 50e6


def test_large_files_in_a_folder_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
import os, time
os.makedirs("/run/kernel/deep/folder")
for number in range(10):
    with open(f"/run/kernel/deep/folder/{number}", "wb") as file:
        file.write(b"x" * (15 << 20))
    time.sleep(0.2)
print("wrote 150 MB")
"""
        + WAIT
    )
    assert "wrote 150 MB" not in outcome.printed
    too_much_written(outcome)


def test_large_files_beside_the_sockets_that_have_no_name_any_more(
    arena: Arena, runs: Path
) -> None:
    outcome = arena.attack(
        before="""
import os, time
files = []
for number in range(10):
    files.append(open("/run/kernel/gone", "wb"))
    os.unlink("/run/kernel/gone")
    files[-1].write(b"x" * (15 << 20))
    files[-1].flush()
    time.sleep(0.2)
print("wrote 150 MB")
"""
        + WAIT
    )
    assert "wrote 150 MB" not in outcome.printed
    too_much_written(outcome)


def test_many_small_files_in_a_folder_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
import os, time
os.mkdir("/run/kernel/folder")
for number in range(20_000):
    open(f"/run/kernel/folder/{number}", "w").close()
print("made 20,000")
"""
        + WAIT
    )
    assert "made 20,000" not in outcome.printed
    too_much_written(outcome)


def test_a_folder_beside_the_sockets_too_deep_to_remove(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
import os
os.chdir("/run/kernel")
for number in range(3000):
    os.mkdir("d")
    os.chdir("d")
print("deep")
os.chdir("/home/student")
"""
    )
    assert "deep" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.DISK_LIMIT}
    assert outcome.seconds < 15


def test_a_file_beside_the_sockets_that_comes_and_goes(arena: Arena, runs: Path) -> None:
    """The grader looks at a list of names, some of which are gone before it looks at them."""
    outcome = arena.attack(
        before="""
import os, time
until, count = time.time() + 3, 0
name = f"/run/kernel/{os.fork() == 0}{os.fork() == 0}"
while time.time() < until:
    os.close(os.open(name, os.O_CREAT))
    os.unlink(name)
    count += 1
if "True" in name:
    os._exit(0)
print("came and went", count > 1000)
""",
        cpu_seconds_per_cell=15.0,
    )
    assert "came and went True" in outcome.printed or Kind.DISK_LIMIT in outcome.kinds
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.DISK_LIMIT}
    assert outcome.seconds < 15


def test_a_folder_of_sockets_that_nobody_may_read(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before="""
import os
os.makedirs("/run/kernel/a/b")
open("/run/kernel/a/b/c", "w").close()
for path in ("/run/kernel/a/b", "/run/kernel/a", "/run/kernel"):
    os.chmod(path, 0)
print("closed")
"""
        + WAIT
    )
    assert "closed" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.DISK_LIMIT, Kind.KERNEL}
    assert outcome.seconds < 15


def test_a_program_that_others_on_the_machine_would_run_as_the_grader(
    arena: Arena, runs: Path
) -> None:
    """A file there belongs, outside, to the user whom the sandbox is run by."""
    watcher = Watcher(runs)
    outcome = arena.attack(
        before="""
import os, shutil, time
os.chmod("/run/kernel", 0o777)
shutil.copy("/usr/bin/env", "/run/kernel/env")
os.chmod("/run/kernel/env", 0o6777)
print("mode", oct(os.stat("/run/kernel/env").st_mode))
time.sleep(0.5)
""",
    )
    watcher.end()
    assert "mode" in outcome.printed
    assert outcome.scores == NOTHING
    assert not any(mode & (stat.S_ISUID | stat.S_ISGID) for mode in watcher.modes)


def test_hard_links_of_the_graders_files_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before=TRY
        + """
for path in ("/opt/homework/answering/start.py", "/usr/bin/env", "/run/kernel/grader.json"):
    attempt("link", os.link, path, "/run/kernel/linked")
attempt("read_key", open, "/run/kernel/grader.json")
attempt("write_key", open, "/run/kernel/grader.json", "a")
"""
    )
    assert outcome.scores == NOTHING
    assert {"read_key", "write_key"} <= refused(outcome) or "No such file" in outcome.printed
    assert "link" not in worked(outcome)
    assert outcome.seconds < 15


def test_odd_names_and_locks_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import fcntl
for name in (b"\\xff\\xfe", b"x" * 255, b"new\\nline", b" ", b"-rf"):
    os.mkdir(b"/run/kernel/" + name)
    file = open(b"/run/kernel/" + name + b"/" + name, "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
folder = os.open("/run/kernel", os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX)
print("made", len(os.listdir("/run/kernel")))
time.sleep(0.6)
"""
    )
    assert "made" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.DISK_LIMIT}
    assert outcome.seconds < 15
