"""The same inputs and parameters give the same bytes, whatever surrounds the run."""

from __future__ import annotations

from pathlib import Path

from tests.project import Project, copy_project, with_git


def test_two_clones_give_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    surroundings = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "2"}
    other = with_git(copy_project(tmp_path / "másik mappa, szóközzel"))
    other.run("sh", "-c", "umask 077 && exec dvc repro", env=surroundings)
    assert (other.root / "dvc.lock").read_bytes() == (finished.root / "dvc.lock").read_bytes()
    for name in sorted(finished.outputs()):
        assert (other.root / name).read_bytes() == (finished.root / name).read_bytes(), name


def test_the_order_of_the_rows_is_without_influence(finished: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "project")
    raw = other.root / "data/raw/toy.tsv"
    raw.write_text("\n".join(reversed(raw.read_text("utf-8").splitlines())) + "\n\n", "utf-8")
    other.stage("sample")
    for part in ("train", "dev", "test"):
        name = f"data/toy/sample/{part}.parquet"
        assert (other.root / name).read_bytes() == (finished.root / name).read_bytes()


def test_the_linear_reader_is_the_same_to_the_byte_in_other_surroundings(tmp_path: Path) -> None:
    stages = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")
    surroundings = {
        "one": {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        "másik mappa, szóközzel": {"PYTHONHASHSEED": "4711", "OMP_NUM_THREADS": "2", "LC_ALL": "C"},
    }
    one, other = (copy_project(tmp_path / name) for name in surroundings)
    for project, surrounding in zip((one, other), surroundings.values(), strict=True):
        project.change(model={"kind": "ngram"}, train={"iterations": 8, "analogies": 600})
        for name in stages:
            project.run("python", f"stages/{name}.py", "toy", env=surrounding)
    assert one.json("data/toy/model/manifest.json")["model"]["kind"] == "ngram"
    assert one.outputs() == other.outputs()
    for name in sorted(one.outputs()):
        assert (one.root / name).read_bytes() == (other.root / name).read_bytes(), name


def test_another_thread_count_is_another_parameter(finished: Project) -> None:
    params = finished.run("dvc", "params", "diff", "--all", "--json").stdout
    assert '"train.threads"' in params
