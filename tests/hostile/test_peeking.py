"""Attacks that look for what is secret: hidden tests, expected values, the course, other students.

What is looked for is written backwards in the student's code, and so are the texts in which it is
looked for: else each of them would find itself. Each attack says how much it looked at, so that one
that looked at nothing does not pass.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import CANARY, EXPECTED, NOTHING, SEED, STUDENT, Arena, Outcome, notebook
from nbformat import NotebookNode

import hw_grading

pytestmark = pytest.mark.slow

PACKAGE = str(Path(hw_grading.__file__).resolve().parent)
# Texts of hidden tests, and what would tell of the course, of the grader and of other students.
HIDDEN = (
    *(
        f"{EXPECTED} - ",
        "BEGIN HIDDEN",
        "of other seven and more",
        "of many rows",
        "leaves its input alone",
    ),
    *("a secret function", f"double(21{EXPECTED[:1]}1)", f"{EXPECTED}.0 * x", "8485.0"),
)
PLACES = (CANARY, "HW_GRADING_CANARY", "gradebook.db", "hw_grading", "submitted/other", STUDENT)


def secrets_of(arena: Arena) -> list[str]:
    """Return everything that student code must not find, hidden texts aside."""
    home = f"{Path.home()}/"
    folders = [str(arena.course), PACKAGE, *([home] if len(home) > 2 else [])]
    seed = str(SEED)
    return [*PLACES, *folders, str(Path(tempfile.gettempdir()) / "hw-kernel-"), seed]


def looking(needles: list[str] | tuple[str, ...]) -> str:
    """Return code with `search(kind, text)`, which notes what it finds, and `report()`."""
    return f"""
import ctypes, errno, gc, json, os, socket, stat, struct, sys, types
backwards = {[needle[::-1] for needle in needles]!r}
found, looked = [], [0]
def search(kind, text):
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("latin-1")
    looked[0] += 1
    text = str(text)[::-1]
    for needle in backwards:
        if needle in text:
            at = text.index(needle)
            found.append((kind, needle, text[max(0, at - 30) : at + len(needle) + 30]))
def report():
    print("looked at", looked[0], "found", found[:20])
"""


def expect_nothing_found(outcome: Outcome, at_least: int = 1) -> None:
    assert outcome.scores in (NOTHING, {**NOTHING, "test_total": 1.0})
    reports = re.findall(r"looked at (\d+) found (\[.*?\])\\n", outcome.printed)
    assert reports, outcome.printed[-2000:]
    assert {found for _, found in reports} == {"[]"}
    assert int(reports[-1][0]) >= at_least
    assert CANARY not in outcome.printed


def by_grade_id(nb: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


# -- tests, from within


_IN_FRAMES = """
def look_around():
    frame = sys._getframe(1)
    while frame:
        search("code of " + frame.f_code.co_name, frame.f_code.co_consts)
        search("names of " + frame.f_code.co_name, frame.f_code.co_names)
        for name, value in {**frame.f_locals}.items():
            if name not in ("backwards", "found", "frame"):
                try:
                    search(frame.f_code.co_name + " " + name, repr(value)[:100_000])
                except Exception:
                    pass
        frame = frame.f_back
"""


@pytest.mark.smoke
def test_frames_of_callers_hold_nothing_of_a_test(arena: Arena) -> None:
    # On stock nbgrader the caller's frame is the test itself.
    outcome = arena.attack(
        before=looking(HIDDEN) + _IN_FRAMES,
        answers={
            "double": "def double(x):\n    look_around()\n    return 0",
            "mean": "def mean(x):\n    look_around()\n    return [0.0, 0.0]",
            "apply": """
class Argument(float):
    def __array__(self, *a, **k):
        look_around()
        return np.array(1.0)
    __float__ = __index__ = __array__
def apply(f, x):
    look_around()
    for thing in (Argument(1), x):
        try:
            f(thing)
        except Exception:
            look_around()
    return -1
