"""Speech of the tests: one chord of two tones for each character.

A small model learns it within a minute, and a few lines of arithmetic read it,
which is how the fake nemo "hears".
"""

import wave

import numpy

RATE = 16000
CHARACTERS = " abcdefghijklmnopqrstuvwxyz'"
CHORD, GAP, PAD = 0.10, 0.02, 0.15  # seconds


def frequencies(index):
    """The two tones of a character, in Hz."""
    return 300 + 110 * index, 3800 + 110 * (index * 11 % 28)


def say(text, level=0.3):
    """Speak text: float32 samples at 16 kHz."""
    count = int(RATE * CHORD)
    t = numpy.arange(count) / RATE
    gap, pad = numpy.zeros(int(RATE * GAP)), numpy.zeros(int(RATE * PAD))
    parts = [pad]
    for character in text:
        low, high = frequencies(CHARACTERS.index(character))
        chord = numpy.sin(2 * numpy.pi * low * t) + 0.6 * numpy.sin(2 * numpy.pi * high * t)
        parts += [level * chord * numpy.hanning(count), gap]
    return numpy.concatenate(parts + [pad]).astype(numpy.float32)


def write_wav(path, samples):
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
