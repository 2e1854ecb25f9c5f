"""The choices of the command line; no imports here, so that it starts quickly."""

KINDS = ("canvas", "moodle", "gradescope", "questions")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
