"""Sentences to train on and to read."""

import random

from speech import CHARACTERS

WORDS = (
    "hello world the cat sat on a mat go sdk test quick brown fox jump over lazy dog deep sea open door one two "
    "three four five six seven eight nine ten red blue green it's fine zip quiz lock file hold fast keep every "
    "word never lose job back up voice note vex jazz kiwi yard won't"
).split()


def nonsense(rng):
    """Words that mean nothing: only the chords can be learnt from them."""
    word = lambda: "".join(rng.choice(CHARACTERS[1:]) for _ in range(rng.randint(1, 7)))
    return " ".join(word() for _ in range(rng.randint(1, 4)))


def sentence(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))


def held_out(count=300):
    """Real words in combinations that the training never saw."""
    rng = random.Random(4242)
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 5))) for _ in range(count)]
