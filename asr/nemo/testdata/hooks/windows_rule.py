"""Windows' rule on Linux: what somebody has open can be neither deleted nor renamed.

Our own open files are seen in /proc/self/fd; those of another program, such as a
virus scanner, are given by name.
"""

import errno
import os
import shutil


others = set()  # names of files that another program has open


def install(names):
    others.update(name for name in names if name)

    def refuse(path):
        path = os.path.abspath(os.fsdecode(path))
        if os.path.isfile(path) and (os.path.basename(path) in others or opened(path)):
            text = "The process cannot access the file because it is being used by another process"
            error = PermissionError(errno.EACCES, text, path)
            error.winerror = 32
            raise error

    def guard(function, paths):
        def guarded(*arguments, **options):
            for path in arguments[:paths]:
                refuse(path)
            return function(*arguments, **options)

        return guarded

    for name, paths in (("unlink", 1), ("remove", 1), ("rename", 2), ("replace", 2)):
        setattr(os, name, guard(getattr(os, name), paths))
    shutil._use_fd_functions = False  # as on Windows: by whole paths


def opened(path):
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.path.samefile("/proc/self/fd/" + fd, path):
                return True
        except OSError:
            pass
    return False