""",
            "total": "total = 10",
        },
        after="report()",
    )
    expect_nothing_found(outcome, at_least=500)


def test_what_is_reachable_from_a_function_of_the_test_is_nothing_of_the_test(
    arena: Arena,
) -> None:
    # On stock nbgrader `f.__code__` and `f.__globals__` are the test's own.
    outcome = arena.attack(
        before=looking(HIDDEN),
        answers={
            "apply": """
def reach(f):
    search("name", f.__name__ + f.__qualname__ + str(f.__module__) + str(f.__doc__))
    seen, stack = {id(found), id(backwards), id(globals())}, [f]
    while stack and len(seen) < 200_000:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, (str, bytes, int, float)):
            search("reached", thing)
        elif isinstance(thing, types.CodeType):
            stack += [*thing.co_consts, *thing.co_names, thing.co_filename]
        elif not isinstance(thing, types.ModuleType):
            stack += gc.get_referents(thing)
kinds = []
def apply(f, x):
    if x != 2.0:
        return -1
    kinds.append((f.__code__.co_filename, f.__closure__ is not None))
    reach(f)
    return -1
""",
            "total": "total = 10",
        },
        after="report()\nprint('kinds', kinds)",
    )
    expect_nothing_found(outcome, at_least=1000)
    assert "kinds [(" in outcome.printed


def test_all_objects_of_the_process_hold_nothing_of_a_test(arena: Arena) -> None:
    # On stock nbgrader they hold everything.
    outcome = arena.attack(
        before=looking(HIDDEN),
        answers={
            "apply": """
def rummage():
    mine = {id(backwards), id(found), id(globals())}
    gc.unfreeze()  # or those that were there before the kernel was forked would be passed over
    for thing in gc.get_objects():
        if id(thing) in mine or isinstance(thing, types.ModuleType):
            continue
        for part in gc.get_referents(thing):
            if isinstance(part, (str, bytes)) and len(part) < 10_000_000:
                search(type(thing).__name__, part)
            elif isinstance(part, types.CodeType):
                for constant in part.co_consts:
                    search(part.co_name, constant)
def apply(f, x):
    if x == 2.0:
        rummage()
    return -1
""",
            "total": "total = 10",
        },
        after="rummage()\nreport()",
        cpu_seconds_per_cell=30.0,
        wall_seconds_per_cell=60.0,
    )
    expect_nothing_found(outcome, at_least=50_000)


def test_the_memory_of_the_process_holds_nothing_of_a_test(arena: Arena) -> None:
    # All pages near what is known, those that Python has freed too: a test's text that was once
    # there would be found. Reading is left to a system call, which refuses what is not there.
    outcome = arena.attack(
        before=looking([*HIDDEN, CANARY, str(arena.course), str(SEED)])
        + """
planted = "-".join(["this", "is", "there"]).encode()
libc = ctypes.CDLL(None)
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
pages, seen = [0], []
# In one place, and emptied each time: a copy that is turned round would be found later.
page_of_mine, empty = bytearray(4096), bytes(4096)
def scan(centre, around=48 << 20):
    read, write = os.pipe()
    first = max(centre - around, 4096) & ~4095
    for page in range(first, first + 2 * around, 4096):
        if libc.write(write, page, 4096) == 4096:
            pages[0] += 1
            os.readv(read, [page_of_mine])
            page_of_mine.reverse()
            if b"ereht-si-siht" in page_of_mine:
                seen.append(page)
            for needle in backwards:
                if needle.encode() in page_of_mine:
                    found.append(("page", needle))
            page_of_mine[:] = empty
    os.close(read), os.close(write)
""",
        answers={"total": "total = 10"},
        after="""
keep = bytearray(100), bytes(1 << 20), ctypes.create_string_buffer(100)
centres = {
    id(planted), id(keep), id(keep[1]), id(sys.modules), ctypes.addressof(keep[2]),
    np.zeros(10).ctypes.data, np.zeros(1 << 20).ctypes.data,
    ctypes.c_void_p.in_dll(libc, "environ").value,
}
for centre in centres:
    scan(centre)
