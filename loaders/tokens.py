"""The tokens of a dataset: codes into a vocabulary, so that millions of steps need little memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.parquet import is_text, reading, type_words
from loaders.problems import DatasetError, Problem, counted
from loaders.sequences import encode, first_null


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Tokens:
    """The token of each step.

    Attributes
    ----------
    codes
        int32 `(n_steps,)`, indices into the vocabulary; read-only.
    vocabulary
        Arrow array of the distinct tokens, in no particular order.
    """

    codes: NDArray[np.int32]
    vocabulary: pa.Array

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self, start: int, stop: int) -> list[str]:
        """Return the tokens of the half-open range, clipped to the steps that exist."""
        codes = self.codes[max(0, start) : max(0, stop)]
        texts: list[str] = self.vocabulary.take(pa.array(codes)).to_pylist()
        return texts


def read_tokens(column: pa.ChunkedArray, where: str) -> Tokens:
    """Read the `token` column.

    Parameters
    ----------
    column
        string, large_string or string_view, dictionary-encoded or not.
    where
        The name of the column in problems.

    Raises
    ------
    DatasetError
        Wrong type, a null (with its row), or text that is not UTF-8.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not is_text(kind):
        raise DatasetError(
            Problem(where, "strings", type_words(column.type), "write the tokens as strings")
        )
    if column.null_count:
        row = first_null(column)
        raise DatasetError(
            Problem(
                f"{where}, row {row:,}",
                "a token at every step",
                f"null ({counted(column.null_count, 'row')} in total)",
                "write an empty string where a step shows nothing",
            )
        )
    with reading(where):
        codes, vocabulary = encode(column)
        vocabulary.validate(full=True)  # text that is not UTF-8 would fail on display
    codes.flags.writeable = False
    return Tokens(codes, vocabulary)
