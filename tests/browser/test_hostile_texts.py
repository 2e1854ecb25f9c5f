"""What hostile students can write, shown in Chromium: nothing runs, nothing is loaded."""

import sys
from pathlib import Path

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser
from server import ROOT

sys.path.append(str(ROOT / "tests" / "grading"))

from html_pages import (
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    HOSTILE_TEX,
    ODD_ATTACHMENTS,
    code_cell,
    display,
)

from hw_grading.rendering.answers import answer_html, outputs_html, text_html

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TEX = [
    f"{left}{tex}{right}"
    for tex in HOSTILE_TEX.values()
    for left, right in (("$", "$"), ("$$", "$$"))
]
HOSTILE = [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values(), *TEX]
# What the attacks call, and what they would change.
WATCHED = """<script>window.ran = []; function run() { window.ran.push(1) }</script>
<p id="ours" style="position: absolute; margin: 0; inset: 0 auto auto 0; width: 9em">ours</p>"""


def shown(text: str) -> Markup:
    """A text in each place where a student can put it."""
    cell = code_cell(display({"text/html": text}), display({"text/plain": text}))
    cell.source = text
    texts = [text_html(text, ODD_ATTACHMENTS), answer_html(cell)]
    return Markup("\n").join([*texts, outputs_html(cell, for_graders=False)])


@pytest.mark.smoke
@pytest.mark.parametrize("how", ["as a page", "by a script"])
def test_no_attack_runs_loads_or_covers_anything(browser, tmp_path, how):
    attacks = [shown(text) for text in HOSTILE]
    assert len(attacks) > 80
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    path = tmp_path / "page.html"
    body = "" if how == "by a script" else "\n".join(map(str, attacks))
    path.write_text(f"<!doctype html><meta charset=utf-8>{WATCHED}<main>{body}</main>")
    page.goto(path.as_uri())
    if how == "by a script":  # as the desk shows an answer: HTML is parsed once more
        for html in attacks:
            page.evaluate(
                "html => document.querySelector('main')"
                ".appendChild(document.createElement('div')).innerHTML = html",
                str(html),
            )
    page.locator("main *").first.wait_for(state="attached")
    page.evaluate("""() => {
        for (const one of document.querySelectorAll("main *")) {
            one.dispatchEvent(new Event("mouseover", { bubbles: true }));
            if (one.tagName === "DETAILS") one.open = true;
        }
    }""")
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran.length") == 0
    assert [url for url in asked if not url.startswith(("data:image/", path.as_uri()))] == []
    assert page.url == path.as_uri()
    assert page.evaluate("document.elementFromPoint(30, 10).id") == "ours"
    forbidden = "main :is(script, style, iframe, object, embed, form, input, svg, link, meta, base)"
    assert page.locator(forbidden).count() == 0
    assert (
        page.evaluate("""() => [...document.querySelectorAll("main *")].flatMap(one =>
        [...one.attributes].filter(a => /^on|^xlink|^(id|formaction|srcdoc)$/i.test(a.name)
            || /^\\s*(javascript|vbscript):/i.test(a.value)).map(a => a.name + "=" + a.value))""")
        == []
    )
    context.close()


def test_the_audit_notices_an_attack_that_runs(browser: Browser, tmp_path: Path) -> None:
    """Without the renderer, the same page runs attacks, so the test above would see them."""
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html>{WATCHED}<main>{HOSTILE_HTML['event of a picture']}</main>")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("window.ran.length > 0")
    page.close()
