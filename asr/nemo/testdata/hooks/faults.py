"""Failures that a recording asks for by its first sample."""

import os
import signal
import sys
import time

ERROR, OUT_OF_MEMORY, OUT_OF_MEMORY_IN_BATCH, CUDA, EXIT, KILL, HANG, UNFREEZE, SLOW, ERROR_IN_BATCH = range(32001, 32011)


def check(firsts):
    """Fail as the first samples of a batch's recordings say."""
    batch = len(firsts) > 1
    for first in firsts:
        if first == ERROR or first == ERROR_IN_BATCH and batch:
            raise RuntimeError("the forward pass failed")
        if first == OUT_OF_MEMORY or first == OUT_OF_MEMORY_IN_BATCH and batch:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if first == CUDA:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if first == UNFREEZE:
            raise ValueError("Cannot unfreeze partially without first freezing the module with freeze()")
        if first == EXIT:
            print("the library gives up", file=sys.stderr, flush=True)
            os._exit(9)
        if first == KILL:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if first == HANG:
            time.sleep(3600)
        if first == SLOW:
            time.sleep(0.05)
