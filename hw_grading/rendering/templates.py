"""Makes this project's pages from Jinja templates, with everything escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hw_grading.rendering import STYLE


def templates_in(folder: Path, **settings: Any) -> Environment:
    """Return an environment for a folder's templates, in which a missing name is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        **settings,
    )
    environment.globals["style"] = Markup(STYLE.read_text(encoding="utf-8"))
    return environment
