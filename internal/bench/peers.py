"""Does what a Python program does with a manifest, as often as a line of stdin says, and answers "done" each time.

    peers.py JOB MANIFEST
"""
import json
import sys


def read_list(path):  # as NeMo's read_manifest does
    data = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.strip()
            if line:
                data.append(json.loads(line))
    return data


def read(path, loads):
    with open(path, "rb") as f:
        for line in f:
            loads(line)


def write(path, data, dumps):
    with open(path, "wb") as f:
        for entry in data:
            entry["pred_text"] = entry["text"]
            f.write(dumps(entry) + b"\n")


def main(job, path):
    try:
        import orjson
    except ImportError:
        orjson = None
    if "orjson" in job and orjson is None:
        print("missing: orjson", flush=True)
        return
    out = path + ".py"
    data = read_list(path) if job.startswith("write") else None
    work = {
        "read-json": lambda: read(path, json.loads),
        "read-json-list": lambda: read_list(path),
        "read-orjson": lambda: read(path, orjson.loads),
        "write-json": lambda: write(out, data, lambda e: json.dumps(e).encode()),
        "write-orjson": lambda: write(out, data, orjson.dumps),
    }[job]
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            work()
        print("done", flush=True)


main(*sys.argv[1:])
