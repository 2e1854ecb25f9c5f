"""Drawings: which ones a browser can draw at once."""

import base64
import io

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from hw_grading.pages.cleaning import clean_html
from hw_grading.pages.drawings import LONGEST, is_light
from hw_grading.pages.safe_html import render_markdown

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def drawing(inside, style=""):
    return f'{HEAD} width="100" height="100">{style}{inside}</svg>'.encode()


SHAPE = '<rect width="1000" height="1000" {}/>'
RECT = SHAPE.format("")
FILLED = SHAPE.format('fill="url(#p)"')
CLIPPED = SHAPE.format('clip-path="url(#p)"')


def pattern(side, more='patternUnits="userSpaceOnUse"'):
    return f'<pattern id="p" width="{side}" height="{side}" {more}><rect width="1"/></pattern>'


def many(inside, shape=RECT, number=500):
    """Draw a shape often, inside an element."""
    return inside.format(shape * number)


def doubled(times, reference='<use xlink:href="#a{0}"/><use href="#a{0}"/>'):
    """Draw a thing twice, draw the result twice, and so on."""
    parts = ['<rect id="a0" width="9" height="9"/>']
    parts += [f'<g id="a{n + 1}">{reference.format(n)}</g>' for n in range(times)]
    return drawing(f'<defs>{"".join(parts)}</defs><use href="#a{times}"/>')


def picture(side):
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


NUMBERS = [n * 7919 % 10_007 for n in range(10_007)]
PLOTS = {
    "scatter": lambda axes: axes.scatter(NUMBERS * 2, NUMBERS * 2, alpha=0.5),
    "many colours": lambda axes: axes.scatter(NUMBERS, NUMBERS, c=NUMBERS),
    "hist": lambda axes: axes.hist(NUMBERS, hatch="/", bins=100),
    "contourf": lambda axes: axes.contourf([NUMBERS[:100]] * 99, hatches=["/", "x"]),
    "grid": lambda axes: axes.grid(linestyle=":"),
    "dashed contours": lambda axes: axes.contour([NUMBERS[:100]] * 99, linestyles="--"),
    "dotted outline": lambda axes: axes.bar(NUMBERS[:99], NUMBERS[:99], ec="k", ls=":"),
    "lines": lambda axes: axes.plot(NUMBERS, NUMBERS, "--o"),
    "noise": lambda axes: axes.plot([n * n % 10_007 for n in NUMBERS]),
    "filled noise": lambda axes: axes.fill_between(
        range(10_007), [n * n % 10_007 for n in NUMBERS]
    ),
    "picture": lambda axes: axes.imshow([NUMBERS] * 3, aspect="auto"),
}


@pytest.mark.parametrize("kind", PLOTS)
def test_a_plot_is_light(kind):
    figure, axes = plt.subplots()
    PLOTS[kind](axes)
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    plt.close(figure)
    assert is_light(stream.getvalue())


