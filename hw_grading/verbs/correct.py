"""Change the points of a question after grading, for everybody or for single students.

Adds points in a question for everybody, drops the question, gives full marks, or sets the points of
single students. Students read the reason. The question is a grade id, such as that of a test, or
the label in its heading, such as '1.3b iv'.
"""

import argparse

from hw_grading.verbs import who_i_am


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("question", nargs="?", default="", help="its grade id, or its label in the heading")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--add", type=float, metavar="POINTS", help="points to add; may be negative")
    what.add_argument("--drop", action="store_true", help="the question no longer counts")
    what.add_argument("--full-marks", action="store_true", help="everybody gets all its points")
    what.add_argument("--to", type=float, metavar="POINTS", help="the points of each --student")
    what.add_argument("--list", action="store_true", help="list all corrections, also undone ones")
    what.add_argument("--undo", type=int, metavar="NUMBER", help="undo a correction")
    add("--student", action="append", default=[], metavar="ID", help="for --to; may be repeated")
    add("--reason", default="", help="the reason, which students read")


def run(chosen: argparse.Namespace) -> None:
    """Correct, undo or list corrections, and print the effect."""
    from hw_grading.commands.correcting import Corrections
    from hw_grading.gradebook.corrections import Kind
    from hw_grading.gradebook.writing import say
    from hw_support.submission.file import Unreadable

    is_new = not (chosen.list or chosen.undo is not None)
    if is_new and not chosen.question:
        raise Unreadable("Expected a question: a grade id, or its label, such as '1.3b iv'")
    if not is_new and (chosen.question or chosen.reason or chosen.student):
        raise Unreadable("--list and --undo take no question, no student and no reason")
    if is_new and not chosen.reason.strip():
        raise Unreadable('Expected a reason for students to read. Add --reason "…"')
    if is_new and bool(chosen.student) != (chosen.to is not None):
        raise Unreadable("--student and --to go together: whose points, and how many they are")
    corrections = Corrections(chosen.course, chosen.assignment)
    if chosen.list:
        lines = corrections.listed()
    elif not is_new:
        lines = corrections.undo(chosen.undo, who_i_am())
    else:
        kind = Kind.DROP if chosen.drop else Kind.FULL if chosen.full_marks else Kind.ADD
        kind, points = (Kind.SET, chosen.to) if chosen.student else (kind, chosen.add or 0.0)
        about = (points, chosen.reason, who_i_am(), chosen.student)
        lines = corrections.correct(chosen.question, kind, *about)
    say("\n".join(lines))
