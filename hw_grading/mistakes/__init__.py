"""The mistakes of a class: answers grouped by what failed, and the names of mistakes."""
