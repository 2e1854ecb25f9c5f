"""What a student gets in the end: points of tests and people, corrections for all, less lateness.

Everything that shows or exports a total asks `final_scores`. May import `records`, `homework` and
`outcome`.
"""
