"""What the desk keeps of a class, what it makes of a request, and how it shows answers."""

import io
import json

import by_hand
import pytest
from graded_course import course, error, notebook, stream
from html_pages import base64_of, code_cell, display, png
from nbformat.v4 import new_output
from PIL import Image

from hw_grading.desk import reading
from hw_grading.desk.answers import Answers
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.desk.handlers import dumped
from hw_grading.desk.pictures import HEIGHT, LARGER, WIDTH, Thumbnails
from hw_grading.desk.reading import numbers_html
from hw_grading.desk.writing import Name, _NewRubric, _Save, body_of
from hw_grading.gradebook.model import Mark, Refused
from hw_grading.homework.course import Course
from hw_grading.rendering.limits import PageLimits

__all__ = ["course"]  # used by pytest, by name

PLOT = display({"image/png": base64_of(png(9, 9))})


def answers_of(course):
    return Answers(Course(course.root), "hw2", lambda: ("plot", "answer"))


def test_of_an_answer_a_few_facts_are_kept(course):
    outputs = [stream("half way"), error("ValueError", "x"), PLOT, PLOT]
    course.grade("ada", notebook(plot=outputs, answer="word " * 100_000))
    course.grade("bob", notebook(plot=outputs[:1], answer="It is $x$."))
    ada, bob = (answers_of(course).submission(one) for one in ("ada", "bob"))
    assert len(repr(ada)) < 2_000
    assert len(ada.glances["answer"].excerpt) <= 300
    assert bob.glances["answer"].excerpt == "It is $x$."
    facts = [(g.error, g.excerpt, g.pictures) for g in (ada.glances["plot"], bob.glances["plot"])]
    assert facts == [(True, "ValueError: x", 2), (False, "half way", 0)]


def test_an_answer_is_empty_if_blank_or_as_released(course):
    course.write(course.root / "release" / "hw2", notebook(answer="Write here."))
    answers = answers_of(course)
    texts = {"": True, "\n \n": True, "YOUR ANSWER HERE": True, "Write here.\n": True}
    texts |= {"YOUR ANSWER HERE: because": False, "0": False}
    for number, (text, is_empty) in enumerate(texts.items()):
        course.grade(
            f"s{number}", notebook(answer=text, plot=[stream("1\n")] if is_empty else [PLOT])
        )
        glances = answers.submission(f"s{number}").glances
        assert (glances["answer"].empty, glances["plot"].empty) == (is_empty, is_empty), text


def test_a_notebook_is_read_again_only_if_it_changed(course):
    for number in range(3):
        course.grade(f"s{number}", notebook(answer=f"answer {number}"))
    answers = answers_of(course)
    assert sorted(answers.outdated()) == ["s0", "s1", "s2"]
    for number in range(3):
        assert answers.read(f"s{number}")[1]["answer"]["source"] == f"answer {number}"
    assert answers.outdated() == []
    assert set(answers.known()) == {"s0", "s1", "s2"}
    course.write(course.root / "autograded" / "s1" / "hw2", notebook(answer="another"))
    course.grade("new", notebook())
    assert sorted(answers.outdated()) == ["new", "s1"]
    submission, cells = answers.read("s1")
    assert cells["answer"]["source"] == "another"
    assert set(submission.glances) == {"plot", "answer"}  # of the class no more is kept
    assert {"double", "test_double"} < set(cells)


def test_a_link_in_place_of_a_notebook_is_not_followed(course, tmp_path):
    course.grade("ada", notebook())
    path = course.root / "autograded" / "ada" / "hw2" / "hw2.ipynb"
    secret = tmp_path / "secret.ipynb"
    secret.write_text(json.dumps(notebook(answer="secret")))
    path.unlink()
    path.symlink_to(secret)
    assert answers_of(course).read("ada")[1] == {}


def test_a_number_that_no_page_reads_is_null_and_any_text_sent():
    data = {"a": [float("nan"), 1.5, {"b": float("inf")}], "mark": Mark(), "text": "\ud800"}
    sent = json.loads(dumped(data).encode())
    assert sent["a"] == [None, 1.5, {"b": None}]
    assert (sent["mark"]["chosen"], sent["text"]) == ([], "\ud800")


