"""Patches `run_code` so that it runs no comparison.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["pieces"]
# ///

# %% before
shell = get_ipython()
ran, before = [], type(shell).run_code
async def run_code(self, code, result=None, *, async_=False):
    ran.append(code.co_names)
    if {"checks", "assert_close", "type"} & {*code.co_names}:
        return False
    return await before(self, code, result, async_=async_)
type(shell).run_code = run_code

# %% after
print(f'ran {len(ran)} pieces')
