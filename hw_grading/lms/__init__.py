"""People and learning platforms: one roster, submissions in, grades out, for Canvas and others.

May import every package below it. Files from a platform are not trusted: `downloads` opens them.
A name that a student can change never decides who somebody is: `roster` holds that rule.
"""
