"""Does not answer; the time limit ends it."""

# /// attack
# answers = "right"
# prints = ["armed"]
# problems = "some"
# [variants]
# "start.answer nothing" = "start.answer = lambda *a: None"
# "start.answer raises" = "start.answer = lambda *a: 1 / 0"
# "start.answer exits" = "start.answer = lambda *a: exit()"
# "start.answer exits hard" = "start.answer = lambda *a: __import__('os')._exit(0)"
# "start.answer is interrupted" = "start.answer = lambda *a: __import__('_thread').interrupt_main()"
# "start.answer aborts" = "start.answer = lambda *a: __import__('os').abort()"
# "start.answer loops" = """start.answer = lambda *a: [0 for _ in \
#     __import__('itertools').count() if False]"""
# "start.answer sleeps" = "start.answer = lambda *a: __import__('time').sleep(10_000)"
# "serve raises" = "serve.Server.serve = lambda *a: 1 / 0"
# "serve exits hard" = "serve.Server.serve = lambda *a: __import__('os')._exit(0)"
# "serve loops" = """serve.Server.serve = lambda *a: [0 for _ in \
#     __import__('itertools').count() if False]"""
# ///

# %% before
import answering.serve as serve, answering.start as start
VARIANT
print("armed")
