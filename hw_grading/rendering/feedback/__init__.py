"""A student's feedback: one page with the results, followed by the notebook.

`exporter` removes hidden content and reads the scores. `summary` makes the box at the top, from the
scores and from what went wrong. `cells` decides how each cell is shown.

The page loads no other files, and has no script but the one with which a student asks about points:
its Content-Security-Policy forbids all others. All text is escaped, or is HTML from
`hw_grading.rendering.answers`.
"""
