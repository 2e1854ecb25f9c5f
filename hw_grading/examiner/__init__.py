"""Makes the verdicts on test cells, in a process that runs no student code.

May import `sandbox`, `answering`, `homework` and `outcome`.
"""
