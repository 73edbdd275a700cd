"""The parameters of ``params.yaml``: typed, complete, and checked before any work.

Every section is a class; a stage receives the sections it names and no other. Values stand in
``params.yaml`` alone, so sections have no defaults. Only the entries of a task that few tasks need
may be left out. Tasks and models are unions: ``kind`` names the class, which has its own fields only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from esetrag.core import features, yaml_reader
from esetrag.core.errors import ParamsError

Count = Annotated[int, Field(ge=1, le=10**9)]
Size = Annotated[int, Field(ge=1, le=4096)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
Head = Literal["softmax", "sigmoid"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
TablePath = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1000)]
MOST_SEEDS = 100
MOST_THREADS = 256
MOST_PROBLEMS = 20
"""Problems that one message names."""


class Section(BaseModel):
    """A section of the file: frozen, no key beyond its fields, no conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class GivenSplits(Section):
    """Names of the tables in a folder that are the training, development and test set as they stand."""

    train: TablePath
    dev: TablePath
    test: TablePath


def _type(value: Any) -> str:
    """The tag of a member of a union; parentheses keep it apart from the keys of the file."""
    return "(dict)" if isinstance(value, BaseModel) else f"({type(value).__name__})"


def _either(expected: str) -> Discriminator:
    """A union whose members differ in type, and what is said where none fits."""
    return Discriminator(_type, custom_error_type="either", custom_error_message=expected)


Pos = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")]
    | Annotated[list[str], Field(min_length=1), Tag("(list)")],
    _either("should be a part of speech or a list of them"),
]
Column = Annotated[
    Annotated[str, Field(min_length=1), Tag("(str)")] | Annotated[int, Field(ge=1, le=10_000), Tag("(int)")],
    _either("should be the name of a column or its number"),
]


class ClassifyTask(Section):
    """One label for a word; where the rows come from is what the two kinds of source differ in."""

    kind: Literal["classify"]
    raw: TablePath
    """Path of a table relative to the repository, or of a folder of three. Tables are only read."""
    splits: GivenSplits | None = None
    """The three tables, if ``raw`` is a folder. (DVC wants one path, so they lie in one folder.)"""
    model: Name
    """A key of ``models``."""
    train: dict[str, Any] = {}
    """Values of the section ``train`` that differ for this task."""
    leakage: Literal["report", "refuse"] = "report"
    """Of given splits: what happens if lemmas or forms are in two of them."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Paths of the tables it reads: one, or those of train, dev and test."""
        if self.splits is None:
            return (self.raw,)
        names = (self.splits.train, self.splits.dev, self.splits.test)
        return tuple(f"{self.raw}/{name}" for name in names)


class UnimorphTask(ClassifyTask):
    """One feature of one part of speech of a UniMorph table."""

    source: Literal["unimorph"] = "unimorph"
    pos: Pos
    """Part of speech, or several: the first tag of a bundle, exactly."""
    feature: str
    """A dimension of UniMorph's schema."""
    columns: Annotated[list[Literal["lemma", "form", "tags"]], Field(min_length=3, max_length=3)] | None = (
        None
    )
    """The order of the columns if it is not lemma, form, tags."""

    @property
    def parts_of_speech(self) -> tuple[str, ...]:
        """Those whose rows are wanted."""
        return (self.pos,) if isinstance(self.pos, str) else tuple(self.pos)

    @field_validator("feature")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in features.DIMENSIONS:
            raise ValueError(f"should be one of {', '.join(features.DIMENSIONS)}")
        return name

    @field_validator("columns")
    @classmethod
    def _are_different(cls, columns: list[str] | None) -> list[str] | None:
        if columns and len(set(columns)) < len(columns):
            raise ValueError("should name lemma, form and tags once each")
        return columns


class Columns(Section):
    """Which column of a table holds what: its name in the first line, or its number from 1 on."""

    form: Column
    label: Column
    lemma: Column | None = None
    weight: Column | None = None


class ColumnsTask(ClassifyTask):
    """Labels of free text beside words, in a table of any columns."""

    source: Literal["columns"]
    columns: Columns


def _kind_of_task(value: Any) -> str:
    read = value.get if isinstance(value, dict) else lambda name, default=None: getattr(value, name, default)
    return f"{read('kind', 'nothing')} from {read('source', 'unimorph')}"


Task = Annotated[
    Annotated[UnimorphTask, Tag("classify from unimorph")]
    | Annotated[ColumnsTask, Tag("classify from columns")],
    Discriminator(
        _kind_of_task,
        custom_error_type="kind",
        custom_error_message="kind and source should be classify from unimorph or from columns",
    ),
]


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


class Expert(Section):
    """A model that is trained by itself."""

    head: Head

    def chosen(self, prefixes: bool) -> Self:  # noqa: ARG002
        """The same with what dev has chosen."""
        return self

    def epochs(self, train: Train) -> int:
        """Epochs that training takes if it is not stopped and rows are many."""
        return train.epochs


