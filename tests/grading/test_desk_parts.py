"""Parts of the GSI's desk: pictures, thumbnails, rendering."""

import io
import os
import signal

import pytest
from html_pages import base64_of, png
from PIL import Image
from test_results import pytestmark, stream

from hw_grading.desk import rendering
from hw_grading.desk.handlers import dumped
from hw_grading.desk.pictures import (
    HEIGHT,
    MAX_BYTES,
    WIDTH,
    NotShown,
    Picture,
    Thumbnails,
    picture_in,
    pictures_of,
)
from hw_grading.desk.rendering import LONGEST_CODE, Renderer, without_docstrings
from hw_grading.desk.showing import answer_html, beside_html, printed_html
from hw_support.time_limit import time_limit

__all__ = ["pytestmark"]  # used by pytest, by name


def display(**data):
    """Return an output with data by type, such as image_png."""
    data = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def picture(size=(640, 480), kind="PNG", colour="red"):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return base64_of(stream.getvalue())


def plot_cell(*pictures):
    outputs = [display(image_png=data) for data in pictures]
    return {"cell_type": "code", "source": "plt.show()", "outputs": outputs}


def address(number):
    return f"/picture/{number}"


@pytest.fixture
def renderer():
    made = Renderer()
    yield made
    made.close()


# -- pictures


