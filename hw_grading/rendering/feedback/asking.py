"""What a page of feedback offers to ask about, and what was asked already.

Without a script, the page has the file that a student fills in and hands in. Its one script,
`ask.js`, writes the student's texts into it. The page's policy names the script by its digest, so
no other runs. The file says whose it is only as a help: the platform decides.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from hw_grading.gradebook.requests import Request
from hw_grading.homework.homework import Requests
from hw_grading.rendering.feedback.summary import PageFacts, QuestionBox, comment_html

SCRIPT = Markup(Path(__file__).with_name("ask.js").read_text(encoding="utf-8"))
SCRIPT_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()


@dataclass(frozen=True)
class Ask:
    """One cell with points: what was asked about it, or a field to ask."""

    cell: str  # its grade id
    title: str
    points: str  # in words
    request: Request | None
    reply: Markup
    is_offered: bool


@dataclass(frozen=True)
class Asking:
    """All that a page says about requests."""

    rules: Requests
    file: str  # its name
    content: str  # in base64: the file without any words
    asks: Mapping[str, Ask]  # by grade id

    def about(self, question: QuestionBox) -> list[Ask]:
        """Return what stands at a question."""
        return [self.asks[name] for name in question.cells if name in self.asks]

    @property
    def is_offered(self) -> bool:
        """Whether there is anything about which a student can ask."""
        return any(ask.is_offered for ask in self.asks.values())


def asking_of(facts: PageFacts) -> Asking:
    """Return what a student can ask, about the versions that the page shows, and has asked.

    Cells that nobody has graded, or that do not count, are left out.
    """
    asks, questions = {}, {}
    often = Counter(str(facts.places[name]) for name in facts.scores)
    for name, score in facts.scores.items():
        request, points = facts.asked.get(name), facts.points([score])
        title = str(facts.places[name])
        if often[title] > 1:
            title += ": code" if score.cell.is_code else ": text"
        graded = points is not None and not score.is_open and name not in facts.result.dropped
        offered = graded and name in facts.versions and (request is None or request.is_open)
        if not (request or offered):
            continue
        reply = comment_html(request.reply if request else "")
        asks[name] = Ask(name, title, points.words if points else "", request, reply, offered)
        if offered:
            questions[name] = {"question": title, "text": "", "version": facts.versions[name]}
    about = {"homework": facts.assignment, "student": facts.student, "questions": questions}
    content = base64.b64encode(json.dumps(about, indent=1).encode()).decode()
    return Asking(facts.rules, f"{facts.assignment}-request.json", content, asks)
