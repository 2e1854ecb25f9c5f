"""Where student code runs: what a sandbox shows and allows, and how kernels start in it.

May import `inside`, which it shows to student code, and `outcome`.
"""
