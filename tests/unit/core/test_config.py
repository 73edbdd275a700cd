from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from esetrag.core import config
from esetrag.core.errors import ParamsError


@pytest.fixture
def content(repo: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((repo / "params.yaml").read_bytes())
    return loaded


def written(folder: Path, content: dict[str, Any] | str | bytes) -> Path:
    path = folder / "params.yaml"
    text = yaml.safe_dump(content, sort_keys=False) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, content: dict[str, Any] | str | bytes) -> str:
    """What a user is told of the file, without the path in front."""
    path = written(folder, content)
    with pytest.raises(ParamsError) as caught:
        config.load(path)
    text = str(caught.value)
    assert text.startswith(str(path)), "the file is named"
    assert "\n" not in text
    return text.removeprefix(str(path))


def changed(content: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(content)
    *sections, key = place.split(".")
    inner = result
    for section in sections:
        inner = inner[section]
    inner[key] = value
    return result


def test_the_committed_file_is_sound(given: config.Params) -> None:
    task = given.task("hun-noun-case")
    assert (task.raw, task.pos, task.feature) == ("data/raw/hun.tsv.gz", "N", "Case")


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("train.epochs", 0, "train.epochs: should be greater than or equal to 1, found 0"),
        ("train.epochs", 1.5, "train.epochs: should be a valid integer, found 1.5"),
        ("train.epochs", 2.0, "train.epochs: should be a valid integer, found 2.0"),
        ("train.epochs", "ten", "train.epochs: should be a valid integer, found 'ten'"),
        ("train.epochs", True, "train.epochs: should be a valid integer, found True"),
        ("train.epochs", None, "train.epochs: should be a valid integer, found None"),
        ("train.seed", -1, "train.seed: should be greater than or equal to 0, found -1"),
        ("train.seed", 2**32, "train.seed: should be less than 4294967296, found 4294967296"),
        ("train.learning_rate", 0, "train.learning_rate: should be greater than 0, found 0"),
        ("train.analogies", -1, "train.analogies: should be greater than or equal to 0, found -1"),
        ("train.label_smoothing", 1.0, "train.label_smoothing: should be less than 1, found 1.0"),
        ("train.repeats", -1, "train.repeats: should be greater than or equal to 0, found -1"),
        ("train.repeats", 101, "train.repeats: should be less than or equal to 100, found 101"),
        ("train.clip", 0, "train.clip: should be greater than 0, found 0"),
        ("train.shuffle", "no", "train.shuffle: should be a valid boolean, found 'no'"),
        ("train.schedule", "cosine", "train.schedule: should be 'constant' or 'one-cycle', found 'cosine'"),
        ("model.dropout", -0.1, "model.dropout: should be greater than or equal to 0, found -0.1"),
        ("model.kind", "gru", "model.kind: should be 'ngram' or 'lstm', found 'gru'"),
        ("model.head", "tanh", "model.head: should be 'softmax' or 'sigmoid', found 'tanh'"),
        ("calibration.temperature", 1, "calibration.temperature: should be a valid boolean, found 1"),
        ("calibration.risk", 0, "calibration.risk: should be greater than 0, found 0"),
        ("calibration.risk", 1, "calibration.risk: should be less than 1, found 1"),
        ("model.layers", 17, "model.layers: should be less than or equal to 16, found 17"),
        ("encode_pad.keep", "middle", "encode_pad.keep: should be 'end' or 'start', found 'middle'"),
        (
            "encode_pad.max_symbols",
            0,
            "encode_pad.max_symbols: should be greater than or equal to 1, found 0",
        ),
        (
            "sample.split",
            "row",
            "sample.split: should be 'lemma', 'family', 'form' or 'notebook', found 'row'",
        ),
        ("sample.train", 0, "sample.train: should be greater than or equal to 1, found 0"),
        ("evaluate.confidence", 1, "evaluate.confidence: should be less than 1, found 1"),
        ("evaluate.resamples", 99, "evaluate.resamples: should be greater than or equal to 100, found 99"),
        ("tracking.experiment", "", "tracking.experiment: String should have at least 1 character, found ''"),
        ("tasks.hun-noun-case.pos", 7, "tasks.hun-noun-case.pos: should be a valid string, found 7"),
        ("train", None, "train: should be a valid dictionary or instance of Train, found None"),
    ],
)
def test_a_value_out_of_bounds_is_told_by_path_with_what_is_allowed_and_found(
    tmp_path: Path, content: dict[str, Any], place: str, value: Any, told: str
) -> None:
    assert refusal(tmp_path, changed(content, place, value)) == f": {told}"


def test_an_unknown_feature_is_told_with_those_known(tmp_path: Path, content: dict[str, Any]) -> None:
    message = refusal(tmp_path, changed(content, "tasks.hun-noun-case.feature", "Kasus"))
    assert message.startswith(": tasks.hun-noun-case.feature: should be one of Aktionsart, Animacy, ")
    assert message.endswith("Voice, found 'Kasus'")


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", "", "cpu\n"])
def test_an_unknown_device_is_told(tmp_path: Path, content: dict[str, Any], device: str) -> None:
    message = refusal(tmp_path, changed(content, "train.device", device))
    assert message.startswith(": train.device: ")
    assert message.endswith(f", found {device!r}")


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_devices_are_named_as_torch_names_them(tmp_path: Path, content: dict[str, Any], device: str) -> None:
    assert config.load(written(tmp_path, changed(content, "train.device", device))).train.device == device


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("train.epoch", "train.epoch: unknown key, expected one of seed, repeats, threads, analogies, "),
        ("epochs", "epochs: unknown key, expected one of tasks, sample, build_vocab, encode_pad, "),
        (
            "tasks.hun-noun-case.file",
            "tasks.hun-noun-case.file: unknown key, expected one of raw, pos, feature",
        ),
    ],
)
def test_an_unknown_key_is_told_with_those_known(
    tmp_path: Path, content: dict[str, Any], place: str, told: str
) -> None:
    assert refusal(tmp_path, changed(content, place, 1)).startswith(f": {told}")


