"""A student's feedback: one page with the results, followed by the notebook.

`nbgrader generate_feedback` calls `exporter`. It removes hidden content from the notebook (with
`hiding` and nbgrader's own preprocessors), and reads the scores. `summary` makes the box at the
top, from the scores (`facts`) and from what went wrong (`failures`). `cells` decides how each cell
is shown. `page.html.j2` and `page.css` render both.

The page runs nothing and loads nothing. It has no script, and its Content-Security-Policy allows
none. All text is escaped, or is HTML from `hw_grading.pages.safe_html`.
"""
