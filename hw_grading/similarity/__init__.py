"""Which answers of a class are alike: a page for a person to look at, and a table.

May import `records`, `pages`, `homework` and `outcome`. Submissions are read, never run, and
nothing is changed.

From the released notebook and a submission come the student's own lines (`own`), from these
normalised fingerprints (`prints`), from those of the class the pairs (`pairs`), and from a pair the
matching lines (`matching`).

Code is normalised and fingerprinted by copydetect (0.5, MIT). It lexes by pygments, so names,
layout and comments count for nothing, and its functions take a text and return arrays, so an index
over the class can be built of them. Two of its parts are not used. Its list of boilerplate takes
away others too that occur twice (`intersect1d` with ``assume_unique``): here stubs are subtracted
line by line. And its comparison of two files counts what the whole class has as much as what only
two have: short functions that all solve alike would be at the top. compare50 (1.2) was the other
choice: it is under the GPL 3, asks for ``attrs<21``, which nbformat's jsonschema excludes, and is
made for whole files of programs. Neither reads notebooks.
"""
