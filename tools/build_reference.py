"""Write ``docs/reference.md``: commands, settings, manifest and test cells, as the code has them.

    python -m tools.build_reference

Whatever has no description stops the program, which then names it.
"""

import contextlib
import importlib
import inspect
import io
import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from pydantic import BaseModel
from traitlets import HasTraits
from traitlets.config import Configurable

import hw_grading.cli
import hw_support.__main__
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.homework import Manifest
from hw_grading.texts import write_whole
from hw_support.checks import Checks, compare
from hw_support.figures import words

PAGE = REPOSITORY / "docs" / "reference.md"
_PROGRAMS: dict[str, Callable[[list[str]], object]] = {
    "hw-grading": hw_grading.cli.main,
    "python -m hw_support": hw_support.__main__.main,
}
_COMPARISONS = (
    compare.assert_close,
    compare.expect,
    compare.expect_unchanged,
    compare.expect_kept,
    compare.as_numbers,
    compare.relative_error,
    compare.arrays_of,
    words.expect_figure,
)
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


class Undescribed(Exception):
    """Something has no description in the code."""


def reference() -> str:
    """Return the page as Markdown."""
    lines = ["# Reference", ""]
    lines += ["`python -m tools.build_reference` writes this page from the code.", ""]
    lines += [
        "- [Commands](#commands)",
        "- [Settings of `nbgrader_config.py`](#settings)",
        "- [Manifest of a homework](#manifest)",
        "- [Conditions on plots](#conditions-on-plots)",
        "- [Test cells](#test-cells)",
    ]
    lines += ["", "## Commands", ""]
    for program in _PROGRAMS:
        lines += _commands(program)
    lines += ["## Settings", ""]
    lines += ["Set them in `nbgrader_config.py`, for example `c.WholeClass.workers = 2`.", ""]
    for kind in _configurable():
        lines += _settings(kind)
    lines += ["## Manifest", ""]
    lines += ["The file `staff/<homework>/homework.toml`. Every key is optional.", ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|", *_keys(Manifest), ""]
    lines += ["## Conditions on plots", ""]
    places = "at the end of a line of a mark scheme, such as `[facts: legend, title]`, in `plots`"
    lines += [f"You can write them {places} of the manifest, and in `expect_figure`.", ""]
    lines += [_markdown((inspect.getdoc(words) or "").partition("\n\n")[2]), ""]
    lines += ["## Test cells", ""]
    lines += [*_documented("class", Checks, "Checks", "###")]
    for name, method in vars(Checks).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            lines += _documented("", method, f"Checks.{name}", "####")
    lines += ["### Comparisons", ""]
    for function in _COMPARISONS:
        lines += _documented("", function, function.__name__, "####")
    return "\n".join(lines).rstrip() + "\n"


def _commands(program: str) -> Iterator[str]:
    """Yield a program's help, and that of each of its commands."""
    whole = _help(program)
    yield from (f"### {program}", "", "```text", *whole.splitlines(), "```", "")
    for name in re.findall(r"^ {2,4}([a-z-]+) {2,}", whole, re.M):
        yield from (f"#### {program} {name}", "", "```text")
        yield from (*_help(program, name).splitlines(), "```", "")


def _help(program: str, *command: str) -> str:
    said = io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS="90", NO_COLOR="1"),
        contextlib.redirect_stdout(said),
        contextlib.suppress(SystemExit),
    ):
        _PROGRAMS[program]([*command, "--help"])
    return said.getvalue()


def _configurable() -> list[type[Configurable]]:
    """Return the grader's classes that have settings, by name."""
    folder = REPOSITORY / "hw_grading"
    for path in sorted(folder.rglob("*.py")):
        if "tag(config=True)" in path.read_text(encoding="utf-8"):
            module = path.relative_to(REPOSITORY).with_suffix("")
            importlib.import_module(".".join(module.parts))
    found, left = {}, [Configurable]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if _is_ours(kind) and _own(kind):
            found[kind.__name__] = kind
    return [found[name] for name in sorted(found)]


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("hw_grading.")


def _own(kind: type[HasTraits]) -> dict[str, Any]:
    """Return the settings that the grader adds to a class; not the ones that it only changes."""
    parents = [k for k in kind.mro() if issubclass(k, HasTraits) and not _is_ours(k)]
    others = {name for parent in parents for name in parent.class_trait_names()}
    traits = kind.class_traits(config=True)
    ours = [k for k in kind.mro() if _is_ours(k)]
    order = [name for k in reversed(ours) for name in vars(k) if name in traits]
    return {name: traits[name] for name in order if name not in others}