@pytest.mark.parametrize(("mime", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("gif", "GIF")])
def test_a_picture_is_returned_unchanged(mime, kind):
    data = picture(kind=kind)
    found = picture_in({"text/plain": "<Figure>", f"image/{mime}": [data[:9], data[9:] + "\n"]})
    assert base64_of(found.content()) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (base64_of(png(10_000, 10_000)), "10,000 × 10,000 pixels"),
        (base64_of(png(60_000, 60_000)), "pixels is not shown"),
        (base64_of(b"\x89PNG\r\n\x1a\n" + b"x" * MAX_BYTES), "10,000,000 bytes"),
        (base64_of(b"\x89PNG\r\n\x1a\nno chunk"), "it is not a PNG"),
        (base64_of(b"\x89PNG\r\n\x1a\n") + "!", "it is not a PNG"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_is_not_shown_has_a_reason(data, why):
    with pytest.raises(NotShown, match=why):
        Picture("image/png", data).content()


@pytest.mark.parametrize("bundle", [None, 7, [], {}, {"image/png": 7}, {"image/png": "<script>"}])
def test_other_data_is_not_a_picture(bundle):
    assert picture_in(bundle) is None
    assert pictures_of({"cell_type": "code", "outputs": [{"data": bundle}, bundle]}) == []


# -- thumbnails


def test_a_jpeg_of_very_many_scans_is_not_decoded():
    stream = io.BytesIO()
    Image.new("L", (4000, 4000), 128).save(stream, "JPEG", progressive=True)
    raw = stream.getvalue()
    assert Picture("image/jpeg", base64_of(raw)).content() == raw
    last = raw[raw.rfind(b"\xff\xda") : -2]
    with pytest.raises(NotShown, match="scans is not shown"):
        Picture("image/jpeg", base64_of(raw[:-2] + 10_000 * last + raw[-2:])).content()


def test_pictures_within_texts_have_the_bounds_of_others(renderer):
    for size, shown in ((10, True), (10_000, False)):
        uri = f"data:image/png;base64,{base64_of(png(size, size))}"
        table = display(text_html=f'<p>x</p><img src="{uri}">')
        for cell in (
            {"cell_type": "markdown", "source": f"![x]({uri})"},
            {"cell_type": "markdown", "source": f'<img src="{uri}">'},
            {"cell_type": "code", "source": "", "outputs": [table]},
        ):
            assert (uri in answer_html(cell, renderer, address)) == shown


def test_a_thumbnail_is_small_made_once_and_kept_for_the_owner_only(tmp_path):
    thumbnails = Thumbnails(tmp_path / "small")
    assert thumbnails.kept("d") is None
    made = thumbnails.make(plot_cell(picture((1600, 800))), "d")
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (WIDTH, WIDTH // 2)
        assert image.size[1] <= HEIGHT
    assert thumbnails.make(plot_cell(), "d") == made
    assert Thumbnails(tmp_path / "small").kept("d") == made
    assert (tmp_path / "small").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("no folder")
    assert Thumbnails(tmp_path / "file").make(plot_cell(picture()), "d")


@pytest.mark.parametrize(
    "data", [base64_of(png(10_000, 10_000)), picture()[:800], base64_of(png(3, 3))]
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_damaged_plot_has_no_thumbnail_and_is_tried_once(tmp_path, data):
    thumbnails = Thumbnails(tmp_path)
    assert thumbnails.make(plot_cell(data), "d") == b""
    assert thumbnails.kept("d") == b""


def test_the_oldest_thumbnails_are_removed(tmp_path):
    thumbnails = Thumbnails(tmp_path, most_bytes=3_000)
    for number in range(60):
        thumbnails.make(plot_cell(picture()), f"d{number}")
    size = sum(path.stat().st_size for path in tmp_path.glob("??/*"))
    assert 0 < size <= 3_000 + 600
    assert thumbnails.is_kept("d59")


# -- showing


def test_code_is_coloured_and_follows_its_outputs(renderer):
    outputs = [
        stream("step 1\rstep 2\n\x1b[31mred\x1b[0m\n"),
        display(image_png=picture()),
        display(text_html="<b>1</b><script>run()</script>"),
        display(image_svg_xml="<svg/>"),
        display(application_json="{}"),
    ]
    outputs[3]["data"] = {"image/svg+xml": "<svg onload='run()'/>"}
    html = answer_html(
        {"cell_type": "code", "source": "x = 1 < 2", "outputs": outputs}, renderer, address
    )
    shown, _, code = html.partition('<div class="code">')
    assert "<pre>step 2\nred\n</pre>" in shown
    assert '<img class="picture" alt="Plot 1" src="/picture/0">' in shown
    assert "<b>1</b>" in shown
    assert "A picture of the kind image/svg+xml, 1 kB, is not shown: open the notebook." in shown
    assert "application/json is not shown" in shown
    assert '<span class="mi">1</span> <span class="o">&lt;</span>' in code
    assert "run()" not in html


@pytest.mark.parametrize(
    "cell",
    [
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": 7, "outputs": 7},
        {"cell_type": "code", "source": ["a", 7], "outputs": [7, {}, {"output_type": "stream"}]},
        {"cell_type": "markdown", "source": None, "attachments": 7},
        {"cell_type": "markdown", "source": "x", "attachments": {"a": 7, "b": {"image/png": 7}}},
        {"cell_type": "markdown", "source": "\ud800 \0"},
        {"cell_type": "code", "source": "\ud800 \0", "outputs": [stream("\ud800")]},
    ],
)
def test_a_cell_of_any_shape_is_shown(renderer, cell):
    dumped({"html": answer_html(cell, renderer, address)}).encode()
    printed_html(cell)


def test_no_answer_changes_the_direction_of_writing(renderer):
    turned = "a\u202eb\u2066c&#x202e;d"
    output = display(text_html=f"<b title='{turned}'>{turned}</b>")
    for cell in (
        {"cell_type": "markdown", "source": f"{turned}\r\n<b title='{turned}'>{turned}</b>"},
        {"cell_type": "code", "source": turned, "outputs": [stream(turned), output]},
    ):
        for show in (answer_html, beside_html):
            html = show(cell, renderer, address)
            assert html
            assert not set(html) & {"\u202e", "\u2066"}
            assert "&#x202e;" not in html.lower()


def test_many_pictures_and_many_lines_are_cut(renderer):
    html = answer_html(plot_cell(*[picture()] * 9), renderer, address)
    assert html.count("<img") == 6
    assert html.count("More pictures than 6 are not shown.") == 1
    shown = printed_html({"outputs": [stream("".join(f"{n} of 605\n" for n in range(605)))]})
    assert "604 of 605" in shown
    assert "\n500 of 605" not in shown
    assert f"{5 * LONGEST_CODE:,} more characters" in renderer.code("x = 1\n" * LONGEST_CODE)


@pytest.mark.parametrize(
    "line",
    ["0%|" * 3_000 + "[" * 9_000, "0%|" * 6_000, "0%||[" * 4_000],
    ids=["no end", "no times", "mixed"],
)
def test_a_line_that_resembles_a_progress_bar_is_read_in_bounded_time(line):
    with time_limit(10, 600):
        assert "0%|" in printed_html({"outputs": [stream(line)]})


def test_the_pictures_that_an_answer_is_about_come_first_and_no_progress_bar(renderer):
    bar = stream("epoch 1:  40%|####      | 48/121 [00:01<00:02, 29.0it/s]\nloss 0.7\n")
    cell = plot_cell(picture())
    cell["outputs"].insert(0, bar)
    html = beside_html(cell, renderer, address)
    assert 0 < html.index("<img") < html.index("loss 0.7")
    assert "40%" not in html + answer_html(cell, renderer, address)


def test_a_renderer_killed_at_work_leaves_plain_text_and_is_started_again(renderer, monkeypatch):
    assert "<em>one</em>" in renderer.markdown("*one*")
    os.kill(renderer._process.pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "_HARD_SECONDS", 0.1)
        html = renderer.markdown("*two* <b>")
    assert "it cannot be rendered" in html
    assert "*two* &lt;b&gt;" in html
    assert "<em>three</em>" in renderer.markdown("*three*")


def test_rendered_text_is_not_rendered_again(renderer):
    renderer.markdown("*one*")
    process = renderer._process
    os.kill(process.pid, signal.SIGSTOP)
    assert "<em>one</em>" in renderer.markdown("*one*")
    os.kill(process.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            'def f(x):\n    """What f does.\n\n    x : int\n    """\n    return x',
            "def f(x):\n    return x",
        ),
        ('def f(x): """in the line of\nthe head"""', None),
        ('def f(x):\n    """é"""; return x', None),
        ('def f(x):\n    """the only line"""', None),
        ("def f(x):\n    return 'not one'", None),
        ('"""of the cell"""\nx = 1', None),
        ('def f(x):\r    """d"""\r    return x', "def f(x):\n    return x"),
        ("def f(x:\n", None),
        ("(" * 5_000, None),
    ],
)
def test_functions_are_shown_whole_but_without_docstrings(source, shown):
    assert without_docstrings(source) == (source if shown is None else shown)
