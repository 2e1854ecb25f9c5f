"""Find similar answers in a class, and write a page for a person to read, and a table.

May import `records`, `pages`, `homework` and `outcome`. Submissions are read, never run.

`own` finds the student's own lines in a submission. `prints` makes normalised fingerprints of these
lines. `pairs` finds the pairs of students with most in common, `comparing` their matching lines.

copydetect (0.5, MIT) normalises and fingerprints the code. It lexes with pygments, so names, layout
and comments do not count. Two of its parts are not used. Its list of boilerplate also removes other
fingerprints that occur twice (`intersect1d` with ``assume_unique``), so stubs are subtracted line
by line here. Its comparison of two files gives equal weight to code of the whole class and code of
only two students; short functions that all solve alike would be at the top. The alternative was
compare50 (1.2): GPL 3, and it needs ``attrs<21``, which nbformat's jsonschema excludes.
"""
