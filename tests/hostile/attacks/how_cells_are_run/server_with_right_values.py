"""Answers each question with a value that claims to be right."""

# /// attack
# numbers = {called = [14, 16]}
# ///

# %% before
import sys, numpy as np
import answering.serve as serve
called = []

class Right(float):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __array__(self, *a, **k):
        return np.array(True)
    __hash__ = None

before = serve.Server._call
def call(self, *question):
    called.append(1)
    answer = before(self, *question)
    answer[1] = Right(1)
    return answer
serve.Server._call = call

# %% after
print('called', len(called))