looked[0] = pages[0]
report()
print("planted", len(seen) > 0)
""",
        cpu_seconds_per_cell=60.0,
        wall_seconds_per_cell=120.0,
    )
    expect_nothing_found(outcome, at_least=5_000)
    assert "planted True" in outcome.printed


def test_the_history_holds_visible_parts_only(arena: Arena) -> None:
    # On stock nbgrader `In[-1]` is the test cell, hidden tests included.
    outcome = arena.attack(
        before=looking([*HIDDEN, EXPECTED]),
        answers={
            "double": """
import glob
def double(x):
    shell = get_ipython()
    for name in ("In", "Out", "_ih", "_oh", "_dh", "_i", "_ii", "_iii", "_", "__", "___"):
        for entry in list(shell.user_ns.get(name) or [""]):
            search(name, entry)
    manager = shell.history_manager
    for entry in [*manager.input_hist_raw, *manager.input_hist_parsed]:
        search("history", entry)
    for entry in manager.get_range(output=True):
        search("range", entry)
    try:
        for entry in manager.search("*"):
            search("file", entry)
    except Exception:
        pass
    search("last", shell.last_execution_result)
    search("parent", shell.parent_header), search("parent", shell.kernel.get_parent())
    for entry in shell.kernel.get_parent()["content"].values():
        search("request", entry)
    return 0
""",
            "total": "total = 10",
        },
        after="report()\nprint('visible', any('of 3' in entry for entry in In))",
    )
    expect_nothing_found(outcome, at_least=50)
    assert "visible True" in outcome.printed


def test_messages_to_the_kernel_hold_nothing_of_a_test(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking(HIDDEN)
        + """
import answering.serve, answering.wire as wire
kernel, before = get_ipython().kernel, wire.unpack
requests = type(kernel.session).deserialize
def spy(self, frames, *a, **k):
    for frame in frames:
        search("request", frame)
    return requests(self, frames, *a, **k)
type(kernel.session).deserialize = spy
def unpack(head, body, *a):
    search("question", head), search("question", body)
    return before(head, body, *a)
wire.unpack = unpack
""",
        answers={"total": "total = 10"},
        after="report()",
    )
    expect_nothing_found(outcome, at_least=20)


def test_the_grader_answers_no_questions(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import answering.start, answering.wire as wire, msgpack, os, select, struct
link, heard = answering.start._link, []
def ask(*message):
    as_it_is = lambda value: value if isinstance(value, (wire.Theirs, wire.Yours)) else None
    for piece in wire.pack(list(message), as_it_is, wire.FROM_SANDBOX):
        link.sendall(piece)
def double(x):
    link.setblocking(True)
    ask(*questions.pop())
    if select.select([link], [], [], 1.0)[0]:
        heard.append(link.recv(1 << 16))
        print("heard", heard)
    with open("/run/kernel/heard", "ab") as file:
        file.write(repr(heard).encode())
    return 0
questions = [["get", "expected"]] * 9
print("armed")
"""
        }
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed
    assert "heard" not in outcome.printed
    assert outcome.problems


@pytest.mark.parametrize("name", ["x", "checks", "names", "right", "np", "__builtins__"])
def test_callbacks_give_no_access_to_the_namespace_that_they_come_from(
    arena: Arena, name: str
) -> None:
    outcome = arena.attack(
        before=looking(HIDDEN),
        answers={
            "apply": f"""
said = []
class Wants:
    "What is asked of it in the examiner, and with what."
    def __getattr__(self, name):
        said.append(name)
        search("attribute", name)
        return lambda *a, **k: [search("argument", thing) for thing in a]
    def __getitem__(self, key):
        search("key", key)
        return self
    __call__ = __getitem__
def apply(f, x):
    if x == 3.0:
        return -1
    wants = Wants()
    for arguments, named in (((wants,), {{}}), ((), {{{name!r}: wants}}), ((Wants, wants), {{}})):
        try:
            result = f(*arguments, **named)
            search("result", result)
        except BaseException as error:
            search("error", error)
            search("error", vars(error))
    return -1
""",
            "total": "total = 10",
        },
        after="report()",
    )
    expect_nothing_found(outcome, at_least=3)


