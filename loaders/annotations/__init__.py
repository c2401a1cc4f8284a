"""Annotations: labels, numbers or words for the steps, in addition to their tokens."""

from loaders.annotations.intervals import check_intervals
from loaders.annotations.kinds import MOST_INTEGER_CATEGORIES, natural_kind
from loaders.annotations.reading import read_annotations
from loaders.annotations.values import (
    Annotation,
    Categorical,
    Category,
    Interval,
    Ranked,
    Scalar,
)

__all__ = [
    "MOST_INTEGER_CATEGORIES",
    "Annotation",
    "Categorical",
    "Category",
    "Interval",
    "Ranked",
    "Scalar",
    "check_intervals",
    "natural_kind",
    "read_annotations",
]
