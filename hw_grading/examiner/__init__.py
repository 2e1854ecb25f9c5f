"""Makes the verdicts on test cells, in a process of the grader in which no student code runs.

May import `sandbox`, `inside` and `homework`.
"""
