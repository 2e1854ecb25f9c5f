"""Checks that this machine can make a sandbox. If not, tells you what to install or to allow."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile

from hw_grading.inside.isolation import Limits, Shown, bubblewrap
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.syscalls import filter_file

_SECONDS = 30
_FIND = (
    "from importlib.util import find_spec; "
    "print('missing:', *[n for n in ('numpy', 'ipykernel', 'answering') if not find_spec(n)])"
)
WITHOUT = (
    "If you trust this class with your files and your machine, grade without a sandbox:\n"
    '    c.ExecuteSubmission.sandbox = "none"    in nbgrader_config.py'
)
_INSTALL = """Install bubblewrap:
    Debian, Ubuntu    apt-get install bubblewrap
    Fedora            dnf install bubblewrap
    Arch              pacman -S bubblewrap"""
_ALLOW = """bubblewrap is installed, but this machine does not let it make a sandbox. What to do
depends on the machine:
    Ubuntu 23.10 and later (AppArmor): install the package apparmor-profiles and load bubblewrap's
        profile:  apt-get install apparmor-profiles
                  ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/
                  systemctl reload apparmor
        or allow all programs:  sysctl kernel.apparmor_restrict_unprivileged_userns=0
    Debian 10 and earlier:  sysctl kernel.unprivileged_userns_clone=1
    Fedora, RHEL:  sysctl user.max_user_namespaces=15000
    In a Docker or Podman container: start it with
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined
        --security-opt systempaths=unconfined   (and --cap-add SYS_ADMIN if you are root in it)
    In Kubernetes: a pod with hostUsers: false and procMount: Unmasked, or a node for grading."""
_INSTALL_PACKAGES = """The sandbox shows only packages in {folder}.
It shows none that are installed for one user, named by PYTHONPATH, or linked from elsewhere.
Install all that grading needs into that folder, from the folder of this course:
    {python} -m pip install --ignore-installed -r requirements.lock"""


class SandboxUnavailable(GraderFault):
    """No sandbox can be made here; nothing is graded."""


def check(shown: Shown, limits: Limits) -> None:
    """Make a sandbox as for a submission, and run Python in it; raise `SandboxUnavailable`."""
    if sys.platform != "linux":
        raise _unavailable(f"which exists only on Linux, not on {sys.platform}.")
    for needed in ("bwrap", *(["setpriv"] if os.getuid() == 0 else [])):
        if shutil.which(needed) is None:
            hint = _INSTALL if needed == "bwrap" else "Install util-linux, which contains it."
            raise _unavailable(f"which needs the program {needed!r}. It was not found.\n{hint}")
    with tempfile.TemporaryDirectory(prefix="hw-kernel-") as folder, filter_file() as file:
        program = [shown.python, "-c", _FIND]
        try:
            done = subprocess.run(
                bubblewrap(shown, limits, folder, program, file.fileno()),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
                pass_fds=[file.fileno()],
            )
            said, printed = done.stderr.strip()[-500:], done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            said, printed = str(error), ""
    head, _, missing = printed.partition(":")
    if missing:
        lacks = f"and the sandbox lacks {', '.join(missing.split())}."
        raise _unavailable(f"{lacks}\n{_what_to_install()}")
    if head != "missing":
        said = said or "it ended without a message"
        raise _unavailable(f"and the sandbox could not be made.\n    {said}\n{_ALLOW}")


def _unavailable(why: str) -> SandboxUnavailable:
    text = f"Nothing was graded: student code runs in a sandbox, {why}\n{WITHOUT}"
    return SandboxUnavailable(text)


def _what_to_install() -> str:
    folder, python = sysconfig.get_paths()["purelib"], shlex.quote(sys.executable)
    return _INSTALL_PACKAGES.format(folder=folder, python=python)
