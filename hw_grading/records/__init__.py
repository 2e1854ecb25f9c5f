"""Read a course's data: gradebook, graded notebooks, downloads, the instructor's notebook.

May import `pages`, `homework` and `outcome`. Text that students wrote is cleaned or escaped here.
`database` creates and writes our own tables in the gradebook; rooms above declare theirs.
"""
