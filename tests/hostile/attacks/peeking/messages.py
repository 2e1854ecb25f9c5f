"""Looks for hidden tests in the messages to the kernel."""

# /// attack
# uses = ["looking"]
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [20, inf]}
# ///

# %% before
import answering.serve, answering.wire as wire
kernel, before = get_ipython().kernel, wire.unpack
requests = type(kernel.session).deserialize
def spy(self, frames, *a, **k):
    for frame in frames:
        search("request", frame)
    return requests(self, frames, *a, **k)
type(kernel.session).deserialize = spy
def unpack(head, body, *a, **k):
    search("question", head), search("question", body)
    return before(head, body, *a, **k)
wire.unpack = unpack

# %% total
total = 10

# %% after
report()
