"""Numbers that float64 cannot hold, and dates, times, durations and decimals: exact, as text."""

from decimal import Decimal
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ValueType = Literal["number", "decimal", "date", "time", "timestamp", "duration"]
"""What the values of a scalar annotation are."""

_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: Integers up to this are exact in float64, and in JSON as JavaScript reads it.
_MOST_EXACT = 2**53


def value_type(kind: pa.DataType) -> ValueType | None:
    """Return what the values of a column type are; None if they have no order on a scale."""
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return "number"
    if types.is_decimal(kind):
        return "decimal"
    if types.is_date(kind):
        return "date"
    if types.is_time(kind):
        return "time"
    if types.is_timestamp(kind):
        return "timestamp"
    return "duration" if types.is_duration(kind) else None


def exact_column(values: pa.ChunkedArray) -> pa.Array | None:
    """Return a column as one array if float64 would not hold what it says, else None.

    NaT, which is stored as the smallest integer, becomes null.
    """
    kind = values.type
    if pa.types.is_integer(kind):
        extent = pc.min_max(values).as_py()
        if max(abs(extent["min"] or 0), abs(extent["max"] or 0)) <= _MOST_EXACT:
            return None
    elif value_type(kind) in (None, "number"):
        return None
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):  # few functions take them
        values = values.cast(pa.decimal128(38, kind.scale))
    array = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        is_nat = pc.equal(array.view(pa.int64()), np.iinfo(np.int64).min)
        array = pc.if_else(is_nat, pa.scalar(None, kind), array)
    return array


def numbers(array: pa.Array) -> NDArray[np.float64]:
    """float64 `(n,)`: where each value is on a scale, in the unit in which it is stored; NaN for null."""
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    values: NDArray[np.float64] = (
        ordered_values(array).to_numpy(zero_copy_only=False).astype(np.float64)
    )
    return values


def ordered_values(array: pa.Array) -> pa.Array:
    """The array with dates, times and durations as the integers that are stored."""
    if value_type(array.type) in ("number", "decimal"):
        return array
    return array.view(_integer(array.type))


def extremes(array: pa.Array) -> tuple[str, str] | None:
    """The smallest and the largest value as text; None if every value is null."""
    ordered = ordered_values(array)
    found = pc.min_max(ordered)
    if not found["min"].is_valid:
        return None
    ends = pa.array([found[end].as_py() for end in ("min", "max")], ordered.type)
    low, high = texts(ends if ordered is array else ends.view(array.type))
    assert low is not None
    assert high is not None
    return low, high


def texts(array: pa.Array) -> list[str | None]:
    """Write every value in full, without trailing zeros of a fraction of a second; None for null.

    Dates and times are written as in ISO 8601, with a space between them; a timestamp with a zone as
    the local time with its offset. Durations are seconds (``0.35 s``), from a minute on
    ``2 d 03:04:05.5``; decimals have all of their digits. Date and time are those of the proleptic
    Gregorian calendar, in any year.
    """
    kind = array.type
    of = value_type(kind)
    if of == "decimal":
        return [None if value is None else _decimal(value) for value in array.to_pylist()]
    if of == "number":
        return [None if value is None else str(value) for value in array.to_pylist()]
    if of == "date":
        unit = "D" if pa.types.is_date32(kind) else "ms"
        return _iso(array, f"datetime64[{unit}]", "datetime64[D]")
    if of == "timestamp":
        return _timestamps(array)
    ticks = _PER_SECOND[kind.unit]
    write = _duration if of == "duration" else _clock
    whole = array.view(_integer(kind)).to_pylist()
    return [None if value is None else write(value, ticks) for value in whole]


def _integer(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if kind.bit_width == 32 else pa.int64()


def _iso(array: pa.Array, stored: str, shown: str) -> list[str | None]:
    """Dates and times without a zone, by NumPy, which writes years of any size."""
    whole = pc.fill_null(array.view(_integer(array.type)), 0).to_numpy().astype(np.int64)
    written = np.datetime_as_string(whole.view(stored).astype(shown)).tolist()
    valid = array.is_valid().to_pylist()
    return [
        _trim(text.replace("T", " ")) if there else None
        for text, there in zip(written, valid, strict=True)
    ]


def _timestamps(array: pa.Array) -> list[str | None]:
    stored = f"datetime64[{array.type.unit}]"
    if array.type.tz is None:
        return _iso(array, stored, stored)
    try:
        local = pc.local_timestamp(array)
    except pa.ArrowInvalid:  # a zone that this machine does not know: the same moment in UTC
        local = array.cast(pa.timestamp(array.type.unit))
    utc, here = (one.view(pa.int64()).to_pylist() for one in (array, local))
    ticks = _PER_SECOND[array.type.unit]
    return [
        None if text is None else text + _offset((there - moment) // ticks)
        for text, there, moment in zip(_iso(local, stored, stored), here, utc, strict=True)
    ]


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    minutes, odd = divmod(abs(seconds), 60)
    text = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{odd:02}" if odd else text  # local mean time, before there were zones


def _clock(value: int, ticks: int) -> str:
    seconds, rest = divmod(value, ticks)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return _trim(f"{text}.{rest:0{len(str(ticks)) - 1}}") if rest else text


def _duration(value: int, ticks: int) -> str:
    sign, size = ("-", -value) if value < 0 else ("", value)
    seconds, rest = divmod(size, ticks)
    if seconds < 60:
        digits = f"{seconds}.{rest:0{len(str(ticks)) - 1}}" if rest else str(seconds)
        return f"{sign}{_trim(digits)} s"
    days = f"{seconds // _DAY} d " if seconds >= _DAY else ""
    return f"{sign}{days}{_clock(size % (_DAY * ticks), ticks)}"


def _trim(text: str) -> str:
    """Drop the zeros at the end of a fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(value: Decimal) -> str:
    return format(value, "f")