class BilstmModel(Expert):
    """A (bi)directional LSTM over the symbols of a word."""

    kind: Literal["bilstm"]
    embedding: Size
    hidden: Size
    layers: Annotated[int, Field(ge=1, le=16)]
    bidirectional: bool
    dropout: Share
    lemmas: bool
    """Whether the lemma prior stands beside it, as far as dev wants it."""


class NgramModel(Expert):
    """Softmax regression on the n-grams at the ends of a word."""

    kind: Literal["ngram"]
    longest: Annotated[int, Field(ge=1, le=32)]
    prefixes: bool
    """Whether n-grams at the beginning, and those with a gap, may have weights too; dev decides."""
    iterations: Annotated[int, Field(ge=1, le=100_000)]
    penalty: Annotated[float, Field(ge=0)]
    lemmas: bool

    def chosen(self, prefixes: bool) -> Self:
        """The same with what dev has chosen."""
        return self.model_copy(update={"prefixes": self.prefixes and prefixes})

    def epochs(self, train: Train) -> int:  # noqa: ARG002
        """Each iteration is one."""
        return self.iterations


class BlendModel(Section):
    """A product of other models; their weights are fitted on dev."""

    kind: Literal["blend"]
    experts: Annotated[list[Name], Field(min_length=1, max_length=16)]
    """Keys of ``models``."""
    lemmas: bool


@dataclass(frozen=True)
class Resolved:
    """A model with what it is made of."""

    name: str
    experts: list[BilstmModel | NgramModel]
    lemmas: bool

    @property
    def head(self) -> Head:
        """Meaning of the scores, the same for all experts."""
        return self.experts[0].head

    @property
    def has_prefixes(self) -> bool:
        """Whether an expert may have n-grams at the beginning of words."""
        return any(isinstance(expert, NgramModel) and expert.prefixes for expert in self.experts)


class Compared(tuple[Resolved, ...]):
    """Models that are trained to be compared with the task's own."""


Model = Annotated[BilstmModel | NgramModel | BlendModel, Field(discriminator="kind")]


class Train(Section):
    """Training of every model; ``device`` and what follows is for networks trained by gradient descent."""

    seed: Seed
    repeats: Annotated[int, Field(ge=0, le=MOST_SEEDS)]
    """Further trainings with the seeds that follow."""
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    analogies: Annotated[int, Field(ge=0, le=10**7)]
    """Forms made by analogy in all."""
    patience: Count | None
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:[0-9]{1,2})?|mps)$")]
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    min_steps: Annotated[int, Field(ge=0, le=10**7)]
    """Batches at least, whatever ``epochs``."""
    batch_size: Annotated[int, Field(ge=1, le=2**20)]
    pool: Annotated[int, Field(ge=1, le=2**20)]
    shuffle: bool
    schedule: Literal["constant", "one-cycle"]
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Share
    clip: Annotated[float, Field(gt=0)] | None


class Calibration(Section):
    """How far probabilities are to be trusted, fitted on dev."""

    temperature: bool
    risk: Annotated[float, Field(gt=0, lt=1)]


class Evaluate(Section):
    """Intervals, baselines and stress sets."""

    seed: Seed
    resamples: Annotated[int, Field(ge=100, le=100_000)]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    suffix_length: Annotated[int, Field(ge=1, le=100)]
    stress: Annotated[int, Field(ge=1, le=10**6)]
    """Forms of each stress set, as far as there are so many."""
    compare: list[Name]
    """Keys of ``models``: trained on the same rows, and shown beside the task's own model."""


class ErrorAnalysis(Section):
    """How much the error report shows."""

    examples: Count
    confusions: Count


class Tracking(Section):
    """Where runs are logged. No stage depends on it: it changes no result."""

    enabled: bool
    required: bool
    """Whether a store that cannot be used is an error, raised before the training."""
    experiment: Annotated[str, Field(min_length=1)]