CROSSING = " ".join(f"{n * 7919 % 10_007} {n % 2 * 999}" for n in NUMBERS)
MASK = f'<mask id="p">{RECT}</mask>'
CLIP = '<clipPath id="p"><rect width="9"/></clipPath>'
MARKER = '<marker id="p"><path d="M0 0h9"/></marker>'
GRADIENT = '<linearGradient id="p"><stop/></linearGradient>'
BUSY = {
    "doubled": doubled(16),
    "doubled often": doubled(40),
    "doubled by escaped names": doubled(20, '<use href="#%61{0}"/><use href="#%61{0}"/>'),
    "doubled by fills": doubled(20, '<g fill="url(#a{0})"/><g style="fill: url(\'#a{0}\')"/>'),
    "doubled by a change": doubled(
        20, '<use><set attributeName="href" to="#a{0}"/></use><use href="#a{0}"/>'
    ),
    "strange name": drawing(many('<g id="a;b">{}</g>') + "<use href='#a;b'/>" * 5000),
    "reference in a style": drawing("", "<style>rect { fill: url(#a) }</style>"),
    "drawing in it": drawing('<image href="data:image/svg+xml;base64,AA=="/>'),
    "deep": drawing("<g>" * 300 + "</g>" * 300),
    "long": drawing(" " * LONGEST),
    "no XML": b"no XML",
    "empty": b"",
    "filter": drawing(f'<filter id="p"><feMorphology radius="200"/></filter>{FILLED}'),
    "filter in an attribute": drawing(SHAPE.format('filter="blur(200px)"')),
    "filter of an element": drawing(SHAPE.format('style="FILTER: blur(200px)"')),
    "filter in a style": drawing(RECT, "<style>rect { filter: blur(200px) }</style>"),
    "filter after a part": drawing(RECT, "<style><b/>rect { filter: blur(200px) }</style>"),
    "filter of a sheet": b'<?xml-stylesheet href="data:text/css,rect{filter:blur(200px)}"?>'
    + drawing(RECT),
    "blending": drawing(SHAPE.format('style="mix-blend-mode: screen"')),
    "change": drawing('<g><set attributeName="fill" to="red"/></g>'),
    "HTML": drawing("<foreignObject><p>x</p></foreignObject>"),
    # Browsers read declarations after an entity that cannot be read; Python's parser ignores them.
    "filter of a declared attribute": b'<!DOCTYPE svg [<!ENTITY % p SYSTEM "p"> %p; '
    b'<!ATTLIST rect filter CDATA "blur(200px)">]>' + drawing(RECT),
    "tiny pattern": drawing(pattern(0.01) + FILLED),
    "pattern of parts": drawing(pattern(0.01, "") + FILLED),
    "pattern made smaller": drawing(
        pattern(8, 'patternUnits="userSpaceOnUse" patternTransform="scale(0.01)"')
    ),
    "pattern without a size": drawing(pattern("nan") + FILLED),
    "pattern often": drawing(pattern(72) + FILLED * 500),
    "pattern inherited": drawing(pattern(72) + many('<g fill="url(#p)">{}</g>')),
    "pattern of a use": drawing(
        pattern(72) + many('<g id="g">{}</g><use href="#g" fill="url(#p)"/>')
    ),
    "mask often": drawing(MASK + SHAPE.format('mask="url(#p)"') * 500),
    "mask inherited": drawing(MASK + many('<g mask="url(#p)">{}</g>', '<g mask="inherit"/>')),
    "mask inherited by style": drawing(MASK, "<style>rect { mask: inherit }</style>"),
    "clip often": drawing(many('<clipPath id="p">{}</clipPath>') + CLIPPED * 500),
    "clip of a circle often": drawing(
        '<clipPath id="p"><circle r="9"/></clipPath>' + CLIPPED * 20_000
    ),
    "clip of a circle often, by style": drawing(
        '<clipPath id="p"><circle r="9"/></clipPath>'
        + SHAPE.format('style="CLIP-path: url(#p)"') * 20_000
    ),
    "clips in clips": drawing(
        '<clipPath id="p"><text>W</text></clipPath>'
        + ('<g clip-path="url(#p)">' * 80 + RECT + "</g>" * 80) * 200
    ),
    "layers in layers": drawing(('<g opacity=".9">' * 90 + RECT + "</g>" * 90) * 300),
    "layers by style": drawing(f'<g style="fill: red; opacity: .9">{RECT}</g>' * 20_000),
    "layers by a sheet": drawing(f"<g>{RECT}</g>" * 20_000, "<style>g { opacity: .9 }</style>"),
    "picture often": drawing(f'<image href="{picture(1)}"/>' * 10_000),
    "gradient often": drawing(GRADIENT + FILLED * 5000),
    "marker at each point": drawing(
        many('<marker id="p">{}</marker>') + f'<path marker-mid="url(#p)" d="{"h1" * 500}"/>'
    ),
    "dashes": drawing('<path d="M0 9h400" stroke="#000" stroke-dasharray=".0001"/>'),
    "dashes in a style": drawing('<path d="M0 9h400" style="STROKE-DASHARRAY: .0001"/>'),
    "dashes of a long path": drawing(f'<path d="M90000 0{"L0 0z" * 999}" stroke-dasharray="4"/>'),
    "dashes of a path that is not counted": drawing('<path d="M0 9h9" stroke-dasharray="4"/>'),
    "dashes inherited": drawing('<g stroke-dasharray="1"><path d="M0 9h9"/></g>'),
    "dashes of a long path that is used": drawing(
        f'<path id="p" d="M90000 0{"L0 0z" * 999}"/><use href="#p" style="stroke-dasharray: 4"/>'
    ),
    "dashes of a used group": drawing(
        '<g id="p"><path d="M0 9h9"/></g><use href="#p" stroke-dasharray="1"/>'
    ),
    "dashes of a circle": drawing('<circle r="9" stroke-dasharray="1"/>'),
    "dashes in a sheet": drawing(RECT, "<style>rect { stroke-dasharray: 1 }</style>"),
    "dashes that become shorter": drawing('<path pathLength="1e9" d="M0 9h9"/>'),
    "dashes of the screen": drawing('<path d="M0 9" style="vector-effect: non-scaling-stroke"/>'),
    "shadow": drawing(SHAPE.format('style="text-shadow: 0 0 300px"')),
    "shadow in a sheet": drawing(RECT, "<style>text { text-shadow/**/: 0 0 300px }</style>"),
    "background": drawing(SHAPE.format('style="background: red"')),
    "mask of a gradient": drawing(SHAPE.format('style="mask: linear-gradient(red, blue)"')),
    "large picture": drawing(f'<image href="{picture(5_000)}"/>'),
    "large pictures": drawing(f'<image href="{picture(3_000)}"/>' * 2),
    "picture without a type": drawing('<image href="data:;base64,iVBORw0KGgo="/>'),
    "path that crosses itself": drawing(f'<path d="M0 0 {CROSSING}"/>'),
    "path that crosses itself, from here": drawing(f'<path d="m0 0 {CROSSING}"/>'),
    "polygon that crosses itself": drawing(f'<polygon points="{CROSSING}"/>'),
    "broad strokes that cross": drawing(f'<path stroke-width="999" d="M0 0{"L0 0L1 1" * 9_999}"/>'),
    "broad strokes by style": drawing(
        f'<g style="STROKE-width: 99em"><path d="M0 0{"L0 0L1 1" * 9_999}"/></g>'
    ),
    "long tips": drawing(f'<path stroke-miterlimit="1e9" d="M0 0{"L0 0L1 1" * 9_999}"/>'),
    "lines side by side": drawing(f'<path d="M0 0{"v999h1v-999h1" * 99_999}"/>'),
    "lines without points": drawing(f'<path d="M0 0{"Z" * 999_999}"/>'),
    "places of letters": drawing(f'<text x="{"1 " * 999_999}">{"a" * 999_999}</text>'),
    "path often": drawing(f'<path id="p" d="{"h1" * 500_000}"/>' + '<use href="#p"/>' * 500),
}


