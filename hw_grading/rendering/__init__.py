"""HTML pages that are safe to open, and their style.

Every text, output and picture of a student passes here on its way to a page: to the desk, to
feedback, and to formgrader. No HTML of a notebook is trusted, not even the instructor's.

- `answers` makes the HTML of a cell. `limits` says what a page may hold, and what is left of it.
- `markdown` renders texts and their formulas. `cleaning` lets HTML pass by an allow-list,
  `pictures` lets pictures pass by their content.
- `safe_html` is nbconvert's way in, for formgrader's pages.

May import `gradebook`, `homework` and `outcome`.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

STYLE = Path(__file__).with_name("page.css")
FORMULAS = Path(__file__).with_name("formulas.css")


def templates_in(folder: Path, *styles: Path) -> Environment:
    """Return an environment for a folder's templates. It escapes; a missing name is an error.

    The name `style` has the text of these style sheets, or of the one of all pages.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    texts = [path.read_text(encoding="utf-8") for path in styles or (STYLE,)]
    environment.globals["style"] = Markup("".join(texts))
    return environment
