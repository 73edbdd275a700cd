from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.tasks import baselines, pair_baselines, tag_evaluation, transduce_evaluation
from tests.unit.core.params_file import COLUMNS, changed, refusal, written

TASK = "hun-noun-case"
BOUNDS = {"minimum": -1, "maximum": 1, "exclusiveMinimum": 0, "exclusiveMaximum": 0}
"""What is added to a bound of a JSON schema to be outside."""

MODELS = ("bilstm", "ngram", "seq2seq", "tagger", "word_tagger", "siamese", "blend")


def test_the_committed_file_is_valid(params: config.Params) -> None:
    task = params.task(TASK)
    assert isinstance(task, config.UnimorphTask)
    assert (task.tables, task.pos, task.feature) == (("data/raw/hun.tsv.gz",), "N", "Case")
    assert [expert.kind for expert in params.model_of(TASK).experts] == ["bilstm"]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("train.epochs", 2.0, "should be a valid integer, found 2.0"),
        ("train.epochs", "ten", "should be a valid integer, found 'ten'"),
        ("train.epochs", True, "should be a valid integer, found True"),
        ("train.epochs", None, "should be a valid integer, found None"),
        ("train.shuffle", "no", "should be a valid boolean, found 'no'"),
        ("train.schedule", "cosine", "should be 'constant' or 'one-cycle', found 'cosine'"),
        ("train", None, "should be a valid dictionary or instance of Train, found None"),
        (
            "models.bilstm.kind",
            "gru",
            f"should be one of {', '.join(map(repr, MODELS))}, found 'gru'",
        ),
        ("models.bilstm.head", "tanh", "should be 'softmax' or 'sigmoid', found 'tanh'"),
        ("models.bilstm.longest", 8, "unknown key, expected one of head, kind, embedding, hidden, layers, "),
        ("models.bilstm", 7, "should be a valid dictionary or object to extract fields from, found 7"),
        (
            "models.ngram.hidden",
            8,
            "unknown key, expected one of head, kind, longest, prefixes, iterations, ",
        ),
        ("models.blend.experts", [], "List should have at least 1 item after validation, not 0, found []"),
        (
            "models.blend.experts",
            ["bilstm", "gru"],
            f"no model 'gru'; known: {', '.join(MODELS)}",
        ),
        ("models.blend.head", "softmax", "unknown key, expected one of kind, experts, lemmas"),
        ("models.siamese.longest", 8, "unknown key, expected one of head, kind, embedding, hidden, layers, "),
        ("models.word_tagger.longest", 8, "unknown key, expected one of head, embedding, "),
        ("calibration.temperature", 1, "should be a valid boolean, found 1"),
        ("encode_pad.keep", "middle", "should be 'end' or 'start', found 'middle'"),
        ("build_vocab.unit", "byte", "should be 'char', 'bpe' or 'word', found 'byte'"),
        ("sample.split", "row", "should be 'lemma', 'family', 'form' or 'notebook', found 'row'"),
        (
            "evaluate.compare",
            ["gru"],
            f"no model 'gru'; known: {', '.join(MODELS)}",
        ),
        ("tracking.experiment", "", "String should have at least 1 character, found ''"),
        ("train.epoch", 1, "unknown key, expected one of seed, repeats, threads, analogies, "),
        ("epochs", 1, "unknown key, expected one of tasks, models, sample, build_vocab, encode_pad, "),
        ("tasks", None, "should be a valid dictionary, found None"),
        ("tasks", {}, "Dictionary should have at least 1 item after validation, not 0, found {}"),
        ("tasks.raw", COLUMNS, "a task cannot be called raw: data/raw holds the tables"),
    ],
)
def test_a_message_names_the_dotted_path_what_is_allowed_and_what_was_found(
    tmp_path: Path, content: dict[str, Any], place: str, value: Any, message: str
) -> None:
    text = refusal(tmp_path, changed(content, (place, value)))
    assert text.startswith(f": {'tasks' if place == 'tasks.raw' else place}: {message}")


SECTIONS = {
    "BilstmModel": "models.bilstm",
    "NgramModel": "models.ngram",
    "Train": "train",
    "Sample": "sample",
    "BuildVocab": "build_vocab",
    "EncodePad": "encode_pad",
    "Calibration": "calibration",
    "Evaluate": "evaluate",
    "ErrorAnalysis": "error_analysis",
}


