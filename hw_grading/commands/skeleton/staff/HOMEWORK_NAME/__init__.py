"""The staff code of HOMEWORK_NAME. Students never get it."""
