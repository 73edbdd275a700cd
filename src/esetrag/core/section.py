"""What the sections of ``params.yaml`` have in common."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _is_local(path: str) -> str:
    if re.match(r"\w+://", path):
        raise ValueError("should be a path; bring the file in with: dvc import-url")
    return path


Count = Annotated[int, Field(ge=1, le=10**9)]
Size = Annotated[int, Field(ge=1, le=4096)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
Head = Literal["softmax", "sigmoid"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
TablePath = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1000), AfterValidator(_is_local)
]
MOST_SEEDS = 100
MOST_THREADS = 256


class Section(BaseModel):
    """A section of the file: frozen, no key beyond its fields, no conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
