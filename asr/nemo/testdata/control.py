"""Plain NeMo, as a script would use it, for comparison: JSON lines in, JSON lines out.

    {"model": PATH, "held": ["model_weights.ckpt"]}
    {"paths": [...], "batch": 4, "times": false, "held": ["manifest.json"]}

The answer has "results", in order, or an "error", with what it hides.
"""

import json
import os
import sys

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

try:
    import windows_rule
except ImportError:
    windows_rule = None
from nemo.collections.asr.models import ASRModel


def shown(error):
    names = []
    while error is not None:
        names.append("%s: %s" % (type(error).__name__, error))
        error = error.__cause__ or error.__context__
    return names


model = None
for line in sys.stdin:
    request = json.loads(line)
    if windows_rule:
        windows_rule.others = set(request.get("held", []))
    try:
        if "model" in request:
            model = ASRModel.restore_from(request["model"], map_location="cpu")
            model.eval()
            answer = dict(results=[])
        else:
            options = dict(timestamps=True) if request.get("times") else {}
            found = model.transcribe(audio=request["paths"], batch_size=request["batch"], num_workers=0, verbose=False, **options)
            number = lambda x: float(x)
            answer = dict(results=[
                dict(text=h.text, words=[
                    dict(text=w["word"], start=number(w["start"]), end=number(w["end"]))
                    for w in (h.timestamp["word"] if request.get("times") else []) if w["word"]
                ])
                for h in found
            ])
    except Exception as error:
        answer = dict(error=shown(error))
    answers.write(json.dumps(answer) + "\n")
