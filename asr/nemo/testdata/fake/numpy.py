"""One-dimensional arrays, as far as the worker makes them."""

import array
import sys


class ndarray:
    def __init__(self, values, scale=1.0):
        self.values, self.scale = values, scale

    def astype(self, kind):
        return self

    def __truediv__(self, divisor):
        return ndarray(self.values, self.scale / divisor)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [value * self.scale for value in self.values[index]]
        return self.values[index] * self.scale


def frombuffer(raw, kind):
    assert kind == "<i2"
    values = array.array("h", raw)
    if sys.byteorder == "big":
        values.byteswap()
    return ndarray(values)
