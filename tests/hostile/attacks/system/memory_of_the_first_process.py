"""Reads the memory of the sandbox's first process.

It was started by the grader, with the grader's environment and command line.
"""

# /// attack
# uses = ["tries", "tracing"]
# machine = "x86_64"
# problems = []
# works = []
# prints = ["refused seize"]
# ///

# %% before
if trace("seize", SEIZE, 1, None, None) >= 0:
    trace("interrupt", INTERRUPT, 1, None, None)
    os.waitpid(1, ALL)
    registers = (ctypes.c_ulong * 27)()
    trace("registers", GETREGS, 1, None, ctypes.addressof(registers))
    stack = memory_of(1, registers[19] & ~4095)
    print(len(stack), "bytes of the stack")
    print(stack[stack.find(b"HW_GRADING_CANARY"):][:40])
