"""Makes formgrader's pages safe: nothing that they print becomes HTML or a script.

nbgrader 0.9 prints parts of addresses, student ids and names into pages without escaping them. So a
link in a student's answer, or an id, could run a script with the grader's rights.

- Formgrader's own pages are rendered with autoescape. nbconvert's templates around a submission
  print HTML on purpose, so there each plain value is escaped (`Escaping`).
- The Content-Security-Policy allows only the templates' scripts, by a nonce for this page, and the
  templates' few event handlers.
- Formulas are MathML. A script of formgrader waits for MathJax: it is told that MathJax is done.
- If the GSI's desk runs in the same server, the menu of each page has a link to it.
"""

import base64
import contextlib
import hashlib
import re
import secrets
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from jinja2.ext import Extension
from markupsafe import Markup

from hw_grading.pages import FORMULAS

_MODULE = "nbgrader.server_extensions.formgrader.formgrader"
_TEMPLATES = re.compile(r"server_extensions[/\\]formgrader[/\\]templates[/\\]")
_INSTEAD_OF_MATHJAX = Path(__file__).with_name("mathjax.html.j2")
_VALUE = r"\{\{ ((?:resources|cell)\.[\w.]+) \}\}"
_IN_A_SCRIPT = re.compile(r"""= "\{\{ ([\w.]+) \}\}([^"{\n]*)";""")
_LAST_OF_THE_MENU = re.compile(
    r'<li role="presentation"[^>]*><a href="\{\{ base_url \}\}/formgrader/manage_students">.*?</li>'
)
_DESK, _DESKS_PLACE = "hw_grading_desk", "hw-grading"  # settings key; path in addresses
_HANDLER = re.compile(r"""\son\w+="([^"{]+)\"""")

_nonce = ""
_desk = ""  # address of the GSI's desk


class Escaping(Extension):
    """Rewrites formgrader's templates when they are read, so that values are escaped."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the template with escaped values and a nonce on each script."""
        if _TEMPLATES.search(filename or ""):
            source = _IN_A_SCRIPT.sub(r"""= {{ (\1 ~ "\2") | tojson }};""", source)
            source = re.sub(_VALUE, r"{{ \1 | e }}", source)
            source = _LAST_OF_THE_MENU.sub(r"\g<0>{{ link_to_desk() }}", source)
            self.environment.globals["link_to_desk"] = _link_to_desk
        elif Path(filename or "").name == _INSTEAD_OF_MATHJAX.name:
            source = _INSTEAD_OF_MATHJAX.read_text(encoding="utf-8")
            style = Markup(FORMULAS.read_text(encoding="utf-8"))
            self.environment.globals["style_of_formulas"] = style
        else:  # templates around students' cells
            return source
        self.environment.globals["script_nonce"] = _nonce_attribute
        return source.replace("<script", "<script{{ script_nonce() }}")


def escape() -> None:
    """Make formgrader's pages escape what they print, if formgrader runs in this process."""
    formgrader = sys.modules.get(_MODULE)
    if formgrader is None or isinstance(formgrader.Environment, partial):
        return
    from nbconvert.exporters import templateexporter
    from nbgrader.server_extensions.formgrader import base, handlers

    formgrader.Environment = partial(  # type: ignore[attr-defined]
        jinja2.Environment, autoescape=True, extensions=[Escaping]
    )
    extensions: list[Any] = templateexporter.JINJA_EXTENSIONS
    if Escaping not in extensions:
        extensions.append(Escaping)
    handler = base.BaseHandler
    hashes = _hashes_of_handlers(Path(handlers.template_path))
    render = handler.render

    def render_under_a_policy(self: Any, name: str, **values: Any) -> str:
        with _policy(self, hashes):
            page: str = render(self, name, **values)
            return page

    def exporter_of(self: Any) -> SimpleNamespace:
        def from_filename(*values: Any, **named: Any) -> Any:
            with _policy(self, hashes):
                return self.settings["nbgrader_exporter"].from_filename(*values, **named)

        return SimpleNamespace(from_filename=from_filename)

    handler.render = render_under_a_policy
    handler.exporter = property(exporter_of)


@contextlib.contextmanager
def _policy(handler: Any, hashes: str) -> Iterator[None]:
    """Set a page's nonce and policy while the page is made. No other page is made meanwhile."""
    global _nonce, _desk
    _nonce = secrets.token_urlsafe(24)
    _desk = f"{handler.base_url}/{_DESKS_PLACE}/" if _DESK in handler.settings else ""
    handler.set_header(
        "Content-Security-Policy",
        f"{handler.content_security_policy}; "
        f"script-src 'nonce-{_nonce}' 'unsafe-hashes' {hashes}; "
        "object-src 'none'; base-uri 'none'",
    )
    try:
        yield
    finally:
        _nonce = _desk = ""


def _link_to_desk() -> Markup:
    # This is a string, not a file: it goes into the middle of formgrader's template.
    entry = Markup('<li role="presentation"><a href="{}">Grade by Question</a></li>')
    return entry.format(_desk) if _desk else Markup()


def _nonce_attribute() -> Markup:
    return Markup(f' nonce="{_nonce}"') if _nonce else Markup()


def _hashes_of_handlers(templates: Path) -> str:
    """Return the digests of the event handlers (such as ``onclick``) in formgrader's templates."""
    paths = [*templates.rglob("*.tpl"), *templates.rglob("*.j2")]
    found = {code for path in paths for code in _HANDLER.findall(path.read_text(encoding="utf-8"))}
    digests = (hashlib.sha256(code.encode()).digest() for code in sorted(found))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
