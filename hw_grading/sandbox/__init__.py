"""The sandbox in which student code runs: what it shows and allows, and how kernels start in it.

May import `answering`, whose files the sandbox shows to student code, and `outcome`.
"""
