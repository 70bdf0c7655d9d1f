"""What the tests change in a Python process, before any of its own code runs.

A .pth file of the tests' virtual environment imports this; the environment says
what is wanted.
"""

import os
import sys

if os.environ.get("HOLDFAST_TEST_WINDOWS"):
    import windows_rule

    windows_rule.install(os.environ.get("HOLDFAST_TEST_HELD", "").split(","))


class Patch:
    """Imports a module and then changes it."""

    def __init__(self, module, change):
        self.module, self.change = module, change

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        import importlib.util

        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            self.change(module)

        spec.loader.exec_module = exec_module
        return spec


def real_nemo(transcription):
    """Let NeMo's forward pass fail where the audio says so.

    The loop in TranscriptionMixin.transcribe_generator moves each batch to the
    device right before it calls the model.
    """
    import faults

    name = "move_data_to_device" if hasattr(transcription, "move_data_to_device") else "move_to_device"
    move = getattr(transcription, name)

    def checked(batch, device):
        faults.check(firsts(batch))
        return move(batch, device)

    setattr(transcription, name, checked)

    import meter

    transcription.TranscriptionMixin.transcribe = meter.measured(transcription.TranscriptionMixin.transcribe)


def firsts(batch):
    """The first sample of each recording in a batch of any of NeMo's shapes."""
    audio = batch.audio if hasattr(batch, "audio") else batch[0]
    return [round(float(row[0]) * 32768) for row in audio] if audio.ndim == 2 else []


sys.meta_path.insert(0, Patch("nemo.collections.asr.parts.mixins.transcription", real_nemo))