def test_the_seed_of_hidden_inputs_is_not_there(arena: Arena) -> None:
    seed = str(SEED)
    outcome = arena.attack(
        before=looking([seed, "HW_GRADING_SEED"]),
        answers={
            "double": """
import random
def double(x):
    for name, value in os.environ.items():
        search(name, name + value)
    for state in (np.random.get_state(), random.getstate()):
        search("state", list(map(str, state)))
    packed = struct.pack("<I", 0)
    for name, value in {**get_ipython().user_ns}.items():
        if name not in ("backwards", "found"):
            search(name, repr(value)[:10_000])
    return 0
""",
            "total": "total = 10",
        },
        after="report()",
    )
    expect_nothing_found(outcome, at_least=50)


# -- what is shown to students afterwards


def test_tracebacks_of_tests_tell_nothing_of_the_graders_machine(arena: Arena) -> None:
    # A test cell that does not use `Checks`; its output is shown to the student.
    nb = notebook(
        {
            "double": "def double(x):\n    raise ValueError('no')",
            "total": "import os\ndef total(x):\n    os._exit(1)",
        }
    )
    by_grade_id(nb, "test_double").source = "assert double(3) == 6"
    by_grade_id(
        nb, "test_total"
    ).source = "### BEGIN HIDDEN TESTS\nassert total(3) == 6\n### END HIDDEN TESTS"
    outcome = arena.grade(nb)
    assert outcome.fault is None
    assert outcome.scores == NOTHING
    assert "ValueError" in outcome.printed
    assert "the notebook stopped answering" in outcome.printed
    for secret in (PACKAGE, "hw_grading/", "_question", str(Path.home()) + "/"):
        assert secret not in outcome.printed


# -- files


_WALK = """
names = [0]
def walk(top, read):
    for folder, folders, files in os.walk(top, followlinks=False):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            names[0] += 1
            search("name", path)
            try:
                if os.path.islink(path):
                    search("link", os.readlink(path))
                for attribute in os.listxattr(path, follow_symlinks=False):
                    search("xattr", attribute)
                    search("xattr", os.getxattr(path, attribute, follow_symlinks=False))
            except OSError:
                pass
        for name in files:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and status.st_size < 2_000_000 and read(path):
                    with open(path, "rb") as file:
                        search(path, file.read())
            except OSError:
                pass
"""


def test_no_file_outside_of_libraries_tells_anything(arena: Arena) -> None:
    # On stock nbgrader: the source notebook, the gradebook, all other students.
    large = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt/python", "/opt/env")
    outcome = arena.attack(
        before=looking([*secrets_of(arena), *HIDDEN])
        + _WALK
        + f"""
for name in sorted(os.listdir("/")):
    top = "/" + name
    if top == "/opt":
        for inner in os.listdir(top):
            if f"/opt/{{inner}}" not in {large!r}:
                walk(f"/opt/{{inner}}", lambda path: True)
    elif top not in {large!r}:
        walk(top, lambda path: True)
report()
print("top", sorted(os.listdir("/")), "etc", os.listdir("/etc") if os.path.exists("/etc") else 0)
""",
        cpu_seconds_per_cell=30.0,
        wall_seconds_per_cell=60.0,
    )
    expect_nothing_found(outcome, at_least=50)
    top = re.search(r"top \[(.*?)\]", outcome.printed)
    assert top
    shown = {name.strip("'\\ ") for name in top[1].split(",")}
    assert not shown & {"sys", "root", "var", "srv", "mnt", "media", "boot", "work"}


