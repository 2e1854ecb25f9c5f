# `search(kind, text)` notes what it finds, and `report()` says it and how much was looked at.
# What is looked for stands here backwards, and texts are turned round: else it would find itself.
import ctypes, errno, gc, json, os, socket, stat, struct, sys, types
backwards = NEEDLES
found, looked = [], [0]
def search(kind, text):
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("latin-1")
    looked[0] += 1
    text = str(text)[::-1]
    for needle in backwards:
        if needle in text:
            at = text.index(needle)
            found.append((kind, needle, text[max(0, at - 30) : at + len(needle) + 30]))
def report():
    print("looked at", looked[0], "found", found[:20])
