import base64
import os
import re
from html.parser import HTMLParser

import pytest
from html_pages import (
    HARMLESS_TAGS,
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    assert_harmless_with_formulas,
    base64_of,
    png,
)
from test_results import (
    FAILED,
    course,
    error,
    notebook,
    problem,
    pytestmark,
    stream,
)

from hw_grading.pages import STYLE
from hw_grading.pages.mathematics import Budget
from hw_grading.reports import plots_page
from hw_grading.reports.answers import MAX_PICTURE_BYTES, MAX_PICTURES, escaped, png_uri, prose
from hw_grading.reports.plots_page import by_question, write_plots_page

__all__ = ["course", "pytestmark"]  # used by pytest, by name

SCHEME_SHOWN = "<li>1: it has a legend.</li>"
MARKUP = "<script>alert(1)</script></pre></div><img src=x onerror=alert(2)>\"' onerror='"


def display(**data):
    data = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


PLOT = display(image_png=base64_of(png()), text_plain="<Figure size 640x480 with 1 Axes>")


class Page(HTMLParser):
    """The elements of a page, and the text in each of the given classes or tags."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.attributes, self.headings, self.open = [], [], [], []
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in ("meta", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def images(self):
        return [value for tag, name, value in self.attributes if (tag, name) == ("img", "src")]

    def values(self, tag, name):
        return [v for t, n, v in self.attributes if (t, n) == (tag, name)]


def page_of(course):
    return Page(write_plots_page(course.root, "hw2", course.root / "out" / "page.html"))


def questions_of(course):
    """The page by question."""
    return both(course)[1]


def both(course):
    path = write_plots_page(course.root, "hw2", course.root / "out" / "page.html")
    return Page(path), Page(by_question(path))


def cards_of(page):
    return re.findall(r'<section class="card">\s*(.*?)</section>', page.html, re.DOTALL)


def test_each_manual_cell_and_the_experiment_have_a_card_in_the_notebooks_order(course):
    course.grade("ada", notebook(plot=[PLOT], experiment=[PLOT, stream("dead: 98%\n")]), manual=3)
    plot, answer, experiment = cards_of(page_of(course))
    assert "<h3>1.2 i. A plot <code>plot</code></h3>" in plot
    assert "<b>3</b> of 4" in plot
    assert "<b>0</b> of 2, no answer" in answer
    assert '<div class="prose"><p>Because.</p>' in answer
    assert "no points of its own" in experiment
    assert "dead: 98%" in experiment
    assert [card.count("<img") for card in (plot, answer, experiment)] == [1, 0, 1]
    assert "Figure size" not in plot


def test_lowest_points_of_the_tests_come_first_and_those_without_any_before(course):
    course.grade("ada", notebook(), auto=3.0)
    course.grade("bob", notebook(), auto=0.5)
    course.grade("cyd", notebook(), auto=2.0)
    course.hand_in("dan")
    page = page_of(course)
    assert re.findall(r"<h2 id=\"h\d\"><bdi>(\w+)", page.html) == ["dan", "bob", "cyd", "ada"]
    links = re.findall(r'<a href="#s(\d)"><bdi>(\w+)</bdi> <span>(.*?)</span>', page.html)
    assert links == [("1", "dan", "–"), ("2", "bob", "0.5"), ("3", "cyd", "2"), ("4", "ada", "3")]


def test_mark_schemes_are_shown_once_and_linked_from_the_cards(course):
    for student in ("ada", "bob"):
        course.grade(student, notebook())
    page = page_of(course)
    assert page.html.count(SCHEME_SHOWN) == 1
    assert page.html.count('<a href="#m1">mark scheme</a>') == 6
    assert "m1" in page.values("div", "id")


def test_by_question_each_has_its_mark_scheme_and_every_students_answer(course):
    course.grade("ada", notebook(plot=[PLOT], answer="Ada's"), auto=3.0, manual=3)
    course.grade("bob", notebook(plot=[PLOT, PLOT], answer="Bob's"), auto=1.0)
    course.hand_in("cyd")
    page = questions_of(course)
    plot, answer, experiment = re.findall(r"<article.*?</article>", page.html, re.DOTALL)
    assert '<h2 id="h1">1.2 i. A plot</h2>' in plot
    assert "1 to be graded" in plot
    assert SCHEME_SHOWN in plot
    assert SCHEME_SHOWN in answer
    for article in (plot, answer, experiment):
        names = re.findall(r'<h3><a href="page.html#s(\d)"><bdi>(\w+)', article)
        assert names == [("2", "bob"), ("3", "ada")]
    assert "<b>3</b> of 4" in plot
    assert answer.index("Bob's") < answer.index("Ada's")
    assert len(page.images()) == 3


def test_the_two_pages_lead_to_each_other(course):
    course.grade("ada", notebook())
    students, questions = both(course)
    assert "page_by_question.html" in students.values("a", "href")
    assert "page.html" in questions.values("a", "href")
    for page, other, name in (
        (students, questions, "page_by_question.html"),
        (questions, students, "page.html"),
    ):
        ids = {value for _, attribute, value in other.attributes if attribute == "id"}
        for address in page.values("a", "href"):
            file, _, target = address.partition("#")
            assert file in ("", name)
            assert not file or not target or target in ids


def test_an_answer_is_shown_as_markdown_with_formulas(course):
    text = "# Why\n\nSince $\\frac{a}{b}$ *falls*:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$x$$"
    course.grade("ada", notebook(answer=text))
    for page in both(course):
        assert page.tags.count("mfrac") == 1
        assert page.tags.count("math") == 2
        assert "<em>falls</em>" in page.html
        assert "td" in page.tags
        # A heading of an answer is not a heading of the page.
        assert '<div class="heading">Why</div>' in page.html


def test_formulas_of_one_student_take_nothing_from_another(course):
    course.grade("ada", notebook(answer=" ".join(f"${n}$" for n in range(2_500))), auto=0)
    course.grade("bob", notebook(answer="so $x$"))
    for page in both(course):
        assert '<annotation encoding="application/x-tex">x</annotation>' in page.html


def test_students_have_the_numbers_that_formgrader_gives_them(course):
    others = ["ada", "cyd", "dan", "eve", "fay", "gus", "hal"]
    for student in (*others, "bob"):
        course.grade(student, notebook())
    (course.root / "autograded" / "bob" / "hw2" / "hw2.ipynb").unlink()
    with course.gradebook() as book:
        keys = {s: book.find_submission_notebook("hw2", "hw2", s).id for s in others}
    numbers = {student: n for n, student in enumerate(sorted(keys, key=keys.get), start=1)}
    html = page_of(course).html
    found = dict(
        re.findall(r"<bdi>(\w+)</bdi></h2>(?:(?!<h2).)*?Submission #(\d)", html, re.DOTALL)
    )
    assert found == {student: str(n) for student, n in numbers.items()}


def test_scores_lateness_problems_and_faults_stand_above_the_cards(course):
    content = notebook(test=[stream(FAILED)], problems=[problem("It looped.")])
    course.grade("ada", content, auto=1.0)
    html = page_of(course).html
    for part in (
        "tests <b>1</b> of 3",
        "total <b>1</b> of 9",
        "4 to be graded",
        '<strong class="alarm">submission failed</strong>',
        "1 problem<",
        "<li>It looped.</li>",
        "<li>double: values at 1 [2 pt]: out: expected 2, got 3</li>",
    ):
        assert part in html, part


def test_missing_content_is_reported(course):
    content = notebook(plot=[error("NameError", "no <plt>")])
    content["cells"] = [c for c in content["cells"] if "answer" not in str(c["metadata"])]
    course.grade("ada", content)
    course.grade("bob", "{")
    plot, answer, _ = cards_of(page := page_of(course))
    assert "There is no plot." in plot
    assert '<p class="error">NameError: no &lt;plt&gt;</p>' in plot
    assert "The graded notebook lacks this cell." in answer
    assert "There is no graded notebook to show." in page.html
    assert "its graded notebook cannot be read" in page.html


def test_nothing_that_a_student_wrote_becomes_an_element_or_an_attribute(course):
    hostile = [
        stream(MARKUP),
        error(MARKUP, MARKUP),
        display(text_html=MARKUP, application_javascript="alert(1)"),
        display(**{"image_svg+xml": f"<svg onload=alert(1)>{MARKUP}</svg>"}),
        display(image_png=base64_of(MARKUP.encode()), text_plain=MARKUP),
        display(image_png='"><script>alert(1)</script>'),
        display(image_png=f'{base64_of(png())}"onerror="alert(1)'),
        display(**{MARKUP: MARKUP}),
        {"output_type": "execute_result", "data": {"text/plain": MARKUP}},
    ]
    content = notebook(
        test=[stream(f"FAILED  {MARKUP} [1 pt]\n        {MARKUP}"), error(MARKUP, MARKUP)],
        plot=hostile,
        answer=MARKUP,
        experiment=hostile,
        problems=[problem(MARKUP)],
    )
    content["cells"][5]["attachments"] = {MARKUP: {MARKUP: MARKUP, "image/svg+xml": MARKUP}}
    harmless = course.root.name
    course.grade(harmless, notebook(plot=[PLOT]))
    usual = page_of(course)
    for student in ("<b>x<", "\" onerror='alert(1)'", "<script>alert(1)<"):
        course.grade(student, content)
    page = page_of(course)
    ours = re.compile(r"[a-z]+\d*|#[a-z]+\d*|page(_by_question)?\.html(#[qs]\d)?")
    for page in both(course):
        assert set(page.tags) - {
            "style",
            "meta",
            "main",
            "header",
            "aside",
            "article",
            "section",
        } <= (HARMLESS_TAGS | {"bdi"})
        assert page.tags.count("style") == 1
        assert page.images() == usual.images()
        assert {n for _, n, _ in page.attributes} <= {"open", *(n for _, n, _ in usual.attributes)}
        for tag, name, value in page.attributes:
            if name in ("id", "class", "href", "aria-labelledby"):
                assert ours.fullmatch(value), (tag, name, value)


@pytest.mark.parametrize("text", [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values()])
def test_a_hostile_answer_comes_out_harmless_and_without_ids(text):
    shown = prose(text, Budget())
    page = assert_harmless_with_formulas(shown.replace(' class="heading"', ""))
    assert not page.ids
    assert not re.search("<h[1-6]", shown)
    assert all(src.startswith(("data:image/png;", "data:,")) for src in page.sources)


def test_only_a_png_passes_and_the_rest_is_named(course):
    jpeg = display(image_jpeg="/9j/4AAQ", text_plain="a photograph")
    course.grade("ada", notebook(plot=[jpeg, display(image_png="iVBO")]))
    plot = cards_of(page_of(course))[0]
    assert "An output of type image/jpeg is not shown here" in plot
    assert "A picture is not shown: it is not a PNG." in plot
    assert "a photograph" in plot
    assert "<img" not in plot


def test_a_photograph_attached_to_a_written_answer_is_shown(course):
    content = notebook(answer="![derivation](attachment:page.png)")
    content["cells"][5]["attachments"] = {"page.png": {"image/png": base64_of(png())}}
    course.grade("ada", content)
    assert "<img" in cards_of(page_of(course))[1]


def test_very_many_pictures_and_very_long_texts_are_cut(course):
    course.grade("ada", notebook(plot=[PLOT] * 50, answer="word " * 100_000))
    plot, answer, _ = cards_of(page_of(course))
    assert plot.count("<img") == MAX_PICTURES
    assert "More pictures than 6 are not shown." in plot
    assert "479,999 more characters" in answer
    assert len(answer) < 21_000


@pytest.mark.parametrize("odd", [None, 1, [], {}, "text", [None], {"image/png": {}}])
def test_outputs_of_any_shape_leave_the_page_whole(course, odd):
    bundle = {"output_type": "display_data", "data": odd}
    inside = {"output_type": "display_data", "data": {"image/png": odd, "text/plain": odd}}
    content = notebook(plot=[odd, bundle, inside], answer=odd)
    content["cells"][5]["attachments"] = odd
    content["cells"][6]["outputs"] = odd
    content["cells"][6]["cell_type"] = odd
    course.grade("ada", content)
    assert page_of(course).images() == []


def test_the_page_forbids_scripts_and_addresses(course):
    course.grade("ada", notebook(plot=[PLOT]))
    page = page_of(course)
    assert "script" not in page.tags
    assert any("default-src 'none'; img-src data:;" in v for v in page.values("meta", "content"))
    assert all(src.startswith("data:image/png;base64,") for src in page.images())
    assert "http:" not in page.html
    assert "https:" not in page.html


def test_the_page_can_be_read_by_a_screen_reader(course):
    course.grade("ada", notebook(plot=[PLOT, PLOT]))
    page = page_of(course)
    assert page.values("html", "lang") == ["en"]
    assert page.values("img", "alt") == [f"ada, 1.2 i. A plot, picture {n}" for n in (1, 2)]
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {v.removeprefix("#") for v in page.values("a", "href") if v.startswith("#")}
    assert targets <= set(ids)


def contrast(one, two):
    """Contrast ratio of WCAG 2, between 1 and 21, of two colours ``#rrggbb`` or ``#rgb``."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_text_stands_out_from_its_background_in_light_and_dark():
    css = STYLE.read_text()
    for theme in re.findall(r":root \{(.*?)\}", css, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#\w+)", theme))
        for text in ("ink", "soft", "link", "alarm", "waits"):
            for ground in ("page", "paper"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_a_failure_leaves_the_old_page_and_nothing_beside_it(course, monkeypatch):
    course.grade("ada", notebook())
    out = course.root / "out" / "page.html"
    page_of(course)
    before = out.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(plots_page, "read_student", fail)
    with pytest.raises(OSError, match="disk full"):
        write_plots_page(course.root, "hw2", out)
    assert out.read_bytes() == before
    assert sorted(os.listdir(out.parent)) == ["page.html", "page_by_question.html"]


def test_a_png_is_encoded_again():
    lines = (
        base64.encodebytes(png(extra=b"\0\0\0\0teXt\0\0\0\0")).decode().splitlines(keepends=True)
    )
    uri = png_uri(lines)
    assert uri == "data:image/png;base64," + "".join(lines).replace("\n", "")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "not a PNG"),
        (None, "not a PNG"),
        ({"a": 1}, "not a PNG"),
        ("é", "not a PNG"),
        (base64_of(png())[:-3], "not a PNG"),
        (base64_of(png()) + "=", "not a PNG"),
        (base64_of(b"GIF89a" + png()), "not a PNG"),
        (base64_of(png(kind=b"iDOT")), "not a PNG"),
        (base64_of(b"\x8aJNG" + png()[4:]), "not a PNG"),
        (base64_of(png()[:20]), "not a PNG"),
        (base64_of(png(0, 5)), "0 × 5 pixels"),
        (base64_of(png(30_000, 30_000)), "30000 × 30000 pixels"),
        (base64_of(png(extra=bytes(MAX_PICTURE_BYTES))), "larger than"),
    ],
)
def test_other_data_than_png_is_refused(data, why):
    with pytest.raises(ValueError, match=why):
        png_uri(data)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & \"c\" 'd'", "a &lt; b &amp; &quot;c&quot; &#x27;d&#x27;"),
        ("x\r\ny\tz", "x\ny\tz"),
        (" 10%\r 50%\r100%\ndone", "100%\ndone"),
        ("\x1b[31mred\x1b[0m \x00\x07\ud800\u202e", "red ����"),
        ("abcdef", "abc\n… and 3 more characters"),
    ],
)
def test_escaped(text, html):
    assert escaped(text, 3 if text == "abcdef" else 100) == html
