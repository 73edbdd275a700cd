"""The errors a user can cause and mend; everything else is a fault of ours."""

from __future__ import annotations


class EsetragError(Exception):
    """Base class: its text is one line that says what is wrong, where, and the mend."""

    def __str__(self) -> str:
        """The text; what a stranger's file put into it breaks no line and tells a terminal nothing."""
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
