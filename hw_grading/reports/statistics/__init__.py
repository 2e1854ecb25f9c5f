"""A class in numbers: one page, and tables beside it, for instructors or for students.

What is known of a class is read once (`gathering`), without names. Figures of it are computed in
`numbers`; `sections` and `for_students` say what the page tells. Import it by its full name: the
standard library has a module of the same short name.
"""
