"""Moved to ``esetrag.data.change``."""

from esetrag.data.change import inflects_at_end, turn

__all__ = ["inflects_at_end", "turn"]
