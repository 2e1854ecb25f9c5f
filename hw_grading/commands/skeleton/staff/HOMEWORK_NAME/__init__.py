"""Code for the hidden parts of HOMEWORK_NAME. Students never get it."""
