"""The staff's commands, a file for each: ``python -m hw_grading VERB``.

A file has `HELP`, `add_arguments` for argparse, and `run`, which calls what does the work, prints,
and returns the exit status. May import every room; what is heavy is imported in `run`.
"""

FINE, TO_DO, CANNOT = 0, 1, 2
VERBS = (
    "backup",
    "collect",
    "correct",
    "demo",
    "desk",
    "doctor",
    "explain",
    "export",
    "extend",
    "move",
    "new",
    "plots",
    "regrade",
    "release",
    "report",
    "restore",
    "results-json",
    "similarity",
    "statistics",
)
