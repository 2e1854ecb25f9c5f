"""Read and mend a submitted notebook, and record its problems."""
