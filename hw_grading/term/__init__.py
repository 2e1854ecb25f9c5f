"""Collect submissions from any learning platform.

May import `records`, `pages`, `homework` and `outcome`. Files from a platform are not trusted: only
`records.downloads` reads them.
"""
