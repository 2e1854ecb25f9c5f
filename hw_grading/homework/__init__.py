"""One homework and its course: the manifest, the homework's staff code, the instructor's cells.

May import `outcome` only.
"""
