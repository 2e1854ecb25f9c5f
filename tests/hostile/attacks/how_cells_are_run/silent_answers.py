"""Answers no question; the time limit ends it."""

# /// attack
# answers = "right"
# prints = ["armed"]
# [variants]
# "_answer raises" = "serve.Server._answer = lambda *a: 1 / 0"
# "_answer exits hard" = "serve.Server._answer = lambda *a: __import__('os')._exit(0)"
# "_answer loops" = """serve.Server._answer = lambda *a: [0 for _ in \
#     __import__('itertools').count() if False]"""
# ///

# %% before
import answering.serve as serve, answering.start as start
VARIANT
print("armed")
