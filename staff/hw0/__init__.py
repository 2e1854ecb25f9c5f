"""Staff code of hw0: what its hidden tests import, and the answers that they are tried on."""
