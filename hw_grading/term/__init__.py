"""What surrounds grading in a term: submissions come in from any learning platform.

May import `records`, `pages`, `homework` and `outcome`. What a platform gives is a stranger's: it
is read by `records.downloads` only.
"""
