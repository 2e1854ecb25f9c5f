"""A notebook that is handed in: reading it, mending it, what was wrong with it."""
