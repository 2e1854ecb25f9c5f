"""Pages of feedback of a graded toy course, and what they say."""

import base64
import hashlib
import html
import re

from graded_course import ToyCourse
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from hw_grading.homework.course import REPOSITORY


def page_of(course: ToyCourse, student: str = "ada", *, hide_items: bool = False) -> str:
    """Run `nbgrader generate_feedback hw2` with the settings here; return a student's page."""
    config = PyFileConfigLoader("nbgrader_config.py", str(REPOSITORY)).load_config()
    del config["CourseDirectory"]
    config.FeedbackPage.hide_items = hide_items
    directory = CourseDirectory(
        root=str(course.root),
        db_url=f"sqlite:///{course.root}/gradebook.db",
        assignment_id="hw2",
        config=config,
    )
    converter = GenerateFeedback(coursedir=directory, config=config)
    converter.force = True
    converter.start()
    return read(course, student)


def read(course: ToyCourse, student: str) -> str:
    return (course.root / "feedback" / student / "hw2" / "hw2.html").read_text(encoding="utf-8")


def box(page: str) -> str:
    """The box's text, on one line, without the fields to ask about points."""
    inside = re.search(r'<section class="box".*?</section>', page, re.DOTALL)
    return words(re.sub(r'<details class="ask.*?</details>', "", inside[0], flags=re.DOTALL))


def without_asking(page: str) -> str:
    """A page without its one script, which its policy names, and the file that this fills in."""
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; script-src 'sha256-{digest}'; style-src" in page
    page = page.replace(f"<script>{script}</script>", "")
    return re.sub(r'href="data:application/json;base64,[A-Za-z0-9+/=]*"', "", page)


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def comment(course: ToyCourse, name: str, text: str, student: str = "ada") -> None:
    with course.gradebook() as book:
        book.find_comment(name, "hw2", "hw2", student).manual_comment = text
        book.db.commit()
