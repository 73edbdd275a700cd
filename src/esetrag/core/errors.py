"""The errors a user can cause and mend; everything else is a fault of ours."""

from __future__ import annotations

_NO_ROOM = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "failed to map",
    "start new thread",
    "bad_alloc",
)
"""Words of libraries for a lack of memory, in errors of many kinds."""


class EsetragError(Exception):
    """Base class: its text is one line that says what is wrong, where, and the mend."""

    def __str__(self) -> str:
        """The text; what a file put into it cannot break the line or control the terminal."""
        return "".join(
            symbol if symbol.isprintable() else ascii(symbol)[1:-1] for symbol in super().__str__()
        )


class ParamsError(EsetragError):
    """A parameter is unknown, missing, of the wrong type or out of range."""


class DataError(EsetragError):
    """An input table or vocabulary cannot be used as it is."""


class TrainingError(EsetragError):
    """Training cannot start or cannot go on."""


class BusyError(EsetragError):
    """Another process is doing what is asked for."""


class CheckpointError(EsetragError):
    """A checkpoint is missing, damaged or not what its manifest says."""


class TrackingError(EsetragError):
    """The tracking store cannot be reached or refuses what it is given."""


class RoomError(EsetragError):
    """The machine has not enough memory for what is asked for."""


def mendable(error: BaseException) -> EsetragError | None:
    """An error that the user can mend: ours, or a lack of memory in any library; else None."""
    if isinstance(error, EsetragError):
        return error
    cause: BaseException | None = error
    while cause is not None:
        text = " ".join(str(cause).split())
        if isinstance(cause, MemoryError) or any(words in text.lower() for words in _NO_ROOM):
            mend = "give it more, or lower the sizes in params.yaml"
            return RoomError(f"not enough memory ({text[:200] or 'for a small piece'}); {mend}")
        cause = cause.__cause__ or cause.__context__
    return None
