"""Find similar answers in a class, and write a page for a person to read, and a table.

May import `records`, `pages`, `homework` and `outcome`. Submissions are read, never run.

`own` finds the student's own lines in a submission. `prints` makes normalised fingerprints of these
lines with copydetect (see docs/decisions.md). `pairs` finds the pairs of students with the most in
common, `comparing` their matching lines.
"""
