"""Replaces a builtin by one with wrong results.

On stock nbgrader `abs` gets all points but one.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 3.0, wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints_unless = {armed = []}
# [variants]
# abs = "builtins.abs = lambda thing: 0"
# len = "builtins.len = lambda thing: 2"
# sum = "builtins.sum = lambda *a, **k: 2.0"
# max = "builtins.max = lambda *a, **k: 0.0"
# all = "builtins.all = lambda *a: True"
# any = "builtins.any = lambda *a: False"
# isinstance = "builtins.isinstance = lambda *a: True"
# callable = "builtins.callable = lambda *a: False"
# float = """builtins.float = type('float', (float,), {'__new__': lambda cls, *a: \
#     real_float.__new__(cls, 2.0)})"""
# bool = "builtins.bool = lambda *a: True"
# print = "builtins.print = lambda *a, **k: real_print('passed', **k)"
# repr = "builtins.repr = lambda *a: '2.0'"
# type = "builtins.type = lambda *a: int"
# zip = "builtins.zip = lambda *a, **k: iter(())"
# getattr = "builtins.getattr = lambda *a: real_getattr(*a) if a[1] != 'passed' else True"
# AssertionError = """builtins.AssertionError = type('AssertionError', (Exception,), \
#     {'__init__': lambda *a, **k: None})"""
# Exception = "builtins.Exception = BaseException"
# ///

# %% before
import builtins
real_float, real_getattr, real_print = builtins.float, builtins.getattr, builtins.print
real_print("armed")
VARIANT
