"""How the desk shows answers: thumbnails, answers, and what is beside them."""

import io

import by_hand
import pytest
from html_pages import base64_of, code_cell, display, png, stream
from nbformat.v4 import new_output
from PIL import Image

from hw_grading.desk import reading
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.desk.pictures import HEIGHT, LARGER, WIDTH, Thumbnails
from hw_grading.desk.reading import numbers_html
from hw_grading.rendering.limits import Limits, price_of_code, price_of_markdown


def picture(size=(640, 480), kind="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, kind)
    return base64_of(stream.getvalue())


def plot_cell(*pictures):
    return code_cell(*(display({"image/png": data}) for data in pictures))


def test_a_thumbnail_is_small_and_made_once():
    thumbnails = Thumbnails()
    assert thumbnails.kept("d") is None
    made = thumbnails.make(plot_cell(picture((1600, 800))), "d")
    with Image.open(io.BytesIO(made[1])) as image:
        assert image.size == (WIDTH, WIDTH // 2)
        assert image.size[1] <= HEIGHT
    assert thumbnails.make(plot_cell(), "d") == thumbnails.kept("d") == made
    jpeg = code_cell(display({"image/jpeg": picture(kind="JPEG")}))
    assert thumbnails.make(jpeg, "e")[0] == "image/webp"
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


def test_beyond_their_number_the_oldest_thumbnails_are_dropped():
    thumbnails = Thumbnails(most=5)
    for number in range(9):
        assert thumbnails.make(plot_cell(picture()), f"d{number}")
    assert [n for n in range(9) if thumbnails.kept(f"d{n}")] == [4, 5, 6, 7, 8]


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

    def shown(microseconds):
        monkeypatch.setattr(reading, "Limits", lambda: Limits(microseconds=microseconds))
        html = [answer["html"] for answer in reading.student(desk, "ann")["answers"]]
        return ["<p>Because" in html[0], "<span" in html[1]]  # the text, and coloured code

    text, code = price_of_markdown("Because, says ann."), price_of_code("plt.plot(3)")
    try:
        assert shown(text + code) == [True, True]
        assert shown(text + code - 1) == [True, False]
        assert shown(text - 1) == [False, False]
    finally:
        desk.close()
