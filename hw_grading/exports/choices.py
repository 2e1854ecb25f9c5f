"""What can be chosen; it imports nothing, because the command line asks first."""

KINDS = ("canvas", "moodle", "gradescope", "questions")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
