import json
import os
import tarfile
import tempfile
import wave

import faults
import hearing
import numpy
import torch


class Hypothesis:
    def __init__(self, text, timestamp):
        self.text, self.timestamp, self.score = text, timestamp, 0.0


class AudioLoadingError(Exception):
    pass


class Config(dict):
    def __setattr__(self, name, value):
        self[name] = value


class Loader:
    """Lhotse's: it keeps the manifest open from the first batch until it has seen the end."""

    def __init__(self, path, batch_size):
        self.path, self.batch_size = path, batch_size

    def __iter__(self):
        self.cuts = self.read()
        return self

    def __next__(self):
        return next(self.cuts)

    def read(self):
        batch = []
        with open(self.path, encoding="utf-8") as manifest:
            for line in manifest:
                entry = json.loads(line)
                try:
                    with wave.open(entry["audio_filepath"], "rb") as file:
                        channels, raw = file.getnchannels(), file.readframes(file.getnframes())
                except Exception as error:
                    raise AudioLoadingError("Fetching info about audio from %s failed" % entry["audio_filepath"]) from error
                if not raw and self.batch_size == 1:
                    raise IndexError("index 0 is out of bounds for dimension 1 with size 0")
                batch.append((numpy.frombuffer(raw, "<i2") / 32768, dict(entry, channels=channels)))
                if len(batch) == self.batch_size:
                    yield batch
                    batch = []
        if batch:
            yield batch


class Arrays:
    def __init__(self, arrays, batch_size):
        self.batches = [arrays[i : i + batch_size] for i in range(0, len(arrays), batch_size)]

    def __iter__(self):
        for batch in self.batches:
            yield [(samples, {}) for samples in batch]


class ASRModel:
    @staticmethod
    def restore_from(path, map_location=None, save_restore_connector=None):
        directory = getattr(save_restore_connector, "model_extracted_dir", None)
        with tempfile.TemporaryDirectory() as work:
            if directory is None:
                with tarfile.open(path) as archive:
                    archive.extractall(work)
                directory = work
            before = os.getcwd()
            os.chdir(work)
            try:
                with open(os.path.join(directory, "model_config.yaml"), encoding="utf-8") as file:
                    lines = dict(line.strip().split(": ", 1) for line in file if line.count(": ") == 1)
                with open(os.path.join(directory, "model_weights.ckpt"), "rb") as file:
                    if file.read(4) == b"junk":
                        raise RuntimeError("Error(s) in loading state_dict for EncDecCTCModelBPE: size mismatch")
            finally:
                os.chdir(before)
        return globals()[lines["target"].rpartition(".")[2]](lines, map_location)


class EncDecCTCModelBPE:
    def __init__(self, lines, device):
        self.cfg, self.device, self.frozen = Config(lines), str(device), False
        self.preprocessor = type("Preprocessor", (), {"_sample_rate": int(lines.get("preprocessor_rate", 16000))})

    def eval(self):
        return self

    def to(self, device):
        self.device = str(device)

    def transcribe(self, audio, batch_size=4, return_hypotheses=False, num_workers=0, channel_selector=None,
                   augmentor=None, verbose=True, timestamps=None, override_config=None):
        return self.generate(audio, batch_size, timestamps, {})

    def generate(self, audio, batch_size, timestamps, prompt):
        if self.frozen:
            raise ValueError("Cannot unfreeze partially without first freezing the module with freeze()")
        self.frozen = True
        try:
            with tempfile.TemporaryDirectory() as work:
                results = []
                if isinstance(audio, Loader):
                    loader = audio
                elif isinstance(audio[0], str):
                    loader = self.files(audio, batch_size, work)
                else:
                    loader = Arrays(audio, batch_size)
                for batch in loader:
                    results += self.forward(batch, timestamps, prompt)
                return results
        finally:
            self.frozen = False

    def files(self, paths, batch_size, work):
        """NeMo writes a manifest of its own for every call."""
        manifest = os.path.join(work, "manifest.json")
        with open(manifest, "w", encoding="utf-8") as file:
            for path in paths:
                file.write(json.dumps(dict(audio_filepath=path, duration=100000, text="")) + "\n")
        return Loader(manifest, min(batch_size, len(paths)))

    def _setup_transcribe_dataloader(self, config):
        return Loader(config["manifest_filepath"], config["batch_size"])

    def forward(self, batch, timestamps, prompt):
        if len(batch) == 1 and batch[0][1].get("channels", 1) != 1:
            raise TypeError("Input shape mismatch occured for input_signal in module AudioToMelSpectrogramPreprocessor")
        if torch.cuda.is_available() and self.device == "cpu":
            firsts = []  # memory of the machine, not of the GPU
        else:
            firsts = [round(samples[0] * 32768) if len(samples) else 0 for samples, _ in batch]
        faults.check(firsts)
        return [self.hypothesis(samples, timestamps, prompt or entry) for samples, entry in batch]

    def hypothesis(self, samples, timestamps, prompt):
        text = hearing.hear(samples)
        if not timestamps:
            return Hypothesis(text, [])
        words = hearing.words(text)
        segments = [dict(segment=text, start=words[0]["start"], end=words[-1]["end"])] if words else []
        return Hypothesis(text, dict(timestep=[], char=[], word=words, segment=segments))


class Prompted(EncDecCTCModelBPE):
    """Says which prompt it was given, before what it hears."""

    def transcribe(self, audio, batch_size=4, return_hypotheses=False, num_workers=0, channel_selector=None,
                   augmentor=None, verbose=True, timestamps=None, override_config=None, **prompt):
        return self.generate(audio, batch_size, timestamps, prompt)

    def hypothesis(self, samples, timestamps, prompt):
        found = super().hypothesis(samples, timestamps, prompt)
        told = {k: v for k, v in prompt.items() if k in ("source_lang", "target_lang", "pnc", "task", "itn")}
        found.text = " ".join("%s=%s" % pair for pair in sorted(told.items())) + " " + found.text
        return found


class EncDecMultiTaskModel(Prompted):
    pass


class EncDecRNNTBPEModelWithPrompt(Prompted):
    pass
