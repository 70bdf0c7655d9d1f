"""openai_client.py URL RECORDING TEXT: transcribes by OpenAI's own client, in
every format, and meets an error as one of theirs."""

import io
import sys

import openai

url, recording, text = sys.argv[1:]
client = openai.OpenAI(base_url=url + "v1", api_key="none", max_retries=0)


def ask(**more):
    with open(recording, "rb") as f:
        return client.audio.transcriptions.create(model="whisper-1", file=f, **more)


assert ask().text.strip() == text
assert ask(response_format="text").strip() == text
assert " --> " in ask(response_format="srt")
assert ask(response_format="vtt").startswith("WEBVTT")

verbose = ask(response_format="verbose_json", language="en", timestamp_granularities=["word", "segment"])
assert verbose.text.strip() == text
assert verbose.language == "en"
assert 0 < verbose.segments[0].end <= float(verbose.duration)
assert "".join(w.word for w in verbose.words).lower().startswith("good"), verbose.words
assert all(w.start <= w.end for w in verbose.words)

try:
    client.audio.transcriptions.create(model="whisper-1", file=("letter.wav", io.BytesIO(b"Dear Sir or Madam,\n" * 100)))
    raise SystemExit("a letter was transcribed")
except openai.APIStatusError as e:
    assert e.status_code == 415 and "text" in e.message, e
try:
    ask(response_format="diarized_json")
    raise SystemExit("an unknown format was taken")
except openai.BadRequestError as e:
    assert e.param == "response_format", e

models = [m.id for m in client.models.list()]
assert models, models
print(f"openai {openai.__version__}: json, text, srt, vtt, verbose_json and two errors; model {models[0]}")
