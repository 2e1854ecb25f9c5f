"""Changes every array to another shape or type."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# [variants]
# flat = 'dtype, flat = "<f8", True'
# complex = 'dtype, flat = "<c16", False'
# truth = 'dtype, flat = "|b1", False'
# ///

# %% before
def server():
    VARIANT
    def answer(question):
        if question[1] == "get":
            frame(value())
            return
        argument = question[3][1][1][1]
        if type(argument) is not list or argument[0] != 3:
            frame(value(0.0))
            return
        shape = argument[2][1:]
        size = int(np.prod(shape))
        bytes_of_sevens = np.full(size, 7).astype(dtype).tobytes()
        shape = [size] if flat else shape
        changed = [[0, [3, dtype, [0, *shape]]], None]
        frame(value([0, 0.0, 0.0], changed), bytes_of_sevens if question[4] else b"")
    import numpy as np
    serve(answer)
take_over(server)

# %% total
total = 10
