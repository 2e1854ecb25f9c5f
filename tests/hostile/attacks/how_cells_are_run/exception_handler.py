"""Hides all errors."""

# /// attack
# prints = ["handled 1"]
# ///

# %% before
handled = []
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: handled.append(1))
get_ipython().showtraceback = lambda *a, **k: handled.append(2)
import sys
sys.excepthook = lambda *a: handled.append(3)
1 / 0

# %% after
print(f'handled {len(handled)}')
