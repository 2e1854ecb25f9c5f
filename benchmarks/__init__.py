"""The commands that print every figure in the documentation."""
