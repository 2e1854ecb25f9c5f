"""What a student gets back: one page that says what was graded how, then shows the notebook.

`exporter` is what `nbgrader generate_feedback` calls. It has the notebook cleared of what is hidden
(`hiding` and nbgrader's own preprocessors), and reads the scores. `summary` makes the box at the
top from these (`facts`) and from what went wrong (`failures`), `cells` decides how each cell is
shown, and `page.html.j2` with `page.css` draws both.

The page runs nothing and loads nothing: it has no script, and its Content-Security-Policy allows
none. All text comes out escaped, or as HTML by `hw_grading.pages.safe_html`.
"""
