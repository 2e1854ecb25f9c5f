"""Resolves names."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# refused = ["resolve"]
# ///

# %% before
for name in ("example.org", "localhost.localdomain", "sandbox", "metadata.google.internal"):
    attempt("resolve", socket.getaddrinfo, name, 80)
