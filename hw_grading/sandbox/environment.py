"""The machine: which parts of it a sandbox shows, under which names, and whether it can make one.

The names are neutral (``/opt/python``, ``/opt/env``, ``/opt/homework``). So paths do not reveal the
grader's user name, the machine's folders, or the name of the course's folder.
"""

import atexit
import compileall
import contextlib
import functools
import importlib.metadata
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hw_support
from hw_grading import DISTRIBUTION, REQUIREMENTS, STUDENTS_DISTRIBUTION, answering
from hw_grading.answering.isolation import HOMEWORK, Limits, Shown, bubblewrap
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.syscalls import filter_file

PYTHON, ENVIRONMENT, FONTS = "/opt/python", "/opt/env", "/opt/fonts"
BLAS_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)
# The only variables of the grader that are passed on. They determine how NumPy computes here.
PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_PYVENV = "home = {base}/bin\ninclude-system-site-packages = false\n"
# Paths that the system's linker uses. /etc/alternatives has links to the chosen libraries.
_OF_ETC = ("/etc/ld.so.cache", "/etc/alternatives")

_SECONDS = 30
_FIND = (
    "from importlib.util import find_spec; "
    "print('missing:', *[n for n in ('numpy', 'ipykernel', 'answering') if not find_spec(n)])"
)
_LIST_FONTS = (
    "import pathlib, sys; from matplotlib import font_manager as made; "
    "name = f'fontlist-v{made.FontManager.__version__}.json'; "
    "made.json_dump(made.fontManager, pathlib.Path(sys.argv[1], name))"
)
WITHOUT = (
    "If you trust this class with your files and your machine, grade without a sandbox:\n"
    '    c.ExecuteSubmission.sandbox = "none"    in nbgrader_config.py'
)
_INSTALL = "apt-get install bubblewrap, dnf install bubblewrap, or pacman -S bubblewrap"
_ALLOW = """bubblewrap is installed, but this machine does not let it make a sandbox:
    Ubuntu 23.10 and later (AppArmor): apt-get install apparmor-profiles
        ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/
        systemctl reload apparmor
    Fedora, RHEL:  sysctl user.max_user_namespaces=15000
    In a Docker or Podman container: start it with
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined
        --security-opt systempaths=unconfined   (and --cap-add SYS_ADMIN if you are root in it)"""
_INSTALL_PACKAGES = """The sandbox shows only packages in {folder}.
It shows none that are installed for one user, named by PYTHONPATH, or linked from elsewhere.
Install all that grading needs into that folder:
    {python} -m pip install --ignore-installed {requirements}"""


class SandboxUnavailable(GraderFault):
    """No sandbox can be made here; nothing is graded."""


@functools.cache
def prepared_folder() -> Path:
    """Return this process's folder with the files that it makes for sandboxes."""
    path = Path(tempfile.mkdtemp(prefix="hw-grading-"))
    atexit.register(_remove, path, os.getpid())
    path.chmod(0o755)
    (path / "empty").touch()
    (path / "pyvenv.cfg").write_text(_PYVENV.format(base=_base_in_sandbox()), encoding="utf-8")
    (path / "fonts").mkdir()
    _copy_lists_of_fonts(path / "fonts")
    # Copy the packages: compiled files beside the originals contain the path of their folder.
    # Leave out the code that reads and repairs submissions: cells do not need it.
    left_out = shutil.ignore_patterns("__pycache__", "submission")
    for package, name in ((hw_support, "hw_support"), (answering, "answering")):
        original, copy = Path(str(package.__file__)).parent, path / "homework" / name
        shutil.copytree(original, copy, ignore=left_out)
        compileall.compile_dir(copy, ddir=f"{HOMEWORK}/{name}", quiet=2)
    return path


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork of the owner must not remove it
        shutil.rmtree(folder, ignore_errors=True)


