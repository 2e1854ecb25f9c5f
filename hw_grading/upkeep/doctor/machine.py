"""The machine: Python and packages, sandbox, memory, limits."""

import contextlib
import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from traitlets.config import Config

from hw_grading import DISTRIBUTION
from hw_grading.batch.settings import WholeClass, cores
from hw_grading.gradebook.scores import named
from hw_grading.homework.course import REPOSITORY
from hw_grading.outcome import GraderFault
from hw_grading.run.ready import expect_a_sandbox
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.sandbox.watch import SECONDS_BETWEEN_CHECKS
from hw_support.desk.doctor import Line

LOCK = REPOSITORY / "requirements.lock"
_MOST_NAMED = 4
_KERNEL = Path("/proc/sys")
_IN_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
_SWITCHES = {  # kernel settings, with the values that forbid sandboxes
    "kernel/apparmor_restrict_unprivileged_userns": "1",
    "kernel/unprivileged_userns_clone": "0",
    "user/max_user_namespaces": "0",
}


def python() -> Line:
    """Check Python, and whether its programs are found by name."""
    found = f"{platform.python_version()} ({sys.executable})"
    programs = Path(sys.executable).parent
    alembic = shutil.which("alembic")  # nbgrader starts it by name
    is_here = (programs / "alembic").exists()
    if alembic is None or (is_here and Path(alembic).parent != programs):
        found += ", but its programs are not first on the PATH"
        return Line("Python", found, f"Type: source {programs}/activate")
    return Line("Python", found)


def packages() -> Line:
    """Compare the installed packages with the lock file, or else with the requirements."""
    wrong, is_locked = _missing(), LOCK.exists()
    if is_locked and not wrong:
        wrong = [
            f"{name} {found} (locked: {version})"
            for name, version in _locked(LOCK.read_text(encoding="utf-8")).items()
            if (found := version_of(name)) not in ("", version)  # "": a tool for developers
        ]
    if wrong:
        install = f"-r {LOCK}" if is_locked else f"'{DISTRIBUTION}[grading]'"
        advice = f'Type: "{sys.executable}" -m pip install {install}'
        return Line("packages", named(wrong, _MOST_NAMED), advice)
    return Line("packages", "as locked" if is_locked else "all that grading needs is installed")


def _missing() -> list[str]:
    wrong = []
    for line in metadata.requires(DISTRIBUTION) or ():
        required = Requirement(line)
        if required.marker and not required.marker.evaluate({"extra": "grading"}):
            continue
        found = version_of(required.name)
        if not found:
            wrong.append(f"{required.name} is not installed")
        elif not required.specifier.contains(found, prereleases=True):
            wrong.append(f"{required.name} {found} ({required.specifier} is needed)")
    return wrong


def version_of(package: str) -> str:
    """Return the version of an installed package; "" if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _locked(text: str) -> dict[str, str]:
    """Return the versions in a lock file that apply to this Python, by name."""
    locked: dict[str, str] = {}
    for line in text.splitlines():
        try:
            required = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        pins = list(required.specifier)
        if len(pins) == 1 and (required.marker is None or required.marker.evaluate()):
            locked[canonicalize_name(required.name)] = pins[0].version
    return locked


def sandbox(config: Config, secrets: list[Path]) -> Line:
    """Make a sandbox as grading does for a submission."""
    settings = ExecuteSubmission(config=config)
    if settings.sandbox == "none":
        found = "none: c.ExecuteSubmission.sandbox lets student code run with your rights"
        return Line("sandbox", found)
    try:
        expect_a_sandbox(settings, secrets)
    except GraderFault as fault:
        first, _, rest = str(fault).partition("\n")
        rest = "\n".join([*why_not(), rest]).strip()
        return Line("sandbox", first, rest.replace("\n", "\n      ") or first)
    where = " (in a container)" if in_container() else ""
    return Line("sandbox", f"bubblewrap works{where}{_crashes()}")


def _crashes() -> str:
    """Say what the system starts outside of the sandbox if a process in it crashes."""
    with contextlib.suppress(OSError):
        program = (_KERNEL / "kernel/core_pattern").read_text().split(maxsplit=1)[:1]
        if program and program[0].startswith("|"):
            name = Path(program[0][1:]).name
            return f"; crashes in it start {name} as root, which no limit counts: see SECURITY.md"
    return ""


def why_not() -> list[str]:
    """Return those settings of this machine that visibly forbid sandboxes."""
    found = []
    if container := in_container():
        found.append(
            f"This is a container ({container}). Change the options with which it is started: "
            "see Docker, Podman or Kubernetes below."
        )
    for name, forbids in _SWITCHES.items():
        with contextlib.suppress(OSError):
            if (_KERNEL / name).read_text().strip() == forbids:
                setting = f"{name.replace('/', '.')} is {forbids} here"
                found.append(f"{setting}, which forbids sandboxes: see below.")
    return found


def in_container() -> str:
    """Return the kind of container that this is; "" if none is recognised."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "Kubernetes"
    for file, kind in zip(_IN_CONTAINER, ("Docker", "Podman"), strict=True):
        if file.exists():
            return kind
    return os.environ.get("container", "")  # noqa: SIM112  # systemd and Podman write it so


def memory(config: Config) -> Line:
    """Report how many submissions a run would grade at once."""
    whole_class, each = WholeClass(config=config), ExecuteSubmission(config=config).memory_mb
    here = whole_class.memory_for_all_mb()
    at_once = whole_class.most_at_once(each)
    found = f"{here:,.0f} MB for submissions: {at_once} at once, each with up to {each:,} MB"
    if here < each:
        return Line("memory", found, f"Close other programs: one submission may need {each:,} MB.")
    if at_once < (whole_class.workers or cores()):
        found += f"; with more memory, {whole_class.workers or cores()} at once"
    return Line("memory", found)


def limits(config: Config) -> Line:
    """Report how the limits of a submission are enforced here."""
    often = f"{1 / SECONDS_BETWEEN_CHECKS:.0f} times a second"
    found = f"the memory and CPU time of a submission are measured {often}"
    if ExecuteSubmission(config=config).sandbox == "none":
        return Line("limits", f"{found}; without a sandbox, nothing limits its processes")
    return Line("limits", f"{found}; the system limits the number of its processes")
