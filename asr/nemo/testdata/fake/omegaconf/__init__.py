import contextlib


@contextlib.contextmanager
def open_dict(config):
    yield
