"""Read and repair a submitted notebook, and record its problems."""
