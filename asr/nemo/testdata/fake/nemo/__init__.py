"""A stand-in for NVIDIA NeMo that fails as NeMo 3.0.0 was seen to fail.

It needs nothing but Python. It hears the speech of the tests, see hearing.py.
"""

__version__ = "3.0.0+fake"

print("[NeMo I] a line on stdout, as NeMo prints them")
