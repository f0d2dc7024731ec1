"""Holds the main thread of a process, and that thread alone, until standard input ends: hold_thread.py PID

Says HELD, or REFUSED where the system lets nobody trace a process that is not its child.
"""

import ctypes
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207

ptrace = ctypes.CDLL(None).ptrace
pid = int(sys.argv[1])
held = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 and ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0
print("HELD" if held else "REFUSED", flush=True)
sys.stdin.read()
