#!/usr/bin/env python3
"""Let a torch that was built for CUDA be imported where there is no CUDA: cuda_stubs.py SITE-PACKAGES/torch/lib

For Linux on x86-64 the package index has no other torch. Its libraries name 14
of CUDA's, which come in packages of 3 to 4 GB. Each of them is replaced by one
that has the same symbols and nothing else: every function returns 100, "no
device", and torch works on the CPU. For tests on machines without a GPU only.
Needs gcc and readelf.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

# Which library a symbol without a version of its own belongs to; the first that fits.
LIBRARIES = [
    ("cuFile", "libcufile"), ("nccl", "libnccl"), ("nvshmem", "libnvshmem_host"), ("cusparseLt", "libcusparseLt"),
    ("nvrtc", "libnvrtc"), ("cupti", "libcupti"), ("cudnn", "libcudnn"), ("cublasLt", "libcublasLt"),
    ("cublas", "libcublas"), ("cusolver", "libcusolver"), ("cusparse", "libcusparse"), ("cufft", "libcufft"),
    ("cuda", "libcudart"), ("__cuda", "libcudart"),
]
TEXT = re.compile(r"GetErrorString|GetErrorName|GetLastErrorString|getLastError$")  # what these return is printed


def read(*options):
    return subprocess.run(["readelf", *options], check=True, capture_output=True, text=True).stdout


def look(folder):
    """The libraries that torch's own lack, and the symbols that they want."""
    own = {name for name in os.listdir(folder) if ".so" in name}
    libraries, symbols = set(), set()
    for name in own:
        if not name.startswith(("libtorch", "libc10_cuda", "libcaffe2_nvrtc")):
            continue
        path = os.path.join(folder, name)
        for needed in re.findall(r"NEEDED.*\[(.+?)\]", read("-d", path)):
            if re.match(r"lib(cu|nv|nccl)", needed) and needed not in own:
                libraries.add(needed)
        for line in read("-W", "--dyn-syms", path).splitlines():
            columns = line.split()
            if len(columns) >= 8 and columns[6] == "UND" and re.match(r"_{0,2}(cu|nccl|nv)", columns[7]):
                symbols.add(columns[7])
    return libraries, symbols


def share_out(libraries, symbols):
    """Library to version to names. A version is often the name of the library."""
    shared = {library: collections.defaultdict(set) for library in libraries}
    for symbol in symbols:
        name, _, version = symbol.partition("@")
        version = version.lstrip("@")
        stem = next((stem for prefix, stem in LIBRARIES if name.startswith(prefix)), None)
        for library in libraries:
            by_name = stem and library.startswith(stem + ".so") and version not in libraries
            if version == library or by_name:
                shared[library][version].add(name)
    return shared


def build(path, versions):
    body = lambda name: 'return (u)"no CUDA device";' if TEXT.search(name) else "return 100;"
    code, script = ["typedef unsigned long u;"], []
    for version, names in sorted(versions.items()):
        code += ["u %s(void) { %s }" % (name, body(name)) for name in sorted(names)]
        if version:
            script.append("%s { global: %s; };" % (version, "; ".join(sorted(names))))
    with tempfile.TemporaryDirectory() as work:
        source, exports = os.path.join(work, "stub.c"), os.path.join(work, "stub.map")
        with open(source, "w") as file:
            file.write("\n".join(code) + "\n")
        with open(exports, "w") as file:
            file.write("\n".join(script) + "\n")
        command = ["gcc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-w", "-Wl,-soname," + os.path.basename(path)]
        if script:
            command.append("-Wl,--version-script," + exports)
        subprocess.run(command + ["-o", path, source], check=True)


def main(folder):
    libraries, symbols = look(folder)
    for library, versions in sorted(share_out(libraries, symbols).items()):
        build(os.path.join(folder, library), versions)
    print("%d stubs" % len(libraries))


if __name__ == "__main__":
    main(sys.argv[1])
