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
_INSTALL = {
    "bwrap": "apt-get install bubblewrap, dnf install bubblewrap, or pacman -S bubblewrap",
    "setpriv": "install util-linux, which contains it",
}
_ALLOW = """bubblewrap is installed, but this machine does not let it make a sandbox:
    Ubuntu 23.10 and later (AppArmor): apt-get install apparmor-profiles
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
    for program, how in _INSTALL.items():
        if shutil.which(program) is None and (program == "bwrap" or os.getuid() == 0):
            raise _unavailable(f"which needs the program {program!r}. Not found; {how}.")
    with tempfile.TemporaryDirectory(prefix="hw-kernel-") as folder, filter_file() as file:
        line = bubblewrap(shown, limits, folder, [shown.python, "-c", _FIND], file.fileno())
        try:
            done = subprocess.run(
                line, capture_output=True, text=True, timeout=_SECONDS, pass_fds=[file.fileno()]
            )
            said, printed = done.stderr.strip()[-500:], done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            said, printed = str(error), ""
    head, _, missing = printed.partition(":")
    if missing:
        folder, python = sysconfig.get_paths()["purelib"], shlex.quote(sys.executable)
        hint = _INSTALL_PACKAGES.format(folder=folder, python=python)
        raise _unavailable(f"and the sandbox lacks {', '.join(missing.split())}.\n{hint}")
    if head != "missing":
        said = said or "it ended without a message"
        raise _unavailable(f"and the sandbox could not be made.\n    {said}\n{_ALLOW}")


def _unavailable(why: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"Nothing was graded: student code runs in a sandbox, {why}\n{WITHOUT}"
    )
