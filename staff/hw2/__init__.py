"""The staff's side of hw2: what its hidden parts need. Never given to students."""