def what_to_show(blas_threads: int, secrets: list[Path], preload: Sequence[str] = ()) -> Shown:
    """Return what sandboxes show on this machine.

    `blas_threads` of 0 lets the libraries choose. `secrets` are folders that must not be visible:
    the course, the grader's package. If the package is installed in site-packages, an empty folder
    covers it. Otherwise `SandboxUnavailable` is raised if one of them is in a folder that is shown.
    """
    made, base, outside = prepared_folder(), _base_in_sandbox(), os.path.realpath(sys.base_prefix)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python, packages = f"{base}/bin/{version}", sysconfig.get_paths()["purelib"]
    in_sandbox = packages.replace(outside, base, 1)
    top = [f"/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64")]
    links = {path: os.readlink(path) for path in top if os.path.islink(path)}
    shown = {  # the path in the sandbox, and the path outside
        "/usr": "/usr",
        **{path: path for path in top if os.path.isdir(path) and path not in links},
        **{path: path for path in _OF_ETC if os.path.exists(path)},
        **({PYTHON: outside} if base == PYTHON else {}),
        HOMEWORK: f"{made}/homework",
        FONTS: f"{made}/fonts",
    }
    if sys.prefix != sys.base_prefix:
        links[f"{ENVIRONMENT}/bin/python"] = python
        python = f"{ENVIRONMENT}/bin/python"
        in_sandbox = f"{ENVIRONMENT}/lib/{version}/site-packages"
        shown |= {f"{ENVIRONMENT}/pyvenv.cfg": f"{made}/pyvenv.cfg", in_sandbox: packages}
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    variables |= {"LD_LIBRARY_PATH": f"{PYTHON}/lib"} if base == PYTHON else {}
    variables |= dict.fromkeys(BLAS_VARIABLES, str(blas_threads)) if blas_threads else {}
    hidden = _hidden_names(Path(packages))
    covered = [Path(os.path.realpath(packages), name) for name in hidden]
    for secret in (secret.resolve() for secret in secrets):
        for real in map(os.path.realpath, shown.values()):
            if secret.is_relative_to(real) and not any(map(secret.is_relative_to, covered)):
                why = f"{secret} is in {real}, which student code can read"
                raise SandboxUnavailable(f"{why}. Move the course elsewhere")
    return Shown(
        folders=shown,
        python=python,
        empty_file=f"{made}/empty",
        hidden=[f"{in_sandbox}/{name}" for name in hidden],
        links=links,
        environment=variables,
        preload=tuple(preload),
    )


def _base_in_sandbox() -> str:
    base = os.path.realpath(sys.base_prefix)
    return base if (base + "/").startswith("/usr/") else PYTHON


def _hidden_names(packages: Path) -> list[str]:
    """Return the entries of site-packages that reveal this project or folders of this machine."""
    names = {path.name for path in packages.glob("*.pth")}
    for distribution in (DISTRIBUTION, STUDENTS_DISTRIBUTION):
        for installed in importlib.metadata.distributions(name=distribution):
            for file in installed.files or []:
                if file.parts[0] != "..":
                    names.add(file.parts[0] + ("/" if len(file.parts) > 1 else ""))
    return sorted(name for name in names if (packages / name).exists())


def _copy_lists_of_fonts(folder: Path) -> None:
    """Copy matplotlib's lists of fonts, without private fonts. Making a list takes seconds.

    matplotlib writes a list in place, so another process may have written only a part of it. Such a
    list is left out. If no other is there, matplotlib writes one to `folder`.
    """
    lists = {}
    for path in _cache_of_matplotlib().glob("fontlist-*.json"):
        with contextlib.suppress(ValueError):
            lists[path.name] = json.loads(path.read_text(encoding="utf-8"))
    if not lists:
        subprocess.run([sys.executable, "-c", _LIST_FONTS, str(folder)], check=False)
        for path in folder.iterdir():
            lists[path.name] = json.loads(path.read_text(encoding="utf-8"))
    for name, fonts in lists.items():
        for kind in ("ttflist", "afmlist"):  # matplotlib's own fonts have relative paths
            public = [font for font in fonts[kind] if font["fname"].startswith("/usr/")]
            fonts[kind] = public + [font for font in fonts[kind] if font["fname"][0] != "/"]
        (folder / name).write_text(json.dumps(fonts), encoding="utf-8")


def _cache_of_matplotlib() -> Path:
    """Return where matplotlib keeps its lists on Linux, if it can write there; do not import it."""
    if own := os.environ.get("MPLCONFIGDIR"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "matplotlib")


# -- whether it can make a sandbox


def check(shown: Shown, limits: Limits) -> None:
    """Make a sandbox as for a submission, and run Python in it; raise `SandboxUnavailable`."""
    if sys.platform != "linux":
        raise _unavailable(f"which exists only on Linux, not on {sys.platform}.")
    if shutil.which("bwrap") is None:
        raise _unavailable(f"which needs the program 'bwrap'. Not found; {_INSTALL}.")
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
        hint = _INSTALL_PACKAGES.format(folder=folder, python=python, requirements=REQUIREMENTS)
        raise _unavailable(f"and the sandbox lacks {', '.join(missing.split())}.\n{hint}")
    if head != "missing":
        said = said or "it ended without a message"
        raise _unavailable(f"and the sandbox could not be made.\n    {said}\n{_ALLOW}")


def _unavailable(why: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"Nothing was graded: student code runs in a sandbox, {why}\n{WITHOUT}"
    )