@pytest.mark.parametrize(
    "place",
    [
        *(f"{section}" for section in config.Params.model_fields),
        *(f"train.{key}" for key in config.Train.model_fields),
        *(f"tasks.hun-noun-case.{key}" for key in config.Task.model_fields),
    ],
)
def test_every_key_must_be_there(tmp_path: Path, content: dict[str, Any], place: str) -> None:
    *sections, key = place.split(".")
    inner = content
    for section in sections:
        inner = inner[section]
    del inner[key]
    assert refusal(tmp_path, content) == f": {place}: missing"


def test_all_problems_are_told_at_once(tmp_path: Path, content: dict[str, Any]) -> None:
    content["train"]["epochs"] = -1
    content["model"]["hiden"] = content["model"].pop("hidden")
    message = refusal(tmp_path, content)
    assert "model.hidden: missing" in message
    assert "model.hiden: unknown key" in message
    assert "train.epochs: should be" in message
    assert message.count(";") == 2


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b", "-x", "x" * 101])
def test_a_task_that_could_not_be_a_folder_is_refused(
    tmp_path: Path, content: dict[str, Any], name: str
) -> None:
    content["tasks"][name] = content["tasks"]["hun-noun-case"]
    assert refusal(tmp_path, content).startswith(f": tasks.{name}: ")


def test_a_task_may_not_be_called_as_the_folder_of_the_tables(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    content["tasks"]["raw"] = content["tasks"]["hun-noun-case"]
    assert "tasks: a task cannot be called raw" in refusal(tmp_path, content)


def test_no_task_at_all_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    assert refusal(tmp_path, changed(content, "tasks", {})).startswith(": tasks: ")
    assert refusal(tmp_path, changed(content, "tasks", None)) == (
        ": tasks: should be a valid dictionary, found None"
    )


def test_a_task_that_is_not_there_is_told_with_those_known(given: config.Params) -> None:
    with pytest.raises(ParamsError) as caught:
        given.task("hun")
    assert str(caught.value) == "no task 'hun' in params.yaml; known: hun-noun-case"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": expected a mapping of sections, found None"),
        ("# nothing\n", ": expected a mapping of sections, found None"),
        ("- train\n", ": expected a mapping of sections, found ['train']"),
        ("train", ": expected a mapping of sections, found 'train'"),
        ("a: 1\nb: [\n", ", line 3: not YAML ("),
        ("a: 1\n\tb: 2\n", ", line 2: not YAML ("),
        ("a: !!python/object/apply:os.getcwd []\n", ", line 1: not YAML (could not determine a constructor"),
        ("a: *b\n", ", line 1: not YAML ("),
        ("[" * 3000, ": not YAML ("),
    ],
)
def test_a_file_that_is_no_mapping_is_told_with_its_line(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    assert refusal(tmp_path, text).startswith(told)


@pytest.mark.parametrize(
    ("text", "lines", "key"),
    [("a: 1\nb: 2\na: 3\n", (1, 3), "a"), ("a:\n  b: 1\n  c: 2\n  b: 1\n", (2, 4), "b")],
)
def test_a_key_that_stands_twice_is_told_with_a_line_of_it(
    tmp_path: Path, text: str, lines: tuple[int, int], key: str
) -> None:
    told = refusal(tmp_path, text)
    assert told in [f", line {line}: not YAML (key {key!r} stands twice)" for line in lines]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: cannot be read \(No such file"):
        config.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("text", "expected"), [("1e-3", 0.001), ("1E-3", 0.001), (".5", 0.5), ("1.", 1.0), ("+2", 2), ("7", 7)]
)
def test_numbers_are_read_as_yaml_1_2_writes_them(
    tmp_path: Path, repo: Path, text: str, expected: float
) -> None:
    page = (repo / "params.yaml").read_text("utf-8")
    assert "learning_rate: 0.01" in page
    path = written(tmp_path, page.replace("learning_rate: 0.01", f"learning_rate: {text}"))
    assert config.load(path).train.learning_rate == expected


@pytest.mark.parametrize("word", ["no", "NO", "on", "y", "12:30", "2024-01-01", ".inf", ".nan"])
def test_words_that_yaml_1_1_took_for_values_are_words(tmp_path: Path, repo: Path, word: str) -> None:
    page = (repo / "params.yaml").read_text("utf-8")
    assert "experiment: esetrag" in page
    path = written(tmp_path, page.replace("experiment: esetrag", f"experiment: {word}"))
    assert config.load(path).tracking.experiment == word


@pytest.mark.parametrize("text", [".inf", ".nan", "nan", "1e999"])
def test_infinity_is_no_learning_rate(tmp_path: Path, repo: Path, text: str) -> None:
    page = (repo / "params.yaml").read_text("utf-8")
    message = refusal(tmp_path, page.replace("learning_rate: 0.01", f"learning_rate: {text}"))
    assert message.startswith(": train.learning_rate: should be a ")


def test_a_long_value_is_shown_shortened(tmp_path: Path, content: dict[str, Any]) -> None:
    message = refusal(tmp_path, changed(content, "train.epochs", "x" * 1000))
    assert message.endswith("…")
    assert len(message) < 150


def test_a_stage_is_handed_the_section_of_a_class(given: config.Params) -> None:
    assert given.section(config.Train) is given.train
    assert given.section(config.BuildVocab) is given.build_vocab
