"""The options of a match, once: the command line, the API and their documentation share them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from app.matching import Query
    from app.output.beside import Beside
    from loaders import Dataset
    from loaders.annotations import Annotation

Named = Callable[[str], str]
"""An option's name -> how the person wrote it: `min_overlap`, or `--min-overlap`."""


# What int() and float() read beyond these (1_0, digits of other scripts) is a slip of the pen in a
# request. NaN and the infinities pass: whoever uses the number refuses them.
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)


class OptionError(ValueError):
    """An option that cannot be used; str(error) is one plain sentence for a person."""


class UnknownNameError(OptionError):
    """An option that names something which is not there."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as a person reads about it and as text is read into it.

    Attributes
    ----------
    name
        With ``_``; the command line writes ``-`` instead and ``--`` in front.
    kind
        ``whole`` and ``number`` are int and float; a ``flag`` is False unless given.
    sentence
        What it does.
    default
        None: not given.
    required
        Whether there is no default.
    metavar
        What its value looks like, where the kind does not say it.
    choices
        Of a ``choice``, every value.
    """

    name: str
    kind: Literal["text", "whole", "number", "choice", "flag"]
    sentence: str
    default: Any = None
    required: bool = False
    metavar: str | None = None
    choices: tuple[str, ...] = ()


MATCH_OPTIONS: tuple[Option, ...] = (
    Option("source", "text", "The source to search. May be left out where there is only one."),
    Option("start", "whole", "First step of the selection."),
    Option("stop", "whole", "Step after the last one of the selection."),
    Option("threshold", "number", "On means at or above this value.", required=True),
    Option(
        "polarity",
        "choice",
        "On is >= threshold, <= -threshold, or either.",
        default="high",
        choices=("high", "low", "magnitude"),
    ),
    Option(
        "off_before", "whole", "Steps before the range where its states must be off.", default=0
    ),
    Option("off_after", "whole", "Steps after the range where its states must be off.", default=0),
    Option("exclude", "text", "States to take out of the selection.", metavar="3,7"),
    Option("states", "text", "The selected states, instead of a range.", metavar="1,2,3"),
    Option(
        "min_overlap",
        "whole",
        "Selected states a match must share. Default: half of them, rounded up.",
    ),
    Option(
        "min_length",
        "whole",
        "Steps a match must have. Default: 2, or 1 when the selection is one step long.",
    ),
    Option("length", "text", "List only matches of this length, or L to M.", metavar="L|L:M"),
    Option("overlapping", "flag", "List every match, not only the best per place.", default=False),
    Option("top", "whole", "How many matches to list.", default=50),
    Option("offset", "whole", "How many to skip first.", default=0),
    Option("context", "whole", "Steps of overlap profile on either side of a match.", default=5),
)

#: Annotations that can be asked for at once.
MOST_ANNOTATIONS = 12

#: What the rows of a list of matches hold besides; no part of the query.
ROW_OPTIONS: tuple[Option, ...] = (
    Option(
        "context_words",
        "whole",
        "Words before and after each match, at most 100.",
        default=0,
    ),
    Option("annotations", "text", "Annotations over each match, by name.", metavar="A,B"),
)


def flag(name: str) -> str:
    """Return how the command line writes an option's name."""
    return f"--{name.replace('_', '-')}"


def same(name: str) -> str:
    """Return an option's name as it is."""
    return name


def whole(text: str) -> int:
    """Return the whole number that a text is; ValueError when it is none, or has thousands of digits."""
    clean = text.strip()
    if not _WHOLE.fullmatch(clean):
        raise ValueError(f"{text!r} is no whole number")
    return int(clean)


def number(text: str) -> float:
    """Return the number that a text is, in decimal, NaN or infinite; ValueError when it is none."""
    clean = text.strip()
    if not _NUMBER.fullmatch(clean):
        raise ValueError(f"{text!r} is no number")
    return float(clean)


def shown(text: str) -> str:
    """Return a text that a person wrote as a sentence quotes it, cut where it is long."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def read(options: tuple[Option, ...], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of every option from text, defaults filled in.

    Parameters
    ----------
    options
        All that are known.
    given
        Name -> text. A flag is given by ``1``, ``true`` or nothing after its name.

    Raises
    ------
    OptionError
        An unknown or missing option, or a text that is not of its kind.
    """
    known = [one.name for one in options]
    for name in given:
        if name not in known:
            raise OptionError(f"There is no parameter {name!r}; there are {', '.join(known)}.")
    values = {}
    for one in options:
        if one.name in given:
            values[one.name] = _value(one, given[one.name])
        elif one.required:
            raise OptionError(f"{one.name} is missing; give {_wanted(one)}.")
        else:
            values[one.name] = one.default
    return values


