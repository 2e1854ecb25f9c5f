"""What one page may hold, so that no text keeps a server or a browser waiting.

A parser takes about 15 microseconds for a short word or a sign of a hostile text
(`python -m benchmarks pages`), so a page has a number of them. The count depends on the text alone:
a page looks the same whenever it is made. What is beyond the number is shown as plain text.
"""

import re
from dataclasses import dataclass

from hw_grading.texts import cut

_WORD = re.compile(r"[^\W_]{1,10}| {2,10}|[^\w ]|_")  # a word, a part of a long one, or a sign
_LEAST = 20  # words, which a parser's start takes as long as


class NotShown(ValueError):
    """A picture or an output is not shown. The text, a sentence, says why."""


@dataclass
class PageLimits:
    """What is left for the texts and pictures on one page: many small ones add up."""

    words: int = 60_000  # short words and signs, for parsers
    plain: int = 1_000_000  # characters of text that no parser reads
    pictures: int = 15_000_000  # characters of pictures in base64

    def parses(self, text: str) -> bool:
        """Count a text for a parser. Return False, and count nothing, if it is too much."""
        return self.has(_LEAST + len(_WORD.findall(text)))

    def has(self, words: int) -> bool:
        """Count words. Return False, and count nothing, if they are more than are left."""
        if words > self.words:
            return False
        self.words -= words
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
