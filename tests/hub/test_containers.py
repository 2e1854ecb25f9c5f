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


def instructions(name: str, homework: str = "") -> list[list[str]]:
    """Return the words of each instruction, with the argument filled in."""
    text = (FOLDER / f"{name}.Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    text = text.replace("${HOMEWORK}", homework)
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


def copied(name: str, homework: str = "") -> list[str]:
    """Return what is copied from the repository."""
    return [
        source
        for word, *places in instructions(name, homework)
        if word == "COPY"
        for source in places[:-1]
    ]


def run(*words: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("homework", HOMEWORKS)
@pytest.mark.parametrize("name", ["grader", "student"])
def test_copied_files_exist_or_are_made_by_the_release(name: str, homework: str) -> None:
    for source in copied(name, homework):
        assert source == f"dist/{homework}.zip" or (REPOSITORY / source).exists(), source
    (default,) = [words[1] for words in instructions("student") if words[0] == "ARG"]
    assert default.removeprefix("HOMEWORK=") in HOMEWORKS


def test_the_graders_packages_are_those_of_the_tests() -> None:
    known = (REPOSITORY / ".ci" / "debian-packages").read_text().split()
    (line,) = [words for words in instructions("grader") if "apt-get" in words]
    named = line[line.index("--no-install-recommends") + 1 : line.index("rm") - 1]
    assert "bubblewrap" in named
    assert set(named) <= set(known)


@pytest.mark.slow
def test_the_grader_is_built_from_what_is_copied_and_starts(tmp_path: Path) -> None:
    context, site = tmp_path / "context", tmp_path / "site"
    context.mkdir()
    for name in copied("grader"):
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, context / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, context)
    (line,) = [words for words in instructions("grader") if words[:3] == ["RUN", "pip", "install"]]
    locked, own = " ".join(line[1:]).split(" && ")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    assert locked == "pip install --no-cache-dir --require-hashes -r requirements.lock"
    assert own == "pip install --no-cache-dir --no-deps ."
    # This environment has the packages of the lock file, so nothing is downloaded.
    said = run(*pip, *locked.split()[1:], "--dry-run", folder=context)
    assert "Would install" not in said
    target = ["--no-build-isolation", "--target", str(site)]
    run(*pip, *own.split()[1:], *target, folder=context)
    (command,) = [words[1:] for words in instructions("grader") if words[0] == "CMD"]
    program, *words = (word.strip("[,]") for word in command)
    assert (program, words) == ("hw-grading", ["--help"])
    assert "collect" in run(
        sys.executable, "-m", "hw_grading", *words, folder=tmp_path, PYTHONPATH=str(site)
    )
