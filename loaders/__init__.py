"""Everything that touches files: the dataset format, its checks, and the row-major copies of the states."""

from loaders.catalog import Catalog, Entry
from loaders.dataset import Dataset, open_dataset
from loaders.problems import DatasetError, Problem
from loaders.sources.source import Source, SourceInfo

__all__ = [
    "Catalog",
    "Dataset",
    "DatasetError",
    "Entry",
    "Problem",
    "Source",
    "SourceInfo",
    "open_dataset",
]
