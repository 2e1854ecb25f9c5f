r"""The macros that a notebook defines in its formulas, by ``\newcommand`` and its like.

Jupyter's MathJax keeps them for the whole page, pandoc forgets them after the formula. So they are
collected from all formulas and expanded before pandoc sees one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Macro", "collected_macros", "expanded"]

_DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand\*?|providecommand\*?)\s*\{?\s*\\(?P<command>[A-Za-z]+)\s*\}?"
    r"\s*(?:\[(?P<count>\d)\])?\s*(?=\{)"
    r"|\\def\s*\\(?P<def>[A-Za-z]+)(?P<signs>(?:\s*#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{?\s*\\(?P<operator>[A-Za-z]+)\s*\}?\s*(?=\{)"
)
_CALL = re.compile(r"\\([A-Za-z]+)")
_MOST_ROUNDS = 10
_LONGEST = 10_000


@dataclass(frozen=True)
class Macro:
    """One macro: how many arguments it takes, and what it stands for, with ``#1`` in it."""

    arguments: int
    body: str


def collected_macros(formulas: Iterable[str]) -> dict[str, Macro]:
    """Return the macros that are defined in these formulas, by name; the last definition counts."""
    macros = {}
    for tex in formulas:
        for found in _DEFINITION.finditer(tex):
            body = _argument(tex, found.end())
            if body is None:
                continue
            if found["operator"]:
                macros[found["operator"]] = Macro(0, rf"\operatorname{{{body[0]}}}")
            elif found["def"]:
                macros[found["def"]] = Macro(found["signs"].count("#"), body[0])
            else:
                macros[found["command"]] = Macro(int(found["count"] or 0), body[0])
    return macros


def expanded(tex: str, macros: dict[str, Macro]) -> str:
    """Return a formula without definitions, and with macros replaced by what they stand for.

    A macro that stands for itself, or for far too much, is replaced a few times and then left.
    """
    if not macros:
        return tex
    tex = _without_definitions(tex)
    for _ in range(_MOST_ROUNDS):
        before, tex = tex, _once(tex, macros)
        if tex == before or len(tex) > _LONGEST:
            break
    return tex


def _once(tex: str, macros: dict[str, Macro]) -> str:
    parts, position = [], 0
    for call in _CALL.finditer(tex):
        macro = macros.get(call[1])
        if macro is None or call.start() < position:
            continue
        values: list[str] = []
        end = call.end()
        while len(values) < macro.arguments and (found := _argument(tex, end)):
            values.append(found[0])
            end = found[1]
        if len(values) < macro.arguments:
            continue
        body = _filled(macro.body, values)
        parts += [tex[position : call.start()], "{", body, "}"]
        position = end
    return "".join([*parts, tex[position:]])


def _filled(body: str, values: list[str]) -> str:
    pieces = re.split(r"#([1-9])", body)
    for i in range(1, len(pieces), 2):
        number = int(pieces[i])
        pieces[i] = values[number - 1] if number <= len(values) else ""
    return "".join(pieces)


def _without_definitions(tex: str) -> str:
    parts, position = [], 0
    for found in _DEFINITION.finditer(tex):
        body = _argument(tex, found.end())
        if body is not None and found.start() >= position:
            parts.append(tex[position : found.start()])
            position = body[1]
    return "".join([*parts, tex[position:]]).strip()


def _argument(tex: str, start: int) -> tuple[str, int] | None:
    """Return the argument that begins here, and where it ends; None if there is none."""
    first = re.compile(r"\s*(\\[A-Za-z]+|\\.|[^\s{}\\]|\{)").match(tex, start)
    if first is None:
        return None
    if first[1] != "{":
        return first[1], first.end()
    depth = 1
    for brace in re.compile(r"\\.|[{}]", re.DOTALL).finditer(tex, first.end()):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return tex[first.end() : brace.start()], brace.end()
    return None
