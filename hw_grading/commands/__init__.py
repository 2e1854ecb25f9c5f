"""The staff's own commands: demonstration, release, a new homework.

May import every other room. Nothing imports this room but ``__main__``, tests and benchmarks.
"""
