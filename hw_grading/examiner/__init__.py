"""Where verdicts are made: a process of the grader's own, in which no student code runs.

May import `sandbox`, `inside` and `homework`.
"""