@pytest.mark.parametrize("what", BUSY)
def test_a_drawing_that_keeps_a_browser_busy_is_not_light(what):
    assert not is_light(BUSY[what])


def test_a_drawing_that_refers_to_itself_is_counted_once():
    assert is_light(drawing('<g id="a"><use href="#a"/><use href="#b"/></g>'))


SIMPLE = {
    "pattern": pattern(72) + FILLED * 50,
    "marker": MARKER + '<path marker-end="url(#p)" style="stroke: red" d="M0 0L9 9"/>' * 50,
    "clip": CLIP + '<g clip-path="url(#p)"><rect/><rect/></g>' * 5000,
    "mask": MASK + '<g mask="url(#p)"><rect/><rect/></g>' * 50,
    "gradient": GRADIENT + FILLED * 50,
}


@pytest.mark.parametrize("what", SIMPLE)
def test_a_simple_drawing_is_light(what):
    assert is_light(drawing(SIMPLE[what]))


def test_only_light_drawings_pass_to_a_page():
    for svg, passes in ((doubled(3), True), (doubled(30), False)):
        data = base64.b64encode(svg).decode()
        uri = f"data:image/svg+xml;base64,{data}"
        attached = {"a": {"image/svg+xml": data}}
        assert (uri in clean_html(f'<img src="{uri}">')) == passes
        assert (uri in render_markdown(f"![x]({uri})")) == passes
        assert (uri in render_markdown("![x](attachment:a)", attached)) == passes
