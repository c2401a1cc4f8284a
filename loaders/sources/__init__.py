"""The states of a dataset: their files, the row-major copies of them, and opened sources."""

from loaders.sources.source import Source, SourceInfo

__all__ = ["Source", "SourceInfo"]
