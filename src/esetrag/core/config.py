"""The parameters of ``params.yaml``: typed, complete, and checked before any work.

Every section is a class; a stage is handed the sections it names and no other. Values stand in
``params.yaml`` alone, so nothing here has a default: a key that is missing is an error too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from esetrag.core import features, yaml_reader
from esetrag.core.errors import ParamsError

Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=1, le=4096)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
MOST_REPEATS = 100
Head = Literal["softmax", "sigmoid"]
TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
MOST_THREADS = 256
SHOWN = 20
"""Problems told at once."""


class Section(BaseModel):
    """A section of the file: frozen, no key beyond its fields, no conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Task(Section):
    """What is to be read off a form: one feature of one part of speech of one table."""

    raw: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1000)]
    """UniMorph table, plain or .gz, relative to the repository. It may lie elsewhere, as any dependency
    of DVC's may: it is only read, and nothing is ever written beside it."""
    pos: Annotated[str, Field(min_length=1)]
    """Part of speech: the first tag of a bundle, exactly."""
    feature: str
    """A dimension of UniMorph's schema."""

    @field_validator("feature")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in features.DIMENSIONS:
            raise ValueError(f"should be one of {', '.join(features.DIMENSIONS)}")
        return name


class Sample(Section):
    """What the parts may share, and sampling."""

    suspicious: Literal["keep", "drop", "stop"]
    split: Literal["lemma", "family", "form", "notebook"]
    seed: Seed
    train: Count | None
    dev: Count | None
    test: Count | None


class BuildVocab(Section):
    """Symbols and labels."""

    unit: Literal["char", "bpe", "word"]
    merges: Annotated[int, Field(ge=0, le=100_000)]
    """Of ``bpe``: pairs that become one symbol."""
    min_count: Count


class EncodePad(Section):
    """Symbols to ids of one width."""

    max_symbols: Count | None
    keep: Literal["end", "start"]


class Model(Section):
    """Shape of the network."""

    kind: Literal["ngram", "lstm"]
    head: Head
    longest: Annotated[int, Field(ge=1, le=32)]
    lemmas: Annotated[float, Field(ge=0, le=100)]
    """Of ``ngram``, as is ``longest``: usual weight of the lemmas, around which dev chooses; the other fields
    are those of ``lstm``."""
    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    bidirectional: bool
    dropout: Share


class Train(Section):
    """Optimisation."""

    seed: Seed
    repeats: Annotated[int, Field(ge=0, le=MOST_REPEATS)]
    """More trainings, of the seeds that follow."""
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    analogies: Annotated[int, Field(ge=0, le=10**7)]
    """Forms made by analogy in all."""
    iterations: Annotated[int, Field(ge=1, le=100_000)]
    """Of ``ngram``, as is ``penalty``; the fields below are those of ``lstm``."""
    penalty: Annotated[float, Field(ge=0)]
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:[0-9]{1,2})?|mps)$")]
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch_size: Annotated[int, Field(ge=1, le=2**20)]
    pool: Annotated[int, Field(ge=1, le=2**20)]
    shuffle: bool
    schedule: Literal["constant", "one-cycle"]
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Share
    clip: Annotated[float, Field(gt=0)] | None
    patience: Count | None


class Calibration(Section):
    """What the dev part tells of how far probabilities are to be believed."""

    temperature: bool
    risk: Annotated[float, Field(gt=0, lt=1)]


class Evaluate(Section):
    """Intervals, baselines and stress sets."""

    seed: Seed
    resamples: Annotated[int, Field(ge=100)]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    suffix_length: Count
    stress: Count
    """Forms of each stress set, as far as there are so many."""


class ErrorAnalysis(Section):
    """How much the error report shows."""

    examples: Count
    confusions: Count


class Tracking(Section):
    """Where runs are logged. No stage depends on it: it changes no result."""

    enabled: bool
    required: bool
    """Whether a store that cannot be used is an error, told before the training."""
    experiment: Annotated[str, Field(min_length=1)]


class Params(Section):
    """The whole file."""

    tasks: Annotated[dict[TaskName, Task], Field(min_length=1)]
    sample: Sample
    build_vocab: BuildVocab
    encode_pad: EncodePad
    model: Model
    train: Train
    calibration: Calibration
    evaluate: Evaluate
    error_analysis: ErrorAnalysis
    tracking: Tracking

    @field_validator("tasks")
    @classmethod
    def _folder_is_free(cls, tasks: dict[str, Task]) -> dict[str, Task]:
        if "raw" in tasks:
            raise ValueError("a task cannot be called raw: data/raw holds the tables")
        return tasks

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            ParamsError: if there is none.
        """
        if name not in self.tasks:
            raise ParamsError(f"no task {name!r} in params.yaml; known: {', '.join(sorted(self.tasks))}")
        return self.tasks[name]

    def section(self, kind: type[Section]) -> Section:
        """The section of a class, ``train`` for ``Train``."""
        return next(value for _, value in self if isinstance(value, kind))


def load(path: Path) -> Params:
    """Reads and checks the whole file.

    Args:
        path: ``params.yaml``.

    Raises:
        ParamsError: naming file, dotted path, what is allowed and what was found.
    """
    content = yaml_reader.read(path)
    if not isinstance(content, dict):
        raise ParamsError(f"{path}: expected a mapping of sections, found {yaml_reader.shown(content)}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{path}: {explain(error, Params)}") from error


def explain(error: ValidationError, root: type[Section]) -> str:
    """Says of each problem its dotted path, what is allowed and what was found, in one line.

    Args:
        error: what validation raised.
        root: the class that was validated.
    """
    problems = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        match problem["type"]:
            case "extra_forbidden":
                known = ", ".join(_keys(root, problem["loc"][:-1]))
                problems.append(f"{place}: unknown key, expected one of {known}")
            case "missing":
                problems.append(f"{place}: missing")
            case _:
                expected = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
                problems.append(f"{place}: {expected}, found {yaml_reader.shown(problem['input'])}")
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return "; ".join(problems[:SHOWN]) + more


def _keys(section: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that a place of the file knows."""
    for part in location:
        if part == "tasks":
            return list(Task.model_fields)
        kind = section.model_fields[str(part)].annotation
        section = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else section
    return list(section.model_fields)