def _wanted(option: Option) -> str:
    if option.kind == "choice":
        return " or ".join(option.choices)
    kinds = {"whole": "a whole number", "number": "a number", "flag": "1 or 0", "text": "a text"}
    return kinds[option.kind]


def _value(option: Option, text: str) -> Any:
    try:
        if option.kind == "whole":
            return whole(text)
        if option.kind == "number":
            return number(text)
        if option.kind == "flag":
            return {"1": True, "true": True, "": True, "0": False, "false": False}[text.lower()]
    except (ValueError, KeyError):
        pass
    else:
        if option.kind == "text" or text in option.choices:
            return text
    raise OptionError(f"{option.name} is {shown(text)}; give {_wanted(option)}.")


def query_of(values: Mapping[str, Any], named: Named) -> Query:
    """Return the query that the values of `MATCH_OPTIONS` stand for; it is not checked here.

    Raises
    ------
    OptionError
        A list of states or a length that cannot be read.
    """
    from app.matching import Polarity, Query

    own = {name: value for name, value in values.items() if name != "source"}
    exclude, states, length = own.pop("exclude"), own.pop("states"), own.pop("length")
    return Query(
        polarity=Polarity(own.pop("polarity")),
        exclude=whole_numbers(named("exclude"), exclude or ""),
        states=None if states is None else whole_numbers(named("states"), states),
        length=None if length is None else _length(named("length"), length),
        **own,
    )


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """Return the numbers of states in a text, which has commas between them; none when empty.

    Raises
    ------
    OptionError
        Something else is there; `option` is named as the one that says so.
    """
    try:
        return tuple(whole(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise OptionError(
            f"{option} is {shown(text)}; give state numbers with commas between them, for example 3,7."
        ) from None


def _length(option: str, text: str) -> tuple[int, int]:
    least, colon, most = text.partition(":")
    try:
        return whole(least), whole(most if colon else least)
    except ValueError:
        raise OptionError(
            f"{option} is {shown(text)}; give one length, for example 4, or both ends, for example 2:10."
        ) from None


def source_name(dataset: Dataset, name: str | None, named: Named) -> str:
    """Return the name of the source that is asked for; None stands for the only one.

    Raises
    ------
    OptionError
        There are several, and none is named.
    UnknownNameError
        There is no such source.
    """
    known = ", ".join(dataset.sources)
    if name is None:
        if len(dataset.sources) > 1:
            raise OptionError(
                f"{dataset.id} has several sources; name one with {named('source')}: {known}."
            )
        name = next(iter(dataset.sources))
    if name not in dataset.sources:
        raise UnknownNameError(f"{dataset.id} has no source {name!r}; its sources are {known}.")
    return name


def annotations_of(dataset: Dataset, text: str | None) -> tuple[Annotation, ...]:
    """Return the annotations that a text names, with commas between them; none when empty or None.

    Raises
    ------
    OptionError
        They are more than `MOST_ANNOTATIONS`.
    UnknownNameError
        There is no such annotation.
    """
    if not text:
        return ()
    # A name may hold a comma: the whole text first.
    names = [text] if text in dataset.annotations else text.split(",")
    if len(names) > MOST_ANNOTATIONS:
        raise OptionError(
            f"{len(names):,} annotations are asked for, and {MOST_ANNOTATIONS} are the most; "
            "ask for them in several lots."
        )
    for name in names:
        if name not in dataset.annotations:
            known = ", ".join(dataset.annotations) or "none"
            raise UnknownNameError(f"{dataset.id} has no annotation {name!r}; there are: {known}.")
    return tuple(dataset.annotations[name] for name in names)


def beside_of(dataset: Dataset, values: Mapping[str, Any], named: Named) -> Beside:
    """Return what the values of `ROW_OPTIONS` ask for.

    Raises
    ------
    OptionError
        Too many words, or fewer than none.
    UnknownNameError
        There is no such annotation.
    """
    from app.output.beside import MOST_WORDS_BESIDE, Beside

    words = values["context_words"]
    if not 0 <= words <= MOST_WORDS_BESIDE:
        raise OptionError(
            f"{named('context_words')} is {words}; give a whole number from 0 to {MOST_WORDS_BESIDE}."
        )
    named_twice = annotations_of(dataset, values["annotations"])
    return Beside(dataset, words, tuple(dict.fromkeys(named_twice)))


def sequence_ids(dataset: Dataset) -> Callable[[int], int | str | None]:
    """Return what gives the id of a sequence by its ordinal; None where the data names none."""
    known = dataset.sequences.ids
    return lambda ordinal: None if known is None else known[ordinal]