def test_every_number_has_bounds_and_a_message_beyond_them(content: dict[str, Any]) -> None:
    definitions = config.Params.model_json_schema()["$defs"]
    for section, place in SECTIONS.items():
        for key, schema in definitions[section]["properties"].items():
            for kind in schema.get("anyOf", [schema]):
                if kind.get("type") not in ("integer", "number"):
                    continue
                outside = [kind[name] + step for name, step in BOUNDS.items() if name in kind]
                assert len(outside) >= (2 if kind["type"] == "integer" else 1)
                for value in outside:
                    with pytest.raises(ValidationError) as caught:
                        config.Params.model_validate(changed(content, (f"{place}.{key}", value)))
                    message = config.explain(caught.value, config.Params)
                    assert message.startswith(f"{place}.{key}: should be ")
                    assert message.endswith(f", found {value}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("models.two", {"kind": "blend", "experts": ["blend"], "lemmas": True})],
         "models.two.experts: blend is a blend itself"),
        ([("models.ngram.head", "sigmoid")], "models.blend.experts: should all have the same head"),
    ],
)  # fmt: skip
def test_a_blend_is_of_models_of_one_head(
    tmp_path: Path, content: dict[str, Any], changes: list[tuple[str, Any]], message: str
) -> None:
    assert refusal(tmp_path, changed(content, *changes)) == f": {message}"


@pytest.mark.parametrize("place", ["calibration.prior", f"tasks.{TASK}.calibration"])
@pytest.mark.parametrize("model", ["bilstm", "ngram"], ids=["the task's", "compared"])
def test_a_prior_of_labels_is_refused_where_each_has_a_probability_of_its_own(
    tmp_path: Path, content: dict[str, Any], place: str, model: str
) -> None:
    shares = {"NOM": 0.5}
    prior = (place, shares if place == "calibration.prior" else {"prior": shares})
    alone = ("models.blend.experts", ["bilstm"])
    config.load(written(tmp_path, changed(content, prior)))
    text = refusal(tmp_path, changed(content, prior, alone, (f"models.{model}.head", "sigmoid")))
    expected = f"calibration.prior is for head: softmax, found sigmoid of models.{model}"
    assert text == f": tasks.{TASK}: {expected}"


def test_a_model_has_not_the_name_of_a_baseline(tmp_path: Path, content: dict[str, Any]) -> None:
    writing = (transduce_evaluation.WRITING, tag_evaluation.TAGGING)
    names = {*baselines.NAMES, *pair_baselines.NAMES, *(name for one in writing for name in one.baselines)}
    for name in sorted(names):
        text = refusal(tmp_path, changed(content, (f"models.{name}", content["models"]["ngram"])))
        assert text.startswith(f": models: a model cannot be called {name}: a baseline is")


def test_a_model_is_resolved_to_its_experts(params: config.Params) -> None:
    blend = params.resolve("blend")
    assert blend.experts == [params.models["bilstm"], params.models["ngram"]]
    assert (blend.head, blend.lemmas, blend.has_prefixes) == ("softmax", True, True)
    assert not params.resolve("bilstm").has_prefixes


def test_a_task_overrides_values_of_training(tmp_path: Path, content: dict[str, Any]) -> None:
    changes = (("tasks.own", COLUMNS), ("tasks.own.train", {"epochs": 33, "clip": None, "threads": 2}))
    params = config.load(written(tmp_path, changed(content, *changes)))
    own, usual = (params.section_of(name, config.Train) for name in ("own", TASK))
    assert (own.epochs, own.clip, own.seed) == (33, None, usual.seed)
    assert usual == params.train
    assert params.sections("own", [config.Train, config.ClassifyTask]) == [own, params.task("own")]
    assert params.used_by("own")["train"]["threads"] == 2


def test_a_stage_receives_the_sections_it_names(params: config.Params) -> None:
    kinds = [config.BuildVocab, config.Resolved, config.Compared, config.Evaluate]
    vocabulary, model, compared, evaluate = params.sections(TASK, kinds)
    assert (vocabulary, evaluate) == (params.build_vocab, params.evaluate)
    assert model == params.model_of(TASK)
    assert list(compared) == [params.resolve("ngram")]


def test_what_a_task_uses_leaves_out_other_tasks_and_models(tmp_path: Path, content: dict[str, Any]) -> None:
    def used(*changes: tuple[str, Any]) -> dict[str, Any]:
        return config.load(written(tmp_path, changed(content, *changes))).used_by(TASK)

    usual = used()
    assert set(usual["models"]) == {"bilstm", "ngram"}
    for unrelated in (("tasks.own", COLUMNS), ("models.blend.lemmas", False), ("tracking.experiment", "x")):
        assert used(unrelated) == usual
    for related in (("models.bilstm.hidden", 65), ("models.ngram.longest", 7), (f"tasks.{TASK}.pos", "V")):
        assert used(related) != usual
    assert "batch_size" not in used((f"tasks.{TASK}.model", "ngram"))["train"]
    assert set(used((f"tasks.{TASK}.model", "blend"))["models"]) == {"blend", "bilstm", "ngram"}


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", "", "cpu\n"])
def test_a_device_that_torch_does_not_name_is_refused(
    tmp_path: Path, content: dict[str, Any], device: str
) -> None:
    message = refusal(tmp_path, changed(content, ("train.device", device)))
    assert message.startswith(": train.device: ")
    assert message.endswith(f", found {device!r}")


