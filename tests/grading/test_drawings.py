"""Drawings: which ones a browser can draw at once."""

import base64
import io

import matplotlib.pyplot as plt
import pytest

from hw_grading.pages.drawings import LONGEST, is_light
from hw_grading.pages.safe_html import clean_html, render_markdown

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def drawing(inside, style=""):
    return f'{HEAD} width="100" height="100">{style}{inside}</svg>'.encode()


def doubled(times, reference='<use xlink:href="#a{0}"/><use href="#a{0}"/>'):
    """Draw a thing twice, draw the result twice, and so on."""
    parts = ['<rect id="a0" width="9" height="9"/>']
    parts += [f'<g id="a{n + 1}">{reference.format(n)}</g>' for n in range(times)]
    return drawing(f'<defs>{"".join(parts)}</defs><use href="#a{times}"/>')


@pytest.mark.parametrize("kind", ["scatter", "hist"])
def test_a_plot_is_light(kind):
    figure, axes = plt.subplots()
    numbers = [n * 7919 % 10_007 for n in range(10_007)]
    axes.hist(numbers, hatch="/") if kind == "hist" else axes.scatter(numbers, numbers)
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    plt.close(figure)
    assert is_light(stream.getvalue())


@pytest.mark.parametrize(
    "svg",
    [
        doubled(16),
        doubled(40),
        doubled(20, '<use href="#%61{0}"/><use href="#%61{0}"/>'),
        doubled(20, '<g fill="url(#a{0})"/><g style="fill: url(\'#a{0}\')"/>'),
        doubled(20, '<use><set attributeName="href" to="#a{0}"/></use><use href="#a{0}"/>'),
        drawing("", "<style>rect { fill: url(#a) }</style>"),
        drawing('<image href="data:image/svg+xml;base64,AA=="/>'),
        drawing("<g>" * 300 + "</g>" * 300),
        drawing(" " * LONGEST),
        b"no XML",
        b"",
    ],
)
def test_a_drawing_that_keeps_a_browser_busy_is_not_light(svg):
    assert not is_light(svg)


def test_a_drawing_that_refers_to_itself_is_counted_once():
    assert is_light(drawing('<g id="a"><use href="#a"/><use href="#b"/></g>'))


def test_only_light_drawings_pass_to_a_page():
    for svg, passes in ((doubled(3), True), (doubled(30), False)):
        data = base64.b64encode(svg).decode()
        uri = f"data:image/svg+xml;base64,{data}"
        attached = {"a": {"image/svg+xml": data}}
        assert (uri in clean_html(f'<img src="{uri}">')) == passes
        assert (uri in render_markdown(f"![x]({uri})")) == passes
        assert (uri in render_markdown("![x](attachment:a)", attached)) == passes
