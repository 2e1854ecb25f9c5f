"""Looks for hidden tests in callers' frames, in messages, and in how its arguments are used.

On stock nbgrader the caller's frame is the test itself.
"""

# /// attack
# smoke = true
# uses = ["looking", "frames", "unforked"]
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [500, inf], messages = [20, inf], "of arguments" = [3, inf]}
# ///

# %% before
import answering.serve, answering.wire as wire
kernel, before, messages = get_ipython().kernel, wire.unpack, [0]
requests = type(kernel.session).deserialize
def spy(self, frames, *a, **k):
    for frame in frames:
        search("request", frame)
        messages[0] += 1
    return requests(self, frames, *a, **k)
type(kernel.session).deserialize = spy
def unpack(head, body, *a, **k):
    search("question", head), search("question", body)
    messages[0] += 2
    return before(head, body, *a, **k)
wire.unpack = unpack

# %% double
def double(x):
    look_around()
    return 0

# %% mean
def mean(x):
    look_around()
    return [0.0, 0.0]

# %% apply
uses = [0]
class Wants:
    "What is asked of it in the examiner, and with what."
    def __getattr__(self, name):
        search("attribute", name)
        return lambda *a, **k: [search("argument", thing) for thing in a]
    def __getitem__(self, key):
        search("key", key)
        return self
    __call__ = __getitem__
class Argument(float):
    def __array__(self, *a, **k):
        look_around()
        return np.array(1.0)
    __float__ = __index__ = __array__
def apply(f, x):
    look_around()
    wants = Wants()
    for arguments, named in (
        ((Argument(1),), {}), ((x,), {}),
        ((wants,), {}), ((), {'x': wants}), ((), {'__builtins__': wants}),
    ):
        try:
            search("result", f(*arguments, **named))
        except BaseException as error:
            search("error", error)
            search("error", vars(error))
            look_around()
        uses[0] += 1
    return -1

# %% total
total = 10

# %% after
report()
print("messages", messages[0], "of arguments", uses[0])
