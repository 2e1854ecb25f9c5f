"""What students install runs on any system: it imports and calls nothing that only some have."""

import subprocess
import sys

# Python modules and names that Windows does not have; macOS lacks some of them too.
MODULES = ["fcntl", "grp", "posix", "pty", "pwd", "resource", "termios"]
NAMES = {
    "os": [
        "fork",
        "geteuid",
        "getuid",
        "killpg",
        "memfd_create",
        "mkfifo",
        "pidfd_open",
        "sched_getaffinity",
        "sched_setaffinity",
        "setsid",
        "uname",
        "wait3",
        "wait4",
    ],
    "signal": ["SIGALRM", "SIGKILL", "SIGVTALRM", "alarm", "pidfd_send_signal", "setitimer"],
    "socket": ["AF_UNIX", "SOCK_SEQPACKET", "send_fds", "socketpair"],
}
PROGRAM = """
import importlib, pkgutil, sys
def import_all():
    import hw_support
    found = pkgutil.walk_packages(hw_support.__path__, "hw_support.")
    names = [one.name for one in found if not one.name.endswith("__main__")]
    for name in names:
        importlib.import_module(name)
    return names
import_all()  # what others import may be of this system
for name in [name for name in sys.modules if name.partition(".")[0] == "hw_support"]:
    del sys.modules[name]
for name in {modules}:
    sys.modules[name] = None
for module, names in {names}.items():
    for name in names:
        vars(importlib.import_module(module)).pop(name, None)
print(len(import_all()))
from hw_support.checks import Checks
checks = Checks("double", returns="y", cases=[(2, 4), (3, 7)], function=lambda x: 2 * x)
checks.table("twice", points=1, compare="y")
checks.score()
"""


def test_all_of_it_is_imported_and_a_test_cell_runs_without_what_only_some_systems_have():
    program = PROGRAM.format(modules=MODULES, names=NAMES)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    count, *said = done.stdout.splitlines()
    assert int(count) > 30
    assert said[-1] == "double: 0 of 1 points"
    assert "expected 7, got 6" in done.stdout
