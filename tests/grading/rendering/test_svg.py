"""Pictures in SVG: what draws stays, nothing of it runs or loads, and drawing it ends soon."""

import copy
import io
import re

import matplotlib as mpl
import numpy as np
import pytest
from html_pages import base64_of, code_cell, display, png
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from hw_grading.notebooks import answer_digest
from hw_grading.rendering.pictures import NotShown, content_of
from hw_grading.rendering.svg import MAX_CHARACTERS

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def content(text):
    return content_of("image/svg+xml", text).decode()


def drawn(draw, **settings):
    """Return what matplotlib writes of a figure."""
    figure = Figure()
    draw(figure.subplots())
    stream = io.StringIO()
    with mpl.rc_context(settings):
        FigureCanvasSVG(figure).print_svg(stream)
    return stream.getvalue()


def curves(ax):
    ax.plot([1, 2, 3], [1, 4, 9], "o--", label="$x^2$ & <more>")
    ax.bar([1, 2], [3, 4], hatch="//")
    ax.grid(linestyle=":")
    ax.set_title("Curves")
    ax.legend()


FIGURES = {
    "curves": curves,
    "points": lambda ax: ax.scatter(np.arange(900), np.arange(900), c=np.arange(900)),
    "picture": lambda ax: ax.imshow(np.eye(9)),
    "areas": lambda ax: ax.contourf(np.eye(9)),
}


@pytest.mark.parametrize("font", ["path", "none"])
@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_a_figure_of_matplotlib_is_shown_with_all_that_draws(figure, font):
    text = drawn(figure, **{"svg.fonttype": font})
    shown = content(text)
    for what in ("<use ", "<path ", "<text ", "stroke-dasharray", "data:image/png", "url(#"):
        assert shown.count(what) == text.count(what), what
    assert content(shown) == shown
    assert "metadata" not in shown  # it has the date


def nested(depth, width):
    """Groups that use others: `width` to the power of `depth` circles from a few lines."""
    uses = [width * f'<use href="#g{n}"/>' for n in range(depth)]
    groups = [f'<g id="g{n}">{inside}</g>' for n, inside in enumerate(uses, 1)]
    return f'<circle id="g0" r="9"/>{"".join(groups)}<use href="#g{depth}"/>'


def large(*numbers):
    return base64_of(png(*numbers))


USE = '<use href="#a"/>'
TAKES_LONG, USES = "drawing it takes too long", "it uses an element that uses others"
NOT_SHOWN = {
    "a script": ("<script>run()</script>", "an element 'script'"),
    "a page": ("<foreignObject/>", "an element 'foreignObject'"),
    "an element of another kind": ('<x xmlns="//evil.example"><g/></x>', "an element '{//evil"),
    "another file": ('<image href="//evil.example/x.png"/>', "no PNG or JPEG in itself"),
    "an svg in it": ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "no PNG or JPEG"),
    "a bomb": (f'<image href="data:image/png;base64,{large(10_000, 10_000)}"/>', "no PNG or JPEG"),
    "a style sheet": ("<style>@import '//evil.example'; * { fill: red }</style>", "a style sheet"),
    "a filter": ('<g filter="url(#f)"/>', r"filter='url\(#f\)'"),
    "a filter in a style": ('<g style="Filter: blur(99px)"/>', "style='Filter"),
    "a filter in disguise": ('<g style="f\\69lter: blur(99px)"/>', "style="),
    "an animation": ('<rect><animate attributeName="x" dur="1ms"/></rect>', "an element 'animate'"),
    "fine dashes": ('<path d="M0 0L1e9 0" stroke-dasharray="1,0.0001"/>', "dashes are too short"),
    "fine dashes of all": ('<g style="stroke-dasharray: .1"/>', "dashes are too short"),
    "a circle": ('<g id="a"><use href="#a"/></g>', USES),
    "a circle of styles": ('<pattern id="a"><rect style="fill: url(#a)"/></pattern>', USES),
    "many curves": (f'<path d="M0 0{"C9 9 9 9 9 9" * 150_000}"/>', TAKES_LONG),
    "many dashes": (f'<path stroke-dasharray="1" d="M0 0{"L9 9" * 90_000}"/>', TAKES_LONG),
    "much that is used": (f'<path id="a" d="{"L1" * 500}"/>{9_999 * USE}', TAKES_LONG),
    "ten to the power of 9": (nested(9, 10), USES),
    "depth": (f"{'<g>' * 9_999}{'</g>' * 9_999}", "nested deeper than 20"),
    "length": (" " * MAX_CHARACTERS, "more than 3 million characters"),
}


@pytest.mark.parametrize(("inside", "why"), NOT_SHOWN.values(), ids=NOT_SHOWN)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_with_more_than_plots_have_is_not_shown(inside, why):
    with pytest.raises(NotShown, match=rf"An SVG is not shown: .*{why}.*\. Open the notebook\."):
        content(f"{HEAD}{inside}</svg>")
    assert "<use" in content(f"{HEAD}{nested(0, 1)}</svg>")


@pytest.mark.parametrize("text", ["<html/>", "<svg", "<svg/>", f"{HEAD}<g></svg>"])
def test_what_is_no_svg_is_not_shown(text):
    with pytest.raises(NotShown, match="it is not SVG"):
        content(text)
    with pytest.raises(NotShown, match="it defines entities"):
        content(f'<!DOCTYPE s [<!ENTITY a "b">]>{HEAD}</svg>')


def test_nothing_that_is_no_element_reaches_the_browser():
    before = '<?xml version="1.0"?><?xml-stylesheet href="data:text/css,x"?><!-- evil -->'
    assert content(f"{before}{HEAD}<g/></svg>") == content(f"{HEAD}<g/></svg>")


def digest(svg):
    return answer_digest(code_cell(display({"image/svg+xml": svg})))


def test_an_svg_drawn_again_is_the_same_answer():
    """Its ids are random and it has a date, in each run anew."""
    first, again = drawn(curves), drawn(curves)
    assert first != again
    assert digest(first) == digest(again)
    changes = [("#1f77b4", "#1f77b5"), ("id=", "id ="), ("C ", "L ")]
    assert len({digest(first.replace(*change, 1)) for change in changes} | {digest(first)}) == 4
    swapped = re.sub(r'href="#m\w+"', 'href="#m"', first)
    assert digest(swapped) != digest(first)  # the marks at the axes are others now
    cell = code_cell(display({"image/svg+xml": first}))
    other = copy.deepcopy(cell)
    other.source = "plt.plot()"
    assert answer_digest(other) != answer_digest(cell)
