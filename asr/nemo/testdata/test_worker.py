"""Tests of worker.py by itself, with the stand-in for NeMo: python -m unittest test_worker"""

import io
import json
import math
import os
import queue
import shutil
import sys
import tempfile
import unittest
import wave

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(here), os.path.join(here, "fake"), os.path.join(here, "hooks")]

import worker  # noqa: E402


def raised(*errors):
    """The last error, raised while the one before it was handled, and so on."""
    for inner, outer in zip(errors, errors[1:]):
        outer.__context__ = inner
    return errors[-1]


class Errors(unittest.TestCase):
    def held(self, code=13, kind=PermissionError):
        return kind(code, "used by another process", os.path.join(tempfile.gettempdir(), "tmpx", "manifest.json"))

    def test_the_real_error_is_found_behind_failed_removals(self):
        masked = raised(RuntimeError("boom"), self.held(), self.held(20, NotADirectoryError))
        told = worker.describe(masked)
        self.assertEqual("RuntimeError: boom", told["message"])
        self.assertEqual("error", told["kind"])
        self.assertEqual([], told["causes"])
        self.assertEqual(2, len(told["cleanup"]))

    def test_nothing_but_a_failed_removal(self):
        told = worker.describe(raised(self.held(), self.held(20, NotADirectoryError)))
        self.assertIn("NotADirectoryError", told["message"])

    def test_files_elsewhere_are_real_errors(self):
        told = worker.describe(raised(FileNotFoundError(2, "No such file", "/elsewhere/manifest.json")))
        self.assertEqual([], told["cleanup"])

    def test_a_cause_is_kept(self):
        try:
            try:
                {}["rate"]
            except KeyError as error:
                raise RuntimeError("the model has no rate") from error
        except RuntimeError as error:
            told = worker.describe(error)
        self.assertEqual("RuntimeError: the model has no rate", told["message"])
        self.assertEqual(["KeyError: 'rate'"], told["causes"])

    def test_kinds(self):
        for kind, error in (
            ("oom", RuntimeError("CUDA out of memory. Tried to allocate")),
            ("oom", MemoryError()),
            ("oom", raised(RuntimeError("CUDA error: out of memory"), self.held())),
            ("broken", RuntimeError("CUDA error: device-side assert triggered")),
            ("broken", RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")),
            ("broken", ValueError("Cannot unfreeze partially without first freezing the module with freeze()")),
            ("system", OSError(28, "No space left on device")),
            ("bad_audio", worker.BadAudio("it has no samples")),
            ("error", TypeError("Output shape mismatch")),
            ("root", worker.Refusal("root", "elsewhere")),
        ):
            self.assertEqual(kind, worker.describe(error)["kind"], error)

    def test_long_texts_are_cut(self):
        self.assertLessEqual(len(worker.describe(ValueError("x" * 10000))["message"]), worker.MESSAGE_LIMIT)


class Root(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.scope = os.path.join(self.root, "s", "abc")
        os.makedirs(os.path.join(self.scope, "t"))
        open(os.path.join(self.root, ".holdfast"), "w").close()
        before = tempfile.tempdir, os.environ.get("HOME"), os.environ.get("USERPROFILE")
        self.addCleanup(self.restore, *before)
        os.environ["HOME"] = os.environ["USERPROFILE"] = self.scope
        self.environ = dict(HOLDFAST_ROOT=self.root, HOLDFAST_SCOPE=self.scope, NUMBA_CACHE_DIR=self.root)

    @staticmethod
    def restore(tempdir, home, profile):
        tempfile.tempdir = tempdir
        for name, value in (("HOME", home), ("USERPROFILE", profile)):
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def refused(self, why):
        with self.assertRaises(worker.Refusal) as caught:
            worker.secure_root(self.environ)
        self.assertEqual("root", caught.exception.kind)
        self.assertIn(why, str(caught.exception))

    def test_holds(self):
        worker.secure_root(self.environ)
        self.assertEqual(os.path.join(self.scope, "t"), tempfile.gettempdir())
        self.assertEqual([], os.listdir(tempfile.gettempdir()))

    def test_no_variables(self):
        self.environ = {}
        self.refused("not set")

    def test_no_mark(self):
        os.remove(os.path.join(self.root, ".holdfast"))
        self.refused("mark")

    def test_scope_elsewhere(self):
        self.environ["HOLDFAST_SCOPE"] = tempfile.gettempdir()
        self.refused("does not lie in the root")

    def test_scope_that_leads_elsewhere(self):
        away = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, away)
        os.rmdir(os.path.join(self.scope, "t"))
        try:
            os.symlink(away, os.path.join(self.scope, "t"))
        except OSError:
            self.skipTest("no symbolic links here")
        self.refused("a temporary file would be")

    def test_no_temporary_directory(self):
        os.rmdir(os.path.join(self.scope, "t"))
        self.refused("cannot write into")

    def test_home_elsewhere(self):
        os.environ["HOME"] = os.environ["USERPROFILE"] = tempfile.gettempdir()
        self.refused("the home directory would be")

    def test_numba_elsewhere(self):
        self.environ["NUMBA_CACHE_DIR"] = tempfile.gettempdir()
        self.refused("NUMBA_CACHE_DIR would be")


class TemporaryDirectories(unittest.TestCase):
    def test_what_cannot_be_removed_raises_nothing(self):
        before = tempfile.TemporaryDirectory, os.unlink
        worker.forgive_cleanup()

        def unlink(path, **options):
            raise PermissionError(13, "used by another process", path)

        try:
            os.unlink = unlink
            with tempfile.TemporaryDirectory() as work:
                open(os.path.join(work, "manifest.json"), "w").close()
            with self.assertRaises(RuntimeError):
                with tempfile.TemporaryDirectory("s", "p", None) as other:
                    open(os.path.join(other, "manifest.json"), "w").close()
                    raise RuntimeError("boom")
        finally:
            tempfile.TemporaryDirectory, os.unlink = before
        for directory in (work, other):
            shutil.rmtree(directory)


class Audio(unittest.TestCase):
    def write(self, samples, channels=1, width=2, rate=16000):
        fd, path = tempfile.mkstemp(suffix=".wav")
        self.addCleanup(os.remove, path)
        with open(fd, "wb") as out, wave.open(out, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes(samples)
        return path

    def test_silence_follows_up_to_the_shortest(self):
        samples = worker.read_wav(self.write(b"\x00\x40" * 100), 16000, 1.0)
        self.assertEqual(16000, len(samples))
        self.assertEqual([0.5, 0.5, 0.0], list(samples[98:101]))

    def test_long_ones_stay_as_they_are(self):
        self.assertEqual(20000, len(worker.read_wav(self.write(b"\x00\x40" * 20000), 16000, 1.0)))

    def test_refused(self):
        junk = self.write(b"")
        with open(junk, "wb") as out:
            out.write(b"no audio")
        cut = self.write(b"\0\0\0\0")
        os.truncate(cut, os.path.getsize(cut) - 2)
        for path, why in (
            (self.write(b"\0\0\0\0", channels=2), "2 channels"),
            (self.write(b"\0\0\0\0", width=4), "4 bytes"),
            (self.write(b"\0\0", rate=8000), "8000 Hz"),
            (self.write(b""), "no samples"),
            (junk, "cannot read"),
            (cut, "1 of 2 samples"),
            (os.path.join(here, "absent.wav"), "No such file"),
        ):
            with self.assertRaises(worker.BadAudio) as caught:
                worker.read_wav(path, 16000, 0.1)
            self.assertIn(why, str(caught.exception))


class Number:
    """A number as numpy and torch have them."""

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


class Tensor:
    def __bool__(self):
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")


class Hypothesis:
    def __init__(self, text, **fields):
        self.text = text
        self.__dict__.update(fields)


class Results(unittest.TestCase):
    def test_versions(self):
        word = dict(word="hi", start=Number(0.1), end=Number(0.2), start_offset=Number(1))
        stamps = dict(word=[word, dict(word="", start=0, end=0)], segment=[dict(segment="hi", start=0.1, end=math.nan)])
        want = dict(text="hi", words=[dict(text="hi", start=0.1, end=0.2)], segments=[dict(text="hi", start=0.1, end=None)])
        self.assertEqual(want, worker.result_of(Hypothesis("hi", timestamp=stamps), True))
        self.assertEqual(want, worker.result_of([Hypothesis("hi", timestamp=stamps)], True))  # n best
        self.assertEqual(want, worker.result_of(Hypothesis("hi", timestep=stamps), True))  # 2.0
        self.assertEqual(dict(text="hi"), worker.result_of("hi", True))
        self.assertEqual(dict(text=""), worker.result_of(Hypothesis(None), False))
        self.assertEqual(dict(text="hi"), worker.result_of(Hypothesis("hi", timestamp=Tensor()), True))
        self.assertEqual(dict(text="hi"), worker.result_of(Hypothesis("hi", timestamp=stamps), False))

    def test_events_are_plain_lines(self):
        class Out(io.BytesIO):
            def write(self, data):  # a pipe may take a part
                return super().write(data[:7])

        out = Out()
        worker.Emitter(out)("result", text="Grüße\n\ud800", end=None)
        self.assertEqual(dict(event="result", text="Grüße\n\ud800", end=None), json.loads(out.getvalue()))
        self.assertEqual(1, out.getvalue().count(b"\n"))

    def test_memory(self):
        self.assertGreater(worker.memory(), 1 << 20)


class Groups(unittest.TestCase):
    """Which items go to the model together."""

    def setUp(self):
        self.events, self.calls = [], []
        self.worker = worker.Worker(lambda event, **fields: self.events.append(dict(fields, event=event)))
        self.worker.batch, self.worker.rate, self.worker.shortest, self.worker.device = 3, 16000, 0.1, "cpu"
        self.worker.takes_manifest = self.worker.cpu = False
        self.worker.recognise = self.recognise
        self.fail = lambda items: None
        read, worker.read_wav = worker.read_wav, lambda *arguments: [0.0]
        self.addCleanup(setattr, worker, "read_wav", read)

    def recognise(self, items):
        self.calls.append([item["id"] for item in items])
        error = self.fail([item["id"] for item in items])
        if error:
            raise error
        return [dict(text=item["id"]) for item in items]

    def run_job(self, *items):
        self.worker.transcribe(dict(job=1, items=[
            dict(id=id, path=id, seconds=seconds, prompt=prompt) for id, seconds, prompt in items]))
        self.assertEqual("done", self.events[-1]["event"])
        return {e["id"]: e["event"] for e in self.events[:-1]}

    def test_like_lengths_together(self):
        self.run_job(("a", 9, {}), ("b", 1, {}), ("c", 5, {}), ("d", 2, {}))
        self.assertEqual([["b", "d", "c"], ["a"]], self.calls)

    def test_like_prompts_together(self):
        en, de = dict(target_lang="en"), dict(target_lang="de")
        self.run_job(("a", 1, en), ("b", 2, de), ("c", 3, en))
        self.assertEqual([["b"], ["a", "c"]], self.calls)

    def test_prompts_mixed_where_a_manifest_can_tell(self):
        self.worker.takes_manifest = True
        en, de = dict(target_lang="en"), dict(target_lang="de")
        self.run_job(("a", 1, en), ("b", 2, de), ("c", 3, en))
        self.assertEqual([["b", "a", "c"]], self.calls)

    def test_one_by_one_after_a_failure(self):
        self.fail = lambda ids: RuntimeError("boom") if "b" in ids else None
        got = self.run_job(("a", 1, {}), ("b", 2, {}), ("c", 3, {}), ("d", 4, {}))
        self.assertEqual(dict(a="result", b="failed", c="result", d="result"), got)
        self.assertEqual([["a", "b", "c"], ["a"], ["b"], ["c"], ["d"]], self.calls)

    def test_smaller_batches_when_memory_runs_out(self):
        self.worker.batch = 4
        self.fail = lambda ids: MemoryError() if len(ids) > 2 else None
        got = self.run_job(*[(id, 1, {}) for id in "abcdefgh"])
        self.assertEqual({id: "result" for id in "abcdefgh"}, got)
        self.assertEqual(["abcd", "ab", "cd", "ef", "gh"], ["".join(call) for call in self.calls])

    def test_a_broken_process_ends(self):
        self.fail = lambda ids: RuntimeError("CUDA error: misaligned address")
        with self.assertRaises(worker.Broken) as caught:
            self.run_job(("a", 1, {}))
        self.assertEqual("broken", caught.exception.args[0]["kind"])

    def test_cancel_between_batches(self):
        self.worker.batch = 1
        self.fail = lambda ids: self.worker.cancelled.add(1)
        got = self.run_job(("a", 1, {}), ("b", 2, {}))
        self.assertEqual(dict(a="result"), got)

    def test_cancel_is_for_one_job(self):
        self.worker.cancelled.add(0)
        self.assertEqual(dict(a="result"), self.run_job(("a", 1, {})))

    def test_fewer_results_than_items_is_an_error(self):
        class Model:
            def transcribe(self, audio, **options):
                return ["only one"]

        del self.worker.recognise
        self.worker.model, self.worker.words = Model(), False
        self.worker.takes_times = self.worker.takes_prompt = False
        with self.assertRaisesRegex(RuntimeError, "1 transcripts for 2 recordings"):
            self.worker.recognise([dict(prompt={}, samples=[0.0])] * 2)


class Requests(unittest.TestCase):
    def test_a_cancel_overtakes_and_the_end_ends(self):
        lines = [b'{"op": "transcribe", "job": 1}\n', b'{"op": "cancel", "job": 1}\n']
        subject, requests, codes = worker.Worker(None), queue.Queue(), []
        leave, os._exit = os._exit, codes.append
        try:
            worker.read_requests(lines, requests, subject)
        finally:
            os._exit = leave
        self.assertEqual({1}, subject.cancelled)
        self.assertEqual("transcribe", requests.get_nowait()["op"])
        self.assertEqual([0], codes)


if __name__ == "__main__":
    unittest.main()
