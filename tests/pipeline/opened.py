"""Which files a command opens, in whatever language: the kernel tells of each (inotify, Linux)."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

from tests.project import Project

_OPEN, _IS_FOLDER, _LOST = 0x20, 0x40000000, 0x4000
_NONBLOCK = os.O_NONBLOCK
_EVENT = struct.Struct("iIII")


def opened(project: Project, *command: str) -> set[str]:
    """Runs a command and returns the files of the project that were opened meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    heard = libc.inotify_init1(_NONBLOCK)
    assert heard >= 0, os.strerror(ctypes.get_errno())
    places: dict[int, Path] = {}
    for folder in [project.root, *(path for path in project.root.rglob("*") if path.is_dir())]:
        places[libc.inotify_add_watch(heard, os.fsencode(folder), _OPEN)] = folder
    assert min(places) > 0, os.strerror(ctypes.get_errno())
    project.run(*command, env={"PYTHONDONTWRITEBYTECODE": "1"})
    found = set()
    try:
        while data := os.read(heard, 2**16):
            while data:
                place, kind, _, size = _EVENT.unpack_from(data)
                assert not kind & _LOST, "more events than the kernel keeps"
                name = data[_EVENT.size : _EVENT.size + size].rstrip(b"\0").decode()
                data = data[_EVENT.size + size :]
                if not kind & _IS_FOLDER and name:
                    found.add((places[place] / name).relative_to(project.root).as_posix())
    except BlockingIOError:
        os.close(heard)
    return found
