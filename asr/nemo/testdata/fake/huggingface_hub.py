"""Downloads from the directory HOLDFAST_TEST_HUB into the cache, laid out as the real one."""

import os
import shutil


def hf_hub_download(repo_id, filename):
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise RuntimeError("Cannot reach the hub: offline mode is enabled")
    source = os.path.join(os.environ["HOLDFAST_TEST_HUB"], repo_id, filename)
    if not os.path.exists(source):
        raise RuntimeError("404: Repository Not Found for " + repo_id)
    model = os.path.join(os.environ["HF_HOME"], "hub", "models--" + repo_id.replace("/", "--"))
    snapshot = os.path.join(model, "snapshots", "0123abc")
    os.makedirs(snapshot, exist_ok=True)
    os.makedirs(os.path.join(model, "refs"), exist_ok=True)
    with open(os.path.join(model, "refs", "main"), "w") as file:
        file.write("0123abc")
    return shutil.copy(source, snapshot)
