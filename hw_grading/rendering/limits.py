"""What one page may cost, so that no text keeps a server or a browser waiting.

Each parser has a price: microseconds for a character or sign, the most that was measured with
hostile texts (`python -m benchmarks pages`). A page has an amount of them. Prices depend on the
text alone, so a page looks the same whenever it is made. What the page cannot afford is shown as
plain text.
"""

import re
from dataclasses import dataclass

from hw_grading.texts import cut

_SIGN = re.compile(r"[^\w ]|_")  # what may mean something in markdown
_TOKEN = re.compile(r"\w+|[^\w ]")
FORMATTING = re.compile(
    r"<(?:a|b|big|code|em|font|html|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.I
)


class NotShown(ValueError):
    """A picture or an output is not shown. The text, a sentence, says why."""


@dataclass
class Limits:
    """What is left for the texts and pictures on one page: many small ones add up."""

    microseconds: float = 1_000_000  # for parsers, by the prices below
    plain: int = 2_000_000  # characters of text that no parser reads
    pictures: int = 15_000_000  # characters of pictures in base64

    def pay(self, microseconds: float) -> bool:
        """Pay a parser's price. Return False, and pay nothing, if it is more than is left."""
        if microseconds > self.microseconds:
            return False
        self.microseconds -= microseconds
        return True

    def cut(self, text: str, most: int) -> str:
        """Return at most `most` characters of a plain text, or as many as are left."""
        most = min(most, self.plain)
        self.plain -= min(most, len(text))
        return cut(text, most)

    def take(self, picture: str) -> None:
        """Count a picture in base64; `NotShown` if it is too much for the page."""
        if (size := len(picture)) > self.pictures:
            raise NotShown(f"A picture of {size / 1e6:.1f} MB is not shown: it is too large.")
        self.pictures -= size


def price_of_markdown(text: str) -> float:
    """Return the price of a text without its pictures; each formula has a price of its own."""
    return 250 + len(text) + 12 * len(_SIGN.findall(text))


def price_of_formula(tex: str) -> float:
    """Return the price of making MathML of TeX, and of cleaning it."""
    return 60 + 15 * len(tex)


def price_of_code(code: str) -> float:
    """Return the price of colouring Python in lines of bounded length."""
    return 250 + 0.5 * len(code) + 12 * len(_TOKEN.findall(code))


def price_of_html(text: str) -> float:
    """Return the price of cleaning HTML without its pictures.

    Parsers open a formatting element again in each paragraph until it is closed.
    """
    tags = text.count("<")
    formatting = len(FORMATTING.findall(text))
    return 250 + 20 * tags + 2 * text.count("&") + 0.2 * len(text) + 0.06 * formatting * tags
