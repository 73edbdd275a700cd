"""What is wrong with parameters, in one line."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ValidationError

from esetrag.core import yaml_reader
from esetrag.core.model_config import AnyExpert, BlendModel
from esetrag.core.task_config import Task, kind_of_task

MOST_PROBLEMS = 20
"""Problems that one message names."""


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
                found = yaml_reader.shown(kind_of_task(problem["input"]))
                problems.append(f"{place}: {expected}, found {found}")
            case "value_error" if not place:
                problems.append(expected)
            case _:
                problems.append(f"{place}: {expected}, found {yaml_reader.shown(problem['input'])}")
    more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
    return "; ".join(problems[:MOST_PROBLEMS]) + more


_MEMBERS: dict[str, type[BaseModel]] = {
    **{tag.tag: task for task, tag in map(get_args, get_args(get_args(Task)[0]))},
    **{
        get_args(model.model_fields["kind"].annotation)[0]: model
        for model in (*get_args(AnyExpert), BlendModel)
    },
}
"""Classes of tasks and models by the tag of their union."""


def _keys(section: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that a place of the file knows."""
    for part in map(str, location):
        field = section.model_fields.get(part)
        kinds = (field.annotation, *get_args(field.annotation)) if field else (_MEMBERS.get(part),)
        section = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), section)
    return list(section.model_fields)
