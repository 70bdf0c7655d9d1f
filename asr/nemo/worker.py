"""A warm NeMo model behind a pipe.

The parent writes one JSON object a line to our stdin and reads one a line from
what was our stdout when we started. Everything else that prints, Python or C++,
goes to stderr.

    load        {"op": "load", "model": PATH, "device": "", "threads": 0, "words": false, "batch": 8, "cpu": false}
    download    {"op": "download", "repository": "owner/name"}
    transcribe  {"op": "transcribe", "job": 1, "items": [{"id": ..., "path": ..., "seconds": ..., "prompt": {...}}]}
    cancel      {"op": "cancel", "job": 1}
    end of file: the parent wants us to end, or has gone

    step        what the load is at, for people
    ready       versions, class, device, sample rate
    downloaded  {"path": ...}
    result      text, words and segments of one item, as soon as it is there
    failed      the error of one item; the others are not affected
    done        the job is over; an item that has neither result nor error was cancelled
    broken      we cannot work, or not any more, and end; "kind" says why

What NeMo does wrong on a system that refuses to delete open files is gone round
here: a temporary directory that cannot be removed raises nothing (the parent
removes it), audio is handed over as arrays, so that NeMo writes no manifest of
its own, and a batch that fails is tried again item by item. Python 3.10 or newer.
"""

import gc
import importlib.util
import inspect
import json
import math
import os
import queue
import sys
import tempfile
import threading
import time
import wave

MESSAGE_LIMIT = 2000  # characters of an error's text


class Refusal(Exception):
    """Why we do not work at all."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class BadAudio(Exception):
    """The item's file is not what the parent promised."""


class Broken(Exception):
    """The process cannot be trusted any more; the cause says why."""


# --- The pipe


def take_pipes():
    """Keep stdin and stdout for the protocol and leave other files in their place.

    The copies are not inherited by processes that a library may start.
    """
    requests = os.fdopen(os.dup(0), "rb")
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, events


