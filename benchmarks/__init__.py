"""Every figure that the documentation gives, and the command that prints it."""