def test_code_that_is_loaded_does_not_tell_where_it_lies_on_the_machine(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking([PACKAGE, f"{Path(PACKAGE).parent}/", _environment()])
        + _WALK
        + """
walk("/opt/homework", lambda path: True)
import hw_support, answering, numpy, matplotlib, IPython
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType):
        search("code", thing.__code__.co_filename)
for name, module in list(sys.modules.items()):
    for attribute in ("__file__", "__cached__", "__path__", "__spec__"):
        search(name, getattr(module, attribute, ""))
report()
""",
        cpu_seconds_per_cell=30.0,
        wall_seconds_per_cell=60.0,
    )
    expect_nothing_found(outcome, at_least=1000)


def _environment() -> str:
    """Return the folder of the Python environment, where it is one of its own."""
    prefix = os.path.realpath(sys.prefix)
    return prefix if prefix != os.path.realpath(sys.base_prefix) else PACKAGE


def test_the_connection_file_and_its_folder_tell_nothing_of_the_machine(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking([*secrets_of(arena), tempfile.gettempdir() + "/hw"])
        + """
import glob
for path in glob.glob("/run/kernel/*") + [get_ipython().kernel.config.IPKernelApp.connection_file]:
    search("name", path)
    try:
        search(path, open(path).read())
    except OSError:
        pass
for thing in (sys.argv, sys.orig_argv, get_ipython().config, vars(get_ipython().kernel.session)):
    search("configuration", thing)
report()
"""
    )
    expect_nothing_found(outcome, at_least=5)


# -- the process and the machine


def test_the_environment_and_the_command_line_tell_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking(secrets_of(arena))
        + """
import getpass, platform, site, subprocess, sysconfig, tempfile
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_char_p
for number in (15, 24, 31):  # the processor's name, of its base, the program's path
    search("auxiliary", libc.getauxval(number))
title = ctypes.create_string_buffer(16)
libc.prctl(16, title)
for thing in (
    *os.environ.items(), sys.argv, sys.orig_argv, sys.path, sys.executable, sys.prefix, os.getcwd(),
    sys.base_prefix, sys.flags, sys.modules.keys(), title.value, os.uname(), platform.platform(),
    platform.node(), socket.gethostname(), socket.getfqdn(), site.getsitepackages(),
    site.getusersitepackages(), sysconfig.get_paths(), tempfile.gettempdir(), os.getgroups(),
    os.getuid(), os.path.expanduser("~"), os.path.expanduser("~root"), os.confstr_names,
):
    search("fact", thing)
for command in (["env"], ["id"], ["hostname"], ["mount"], ["ps", "auxww"], ["who"], ["w"],
                ["getent", "passwd"], ["df"], ["last"], ["lsns"], ["ip", "a"], ["dmesg"]):
    try:
        done = subprocess.run(command, capture_output=True, timeout=5)
        search(command[0], done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired):
        pass
report()
print("proc", os.path.exists("/proc/self"), "host", socket.gethostname())
""",
        cpu_seconds_per_cell=30.0,
        wall_seconds_per_cell=60.0,
    )
    expect_nothing_found(outcome, at_least=40)
    assert "proc False host sandbox" in outcome.printed


def test_settings_of_libraries_tell_nothing_of_the_caller(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking(secrets_of(arena))
        + """
import contextlib, io, sysconfig
import IPython.paths, jupyter_core.paths, matplotlib as mpl, matplotlib.font_manager
fonts = mpl.font_manager.fontManager.ttflist
for thing in (
    np.__config__.CONFIG, mpl.rcParams, mpl.get_cachedir(), mpl.get_configdir(),
    mpl.matplotlib_fname(), [font.fname for font in fonts],
    IPython.paths.get_ipython_dir(), jupyter_core.paths.jupyter_path(),
    jupyter_core.paths.jupyter_config_path(), jupyter_core.paths.jupyter_runtime_dir(),
    get_ipython().config, get_ipython().profile_dir.location, IPython.sys_info(),
):
    search("setting", thing)
report()
""",
        cpu_seconds_per_cell=30.0,
        wall_seconds_per_cell=60.0,
    )
    expect_nothing_found(outcome, at_least=10)