class Emitter:
    """Writes events, each whole."""

    def __init__(self, out):
        self.out = out
        self.lock = threading.Lock()

    def __call__(self, event, **fields):
        line = json.dumps(dict(fields, event=event), ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
        with self.lock:
            while line:
                line = line[self.out.write(line) :]


# --- The root: everything that is written lies in it


def inside(path, directory):
    path, directory = os.path.realpath(path), os.path.realpath(directory)
    return os.path.normcase(path + os.sep).startswith(os.path.normcase(directory + os.sep))


def secure_root(environ):
    """Put Python's temporary files into the parent's scope, and prove it.

    tempfile decides once, at the first question, where they go; therefore this
    comes before every other import. What lhotse and numba write outside of it
    depends on the home directory and on NUMBA_CACHE_DIR.
    """
    root, scope = environ.get("HOLDFAST_ROOT", ""), environ.get("HOLDFAST_SCOPE", "")
    if not root or not scope:
        raise Refusal("root", "HOLDFAST_ROOT and HOLDFAST_SCOPE are not set")
    if not os.path.isfile(os.path.join(root, ".holdfast")):
        raise Refusal("root", "%s does not carry the mark of a root" % root)
    if not inside(scope, root):
        raise Refusal("root", "the scope %s does not lie in the root %s" % (scope, root))
    tempfile.tempdir = os.path.join(scope, "t")
    try:
        fd, probe = tempfile.mkstemp()
        os.close(fd)
        os.remove(probe)
    except OSError as error:
        raise Refusal("root", "cannot write into %s: %s" % (tempfile.tempdir, error)) from error
    for what, path in (
        ("a temporary file", probe),
        ("the home directory", os.path.expanduser("~")),
        ("NUMBA_CACHE_DIR", environ.get("NUMBA_CACHE_DIR") or os.path.expanduser("~")),
    ):
        if not inside(path, root):
            raise Refusal("root", "%s would be %s, outside the root %s" % (what, path, root))


def find_bytecode():
    """Let the import of NeMo take 10 s of work and not 24.

    Where pip has compiled the packages, that is used, and nothing is written.
    Otherwise Python keeps what it compiles in PYTHONPYCACHEPREFIX, in the root.
    """
    try:
        torch = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return
    if torch and torch.origin and os.path.isdir(os.path.join(os.path.dirname(torch.origin), "__pycache__")):
        sys.pycache_prefix = None
        sys.dont_write_bytecode = True


def forgive_cleanup():
    """Make temporary directories that cannot be removed cost nobody a result."""

    class Forgiving(tempfile.TemporaryDirectory):
        def __init__(self, suffix=None, prefix=None, dir=None, ignore_cleanup_errors=True, **more):
            super().__init__(suffix, prefix, dir, ignore_cleanup_errors=True, **more)

    tempfile.TemporaryDirectory = Forgiving


# --- Errors


def chain(error):
    """The error and what it came from, the outermost first."""
    links = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


def is_cleanup(error):
    """Whether the error is of a temporary file that could not be removed."""
    path = error.filename if isinstance(error, OSError) else None
    return isinstance(path, str) and inside(path, tempfile.gettempdir())


def kind_of(links):
    text = " ".join(map(str, links))
    if any(isinstance(e, BadAudio) for e in links):
        return "bad_audio"
    if "out of memory" in text.lower() or any(isinstance(e, MemoryError) for e in links):
        return "oom"
    # After a CUDA error every later call fails too. The other is what NeMo says
    # from then on once a call was interrupted between freeze and unfreeze.
    if any(sign in text for sign in ("CUDA", "cuDNN", "cuBLAS", "CUBLAS", "Cannot unfreeze partially")):
        return "broken"
    return "system" if isinstance(links[0], OSError) else "error"


def describe(error):
    """The error that matters: not the failed removal that hides it."""
    links = chain(error)
    real = [e for e in links if not is_cleanup(e)] or links
    say = lambda e: ("%s: %s" % (type(e).__name__, e))[:MESSAGE_LIMIT]
    message = str(real[0])[:MESSAGE_LIMIT] if isinstance(real[0], (BadAudio, Refusal)) else say(real[0])
    return dict(
        kind=getattr(real[0], "kind", None) or kind_of(real),
        message=message,
        causes=[say(e) for e in real[1:]],
        cleanup=[say(e) for e in links if e not in real],
    )


# --- Audio


def read_wav(path, rate, shortest):
    """The samples of a mono 16-bit file, with silence behind them up to the shortest length in seconds."""
    import numpy

    try:
        with wave.open(path, "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            frames = file.getnframes()
            raw = file.readframes(frames)
    except OSError as error:
        raise BadAudio("cannot read %s: %s" % (path, error.strerror)) from error
    except (EOFError, wave.Error) as error:
        raise BadAudio("cannot read %s: %s" % (path, str(error) or "the file ends too early")) from error
    if form != (1, 2, rate):
        raise BadAudio("%s has %d channels of %d bytes at %d Hz; the model needs 1 of 2 bytes at %d Hz"
                       % ((path,) + form + (rate,)))
    if not frames:
        raise BadAudio("%s has no samples" % path)
    if len(raw) != 2 * frames:
        raise BadAudio("%s ends before its time: %d of %d samples are there" % (path, len(raw) // 2, frames))
    raw += bytes(max(0, 2 * int(shortest * rate) - len(raw)))
    return numpy.frombuffer(raw, "<i2").astype("float32") / 32768


def keep_length():
    """Let NeMo 3 hear arrays as it hears files.

    It makes arrays of less than a second that long by silence on both sides, which
    shifts the times of words and changes texts. The length is an option that it
    looks for and declares nowhere.
    """
    try:
        from nemo.collections.asr.parts.mixins.transcription import TranscribeConfig
    except ImportError:
        return
    TranscribeConfig.pad_min_duration = 0.0


# --- Results


def plain(value):
    """A number of numpy or torch as JSON can hold it."""
    if value is not None and not isinstance(value, (int, float)):
        value = value.item()
    return value if value is None or math.isfinite(value) else None


def timed(entries, key):
    return [
        dict(text=e[key], start=plain(e.get("start")), end=plain(e.get("end")))
        for e in entries.get(key) or []
        if e.get(key) and e.get("start") is not None
    ]


def result_of(hypothesis, words):
    """Text and times of whatever this version of NeMo gives.

    The timestamp is a dict only where times were asked for; else it is a list or
    a tensor, which has no truth value.
    """
    if isinstance(hypothesis, (list, tuple)):  # n best
        hypothesis = hypothesis[0]
    if isinstance(hypothesis, str):
        return dict(text=hypothesis)
    result = dict(text=hypothesis.text or "")
    stamps = getattr(hypothesis, "timestamp", None)
    if stamps is None:
        stamps = getattr(hypothesis, "timestep", None)  # NeMo 2.0 and 2.1
    if words and isinstance(stamps, dict):
        result.update(words=timed(stamps, "word"), segments=timed(stamps, "segment"))
    return result


def memory():
    """Bytes of memory that this process has in use; 0 where unknown."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource  # not on Windows; on macOS the most that it ever was, in bytes

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    except ImportError:
        return windows_memory()


def windows_memory():
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):  # PROCESS_MEMORY_COUNTERS
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "working_set", "a", "b", "c", "d", "pagefile", "peak_pagefile")
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    ask = ctypes.windll.kernel32.K32GetProcessMemoryInfo
    ask.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    current = wintypes.HANDLE(-1)  # GetCurrentProcess
    return counters.working_set if ask(current, ctypes.byref(counters), counters.cb) else 0


# --- The model


class Worker:
    def __init__(self, emit):
        self.emit = emit
        self.cancelled = set()  # jobs
        self.model = None

    def load(self, request):
        self.words, self.batch, self.cpu = request["words"], max(1, request["batch"]), request["cpu"]
        begin = time.monotonic()
        self.emit("step", step="importing NeMo")
        try:
            import torch
            import nemo
            from nemo.collections.asr.models import ASRModel
            from nemo.utils import logging
        except Exception as error:  # a broken installation raises anything
            raise Refusal("install", "this Python (%s) cannot import NeMo: %s; install nemo_toolkit[asr]"
                          % (sys.executable, error)) from error
        logging.setLevel(logging.ERROR)
        if request["threads"] > 0:
            torch.set_num_threads(request["threads"])
        device = request["device"] or ("cuda" if torch.cuda.is_available() else "cpu")
        imported = time.monotonic()

        self.emit("step", step="loading the model")
        try:
            self.model = self.restore(ASRModel, request["model"], device)
            self.rate = int(self.model.preprocessor._sample_rate)
        except Exception as error:
            told = describe(error)
            kind = "model" if told["kind"] == "error" else told["kind"]
            text = "; caused by ".join([told["message"]] + told["causes"])
            raise Refusal(kind, "cannot load it on %s: %s" % (device, text)) from error
        self.device = device
        parameters = inspect.signature(type(self.model).transcribe).parameters
        self.takes_times = "timestamps" in parameters
        self.takes_prompt = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        # Canary alone reads its prompt from a manifest.
        self.takes_manifest = "EncDecMultiTaskModel" in (c.__name__ for c in type(self.model).__mro__)
        keep_length()
        # NeMo fills Canary's up to a second also where it reads files. What is shorter
        # than half a window of the spectrum fails.
        self.shortest = 1.0 if self.takes_manifest else 0.1
        gc.collect()
        gc.freeze()  # NeMo's 0.7 million objects; a later collection takes no second any more
        self.emit(
            "ready",
            nemo=nemo.__version__,
            torch=torch.__version__,
            python=sys.version.split()[0],
            model=type(self.model).__name__,
            device=device,
            rate=self.rate,
            temp=tempfile.gettempdir(),
            pid=os.getpid(),
            memory=memory(),
            importing=imported - begin,
            loading=time.monotonic() - imported,
        )

    @staticmethod
    def restore(ASRModel, path, device):
        more = {}
        if os.path.isdir(path):
            from nemo.core.connectors.save_restore_connector import SaveRestoreConnector

            more["save_restore_connector"] = SaveRestoreConnector()
            more["save_restore_connector"].model_extracted_dir = path
        model = ASRModel.restore_from(path, map_location=device, **more)
        model.eval()
        if model.cfg.get("sample_rate") is None:  # NeMo looks there, and nowhere else, for the rate of arrays
            from omegaconf import open_dict

            with open_dict(model.cfg):
                model.cfg.sample_rate = int(model.preprocessor._sample_rate)
        return model

    def download(self, request):
        owner, _, name = request["repository"].partition("/")
        try:
            from huggingface_hub import hf_hub_download
        except ImportError as error:
            raise Refusal("install", "this Python (%s) has no huggingface_hub" % sys.executable) from error
        self.emit("step", step="downloading " + request["repository"])
        try:
            path = hf_hub_download(repo_id=request["repository"], filename=name + ".nemo")
        except Exception as error:
            raise Refusal("download", "cannot download %s: %s" % (request["repository"], describe(error)["message"]))
        self.emit("downloaded", path=path)

    # -- One job

    def transcribe(self, request):
        job, self.most = request["job"], self.batch
        # Like prompts together, and like lengths: less silence is transcribed.
        order = lambda item: (sorted(item["prompt"].items()), item["seconds"])
        groups = [[item] for item in sorted(request["items"], key=order)]
        while groups and job not in self.cancelled:
            group = groups.pop(0)
            while groups and len(group) + len(groups[0]) <= self.most and self.match(group[0], groups[0][0]):
                group += groups.pop(0)
            groups = self.attempt(job, group) + groups
        self.emit("done", job=job, memory=memory())

    def match(self, a, b):
        """Whether two items can be in one batch."""
        alone = a.get("alone") or b.get("alone")
        return not alone and (self.takes_manifest or a["prompt"] == b["prompt"])

    def attempt(self, job, items):
        """Transcribe a group. What is to be tried again is returned in groups."""
        readable = []
        for item in items:
            try:
                item["samples"] = read_wav(item["path"], self.rate, self.shortest)
                readable.append(item)
            except Exception as error:
                self.emit("failed", job=job, id=item["id"], **describe(error))
        if not readable:
            return []
        begin = time.monotonic()
        told = None
        try:
            results = self.recognise(readable)
        except Exception as error:
            told = describe(error)
        for item in items:
            item.pop("samples", None)
        if told is None:
            each = (time.monotonic() - begin) / len(readable)
            for item, result in zip(readable, results):
                self.emit("result", job=job, id=item["id"], elapsed=each, **result)
            return []
        return self.recover(job, readable, told)

    def recover(self, job, items, told):
        gc.collect()  # the error's frames may have held files open
        if told["kind"] == "broken":
            raise Broken(told)
        if told["kind"] == "oom":
            self.release_memory()
            if len(items) > 1:
                self.most = (len(items) + 1) // 2  # for this job: others may have shorter recordings
                return [items[: self.most], items[self.most :]]
            if self.cpu and self.device != "cpu":
                return self.on_cpu(job, items)
        if len(items) > 1:
            return [[dict(item, alone=True)] for item in items]
        self.emit("failed", job=job, id=items[0]["id"], **told)
        return []

    def on_cpu(self, job, items):
        device, self.device = self.device, "cpu"
        self.model.to("cpu")
        try:
            return self.attempt(job, items)
        finally:
            self.device = device
            self.model.to(device)

    @staticmethod
    def release_memory():
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def recognise(self, items):
        """One call of NeMo's own transcribe, by keywords alone: positions differ between its versions."""
        options = dict(batch_size=len(items), num_workers=0, verbose=False)
        if self.words and self.takes_times:
            options["timestamps"] = True
        prompt, manifest = items[0]["prompt"], None
        if all(item["prompt"] == prompt for item in items):
            audio = [item["samples"] for item in items]
            if self.takes_prompt:
                options.update(prompt)
        else:
            audio, manifest = self.loader(items)
        try:
            found = self.model.transcribe(audio=audio, **options)
        finally:
            audio = None
            if manifest:
                forget(manifest)
        found = found[0] if isinstance(found, tuple) else found  # (best, all) before NeMo 2.2
        if len(found) != len(items):
            raise RuntimeError("NeMo gave %d transcripts for %d recordings" % (len(found), len(items)))
        return [result_of(h, self.words) for h in found]

    def loader(self, items):
        """A DataLoader over a manifest of our own: the one way to give each item its own prompt."""
        fd, path = tempfile.mkstemp(suffix=".json")
        with open(fd, "w", encoding="ascii") as file:
            for item in items:
                line = dict(item["prompt"], audio_filepath=item["path"], duration=item["seconds"], text="", answer="")
                line.setdefault("taskname", line.get("task", "asr"))
                line["timestamp"] = "yes" if self.words else "no"
                file.write(json.dumps(line, ensure_ascii=True) + "\n")
        config = dict(manifest_filepath=path, batch_size=len(items), num_workers=0, channel_selector=None,
                      pad_direction="right")
        return self.model._setup_transcribe_dataloader(config), path


def forget(path):
    try:
        os.remove(path)
    except OSError:
        pass  # still held; the parent takes it with the scope


# --- The process


def read_requests(lines, requests, worker):
    """Runs beside the work, so that a cancel and the parent's end are heard at once."""
    try:
        for line in lines:
            request = json.loads(line)
            if request["op"] == "cancel":
                worker.cancelled.add(request["job"])
            else:
                requests.put(request)
    finally:
        os._exit(0)


def main():
    lines, events = take_pipes()
    emit = Emitter(events)
    try:
        if sys.version_info < (3, 10):
            raise Refusal("install", "this Python is %s; 3.10 or newer is needed" % sys.version.split()[0])
        secure_root(os.environ)
        find_bytecode()
        forgive_cleanup()
        worker, requests = Worker(emit), queue.Queue()
        threading.Thread(target=read_requests, args=(lines, requests, worker), daemon=True).start()
        work = dict(load=worker.load, download=worker.download, transcribe=worker.transcribe)
        while True:
            request = requests.get()
            work[request["op"]](request)
    except Broken as error:
        emit("broken", **error.args[0])
    except BaseException as error:
        emit("broken", **describe(error))
    sys.stderr.flush()
    os._exit(3)  # no clean-up of a library may hang or fail now


if __name__ == "__main__":
    main()
