"""Compares texts by their words: which are the same, which nearly, and where they differ.

Case, punctuation, emphasis and white space do not count. A formula counts as it is typed, and so
does a word with a mathematical sign in it: `a<b` is not `a>b`, and `f'` is not `f`.
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from markupsafe import Markup

from hw_grading.rendering.markdown import IN_DOLLARS

SHARE = 0.9  # of the words of each of two similar texts
LONGEST = 50_000  # characters of a text that is compared by its words
# Of a text that is compared with similar ones: the time grows with the cube of their number.
MAX_WORDS = 300

_PIECE = re.compile(
    rf"(?P<exact>{IN_DOLLARS}|`[^`\n]{{1,1000}}`|\\\([^\n]{{1,1000}}?\\\)|\\\[.{{1,1000}}?\\\])"
    r"|(?P<bullet>^[ \t]*[-*+>]+(?=[ \t]))|(?P<chunk>[^\s$`]+|[$`])",
    re.DOTALL | re.MULTILINE,
)
_WORD = re.compile(r"\.?\d+(?:[.,]\d+)*[^\W_]*|[^\W_]+")
_AROUND = '*_.,;:!?"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}…'
_MINUS = re.compile(r"(?<!\w)-\w|\d-|-\d|(?<!\w)\w-\w(?!\w)|^-$")
_OTHERS = re.compile(r"[\^/%\\]|\w\*\w|^\*$|\b[^\W\d_]'(?!\w)|[\[(\]]-?[\w.]+,-?[\w.]+[\[)\]]")

_Name = TypeVar("_Name", bound=Hashable)


@dataclass(frozen=True)
class _Token:
    word: str  # as it is compared
    start: int
    end: int


def words_of(text: str) -> list[str]:
    """Return the words and formulas of a text, in order, in the form in which they are compared."""
    return [token.word for token in _tokens(text)]


def words_digest(text: str) -> str:
    """Return a digest of a text's words, the same for texts that are the same; "" without words.

    A text of more than `LONGEST` characters has none.
    """
    words = words_of(text) if len(text) <= LONGEST else []
    return sha256("\0".join(words).encode("utf-8", "replace")).hexdigest() if words else ""


def bag_of(text: str) -> frozenset[str]:
    """Return the words of a text without their order; {} for one of more than `MAX_WORDS` words.

    A word that comes again has a number, so that it counts as often as it is there.
    """
    words = words_of(text) if len(text) <= LONGEST else []
    if len(words) > MAX_WORDS:
        return frozenset()
    seen: Counter[str] = Counter()
    bag = []
    for word in words:
        bag.append(sys.intern(f"{word} {seen[word]}" if seen[word] else word))
        seen[word] += 1
    return frozenset(bag)


def similar(bags: Mapping[_Name, frozenset[str]]) -> list[list[_Name]]:
    """Return groups of texts that are similar to the first one of their group; the largest first.

    Two texts are similar if each has `SHARE` of its words in common with the other.
    """
    by_size = sorted((name for name, bag in bags.items() if bag), key=lambda name: len(bags[name]))
    near: dict[_Name, list[_Name]] = {name: [] for name in by_size}
    for n, one in enumerate(by_size):
        for other in by_size[n + 1 :]:
            if len(bags[one]) < SHARE * len(bags[other]):
                break  # and so are all that follow
            if len(bags[one] & bags[other]) >= SHARE * len(bags[other]):
                near[one].append(other)
                near[other].append(one)
    groups: list[list[_Name]] = []
    taken: set[_Name] = set()
    for first in sorted(near, key=lambda name: -len(near[name])):
        group = [name for name in (first, *near[first]) if name not in taken]
        if first not in taken and len(group) > 1:
            groups.append(group)
            taken.update(group)
    return sorted(groups, key=len, reverse=True)


@lru_cache(maxsize=300)  # a grader looks at the same pairs again
def differences(before: str, after: str) -> Markup:
    """Return one text as HTML, with what another one lacks of it, and has in its place, marked."""
    old, new = _tokens(before), _tokens(after)
    words = [[token.word for token in text] for text in (old, new)]
    matcher = SequenceMatcher(a=words[0], b=words[1], autojunk=False)
    pieces = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal" and a < b:
            pieces.append(Markup("<del>{}</del>").format(_slice(before, old[a:b])))
        if c < d:
            form = "{}" if kind == "equal" else "<ins>{}</ins>"
            pieces.append(Markup(form).format(_slice(after, new[c:d])))
    return Markup(" ").join(pieces)


def _slice(text: str, tokens: Sequence[_Token]) -> str:
    return text[tokens[0].start : tokens[-1].end]


def _tokens(text: str) -> list[_Token]:
    found = []
    for piece in _PIECE.finditer(text):
        if piece["exact"]:
            found.append(_Token("".join(piece[0].split()), *piece.span()))
        elif piece["chunk"]:
            found += _tokens_in(piece[0], piece.start())
    return found


def _tokens_in(chunk: str, start: int) -> list[_Token]:
    """Return the words in a text without white space, or all of it if it is mathematical."""
    plain = unicodedata.normalize("NFKC", chunk).replace("\N{EN DASH}", "-")
    plain = plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    signs = any(unicodedata.category(sign) == "Sm" for sign in plain)
    if signs or _MINUS.search(plain) or _OTHERS.search(plain):
        bare = plain.rstrip(_AROUND).lstrip(_AROUND.replace("!", "")) or plain
        return [_Token(bare, start, start + len(chunk))]
    return [
        _Token(one[0].casefold().replace(",", "."), start + one.start(), start + one.end())
        for one in _WORD.finditer(chunk)
    ]