def test_no_other_process_can_be_seen(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os
seen = []
for pid in [*range(1, 70_000), os.getppid()]:
    for look in (lambda pid: os.kill(pid, 0), os.sched_getaffinity, os.getsid):
        try:
            look(pid)
            seen.append(pid)
        except ProcessLookupError:
            pass
        except PermissionError:
            seen.append(pid)
me = os.getpid()
print("seen", sorted(set(seen)), "me", me, "parent", os.getppid())
""",
        cpu_seconds_per_cell=20.0,
    )
    assert outcome.scores == NOTHING
    seen = re.search(r"seen \[([\d, ]+)\] me (\d+) parent (\d+)", outcome.printed)
    assert seen
    numbers = {int(number) for number in seen[1].split(",")}
    assert len(numbers) < 60  # threads of the kernel's own count
    assert max(numbers) < 1000
    assert {int(seen[2]), 1} <= numbers
    assert int(seen[3]) == 1


def test_files_that_are_open_lead_to_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking(secrets_of(arena))
        + """
kinds = {}
for number in range(1024):
    try:
        status = os.fstat(number)
    except OSError:
        continue
    mode = status.st_mode
    tests = (
        ("socket", stat.S_ISSOCK), ("pipe", stat.S_ISFIFO), ("device", stat.S_ISCHR),
        ("file", stat.S_ISREG), ("folder", stat.S_ISDIR), ("disk", stat.S_ISBLK))
    kind = next((name for name, test in tests if test(mode)), "none")
    if kind == "device":
        kind = f"device {os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    if kind == "socket":
        try:
            peer = socket.socket(fileno=os.dup(number))
            kind += f" {peer.family.name}"
            search("socket", peer.getsockname())
            search("peer", peer.getpeername())
        except OSError:
            pass
    if kind == "folder":
        for name in ("..", "../..", "../../.."):
            try:
                search("folder", os.listdir(os.open(name, os.O_RDONLY, dir_fd=number)))
            except OSError:
                pass
    kinds[kind] = kinds.get(kind, 0) + 1
print("kinds", kinds)
looked[0] += 1
report()
"""
    )
    expect_nothing_found(outcome)
    listed = re.search(r"kinds \{(.*?)\}", outcome.printed)
    assert listed
    kinds = set(re.findall(r"'([\w :]+)':", listed[1].replace("\\", "")))
    # 1:3 is /dev/null, 1:9 /dev/urandom; "none" are event and poll descriptors.
    assert kinds <= {"socket", "socket AF_UNIX", "pipe", "device 1:3", "device 1:9", "none"}


@pytest.fixture
def session_keyring() -> Iterator[int]:
    """Let this process have a session keyring with a key in it, as after a login."""
    libc = ctypes.CDLL(None, use_errno=True)
    add_key, keyctl = 248, 250  # on x86-64
    if os.uname().machine != "x86_64" or libc.syscall(keyctl, 1, None) < 0:
        pytest.skip("there are no keys here")
    key = libc.syscall(add_key, b"user", b"course", CANARY.encode(), len(CANARY), -3)
    if key < 0:
        pytest.skip("no key can be made here")
    yield key
    libc.syscall(keyctl, 1, None)  # another, empty one


def test_keys_of_the_callers_login_cannot_be_read_or_left(
    arena: Arena, session_keyring: int
) -> None:
    leave = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for ring in (-1, -2, -3, -4, -5):
    libc.syscall(248, b"user", b"left", b"for the next", 12, ring)
print("l" + "eft")
"""
    assert "left" in arena.grade(notebook({}, before=leave)).printed
    outcome = arena.attack(
        before=looking([CANARY, "for the next"])
        + f"""
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(10_000)
keys = [{session_keyring}, -1, -2, -3, -4, -5]
for ring in (-1, -2, -3, -4, -5):
    for name in (b"left", b"course"):
        keys.append(libc.syscall(250, 10, ring, b"user", name, 0))  # search
        keys.append(libc.syscall(249, b"user", name, None, ring))  # request
for key in keys:
    for operation in (11, 6):  # read, describe
        size = libc.syscall(250, operation, key, buffer, len(buffer))
        search("key", buffer.raw[: max(size, 0)])
report()
"""
    )
    expect_nothing_found(outcome, at_least=10)


def test_the_table_of_mounts_cannot_be_read(arena: Arena) -> None:
    outcome = arena.attack(
        before=looking(
            [*secrets_of(arena), str(Path(PACKAGE).parent), tempfile.gettempdir() + "/hw"]
        )
        + """
libc = ctypes.CDLL(None, use_errno=True)
said = []
class Request(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("spare", ctypes.c_uint32), ("mount", ctypes.c_uint64),
                ("parameter", ctypes.c_uint64), ("namespace", ctypes.c_uint64)]
ids = (ctypes.c_uint64 * 500)()
for size in (24, 32):
    request = Request(size, 0, 0xFFFFFFFFFFFFFFFF, 0, 0)  # below the root
    count = libc.syscall(458, ctypes.byref(request), ids, 500, 0)
    said.append(("listmount", count, errno.errorcode.get(ctypes.get_errno())))
    for mount in [*ids[: max(count, 0)], *range(1, 500)]:
        buffer = ctypes.create_string_buffer(20_000)
        request = Request(size, 0, mount, 0xFFF, 0)
        if libc.syscall(457, ctypes.byref(request), buffer, len(buffer), 0) == 0:
            search("mount", buffer.raw)
for path in ("/etc/mtab", "/proc/mounts", "/proc/self/mountinfo", "/run/mount/utab"):
    if os.path.exists(path):
        search(path, open(path, "rb").read())
for path in ("/", "/opt/homework/hw_support", "/usr", "/run/kernel", "/home/student"):
    search("statvfs", os.statvfs(path))
report()
print("said", said)
"""
    )
    expect_nothing_found(outcome, at_least=5)
    assert "said [('listmount'" in outcome.printed


def test_memory_that_processes_share_is_empty_at_first(arena: Arena) -> None:
    leave = """
import ctypes, os, sys
from multiprocessing import shared_memory
libc = ctypes.CDLL(None, use_errno=True)
libc.shmget(4321, 4096, 0o1666)
libc.semget(4321, 1, 0o1666)
libc.msgget(4321, 0o1666)
with open("/dev/shm/left", "w") as file:
    file.write("for the next")
print("l" + "eft")
"""
    assert "left" in arena.grade(notebook({}, before=leave)).printed
    outcome = arena.attack(
        before=looking([CANARY, "left", "for the next"])
        + """
libc = ctypes.CDLL(None, use_errno=True)
there = []
for name, get in (("memory", lambda: libc.shmget(4321, 0, 0)),
                  ("semaphores", lambda: libc.semget(4321, 0, 0)),
                  ("queue", lambda: libc.msgget(4321, 0))):
    looked[0] += 1
    if get() >= 0:
        there.append(name)
for number in range(2000):
    status = ctypes.create_string_buffer(500)
    if libc.shmctl(number, 13, status) >= 0:
        there.append(number)
for folder in ("/dev/shm", "/tmp", "/home/student", "/dev/mqueue", "/run/kernel"):
    search(folder, os.listdir(folder) if os.path.exists(folder) else "")
report()
print("there", there)
"""
    )
    expect_nothing_found(outcome, at_least=5)
    assert "there []" in outcome.printed


def test_a_search_that_could_find_something_does(arena: Arena) -> None:
    """The searches above are searches: what lies in the open is found by them."""
    outcome = arena.grade(
        notebook(
            {"total": "total = 10\ndef look():\n    mine = 'in the ' + 'open'\n    look_around()"},
            before=looking(["in the open", "an open file"]) + _IN_FRAMES + _WALK,
            after="""
look()
with open("/tmp/a file", "w") as file:
    file.write("an ope" + "n file")
walk("/tmp", lambda path: True)
report()
""",
        )
    )
    assert "('look mine', 'nepo eht ni'" in outcome.printed.replace("\\", "")
    assert "('/tmp/a file', 'elif nepo na'" in outcome.printed.replace("\\", "")
