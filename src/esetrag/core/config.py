"""The parameters of ``params.yaml``: typed, complete, and checked before any work.

Every section is a class; a stage receives the sections it names and no other. Values stand in
``params.yaml`` alone, so sections have no defaults. Only the entries of a task that few tasks need
may be left out. Tasks and models are unions: ``kind`` names the class, which has its own fields only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from esetrag.core import yaml_reader
from esetrag.core.errors import ParamsError
from esetrag.core.explanation import explain
from esetrag.core.model_config import (
    BASELINES,
    AnyExpert,
    BilstmModel,
    BlendModel,
    Calibration,
    Compared,
    Expert,
    GradientModel,
    Model,
    NgramModel,
    Resolved,
    Seq2seqModel,
    SiameseModel,
    TaggerModel,
    Train,
    WordTaggerModel,
)
from esetrag.core.section import MOST_SEEDS, MOST_THREADS, Head, Name, Section
from esetrag.core.stage_config import BuildVocab, EncodePad, ErrorAnalysis, Evaluate, Sample, Tracking
from esetrag.core.task_config import (
    AnyTask,
    BuiltPairsTask,
    ClassifyTask,
    ColumnsTask,
    InflectionTask,
    PairsTask,
    PairTask,
    SegmentsTask,
    SentencesTask,
    SequencesTask,
    SpansTask,
    TagTask,
    Task,
    TransduceTask,
    UnimorphTask,
    kind_key,
)

__all__ = [
    "MOST_SEEDS", "MOST_THREADS", "AnyExpert", "AnyTask", "BilstmModel", "BlendModel", "BuildVocab",
    "BuiltPairsTask", "Calibration", "ClassifyTask", "ColumnsTask", "Compared", "EncodePad",
    "ErrorAnalysis", "Evaluate", "Expert", "GradientModel", "Head", "InflectionTask", "Model",
    "NgramModel", "PairTask", "PairsTask", "Params", "Resolved", "Sample", "Section", "SegmentsTask",
    "SentencesTask", "Seq2seqModel", "SequencesTask", "SiameseModel", "SpansTask", "TagTask",
    "TaggerModel", "Task", "Tracking", "Train", "TransduceTask", "UnimorphTask", "WordTaggerModel",
    "explain", "kind_key", "load",
]  # fmt: skip


Own = TypeVar("Own", Sample, Train, Calibration)


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
    def _folder_is_free(cls, tasks: dict[str, AnyTask]) -> dict[str, AnyTask]:
        if "raw" in tasks:
            raise ValueError("a task cannot be called raw: data/raw holds the tables")
        return tasks

    @field_validator("models")
    @classmethod
    def _name_is_free(cls, models: dict[str, Model]) -> dict[str, Model]:
        if taken := sorted(models.keys() & BASELINES):
            raise ValueError(f"a model cannot be called {taken[0]}: a baseline is")
        return models

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
                experts = map(self.models.get, model.experts)
                if len({expert.head for expert in experts if isinstance(expert, Expert)}) > 1:
                    raise ValueError(f"models.{key}.experts: should all have the same head")
        for place, name in named:
            if name not in self.models:
                raise ValueError(f"{place}: no model {name!r}; known: {', '.join(self.models)}")
        for key, task in self.tasks.items():
            self.section_of(key, Train), self.section_of(key, Sample)
            prior = self.section_of(key, Calibration).prior
            if not self._suits(task.model, task):
                usable = ", ".join(name for name in self.models if self._suits(name, task)) or "none"
                raise ValueError(
                    f"tasks.{key}.model: {task.model} is no model to {task.kind}; known: {usable}"
                )
            for name in [task.model, *(n for n in self.evaluate.compare if self._suits(n, task))]:
                if prior and self.resolve(name).head == "sigmoid":
                    raise ValueError(
                        f"tasks.{key}: calibration.prior is for head: softmax, found sigmoid of models.{name}"
                    )
        return self

    def _suits(self, model: str, task: AnyTask) -> bool:
        """Whether a model does what a task asks for."""
        return self.models[model].task_kind == kind_key(task)

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            ParamsError: if there is none.
        """
        if name not in self.tasks:
            raise ParamsError(f"no task {name!r} in params.yaml; known: {', '.join(sorted(self.tasks))}")
        return self.tasks[name]

    def task_that(self, does: str, name: str | None) -> str:
        """The task of that name, or the first, that ``inflects`` or whatever is wanted (``AnyTask.does``).

        Raises:
            ParamsError: if there is none.
        """
        able = [key for key, task in self.tasks.items() if task.does == does]
        if name and self.task(name) and name not in able:
            raise ParamsError(f"task {name}: expected one that {does}, known: {', '.join(able) or 'none'}")
        if not able:
            page = {"analyzes": "bundles", "judges": "pairs"}.get(does, "transduce")
            raise ParamsError(f"no task of params.yaml {does}; docs/{page}.md shows how one is written")
        return name or able[0]

    def resolve(self, name: str) -> Resolved:
        """A model and its experts.

        Args:
            name: a key of ``models``.
        """
        model = self.models[name]
        names = model.experts if isinstance(model, BlendModel) else [name]
        experts = [self.models[expert] for expert in names]
        return Resolved(name, [e for e in experts if not isinstance(e, BlendModel)], model.lemmas)

    def experiment_of(self, task: str) -> str:
        """The MLflow experiment of a task: each has its own, so runs side by side are comparable."""
        return f"{self.tracking.experiment}/{task}"

    def model_of(self, task: str) -> Resolved:
        """The model that a task names."""
        return self.resolve(self.task(task).model)

    def section_of(self, task: str, kind: type[Own]) -> Own:
        """The section ``sample``, ``train`` or ``calibration`` with the task's own values."""
        name = kind.__name__.lower()
        own = getattr(self.task(task), name)
        try:
            return kind.model_validate({**getattr(self, name).model_dump(), **own})
        except ValidationError as error:
            raise ValueError(explain(error, kind, f"tasks.{task}.{name}.")) from error

    def used_by(self, task: str) -> dict[str, Any]:
        """All values that the results of a task depend on, nested; not those of other tasks and models."""
        entry = self.task(task)
        names = dict.fromkeys([entry.model, *(n for n in self.evaluate.compare if self._suits(n, entry))])
        for name in list(names):
            model = self.models[name]
            names |= dict.fromkeys(model.experts if isinstance(model, BlendModel) else ())
        rest = self.model_dump(exclude={"tasks", "models", "tracking"})
        train = self.section_of(task, Train).model_dump()
        if not any(isinstance(self.models[name], GradientModel) for name in names):
            train = dict(itertools.takewhile(lambda entry: entry[0] != "device", train.items()))
        return {
            "task": entry.model_dump(exclude_unset=True, exclude={"sample", "train", "calibration"}),
            "models": {name: self.models[name].model_dump() for name in names},
            **rest,
            "sample": self.section_of(task, Sample).model_dump(),
            "train": train,
            "calibration": self.section_of(task, Calibration).model_dump(),
        }

    def sections(self, task: str, kinds: Sequence[type]) -> list[Any]:
        """What a stage receives for a task.

        Args:
            task: a key of ``tasks``.
            kinds: classes of sections; ``AnyTask`` stands for the task's entry, ``Sample``, ``Train`` and
                ``Calibration`` for the sections with the task's own values, ``Resolved`` for the task's model
                and ``Compared`` for the models it is compared with.
        """
        own, entry = self.model_of(task), self.task(task)
        others = [n for n in self.evaluate.compare if n != own.name and self._suits(n, entry)]
        values: list[Any] = [entry, self.section_of(task, Sample), self.section_of(task, Train), own]
        values.append(self.section_of(task, Calibration))
        values.append(Compared(map(self.resolve, others)))
        values += [value for name, value in self if name not in ("sample", "train", "calibration")]
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
