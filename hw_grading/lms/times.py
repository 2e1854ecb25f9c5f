"""Reads the times in a platform's table, which has them in its language and in a format.

A text that does not have the format, down to the day of the week, is refused: a time is never
guessed.
"""

import calendar
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache

from babel import Locale, UnknownLocaleError

from hw_grading.homework.folders import time_of
from hw_grading.lms.tables import folded
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

# How Moodle writes the time of a submission in some of its languages.
_FORMATS = {
    "en": "%A, %d %B %Y, %I:%M %p",
    "de": "%A, %d. %B %Y, %H:%M",
    "es": "%A, %d de %B de %Y, %H:%M",
    "fr": "%A %d %B %Y, %H:%M",
}
_NAMED = re.compile("%([AaBb])")  # directives whose text depends on the language
_ENGLISH: Mapping[str, Sequence[str]] = {
    "A": tuple(calendar.day_name),
    "a": tuple(calendar.day_abbr),
    "B": tuple(calendar.month_name),
    "b": tuple(calendar.month_abbr),
}
_SAMPLE = datetime(2022, 10, 4, 23, 59)


@cache
def _locale_of(language: str) -> Locale:
    """Return how a language writes times; `UserError` if it is none."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise UserError(
            f"{quoted(language)} is not a language for --language. Expected a code such as en, de "
            "or pt_BR"
        ) from None


@dataclass(frozen=True)
class TimeReader:
    """How a table writes times: in the clock time of a zone, in a language and a format.

    The format has directives of `strptime`. It is "" for that of the language.
    """

    zone: tzinfo
    language: str = "en"
    form: str = ""

    def read(self, text: str) -> datetime:
        """Return the time that a text says, in UTC without a zone, or raise `UserError`."""
        try:
            wall = time.strptime(self._in_english(folded(text)), self.format)
        except ValueError:
            raise UserError(
                f"expected a time such as {quoted(self._example)}, found {quoted(text)}. Say how "
                "it is written: --time-format, --language"
            ) from None
        moment = datetime(*wall[:6], tzinfo=self.zone)
        if moment.weekday() != wall.tm_wday:
            raise UserError(f"{quoted(text)} names another day of the week than its date has")
        return time_of(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")

    def expect_known(self) -> None:
        """Raise `UserError` for an unknown language, or a format that does not determine a time."""
        _locale_of(self.language)
        try:
            is_complete = datetime.strptime(f"{_SAMPLE:{self.format}}", self.format) == _SAMPLE
        except ValueError as why:
            raise UserError(f"--time-format {quoted(self.form)}: {why}") from None
        if not is_complete:
            raise UserError(
                f"--time-format {quoted(self.form)}: expected day, month, year, hour and minute"
            )

    @property
    def format(self) -> str:
        """The format, by default that of the language, or else that of English."""
        return self.form or _FORMATS.get(self.language, _FORMATS["en"])

    def _names(self, directive: str) -> Mapping[int, str]:
        """Return the names of days or months in the language, by number."""
        locale = _locale_of(self.language)
        kind = locale.days if directive in "Aa" else locale.months
        names: Mapping[int, str] = kind["format"]["wide" if directive in "AB" else "abbreviated"]
        return names

    def _in_english(self, text: str) -> str:
        """Return a text with English names in the place of the language's, in the format's order.

        One name may mean a day and a month.
        """
        begin = 0
        for directive in _NAMED.findall(self.format):
            names = {folded(name): number for number, name in self._names(directive).items()}
            longest_first = sorted(names, key=len, reverse=True)
            if found := re.compile("|".join(map(re.escape, longest_first))).search(text, begin):
                name = _ENGLISH[directive][names[found[0]]]
                text = f"{text[: found.start()]}{name}{text[found.end() :]}"
                begin = found.start() + len(name)
        return text

    @property
    def _example(self) -> str:
        """A time in this language and format."""
        number = {"A": _SAMPLE.weekday(), "B": _SAMPLE.month}
        form = _NAMED.sub(lambda one: self._names(one[1])[number[one[1].upper()]], self.format)
        return _SAMPLE.strftime(form.replace("%d", str(_SAMPLE.day)))
