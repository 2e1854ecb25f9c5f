"""Attacks by writing: into every place of the file system, and into the folder of the sockets.

That folder is the only one that the grader has shared: it is taken away before the first cell.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import NOTHING, STUDENT, Arena, Outcome

import hw_grading.inside
import hw_support
from hw_support.submission.problems import Kind

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


def worked(outcome: Outcome) -> set[str]:
    """The names of what worked; at least one thing must have been tried."""
    text = outcome.printed.replace("\\n", "\n")
    assert re.search(r"(WORKED|refused) ", text), text[-2000:]
    return set(re.findall(r"WORKED (\w+)", text))


def refused(outcome: Outcome) -> set[str]:
    return set(re.findall(r"refused (\w+)", outcome.printed))


def nothing_gained(outcome: Outcome) -> None:
    """No point, and no problem worth a note."""
    assert outcome.scores == NOTHING
    assert outcome.kinds == set()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the folders of the sockets are made; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert [name for name in os.listdir(folder) if "kernel" in name] == []


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
    nothing_gained(outcome)
    printed = outcome.printed.replace("\\'", "'")
    assert "tried True could ['/dev/shm', '/home/student', '/tmp']" in printed
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
    names = ("gradebook.db", "source/hw2/hw2.ipynb", f"autograded/{STUDENT}/hw2/hw2.ipynb")
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


@pytest.mark.smoke
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


def test_things_left_for_the_next_student(arena: Arena) -> None:
    leave = """
import os, glob
for folder in ("/tmp", "/dev/shm", "/home/student", "/home/student/.ipython"):
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


@pytest.mark.parametrize(
    "make",
    [
        "open(path, 'w')",
        "os.mkdir(path)",
        "os.symlink('/tmp', path)",
        "os.link('/home/student/own', path)",
        "os.mkfifo(path)",
        "os.rename('/home/student/own', path)",
        "socket.socket(socket.AF_UNIX).bind(path)",
        "os.chdir('/run/kernel'); open('new', 'w')",
    ],
)
def test_nothing_can_be_made_where_the_kernels_sockets_were(arena: Arena, make: str) -> None:
    """It was a folder of the machine: of its disk, and with links that the grader would follow."""
    outcome = arena.attack(
        before=f"""
import os, socket
open("/home/student/own", "w").close()
path = "/run/kernel/new"
os.chmod("/run/kernel", 0o7777)
print("there", os.listdir("/run/kernel"))
try:
    {make}
except OSError as error:
    print("refused", error.errno in (2, 18), error)  # no such folder; another file system
""",
    )
    nothing_gained(outcome)
    assert "there []" in outcome.printed
    assert "refused True" in outcome.printed


def test_the_folder_of_a_run_is_for_nobody_else_and_gone_afterwards(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    over = threading.Event()
    # A folder for this test alone: others are running. Short, for the paths of sockets.
    place = Path(tempfile.mkdtemp(prefix="w-"))
    place.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    def look() -> None:
        while not over.wait(0.01):
            for path in place.glob("hw-kernel-*"):
                with contextlib.suppress(OSError):
                    seen.append(stat.S_IMODE(path.stat().st_mode))

    thread = threading.Thread(target=look)
    thread.start()
    nothing_gained(arena.attack(before="import os\nos.chmod('/run/kernel', 0o777)"))
    over.set()
    thread.join()
    assert seen
    assert not any(mode & 0o077 for mode in seen)
    assert not list(place.glob("hw-kernel-*"))
    shutil.rmtree(place)
