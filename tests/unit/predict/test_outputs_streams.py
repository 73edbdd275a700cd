"""Words through pipes and files larger than memory, in processes of their own."""

from __future__ import annotations

import contextlib
import gzip
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def command(checkpoint: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "esetrag", "predict", "--checkpoint", str(checkpoint), *map(str, arguments)]


def test_a_pipe_is_answered_while_it_is_open_and_may_be_closed(tiny_checkpoint: Path, tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command(tiny_checkpoint), stdin=pipe, stdout=pipe, stderr=pipe, cwd=tmp_path
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"kanaban\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"form\t")
        assert process.stdout.readline().startswith(b"kanaban\tIN+ESS\t")
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"kanaban\n" * 100_000)
            process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_neither_a_temporary_file_nor_a_traceback(
    tiny_checkpoint: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "out"
    with subprocess.Popen(
        command(tiny_checkpoint, "--output", folder / "a.tsv"), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"kanaban\n")
        process.stdin.flush()
        while not folder.exists() or not any(path.stat().st_size for path in folder.iterdir()):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait() == 128 + number
        assert process.stderr.read() == b""
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [[], ["--output", "/dev/full"]])
def test_a_full_disk_behind_the_output_is_an_error(tiny_checkpoint: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        kana = command(tiny_checkpoint, "kana", *arguments)
        done = subprocess.run(kana, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    name = arguments[-1] if arguments else "standard output"
    assert f"{name}: cannot be written (No space left" in done.stderr


# Not ru_maxrss: a process begins with that of the one that started it.
PEAK = """
import sys
from pathlib import Path
from esetrag.cli import main
main(sys.argv[1:])
[line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(line.split()[1], file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
@pytest.mark.parametrize(("source", "target"), [("a.tsv.gz", None), ("a.parquet", "b.parquet")])
def test_memory_stays_flat_however_large_the_file(
    tiny_checkpoint: Path, tmp_path: Path, source: str, target: str | None
) -> None:
    peaks = []
    for rows in (20_000, 120_000):
        path = tmp_path / source
        noise = np.random.default_rng(1).integers(ord("a"), ord("z"), (rows, 2000), dtype=np.uint8)
        other = [row.tobytes().decode() for row in noise]
        if path.suffix == ".parquet":
            pq.write_table(pa.table({"form": ["kanaban"] * rows, "other": other}), path, row_group_size=2000)
        else:
            text = "".join(f"kanaban\t{cell}\n" for cell in other).encode()
            path.write_bytes(gzip.compress(text, 1) if path.suffix == ".gz" else text)
        output = ["--output", str(tmp_path / target)] if target else []
        arguments = ["predict", "--checkpoint", str(tiny_checkpoint), "--input", str(path), *output]
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
            text=True,
        )
        peaks.append(int(done.stderr) * 1024 / 1e6)
    assert peaks[1] - peaks[0] < 100, peaks  # the larger file is 200 MB larger; allocators keep some