def _settings(kind: type[Configurable]) -> Iterator[str]:
    yield from (f"### c.{kind.__name__}", "")
    described = [parent for parent in kind.mro() if _is_ours(parent)][-1]
    text = _text(described, kind.__name__).replace(f"; `c.{kind.__name__}`", "")
    yield from (*text.splitlines(), "")
    yield from ("| setting | type | default | meaning |", "|---|---|---|---|")
    for name, trait in _own(kind).items():
        if not trait.help:
            raise Undescribed(f"{kind.__name__}.{name} has no help")
        values = getattr(trait, "values", None)
        allowed = " or ".join(f"`{v!r}`" for v in values) if values else _allowed(trait)
        yield _row(name, allowed, repr(trait.default()), trait.help)
    yield ""


def _allowed(trait: Any) -> str:
    """Return the type of a setting and its bounds in words."""
    name = type(trait).__name__
    kinds = {"Float": "number", "Int": "whole number", "Unicode": "text", "Bool": "True or False"}
    kinds["Dict"] = "dictionary"
    words = [kinds.get(name, name) + (" or None" if trait.allow_none else "")]
    for bound, word in (("min", "at least"), ("max", "at most")):
        value = getattr(trait, bound, None)
        if value is not None and math.isfinite(value):
            words.append(f"{word} {value:g}")
    return ", ".join(words)


def _keys(section: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield a row for each key of a section of the manifest, and of the sections in it."""
    schema = section.model_json_schema()
    for name, said in schema["properties"].items():
        if not (meaning := said.get("description")):
            raise Undescribed(f"{section.__name__}.{name} has no docstring")
        inner = said.get("additionalProperties", said)
        if "$ref" in inner:
            model = schema["$defs"][inner["$ref"].rsplit("/", 1)[-1]]["title"]
            inside = f"{place}{name}." + ("<grade id>." if inner is not said else "")
            yield _row(f"[{inside.rstrip('.')}]", "section", "", meaning)
            yield from _keys(_named(model), inside)
        else:
            default = said.get("default")
            yield _row(place + name, _kind(said), "" if default is None else repr(default), meaning)


def _named(model: str) -> type[BaseModel]:
    kind: type[BaseModel] = getattr(inspect.getmodule(Manifest), model)
    return kind


def _kind(said: dict[str, object]) -> str:
    """Return the type of a key in words, with its bounds."""
    options = said.get("anyOf")
    if isinstance(options, list):
        [said] = [option for option in options if option != {"type": "null"}]
    words = {"integer": "whole number", "string": "text", "array": "list of texts"}
    words |= {"object": "texts by grade id"}
    bounds = [f"{word} {said[bound]:g}" for bound, word in _BOUNDS.items() if bound in said]
    return ", ".join([words.get(str(said["type"]), str(said["type"])), *bounds])


def _row(name: str, kind: str, default: str, meaning: str) -> str:
    cells = [f"`{name}`", kind, f"`{default}`" if default else "", _markdown(meaning)]
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _documented(kind: str, what: Callable[..., object], name: str, heading: str) -> Iterator[str]:
    """Yield a heading, the signature, and the docstring of a class, a method or a function."""
    signature = inspect.signature(what)
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    if plain and plain[0].name == "self":
        del plain[0]
    signature = signature.replace(parameters=plain, return_annotation=signature.empty)
    call = f"{name}{signature}".replace("'", '"')
    call = re.sub(r"functools\.partial\(<function (\w+)[^)]*\)", r"\1", call)
    yield from (f"{heading} {name}", "", "```python", f"{kind} {call}".strip(), "```")
    yield from ("", *_text(what, name).splitlines(), "")


def _text(what: object, name: str) -> str:
    """Return a docstring as Markdown; its sections of parameters become lists."""
    text = _markdown(inspect.getdoc(what) or "")
    if not text:
        raise Undescribed(f"{name} has no docstring")
    summary, *sections = re.split(r"^(?:Parameters|Attributes|Raises)\n-+\n", text, flags=re.M)
    parts = [summary.rstrip()]
    for section in sections:
        entries = re.findall(r"^(\S[^\n]*)\n((?:(?: {4}[^\n]*)?\n)*(?: {4}[^\n]*)?)", section, re.M)
        lines = [f"- `{names}`: {' '.join(meaning.split())}" for names, meaning in entries]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _markdown(text: str) -> str:
    """Return reStructuredText as the docstrings have it as Markdown."""
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"<(\w+)>(?![^`\n]*`)", r"\\<\1>", text)


def main() -> None:
    """Write the page."""
    write_whole(PAGE, reference().encode())


if __name__ == "__main__":
    main()
