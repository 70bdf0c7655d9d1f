"""Writes whisper.txt, .srt and .tsv beside whisper.json with openai-whisper's own writers.

    pip download --no-deps openai-whisper==20250625   # and unpack whisper/utils.py
    python3 whisper.py utils.py

Its VTT leaves the hours out, which other readers do not need.
"""

import importlib.util
import json
import pathlib
import sys

spec = importlib.util.spec_from_file_location("utils", sys.argv[1])
utils = importlib.util.module_from_spec(spec)
spec.loader.exec_module(utils)

here = pathlib.Path(__file__).parent
result = json.loads((here / "whisper.json").read_text("utf-8"))
for segment in result["segments"]:
    del segment["words"]  # with words it makes one cue of each pause
for name in ("txt", "srt", "tsv"):
    with (here / f"whisper.{name}").open("w", encoding="utf-8", newline="") as f:
        utils.get_writer(name, ".").write_result(result, f)
