"""The container files: everything that they copy exists, and can be installed."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hw_grading.homework.course import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "containers"
HOMEWORKS = sorted(path.parent.name for path in REPOSITORY.glob("source/*/*.ipynb"))


def instructions(name: str) -> list[list[str]]:
    """Return the words of each instruction."""
    text = (FOLDER / f"{name}.Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


def copied(name: str) -> set[str]:
    """Return what is copied from the repository, for all homeworks."""
    copies = [places[:-1] for word, *places in instructions(name) if word == "COPY"]
    sources = [source for several in copies for source in several]
    return {source.replace("${HOMEWORK}", one) for source in sources for one in HOMEWORKS}


def run(*words: str, folder: Path, **environment: str) -> str:
    """Run a command of this environment's Python, which must succeed; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_grader_starts_with_what_is_copied_and_a_student_has_no_grader(tmp_path: Path) -> None:
    [line] = [words for words in instructions("grader") if "apt-get" in words]
    packages = line[line.index("--no-install-recommends") + 1 : line.index("rm") - 1]
    assert {*packages} <= {*(REPOSITORY / ".ci" / "debian-packages").read_text().split()}
    assert ["CMD", "[hw-grading,", "--help]"] in instructions("grader")
    site = installed("grader", "requirements.lock", ["./hw_support", "."], tmp_path / "grader")
    assert "collect" in run("hw_grading", "--help", folder=tmp_path, PYTHONPATH=str(site))
    lock = "requirements-student.lock"
    site = installed("student", lock, ["./hw_support"], tmp_path / "student")
    assert {path.name.partition("-")[0] for path in site.iterdir()} == {"hw_support"}
    assert "check" in run("hw_support", "--help", folder=tmp_path, PYTHONPATH=str(site))


def installed(name: str, lock: str, ours: list[str], folder: Path) -> Path:
    """Install our packages as the container file says; return the folder in which they are."""
    context = folder / "context"
    context.mkdir(parents=True)
    for copy in copied(name):
        if (REPOSITORY / copy).is_dir():
            shutil.copytree(REPOSITORY / copy, context / copy)
        else:
            shutil.copy(REPOSITORY / copy, context)
    [line] = [words for words in instructions(name) if words[:3] == ["RUN", "pip", "install"]]
    locked, *_, own = (command.split() for command in " ".join(line[1:]).split(" && "))
    assert locked[-3:] == ["--require-hashes", "-r", lock]
    # This environment has the packages of the lock file, so nothing is downloaded.
    assert "Would install" not in run(*locked, "--dry-run", folder=context)
    assert own == ["pip", "install", "--no-cache-dir", "--no-deps", *ours]
    run(*own, "--no-build-isolation", "--target", str(folder / "site"), folder=context)
    return folder / "site"
