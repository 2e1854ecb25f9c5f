"""Answers each request to run a cell, and runs nothing.

On stock nbgrader this gets points.
"""

# /// attack
# uses = ["forge"]
# prints = ["armed"]
# [variants]
# do_execute = "type(kernel).do_execute = lambda self, *a, **k: do_execute(*a, **k)"
# execute_request = "kernel.shell_handlers['execute_request'] = execute_request"
# ///

# %% before
before = kernel.do_execute
async def do_execute(code, *arguments, **named):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}

async def execute_request(stream, ident, parent):
    kernel.session.send(
        stream, "execute_reply",
        {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}},
        parent, ident=ident,
    )
print("armed")
VARIANT
