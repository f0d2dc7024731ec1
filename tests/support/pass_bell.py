"""Becomes a program that is passed its doorbell, as a service manager does it: pass_bell.py SOCKET PROGRAM ARG...

Binds the datagram socket, says so, and waits for a line of input before it becomes the program.
"""

import os
import socket
import sys

bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
bell.bind(sys.argv[1])
print("BOUND", flush=True)
sys.stdin.readline()
os.dup2(bell.fileno(), 3)
os.set_inheritable(3, True)
pid = str(os.getpid())
environment = dict(os.environ, LISTEN_FDS="1", LISTEN_PID=pid, WATCHDOG_USEC="6000000", WATCHDOG_PID=pid)
os.execve(sys.argv[2], sys.argv[2:], environment)
