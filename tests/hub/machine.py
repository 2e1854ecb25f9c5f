"""A machine of the tests' own: users, homes, settings, network, on the Linux kernel that is there.

The commands of docs/jupyterhub.md make users and change /etc. So they run in a namespace of
bubblewrap, which has its own /etc and /home. Root and the users there have their own uids, and
files have owners and modes. All namespaces of a machine share one network, which only has
127.0.0.1: so its ports are its own, and servers listen where the settings say. The Python that
runs the tests is at its usual path, below folders that every user may enter. Of this repository the
namespace shows only the two packages, as if they were installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hw_grading.homework.course import REPOSITORY

_VENV = Path("/opt/intro-ml/venv")  # as in the documentation
_OWN = ("etc", "home", "srv", "var/lib/jupyterhub")  # folders that are the machine's own
_SHOWN = [Path(sys.base_prefix), Path(sys.prefix)]
_SHOWN += [REPOSITORY / "hw_grading", REPOSITORY / "hw_support"]
# bubblewrap covers parts of the /proc that it makes. Then no sandbox could be made inside.
_WITH_PROC = ["sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh"]
# Keeps a network, and says by which process.
_NETWORK = ["bwrap", "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/"]
_NETWORK += ["sh", "-c", "echo $$ && exec sleep infinity"]


def lacking() -> list[str]:
    """Return the needed programs that are missing."""
    names = ("bwrap", "jupyterhub", "npm", "nsenter", "runuser", "useradd")
    return [name for name in names if shutil.which(name) is None]


@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes
    ----------
    state
        The folder that has its /etc, /home, /srv and /var/lib/jupyterhub.
    network
        The process that keeps its network.
    """

    state: Path
    network: int

    @classmethod
    @contextmanager
    def made(cls, state: Path) -> Iterator[Machine]:
        """Make a machine with only this one's settings."""
        for name in _OWN[1:]:
            (state / name).mkdir(parents=True)
        subprocess.run(["cp", "-a", "/etc", str(state / "etc")], check=True)
        with subprocess.Popen(_NETWORK, stdout=subprocess.PIPE, text=True) as keeper:
            assert keeper.stdout
            try:
                yield cls(state, int(keeper.stdout.readline()))
            finally:
                keeper.kill()

    def path(self, inside: str) -> Path:
        """Return the path of a machine's file as seen from outside."""
        return self.state / inside.lstrip("/")

    def command(self, *words: str, user: str = "root", folder: str = "/") -> list[str]:
        """Return the words that run a command on the machine. Its processes end with it."""
        options = ["--unshare-pid", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
        options += ["--ro-bind", "/usr", "/usr"]
        for name in ("bin", "sbin", "lib", "lib64"):
            options += ["--symlink", f"usr/{name}", f"/{name}"]
        for name in ("/tmp", "/dev/shm"):
            options += ["--perms", "1777", "--tmpfs", name]
        for name in _OWN:
            options += ["--bind", str(self.state / name), f"/{name}"]
        above = {parent for path in (*_SHOWN, _VENV) for parent in path.parents[:-1]}
        for parent in sorted(above - {Path("/tmp"), Path("/usr"), Path("/home"), Path("/srv")}):
            options += ["--perms", "0755", "--dir", str(parent)]
        for path in _SHOWN:
            options += ["--ro-bind", str(path), str(path)]
        options += ["--symlink", sys.prefix, str(_VENV), "--chdir", folder, "--clearenv"]
        options += ["--setenv", "PATH", f"{_VENV}/bin:/usr/local/bin:/usr/bin:/usr/sbin"]
        options += ["--setenv", "LANG", "C.UTF-8"]
        become = [] if user == "root" else ["runuser", "-u", user, "--"]
        return [*self.in_network("bwrap"), *options, *_WITH_PROC, *become, *words]

    def in_network(self, *words: str) -> list[str]:
        """Return the words that run a command outside of the machine, but in its network."""
        return ["nsenter", f"--net=/proc/{self.network}/ns/net", *words]

    def run(self, *words: str, user: str = "root", folder: str = "/") -> str:
        """Run a command on the machine, which must succeed; return what it printed."""
        done = self.attempt(*words, user=user, folder=folder)
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def attempt(
        self, *words: str, user: str = "root", folder: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the machine; it may fail."""
        return subprocess.run(
            self.command(*words, user=user, folder=folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
