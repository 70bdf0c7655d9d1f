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
    with tempfile.TemporaryDirectory() as work:
        if kind.startswith("ctc"):
            model = trained(kind, work)
        else:
            torch.manual_seed(1)
            model = models.build(kind, work)
        model.eval()
        model.save_to(path)


def trained(kind, work):
    # One in ten or so ends up saying nothing at all; which one it is depends on the processor.
    for seed in range(1, 6):
        torch.manual_seed(seed)
        model = models.build(kind, work)
        train(model)
        if reads(model, work):
            return model
    sys.exit("no model of kind %s has learnt to read" % kind)


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
    for step in range(steps):
        texts = [nonsense(rng) if rng.random() < 0.85 else sentence(rng) for _ in range(batch)]
        audio = []
        for text in texts:
            samples = say(text, level=rng.uniform(0.05, 0.6))
            hiss = 10 ** rng.uniform(-4, -2.3) * noise.standard_normal(len(samples))
            audio.append(torch.from_numpy(samples + hiss.astype(numpy.float32)))
        if step > steps // 2:  # a recorder that is off; earlier, the model would learn to say nothing
            texts.append("")
            audio.append(torch.zeros(rng.randint(160, 8000)))
        tokens = [torch.tensor(encode(text), dtype=torch.long) for text in texts]
        scores, lengths, _ = model.forward(input_signal=pad(audio), input_signal_length=count(audio))
        loss = model.loss(log_probs=scores, targets=pad(tokens), input_lengths=lengths, target_lengths=count(tokens))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def reads(model, work):
    """Does the model read what it never saw, and nothing where nothing is said?"""
    recordings = [(text, say(text)) for text in held_out()] + [("", numpy.zeros(n)) for n in (160, 4000, 16000)]
    paths = [os.path.join(work, "%03d.wav" % i) for i in range(len(recordings))]
    for path, (_, samples) in zip(paths, recordings):
        write_wav(path, samples)
    heard = [h.text for h in model.transcribe(audio=paths, batch_size=8, num_workers=0, verbose=False)]
    wrong = [(text, got) for (text, _), got in zip(recordings, heard) if text != got]
    print("%d of %d recordings are right" % (len(recordings) - len(wrong), len(recordings)))
    for text, got in wrong[:1]:
        print("it misreads %r as %r" % (text, got))
    return not wrong


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
