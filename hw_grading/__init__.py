"""The staff's package: what grades the homework. Never given to students."""
