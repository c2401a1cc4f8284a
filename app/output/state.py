"""One state over the whole corpus, as the page, the API and the command line return it."""

from __future__ import annotations

import math
from typing import Any

from app.corpus import Opened
from app.matching import Polarity, QueryError, describe
from app.output.options import UnknownNameError, shown, whole
from loaders import Source

#: Words on either side of a place.
CONTEXT = 12
#: The number of places.
PLACES = 20


def state_number(source: Source, text: str) -> int:
    """Return the number of the state that a text names; a name comes before a number.

    Raises
    ------
    UnknownNameError
        There is no such state.
    """
    if text in source.state_names:
        return source.state_names.index(text)
    try:
        state = whole(text)
    except ValueError:
        state = -1
    if not 0 <= state < source.n_states:
        raise UnknownNameError(
            f"The source {source.name!r} has no state {shown(text)}; give a number from 0 to "
            f"{source.n_states - 1} or a name."
        )
    return state


def state_json(opened: Opened, state: int, threshold: float, polarity: str) -> dict[str, Any]:
    """Return what is known of a state as plain values, ready for `json.dumps`.

    ``bins`` are equal parts of [low, high] (`app.matching.describe`, which also says what a place
    is); ``low`` and ``high`` are None without a finite value. Values are exact: the infinities are
    the texts ``Infinity`` and ``-Infinity``, NaN is None.

    Raises
    ------
    QueryError
        There is no such state, or the threshold is not finite.
    """
    source, summary = opened.source, opened.source.summary
    if not 0 <= state < source.n_states:
        raise QueryError(
            f"There is no state {state}: this source has states 0 to {source.n_states - 1}."
        )
    if not math.isfinite(threshold):
        raise QueryError(f"The threshold is {threshold}; give a finite number.")
    bounds = float(summary.minima[state]), float(summary.maxima[state])
    found = describe(
        source.rows, state, opened.states.offsets, bounds, threshold, Polarity(polarity), PLACES
    )
    low, high = (None if math.isnan(bound) else bound for bound in bounds)
    return {
        "source": source.name,
        "state": state,
        "name": source.state_names[state],
        "threshold": threshold,
        "polarity": str(polarity),
        "n_steps": source.n_steps,
        "on": found.on,
        "share": found.on / source.n_steps,
        "runs": found.runs,
        "nan": int(summary.nan_counts[state]),
        "high_infinities": int(summary.high_counts[state]),
        "low_infinities": int(summary.low_counts[state]),
        "low": low,
        "high": high,
        "bins": list(found.bins),
        "places": [
            {
                "step": place.step,
                "value": _value(place.value),
                "start": place.start,
                "stop": place.stop,
                **_around(opened, state, place.step),
            }
            for place in found.places
        ],
    }


def _around(opened: Opened, state: int, step: int) -> dict[str, Any]:
    dataset = opened.dataset
    first, last = dataset.sequences.bounds(step)
    low, high = max(first, step - CONTEXT), min(last, step + CONTEXT + 1)
    return {
        "sequence": dataset.sequences.id(step),
        "from": low,
        "tokens": dataset.tokens(low, high),
        "values": [_value(value) for value in opened.source.rows[low:high, state].tolist()],
    }


def _value(value: float) -> float | str | None:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def state_text(answer: dict[str, Any]) -> str:
    """Return a state for a person to read, without a newline at the end."""
    sign, other = {"high": (">=", 1), "low": ("<=", -1), "magnitude": (">= in magnitude", 1)}[
        answer["polarity"]
    ]
    counts = ("nan", "NaN"), ("high_infinities", "+infinity"), ("low_infinities", "-infinity")
    odd = [f"{answer[key]:,} {name}" for key, name in counts if answer[key]]
    values = "no finite value"
    if answer["low"] is not None:
        values = f"values from {answer['low']:.6g} to {answer['high']:.6g}"
    lines = [
        f"state {answer['name']} of {answer['source']}: {', '.join([values, *odd])}",
        f"{sign} {other * answer['threshold']:g} at {answer['on']:,} of {answer['n_steps']:,} steps "
        f"({answer['share']:.1%}), in {answer['runs']:,} runs",
        "",
        "value         step  words",
    ]
    for place in answer["places"]:
        at = place["step"] - place["from"]
        words = [f"[{word}]" if i == at else word for i, word in enumerate(place["tokens"])]
        text = " ".join(" ".join(words[max(0, at - 6) : at + 7]).split())
        lines.append(f"{float(place['value']):<12.6g} {place['step']:>5,}  {text}")
    return "\n".join(lines)
