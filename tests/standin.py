"""Stands in for ``python`` and ``esetrag`` where tests run commands: a fork of a warm process runs them.

A stage takes seconds to import its libraries, and a test runs dozens of them. What needs a process of its
own (another library or other surroundings than those of ``tests.forks``) gets the real program.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

COMMANDS = (
    "analyze", "check", "compare", "inflect", "lemmatise", "paradigm", "predict", "promote", "results",
    "track", "verify",
)  # fmt: skip
"""Of ``esetrag``, in one process and soon over."""


def ask(place: str, streams: tuple[int, int, int], job: dict[str, Any]) -> dict[str, Any]:
    """Has a command run with these standard streams; returns what became of it.

    Args:
        place: the socket of ``tests.forks``.
        streams: standard input, output and error.
        job: what ``tests.forks.serve`` reads.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        text = json.dumps(job).encode()
        socket.send_fds(line, [len(text).to_bytes(8, "big")], streams)
        line.sendall(text)
        answer: dict[str, Any] = json.loads(line.makefile("rb").readline())
    return answer


def main(place: str, program: str, *arguments: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name = os.path.basename(program)  # noqa: PTH119 no import that takes time
    is_stage = name == "python" and len(arguments) > 0 and arguments[0].startswith("stages/")
    if is_stage or (name == "esetrag" and arguments and arguments[0] in COMMANDS):
        os.umask(mask := os.umask(0o22))
        command = list(arguments) if is_stage else [name, *arguments]
        job = {"folder": os.getcwd(), "command": command, "mask": mask, "variables": dict(os.environ)}  # noqa: PTH109
        code = ask(place, (0, 1, 2), job)["code"]
        if code is not None:
            if code < 0:
                os.kill(os.getpid(), -code)
            sys.exit(code)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
