"""Turns errors into results where messages are sent.

On stock nbgrader this gets points.
"""

# /// attack
# uses = ["forge"]
# shows = {before = ["1.0"]}
# ///

# %% before
session, before = type(kernel.session), type(kernel.session).send
def send(self, stream, msg_or_type, content=None, *arguments, **named):
    kind = msg_or_type if isinstance(msg_or_type, str) else msg_or_type["msg_type"]
    if kind in ("error", "execute_result"):
        full = {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1}
        return before(self, stream, "execute_result", full, *arguments, **named)
    return before(self, stream, msg_or_type, content, *arguments, **named)
session.send = send
1 / 0
