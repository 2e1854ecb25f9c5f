"""Tries the tests of a homework: whether they keep right answers, and catch wrong ones.

Each answer is a submission for the workers, the examiner and the sandbox that will grade the class.
"""