class Params(Section):
    """The whole file."""

    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    models: Annotated[dict[Name, Model], Field(min_length=1)]
    sample: Sample
    build_vocab: BuildVocab
    encode_pad: EncodePad
    train: Train
    calibration: Calibration
    evaluate: Evaluate
    error_analysis: ErrorAnalysis
    tracking: Tracking

    @field_validator("tasks")
    @classmethod
    def _folder_is_free(cls, tasks: dict[str, ClassifyTask]) -> dict[str, ClassifyTask]:
        if "raw" in tasks:
            raise ValueError("a task cannot be called raw: data/raw holds the tables")
        return tasks

    @model_validator(mode="after")
    def _names_are_known(self) -> Params:
        named = [(f"tasks.{key}.model", task.model) for key, task in self.tasks.items()]
        named += [("evaluate.compare", name) for name in self.evaluate.compare]
        for key, model in self.models.items():
            if isinstance(model, BlendModel):
                named += [(f"models.{key}.experts", name) for name in model.experts]
                blends = [name for name in model.experts if isinstance(self.models.get(name), BlendModel)]
                if blends:
                    raise ValueError(f"models.{key}.experts: {blends[0]} is a blend itself")
                if len({self.models[name].head for name in model.experts if name in self.models}) > 1:  # type: ignore[union-attr]
                    raise ValueError(f"models.{key}.experts: should all have the same head")
        for place, name in named:
            if name not in self.models:
                raise ValueError(f"{place}: no model {name!r}; known: {', '.join(self.models)}")
        for key in self.tasks:
            self.train_of(key)
        return self

    def task(self, name: str) -> UnimorphTask | ColumnsTask:
        """The task of that name.

        Raises:
            ParamsError: if there is none.
        """
        if name not in self.tasks:
            raise ParamsError(f"no task {name!r} in params.yaml; known: {', '.join(sorted(self.tasks))}")
        return self.tasks[name]

    def resolve(self, name: str) -> Resolved:
        """A model and its experts.

        Args:
            name: a key of ``models``.
        """
        model = self.models[name]
        names = model.experts if isinstance(model, BlendModel) else [name]
        experts = [self.models[expert] for expert in names]
        return Resolved(name, [e for e in experts if not isinstance(e, BlendModel)], model.lemmas)

    def model_of(self, task: str) -> Resolved:
        """The model that a task names."""
        return self.resolve(self.task(task).model)

    def train_of(self, task: str) -> Train:
        """The section ``train`` with the task's own values."""
        own = self.task(task).train
        try:
            return Train.model_validate({**self.train.model_dump(), **own})
        except ValidationError as error:
            raise ValueError(explain(error, Train, f"tasks.{task}.train.")) from error

    def used_by(self, task: str) -> dict[str, Any]:
        """All values that the results of a task depend on, nested; not those of other tasks and models."""
        entry = self.task(task)
        names = dict.fromkeys([entry.model, *self.evaluate.compare])
        for name in list(names):
            model = self.models[name]
            names |= dict.fromkeys(model.experts if isinstance(model, BlendModel) else ())
        rest = self.model_dump(exclude={"tasks", "models", "tracking"})
        return {
            "task": entry.model_dump(exclude_unset=True, exclude={"train"}),
            "models": {name: self.models[name].model_dump() for name in names},
            **rest,
            "train": self.train_of(task).model_dump(),
        }

    def sections(self, task: str, kinds: Sequence[type]) -> list[Any]:
        """What a stage receives for a task.

        Args:
            task: a key of ``tasks``.
            kinds: classes of sections; ``ClassifyTask`` stands for the task's entry, ``Train`` for the
                section with the task's own values, ``Resolved`` for the task's model and ``Compared``
                for the models it is compared with.
        """
        own = self.model_of(task)
        values: list[Any] = [self.task(task), self.train_of(task), own]
        values.append(Compared(self.resolve(name) for name in self.evaluate.compare if name != own.name))
        values += [value for name, value in self if name != "train"]
        return [next(value for value in values if isinstance(value, kind)) for kind in kinds]


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


def explain(error: ValidationError, root: type[BaseModel], within: str = "") -> str:
    """Says of each problem its dotted path, what is allowed and what was found, in one line.

    Args:
        error: what validation raised.
        root: the class that was validated.
        within: where the values stand in the file, with a dot behind.
    """
    problems = []
    for problem in error.errors(include_url=False):
        parts = [str(part) for part in problem["loc"] if part != "[key]" and not str(part).startswith("(")]
        if parts and parts[0] in ("tasks", "models") and len(parts) > 2:
            del parts[2]  # the tag of the union
        place = within + ".".join(parts)
        expected = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        match problem["type"]:
            case "extra_forbidden":
                known = ", ".join(_keys(root, problem["loc"][:-1]))
                problems.append(f"{place}: unknown key, expected one of {known}")
            case "missing":
                problems.append(f"{place}: missing")
            case "union_tag_not_found":
                problems.append(f"{place}.kind: missing")
            case "union_tag_invalid":
                kinds = problem["ctx"]["expected_tags"]
                problems.append(f"{place}.kind: should be one of {kinds}, found {problem['ctx']['tag']!r}")
            case "kind":
                found = yaml_reader.shown(_kind_of_task(problem["input"]))
                problems.append(f"{place}: {expected}, found {found}")
            case "value_error" if not place:
                problems.append(expected)
            case _:
                problems.append(f"{place}: {expected}, found {yaml_reader.shown(problem['input'])}")
    more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
    return "; ".join(problems[:MOST_PROBLEMS]) + more


_MEMBERS: dict[str, type[BaseModel]] = {
    "classify from unimorph": UnimorphTask,
    "classify from columns": ColumnsTask,
    "bilstm": BilstmModel,
    "ngram": NgramModel,
    "blend": BlendModel,
}


def _keys(section: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that a place of the file knows."""
    for part in map(str, location):
        field = section.model_fields.get(part)
        kinds = (field.annotation, *get_args(field.annotation)) if field else (_MEMBERS.get(part),)
        section = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), section)
    return list(section.model_fields)
