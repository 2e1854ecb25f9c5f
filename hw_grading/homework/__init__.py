"""One homework and its course: the manifest, the staff's code for it, the instructor's cells.

May import `outcome` only.
"""
