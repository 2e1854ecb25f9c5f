"""Writes a homework's zip for students: it works wherever Python is, without nbgrader.

Of the package hw_support it has what any homework needs. `hw_support.homeworks` is in it, with its
data, if the notebook uses that library.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import quote, urlencode

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement
from traitlets import Unicode
from traitlets.config import Configurable

import hw_support
from hw_grading import STUDENTS_DISTRIBUTION
from hw_grading.grade.job import files_of_package
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.requirements import requirements_of
from hw_grading.rendering import templates_in
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import write_whole
from hw_support import homeworks
from hw_support.student.in_notebook import COPY_VARIABLE
from hw_support.submission.released import ENDING

START = "START.html"  # the page that tells students how to start
# Every entry gets this time, so that the same release gives the same bytes.
_TIME = (2022, 9, 20, 0, 0, 0)
_LIBRARY = "hw_support/homeworks/"
_COLAB, _BINDER = "https://colab.research.google.com", "https://mybinder.org"
_BADGES = {
    "Colab": f"{_COLAB}/assets/colab-badge.svg",
    "Binder": f"{_BINDER}/badge_logo.svg",
}
_WORD = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r"hw_support\.(?:homeworks\.)?([A-Za-z_]\w*)")


class StartPage(Configurable):
    """Where the page `START.html` sends students, by the course's own addresses."""

    zip_address = Unicode(
        help="The address of the students' zip, with {homework} for the homework's name: "
        "`https://ml.example.edu/{homework}.zip`. Colab fetches the zip there. Anybody has to be "
        "able to read it. Without it, students drag the zip into Colab."
    ).tag(config=True)

    hub_address = Unicode(
        help="The address of the course's hub, which students open in a browser."
    ).tag(config=True)

    repository = Unicode(
        help="The address of a public repository on GitHub with what students get: "
        "`https://github.com/ORG/NAME`. Each homework is a folder there: its unzipped zip. "
        "`release` then writes links that open it in Colab, in Binder, and on the hub by "
        "nbgitpuller."
    ).tag(config=True)

    branch = Unicode("main", help="The branch of the repository.").tag(config=True)

    def links(self, path: str) -> dict[str, str]:
        """Return the links that open a file of the repository, by where they open it."""
        if not self.repository:
            return {}
        repository = self.repository.removesuffix("/").removesuffix(".git")
        owner_and_name = "/".join(repository.split("/")[-2:])
        branch, inside = quote(self.branch, safe=""), quote(path)
        found = {
            "Colab": f"{_COLAB}/github/{owner_and_name}/blob/{branch}/{inside}",
            "Binder": f"{_BINDER}/v2/gh/{owner_and_name}/{branch}?urlpath=lab/tree/{inside}",
        }
        if self.hub_address:
            hub, name = self.hub_address.removesuffix("/"), repository.rpartition("/")[2]
            pull = {
                "repo": repository,
                "branch": self.branch,
                "urlpath": f"lab/tree/{name}/{path}",
            }
            found["the hub"] = f"{hub}/hub/user-redirect/git-pull?{urlencode(pull)}"
        return found


def write_student_zip(course: Course, out: Path, assignment: str) -> tuple[Path, list[str]]:
    """Write ``<assignment>.zip`` of a released homework; return its path, and warnings.

    It has the released files, `START`, two lists of requirements and the package hw_support.
    """
    folder = course.release(assignment)
    paths = course.notebooks_in(folder, assignment)
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    requirements = requirements_of(course.root, notebooks)
    entries = {
        START: start_page(course, assignment).encode(),
        "requirements.txt": requirements.text.encode(),
        "requirements-ranges.txt": requirements.ranges.encode(),
        **package_for(notebooks),
        **_released_files(folder),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(target := out / f"{assignment}.zip", packed.getvalue())
    write_links(course, out, assignment)
    return target, [f"{assignment}: {fault}." for fault in requirements.faults]


def write_links(course: Course, out: Path, assignment: str) -> None:
    """Write ``<assignment>-links.md``, for the course's page, if there is a repository."""
    page = StartPage(config=course.config)
    lines = []
    for name in course.notebooks(assignment):
        for where, link in page.links(f"{assignment}/{name}.ipynb").items():
            text = f"Open {name}.ipynb in {where}"
            badge = _BADGES.get(where)
            lines.append(f"[![{text}]({badge})]({link})" if badge else f"[{text}]({link})")
    if lines:
        write_whole(out / f"{assignment}-links.md", "".join(f"{line}\n" for line in lines).encode())


def start_page(course: Course, assignment: str) -> str:
    """Return the page `START` of a homework as HTML."""
    manifest, addresses = manifest_of(course.root, assignment), StartPage(config=course.config)
    page = templates_in(Path(__file__).parent).get_template("start.html")
    given = map(Requirement, metadata.requires(STUDENTS_DISTRIBUTION) or ())
    files = [f"{name}.ipynb" for name in course.notebooks(assignment)]
    names = {
        "title": manifest.title or assignment,
        "name": assignment,
        "files": files,
        "typed": [f'"{file}"' if " " in file else file for file in files],
        "description": f"{course.notebooks(assignment)[0]}{ENDING}",
        "start": manifest.start,
        "packages": sorted(one.name for one in given if not one.marker),
        "more": ExecuteSubmission(config=course.config).packages,
        "zip_address": addresses.zip_address.replace("{homework}", assignment),
        "hub_address": addresses.hub_address,
        "links": addresses.links(f"{assignment}/{files[0]}"),
        "copy": COPY_VARIABLE,
    }
    return page.render(names)


def _released_files(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*"))}
    return {
        inner.as_posix(): path.read_bytes()
        for inner, path in found.items()
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner.parts)
    }


def package_for(notebooks: Sequence[NotebookNode]) -> dict[str, bytes]:
    """Return the files of hw_support that students need for some notebooks, by path.

    The library of the homeworks comes whole if a notebook has one of its names. A text has a name
    of it as ``hw_support.NAME``.
    """
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    words = {word for cell in cells for word in _ATTRIBUTE.findall(cell.source)}
    for cell in cells:
        if cell.cell_type == "code":
            words.update(_WORD.findall(cell.source))
    ours = {
        name
        for name, one in vars(homeworks).items()
        if getattr(one, "__module__", "").startswith(homeworks.__name__)
    }
    is_used = bool(words & {"homeworks", *ours})
    files = files_of_package(Path(str(hw_support.__file__)).parent)
    return {
        name: path.read_bytes()
        for name, path in files.items()
        if is_used or not name.startswith(_LIBRARY)
    }
