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
    copies = [places[:-1] for word, *places in instructions(name, homework) if word == "COPY"]
    return [source for sources in copies for source in sources]


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


@pytest.mark.parametrize("homework", HOMEWORKS)
@pytest.mark.parametrize("name", ["grader", "student"])
def test_copied_files_exist_or_are_made_by_the_release(name: str, homework: str) -> None:
    for source in copied(name, homework):
        assert source == f"dist/{homework}.zip" or (REPOSITORY / source).exists(), source


@pytest.mark.slow
def test_the_grader_is_built_from_what_is_copied_and_starts(tmp_path: Path) -> None:
    [line] = [words for words in instructions("grader") if "apt-get" in words]
    packages = line[line.index("--no-install-recommends") + 1 : line.index("rm") - 1]
    assert {*packages} <= {*(REPOSITORY / ".ci" / "debian-packages").read_text().split()}
    context = tmp_path / "context"
    context.mkdir()
    for name in copied("grader"):
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, context / name)
        else:
            shutil.copy(REPOSITORY / name, context)
    [line] = [words for words in instructions("grader") if words[:3] == ["RUN", "pip", "install"]]
    locked, own = (command.split() for command in " ".join(line[1:]).split(" && "))
    assert locked[-3:] == ["--require-hashes", "-r", "requirements.lock"]
    # This environment has the packages of the lock file, so nothing is downloaded.
    assert "Would install" not in run(*locked, "--dry-run", folder=context)
    assert own == ["pip", "install", "--no-cache-dir", "--no-deps", "."]
    site = str(tmp_path / "site")
    run(*own, "--no-build-isolation", "--target", site, folder=context)
    assert ["CMD", "[hw-grading,", "--help]"] in instructions("grader")
    said = run("hw_grading", "--help", folder=tmp_path, PYTHONPATH=site)
    assert "collect" in said
