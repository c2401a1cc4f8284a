"""The states of a dataset: their files, the prepared row-major copies, and opened sources."""

from loaders.sources.source import Source, SourceInfo

__all__ = ["Source", "SourceInfo"]
