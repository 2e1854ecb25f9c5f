"""Statistics of a class: one page and tables, for instructors or for students.

`gathering` reads the data of a class once, without names. `numbers` computes the figures.
`sections` and `for_students` choose the content of the page. Import it by its full name: the
standard library has a module of the same short name.
"""
