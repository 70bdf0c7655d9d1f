"""Plain NeMo over a recording or a folder of them, in batches of 8: once, or as often as a line of stdin says.

    peer_nemo.py MODEL PATH [once]
"""
import glob
import os
import sys

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # NeMo prints what it likes

from nemo.collections.asr.models import ASRModel


def main(model, path, once=""):
    paths = sorted(glob.glob(os.path.join(path, "*.wav"))) if os.path.isdir(path) else [path]
    asr = ASRModel.restore_from(model, map_location="cpu")
    asr.eval()
    work = lambda: asr.transcribe(audio=paths, batch_size=8, num_workers=0, verbose=False)
    if once:
        assert len(work()) == 1
        return
    print("ready", file=answers)
    for line in sys.stdin:
        for _ in range(int(line)):
            assert len(work()) == len(paths)
        print("done", file=answers)


main(*sys.argv[1:])
