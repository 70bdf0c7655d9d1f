# Says which packages an installation of NeMo has, by their records alone:
# nothing is imported, which would take long.
import importlib.metadata
import json
import sys

NAMES = ["nemo_toolkit", "torch", "lhotse", "numpy", "lightning", "transformers", "huggingface_hub", "protobuf", "soundfile", "cuda-bindings"]
versions = {}
for name in NAMES:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
    except Exception:
        versions[name] = None
print("holdfast-doctor: " + json.dumps({
    "python": "%d.%d.%d" % sys.version_info[:3],
    "virtual": sys.prefix != sys.base_prefix,
    "versions": versions,
}))
