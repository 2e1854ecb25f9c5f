"""How right the test cells of a homework are, measured on answers that are kept for it.

`python -m tools.validity` scores the answers in ``staff/<homework>/answers/`` and mutants of the
solutions by the notebook's own test cells, and writes docs/validity.md.
"""
