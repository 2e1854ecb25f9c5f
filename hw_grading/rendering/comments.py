"""Turns a grader's comment, which is plain text, into markdown that shows it as it was typed."""

import re

# The bounds keep the time of a search short.
_CODE_OR_FORMULA = re.compile(
    r"`([^`\n]{1,1000})`"
    r"|(\$\$[^$]{1,1000}\$\$|(?<![\\$])\$(?!\s)(?:\\.|[^$\\]){1,1000}?(?<!\s)\$(?!\d))"
)
_SPECIAL = re.compile(r"[!#$&*+.:<=>\[\\\]_`{|}~-]|(?<=\n)[ \t]+")


def comment_markdown(text: str) -> str:
    """Return markdown for a comment: `code` and $formulas$ work, all else is text.

    Line breaks stay. A sign that means something in markdown becomes a character reference, which
    markdown leaves alone.
    """
    pieces, end = [], 0
    for found in _CODE_OR_FORMULA.finditer(text):
        code, formula = found.groups()
        made = f"<code>{_plain(code)}</code>" if code else " ".join(formula.split("\n"))
        pieces += [_plain(text[end : found.start()]), made]
        end = found.end()
    # Markdown would join lines, but graders mean their line breaks.
    return "  \n".join("".join([*pieces, _plain(text[end:])]).splitlines())


def _plain(text: str) -> str:
    def reference(found: re.Match[str]) -> str:
        return "".join(f"&#{ord(sign)};" for sign in found[0].expandtabs(4).replace(" ", "\xa0"))

    return _SPECIAL.sub(reference, text)
