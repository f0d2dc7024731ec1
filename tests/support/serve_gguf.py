#!/usr/bin/env python3
"""Serve a GGUF file with llama.cpp's own HTTP server: serve_gguf.py MODEL [CTX=4096]

Prints "LISTENING http://127.0.0.1:PORT" once the model is loaded, and ends when its standard input
closes: it cannot outlive the test that started it. One thread: llama.cpp's threads spin at barriers,
and a test machine is busy.
"""
import os
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = int(sys.argv[2]) if len(sys.argv) > 2 else 4096
params.n_parallel = 1
params.endpoint_metrics = params.endpoint_slots = True
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("LISTENING", server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
