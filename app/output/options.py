"""The options of a match and of a state, shared by the command line, the API and their documentation."""

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
"""Maps the name of an option to the way it was written: `min_overlap`, or `--min-overlap`."""


# int() and float() accept more (1_0, digits of other scripts), which is a mistake in a request. NaN and
# infinities pass, and are refused by the code that uses the number.
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)


class OptionError(ValueError):
    """An invalid option; str(error) is one plain sentence for a person."""


class UnknownNameError(OptionError):
    """An option that names something that does not exist."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its documentation, and how to parse it.

    Attributes
    ----------
    name
        With ``_``; the command line uses ``-`` instead, and the prefix ``--``.
    kind
        ``whole`` and ``number`` are int and float; a ``flag`` is False by default.
    sentence
        A description.
    default
        None if it has no default.
    required
        Whether it must be given.
    metavar
        The form of its value, if the kind does not imply it.
    choices
        All values of a ``choice``.
    """

    name: str
    kind: Literal["text", "whole", "number", "choice", "flag"]
    sentence: str
    default: Any = None
    required: bool = False
    metavar: str | None = None
    choices: tuple[str, ...] = ()


MATCH_OPTIONS: tuple[Option, ...] = (
    Option("source", "text", "The source to search. Optional if there is only one."),
    Option("start", "whole", "The first step of the selection."),
    Option("stop", "whole", "The step after the last one of the selection."),
    Option("threshold", "number", "States are on at or above this value.", required=True),
    Option(
        "polarity",
        "choice",
        "On is >= threshold, <= -threshold, or either.",
        default="high",
        choices=("high", "low", "magnitude"),
    ),
    Option(
        "off_before",
        "whole",
        "The number of steps before the range at which its states must be off.",
        default=0,
    ),
    Option(
        "off_after",
        "whole",
        "The number of steps after the range at which its states must be off.",
        default=0,
    ),
    Option("exclude", "text", "States to exclude from the selection.", metavar="3,7"),
    Option("states", "text", "The selected states, instead of a range.", metavar="1,2,3"),
    Option(
        "min_overlap",
        "whole",
        "The number of selected states that a match must share. Default: half of them, rounded up.",
    ),
    Option(
        "min_length",
        "whole",
        "The minimum length of a match in steps. Default: 2, or 1 if the selection is one step long.",
    ),
    Option("length", "text", "List only matches of this length, or L to M.", metavar="L|L:M"),
    Option("overlapping", "flag", "List every match, not only the best per place.", default=False),
    Option("top", "whole", "The number of matches to list.", default=50),
    Option("offset", "whole", "The number of matches to skip first.", default=0),
    Option(
        "context", "whole", "Steps of the overlap profile before and after each match.", default=5
    ),
)

STATE_OPTIONS: tuple[Option, ...] = (
    Option("source", "text", "The source of the state. May be left out where there is only one."),
    Option("state", "text", "The state, by its name or its number.", required=True),
    Option("threshold", "number", "On means at or above this value.", required=True),
    Option(
        "polarity",
        "choice",
        "On is >= threshold, <= -threshold, or either; the strongest values are the highest, the "
        "lowest, or the largest in magnitude.",
        default="high",
        choices=("high", "low", "magnitude"),
    ),
)

#: The maximum number of annotations per request.
MOST_ANNOTATIONS = 12

#: Options of what is added to each listed match; not part of the query.
ROW_OPTIONS: tuple[Option, ...] = (
    Option(
        "context_words",
        "whole",
        "The number of words before and after each match, at most 100.",
        default=0,
    ),
    Option("annotations", "text", "Annotations over each match, by name.", metavar="A,B"),
)


def flag(name: str) -> str:
    """Return the name of an option on the command line."""
    return f"--{name.replace('_', '-')}"


def same(name: str) -> str:
    """Return the name of an option unchanged."""
    return name


def whole(text: str) -> int:
    """Parse a whole number; raises ValueError for other text, and for thousands of digits."""
    clean = text.strip()
    if not _WHOLE.fullmatch(clean):
        raise ValueError(f"{text!r} is not a whole number")
    return int(clean)


def number(text: str) -> float:
    """Parse a number: decimal, NaN or infinite; raises ValueError for other text."""
    clean = text.strip()
    if not _NUMBER.fullmatch(clean):
        raise ValueError(f"{text!r} is not a number")
    return float(clean)


def shown(text: str) -> str:
    """Return text from a request as quoted in a sentence, shortened if it is long."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def read(options: tuple[Option, ...], given: Mapping[str, str]) -> dict[str, Any]:
    """Parse the values of all options, with defaults for those not given.

    Parameters
    ----------
    options
        All known options.
    given
        Name -> text. A flag is set by ``1``, ``true`` or an empty text.

    Raises
    ------
    OptionError
        An unknown or missing option, or a value of the wrong kind.
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
            raise OptionError(f"{one.name} is missing; give {_expected(one)}.")
        else:
            values[one.name] = one.default
    return values


def _expected(option: Option) -> str:
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
    raise OptionError(f"{option.name} is {shown(text)}; give {_expected(option)}.")


def query_from_options(values: Mapping[str, Any], named: Named) -> Query:
    """Return the query for values of `MATCH_OPTIONS`; it is not validated here.

    Raises
    ------
    OptionError
        A list of states or a length that cannot be parsed.
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
    """Parse state numbers separated by commas; an empty text has none.

    Raises
    ------
    OptionError
        The text contains anything else; the message names `option`.
    """
    try:
        return tuple(whole(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise OptionError(
            f"{option} is {shown(text)}; give state numbers separated by commas, for example 3,7."
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
    """Return the name of the requested source; None means the only one.

    Raises
    ------
    OptionError
        There are several sources, and none is given.
    UnknownNameError
        There is no such source.
    """
    known = ", ".join(dataset.sources)
    if name is None:
        if len(dataset.sources) > 1:
            raise OptionError(
                f"{dataset.id} has several sources; choose one with {named('source')}: {known}."
            )
        name = next(iter(dataset.sources))
    if name not in dataset.sources:
        raise UnknownNameError(f"{dataset.id} has no source {name!r}; its sources are {known}.")
    return name


def annotations_of(dataset: Dataset, text: str | None) -> tuple[Annotation, ...]:
    """Return the annotations named in a text, separated by commas; none if it is empty or None.

    Raises
    ------
    OptionError
        There are more than `MOST_ANNOTATIONS`.
    UnknownNameError
        There is no such annotation.
    """
    if not text:
        return ()
    # A name may contain a comma, so try the whole text first.
    names = [text] if text in dataset.annotations else text.split(",")
    if len(names) > MOST_ANNOTATIONS:
        raise OptionError(
            f"{len(names):,} annotations are requested; at most {MOST_ANNOTATIONS} are allowed; "
            "use several requests."
        )
    for name in names:
        if name not in dataset.annotations:
            known = ", ".join(dataset.annotations) or "none"
            raise UnknownNameError(f"{dataset.id} has no annotation {name!r}; there are: {known}.")
    return tuple(dataset.annotations[name] for name in names)


def beside_of(dataset: Dataset, values: Mapping[str, Any], named: Named) -> Beside:
    """Return what to add to each row for values of `ROW_OPTIONS`.

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
    """Return a function from the ordinal of a sequence to its id, None if the data has no ids."""
    known = dataset.sequences.ids
    return lambda ordinal: None if known is None else known[ordinal]
