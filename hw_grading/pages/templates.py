"""How this project's pages are made of Jinja's templates: everything is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hw_grading.pages import STYLE


def templates_in(folder: Path, **settings: Any) -> Environment:
    """Return an environment with the templates of a folder, in which a missing name is an error.

    `style` is how pages look.

    Parameters
    ----------
    folder
        Where they lie.
    settings
        Further ones of Jinja's environment.
    """
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