SAVE = {"versions": {"ada": "0"}, "rubric_revision": 0, "mark": {"done": True}}
ITEM = {"id": "", "text": "x", "points": 1}
ODD_SAVES = [
    *({"mark": value} for value in (None, {"chosen": [1]}, {"done": 1}, {"comment": "\ud800"})),
    *({"mark": {"adjustment": value}} for value in ("1", True, 10**400, float("nan"))),
    *({"versions": value} for value in ({}, {"ada": 1})),
    *({"digests": {"ada": value}} for value in ("a" * 65, "x")),
    {"rubric_revision": None},
]


def test_a_request_that_no_page_sends_is_refused():
    assert body_of(json.dumps(SAVE).encode(), _Save).mark == Mark(done=True)
    odd = [(_Save, raw) for raw in ("", "{}", "\xff", "[" * 100_000, " " * 5_000_000)]
    odd += [(_Save, json.dumps(SAVE | change)) for change in ODD_SAVES]
    for item in (ITEM | {"points": "1"}, ITEM | {"text": None}, 7):
        odd.append((_NewRubric, json.dumps({"rubric": {"items": [item], "revision": 0}})))
    for kind, raw in [*odd, (Name, '{"name": 7}')]:
        with pytest.raises(Refused, match=r"at most|Load the page again"):
            body_of(raw.encode("latin-1"), kind)


def picture(size=(640, 480), kind="PNG"):
    drawn = io.BytesIO()
    Image.new("RGB", size, "red").save(drawn, kind)
    return base64_of(drawn.getvalue())


def plot_cell(*pictures):
    return code_cell(*(display({"image/png": data}) for data in pictures))


def test_a_thumbnail_is_small_made_once_and_dropped_for_newer_ones():
    thumbnails = Thumbnails(most=1)
    assert thumbnails.kept("d") is None
    made = thumbnails.make(plot_cell(picture((1600, 800))), "d")
    with Image.open(io.BytesIO(made[1])) as image:
        assert image.size == (WIDTH, WIDTH // 2)
        assert image.size[1] <= HEIGHT
    assert thumbnails.make(plot_cell(), "d") == thumbnails.kept("d") == made
    jpeg = code_cell(display({"image/jpeg": picture(kind="JPEG")}))
    assert thumbnails.make(jpeg, "e")[0] == "image/webp"
    assert thumbnails.kept("d") is None
    with Image.open(io.BytesIO(thumbnails.larger(plot_cell(picture((4000, 1000))))[1])) as image:
        assert image.size == (LARGER * WIDTH, LARGER * WIDTH // 4)


@pytest.mark.parametrize(
    "data", [base64_of(png(10_000, 10_000)), picture()[:800], base64_of(png(3, 3))]
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_damaged_plot_has_no_thumbnail_and_is_tried_once(data):
    thumbnails = Thumbnails()
    assert thumbnails.make(plot_cell(data), "d") == ("", b"")
    assert thumbnails.kept("d") == ("", b"")
    assert thumbnails.make({"cell_type": "markdown"}, "text") == ("", b"")


def test_numbers_are_the_last_printed_lines():
    lines = "".join(f"{n} of 605\n" for n in range(605))
    result = new_output("execute_result", data={"text/plain": "0.97"})
    shown = numbers_html(code_cell(stream(lines), result))
    assert "604 of 605\n0.97" in shown
    assert "\n500 of 605" not in shown
    assert "<details" not in shown
    assert numbers_html({}) == numbers_html(code_cell()) == ""


def test_the_answers_of_a_student_share_the_limits_of_a_page(tmp_path, monkeypatch):
    course = by_hand.make_course(tmp_path / "course", "ann")
    desk = HomeworkDesk(course, by_hand.ASSIGNMENT, Thumbnails())

    def shown(words):
        monkeypatch.setattr(reading, "PageLimits", lambda: PageLimits(words=words))
        html = [answer["html"] for answer in reading.student(desk, "ann")["answers"]]
        return ["<p>Because" in html[0], "<span" in html[1]]  # the text, and coloured code

    text, code = 20 + 5, 20 + 6  # "Because", ",", "says", "ann", "."
    try:
        assert shown(text + code) == [True, True]
        assert shown(text + code - 1) == [True, False]
        assert shown(text - 1) == [False, False]
    finally:
        desk.close()