@pytest.mark.parametrize(
    "place",
    [
        *config.Params.model_fields,
        *(f"train.{key}" for key in config.Train.model_fields),
        *(f"tasks.{TASK}.{key}" for key in ("raw", "pos", "feature", "model")),
        *(f"models.bilstm.{key}" for key in config.BilstmModel.model_fields),
        *(f"models.ngram.{key}" for key in config.NgramModel.model_fields),
    ],
)
def test_every_key_must_be_there(tmp_path: Path, content: dict[str, Any], place: str) -> None:
    *sections, key = place.split(".")
    inner = content
    for section in sections:
        inner = inner[section]
    del inner[key]
    assert refusal(tmp_path, content) == f": {place}: missing"


def test_all_problems_are_in_one_line_up_to_a_number(tmp_path: Path, content: dict[str, Any]) -> None:
    wrong = changed(content, ("train.epochs", -1), ("models.bilstm.hiden", 3), ("sample.seed", "x"))
    message = refusal(tmp_path, wrong)
    assert all(f"{place}: " in message for place in ("train.epochs", "models.bilstm.hiden", "sample.seed"))
    content["tasks"] = {f"t{number}": {**content["tasks"][TASK], "pos": 7} for number in range(50)}
    assert refusal(tmp_path, content).endswith("; and 30 more")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b", "-x", "x" * 101])
@pytest.mark.parametrize("section", ["tasks", "models"])
def test_a_name_that_could_not_be_a_folder_is_refused(
    tmp_path: Path, content: dict[str, Any], section: str, name: str
) -> None:
    content[section][name] = next(iter(content[section].values()))
    assert refusal(tmp_path, content).startswith(f": {section}.{name}: ")


def test_a_task_that_is_not_there_is_named_with_those_known(params: config.Params) -> None:
    known = ", ".join(sorted(params.tasks))
    with pytest.raises(ParamsError, match=rf"^no task 'hun' in params\.yaml; known: {known}$"):
        params.task("hun")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", ": expected a mapping of sections, found None"),
        ("- train\n", ": expected a mapping of sections, found ['train']"),
        ("a: 1\nb: [\n", ", line 3: not YAML ("),
        ("a: 1\n\tb: 2\n", ", line 2: not YAML ("),
        ("a: !!python/object/apply:os.getcwd []\n", ", line 1: not YAML (could not determine a constructor"),
        ("a: *b\n", ", line 1: not YAML ("),
        ("[" * 3000, ": not YAML ("),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text).startswith(message)


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "b:\n  a: 1\n  c: 2\n  a: 1\n"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str) -> None:
    assert "not YAML (key 'a' stands twice)" in refusal(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: cannot be read \(No such file"):
        config.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(("text", "expected"), [("1e-3", 0.001), (".5", 0.5), ("1.", 1.0), ("+2", 2)])
def test_numbers_are_those_of_yaml_1_2(tmp_path: Path, repo: Path, text: str, expected: float) -> None:
    page = (repo / "params.yaml").read_text("utf-8").replace("learning_rate: 0.01", f"learning_rate: {text}")
    assert config.load(written(tmp_path, page)).train.learning_rate == expected


@pytest.mark.parametrize("word", ["no", "on", "y", "12:30", "2024-01-01", ".inf", ".nan"])
def test_words_that_were_values_in_yaml_1_1_are_words(tmp_path: Path, repo: Path, word: str) -> None:
    page = (repo / "params.yaml").read_text("utf-8").replace("experiment: esetrag", f"experiment: {word}")
    assert config.load(written(tmp_path, page)).tracking.experiment == word


@pytest.mark.parametrize("text", [".inf", "nan", "1e999"])
def test_infinity_is_no_learning_rate(tmp_path: Path, repo: Path, text: str) -> None:
    page = (repo / "params.yaml").read_text("utf-8").replace("learning_rate: 0.01", f"learning_rate: {text}")
    assert refusal(tmp_path, page).startswith(": train.learning_rate: should be a ")


def test_a_long_value_is_shortened(tmp_path: Path, content: dict[str, Any]) -> None:
    message = refusal(tmp_path, changed(content, ("train.epochs", "x" * 1000)))
    assert message.endswith("…")
    assert len(message) < 150
