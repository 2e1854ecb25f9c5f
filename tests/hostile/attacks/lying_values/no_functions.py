"""Replaces a function by something else."""

# /// attack
# uses = ["liars"]
# prints_unless = {done = []}
# ///

# %% double
VARIANT

# %% after
print('d' + 'one')

# %% variant a class that is equal to everything
double = Equal

# %% variant an instance that can be called
double = Everything()

# %% variant a type
double = float

# %% variant a number
double = 6

# %% variant a coroutine
async def double(x):
    return 2 * x

# %% variant a generator
def double(x):
    yield 2 * x

# %% variant a function of another shape
double = lambda: 6

# %% variant a function that calls itself
def double(x):
    return double(x)

# %% variant the server
import answering.start
double = answering.start._server()._answer

# %% variant a mapping
double = {3: 6}

# %% variant a property
double = property(lambda x: 2 * x)
