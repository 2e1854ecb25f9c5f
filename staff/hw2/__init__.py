"""Staff code of hw2: what its hidden tests import. Students never get it."""
