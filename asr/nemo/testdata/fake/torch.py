"""What the worker asks of torch. HOLDFAST_TEST_CUDA pretends that there is a GPU."""

import os

__version__ = "2.15.0+fake"


def set_num_threads(count):
    pass


class cuda:
    @staticmethod
    def is_available():
        return bool(os.environ.get("HOLDFAST_TEST_CUDA"))

    @staticmethod
    def empty_cache():
        pass
