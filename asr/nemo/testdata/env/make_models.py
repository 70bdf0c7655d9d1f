#!/usr/bin/env python3
"""Make a small real NeMo model of each kind: make_models.py DIR [KIND...]

The CTC kinds are trained until they read sentences that they never saw; the
others keep random weights, which is enough to test how they are called. A model
that is there already is not made again.
"""

import os
import random
import sys
import tempfile

import numpy
import torch

import models
from speech import CHARACTERS, say, write_wav
from text import held_out, nonsense, sentence


def make(kind, path):
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as work:
        model = models.build(kind, work)
        if kind.startswith("ctc"):
            train(model)
            examine(model, work)
        model.eval()
        model.save_to(path)


def train(model, steps=180, batch=8, rate=4e-3):
    encode = lambda text: [CHARACTERS.index(c) for c in text]
    if hasattr(model, "tokenizer"):
        encode = model.tokenizer.text_to_ids
    rng, noise = random.Random(11), numpy.random.default_rng(11)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.15)
    pad = lambda rows: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    count = lambda rows: torch.tensor([len(row) for row in rows])
    model.train()
    for _ in range(steps):
        texts = [nonsense(rng) if rng.random() < 0.85 else sentence(rng) for _ in range(batch)]
        audio = []
        for text in texts:
            samples = say(text, level=rng.uniform(0.05, 0.6))
            hiss = 10 ** rng.uniform(-4, -2.3) * noise.standard_normal(len(samples))
            audio.append(torch.from_numpy(samples + hiss.astype(numpy.float32)))
        tokens = [torch.tensor(encode(text)) for text in texts]
        scores, lengths, _ = model.forward(input_signal=pad(audio), input_signal_length=count(audio))
        loss = model.loss(log_probs=scores, targets=pad(tokens), input_lengths=lengths, target_lengths=count(tokens))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def examine(model, work):
    """Refuse a model that does not read what it never saw."""
    texts = held_out()
    paths = [os.path.join(work, "%03d.wav" % i) for i in range(len(texts))]
    for path, text in zip(paths, texts):
        write_wav(path, say(text))
    heard = [h.text for h in model.transcribe(audio=paths, batch_size=8, num_workers=0, verbose=False)]
    wrong = [(text, got) for text, got in zip(texts, heard) if text != got]
    print("%d of %d sentences are right" % (len(texts) - len(wrong), len(texts)))
    if wrong:
        sys.exit("the model misreads %r as %r" % wrong[0])


def main(folder, kinds):
    torch.set_num_threads(2)
    os.makedirs(folder, exist_ok=True)
    for kind in kinds or models.KINDS:
        path = os.path.join(folder, "tiny-%s.nemo" % kind)
        if os.path.exists(path):
            continue
        making = os.path.join(folder, "making.nemo")
        make(kind, making)
        os.replace(making, path)
        print("made", path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
