"""The graders' desk: a web application for grading by hand, question by question.

May import `rubrics`, `records`, `pages`, `homework` and `outcome`.
"""
