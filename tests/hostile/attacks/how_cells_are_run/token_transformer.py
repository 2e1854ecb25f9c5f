"""Replaces comparisons by prints.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["changed"]
# never_prints = ["changed 0"]
# ///

# %% before
from IPython.core.inputtransformer2 import TokenTransformBase
changed = []

class Prints(TokenTransformBase):
    priority = 1
    @classmethod
    def find(cls, tokens_by_line):
        for line in tokens_by_line:
            for token in line:
                if token.string == "assert_close":
                    return cls(token.start)
    def transform(self, lines):
        changed.append(1)
        row, column = self.start_line, self.start_col
        lines[row] = lines[row][:column] + "print" + lines[row][column + len("assert_close"):]
        return lines
get_ipython().input_transformer_manager.token_transformers.append(Prints)

# %% test_double
assert_close(double(3), 6)
assert double(4) == 8

# %% after
print(f'changed {len(changed)} names')
