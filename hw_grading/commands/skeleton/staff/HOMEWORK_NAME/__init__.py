"""The staff's side of HOMEWORK_NAME: what its hidden parts need. Never given to students."""
