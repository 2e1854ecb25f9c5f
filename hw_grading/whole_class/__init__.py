"""Grades a class: many submissions at once, here or on other machines; nothing is run twice."""
