"""Removes comparisons from the syntax tree of each cell.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["removed 2 comparisons"]
# ///

# %% before
import ast
removed = []

class Remove(ast.NodeTransformer):
    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "id", "") == "assert_close":
            removed.append(node)
            return ast.copy_location(ast.Constant(None), node)
        return node
    def visit_Assert(self, node):
        removed.append(node)
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Remove())

# %% test_double
assert_close(double(3), 6)
assert double(4) == 8

# %% after
print(f'removed {len(removed)} comparisons')
