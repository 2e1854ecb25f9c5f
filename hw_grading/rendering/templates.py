"""Makes this project's pages from Jinja templates, with everything escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_STYLE = Path(__file__).with_name("page.css")


def templates_in(folder: Path) -> Environment:
    """Return an environment for a folder's templates, in which a missing name is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.globals["style"] = Markup(_STYLE.read_text(encoding="utf-8"))
    return environment
