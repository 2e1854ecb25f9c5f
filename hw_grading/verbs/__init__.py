"""The staff's commands, a file for each: ``python -m hw_grading VERB``.

Each file has `HELP`, `add_arguments` for argparse, and `run`. `run` calls the code that does the
work, prints the result, and returns the exit status. Verbs may import every room. They import slow
modules only in `run`.
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
