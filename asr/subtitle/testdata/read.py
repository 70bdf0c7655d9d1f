"""Prints the cues of all files of a folder, as readers find them that are not ours."""

import csv
import datetime
import html
import json
import pathlib
import sys

import srt
import webvtt

millisecond = datetime.timedelta(milliseconds=1)


def cue(start, end, text):
    return {"Start": round(start), "End": round(end), "Text": text}


def read(path):
    if path.suffix == ".srt":
        for c in srt.parse(path.read_text("utf-8")):
            yield cue(c.start / millisecond, c.end / millisecond, c.content)
    elif path.suffix == ".vtt":
        for c in webvtt.read(str(path)):
            yield cue(c.start_time.in_milliseconds(), c.end_time.in_milliseconds(), html.unescape(c.raw_text))
    elif path.suffix == ".tsv":
        with path.open(encoding="utf-8", newline="") as f:
            for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True):
                yield cue(int(row["start"]), int(row["end"]), row["text"])
    else:
        for s in json.loads(path.read_text("utf-8"))["segments"]:
            yield cue(1000 * s["start"], 1000 * s["end"], s["text"])


json.dump({path.name: list(read(path)) for path in pathlib.Path(sys.argv[1]).iterdir()}, sys.stdout)
