"""Makes the files of this folder that README.md names, from the two that it cannot make.

    pip install numpy==2.4.6 scipy==1.17.1 soxr==1.1.0   # Python 3.11 or 3.12, which have audioop
    python3 reference.py
"""

import audioop
import pathlib
import wave

import numpy as np
import scipy.signal
import soxr

here = pathlib.Path(__file__).parent
RATE = 16000


def read(name):
    """The samples in [-1, 1], channels averaged, and their rate."""
    with wave.open(str(here / name), "rb") as f:
        raw = np.frombuffer(f.readframes(f.getnframes()), "<i2").astype(np.float64) / 0x8000
        return raw.reshape(-1, f.getnchannels()).mean(axis=1), f.getframerate()


def write(name, samples, rate=RATE):
    with wave.open(str(here / name), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(np.clip(np.rint(samples * 0x8000), -0x8000, 0x7FFF).astype("<i2").tobytes())


speech, rate = read("speech-22050.wav")
write("speech-soxr-16000.wav", soxr.resample(speech, rate, RATE, quality="VHQ"))

write("speech-8000.wav", soxr.resample(speech, rate, 8000, quality="VHQ"), 8000)
telephone, rate = read("speech-8000.wav")
write("speech-8000-soxr-16000.wav", soxr.resample(telephone, rate, RATE, quality="VHQ"))

stereo, rate = read("stereo-48000.wav")
taps = scipy.signal.firwin(8193, 7600, window=("kaiser", 12), fs=rate)
write("stereo-scipy-16000.wav", scipy.signal.resample_poly(stereo, 1, 3, window=taps))

codes = bytes(range(256))
(here / "alaw.s16").write_bytes(audioop.alaw2lin(codes, 2))
(here / "mulaw.s16").write_bytes(audioop.ulaw2lin(codes, 2))
