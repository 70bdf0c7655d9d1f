"""Tell on stderr how long each call of a function took: "METER <seconds>"."""

import functools
import sys
import time


def measured(function):
    @functools.wraps(function)
    def call(*arguments, **options):
        begin = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            print("METER %.6f" % (time.perf_counter() - begin), file=sys.stderr, flush=True)

    return call
