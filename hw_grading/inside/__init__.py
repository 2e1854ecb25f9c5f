"""The far end: what runs beside a student's code, in the sandbox.

These files are the only ones of the grader that the sandbox sees, under the name `answering`. A
student's code can change whatever they do. So nothing here decides anything, nothing here is
secret, and whatever they send is checked where it arrives (`wire.py`, which both ends use).
"""
