"""The wire between browser and server: one type for each request, each answer and each store.

The browser's declarations are generated from here (`app.web.view.declarations`). Requests are checked
against these types before any of our code reads them (`app.web.requests`); answers are built to them,
which mypy checks. The types are TypedDicts rather than dataclasses: a request is echoed in its answer
and an answer is written as JSON, so both stay what they are on the wire. Reading is left to pydantic,
which Dash requires anyway: the types below are all it needs, and its errors name field and value.

Ranges are half-open, steps and states count from 0.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config

# Before Python 3.12 pydantic does not read typing's TypedDict.
from typing_extensions import TypedDict

from app.work.jobs import PAGE_NAME

#: What the browser can count exactly, and a signed 64-bit number can hold many times over.
MOST = 2**53
#: Requests of a page are numbered with up to 15 digits, as in the addresses of `_jobs`.
MOST_NUMBER = 10**15 - 1

Whole = Annotated[int, Field(ge=-MOST, le=MOST)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Number = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
#: The name of a dataset, a source or an annotation.
Name = Annotated[str, Field(max_length=10_000)]
#: The random name of a page.
PageName = Annotated[str, Field(pattern=f"^{PAGE_NAME}$")]
#: What a person typed.
Phrase = Annotated[str, Field(max_length=10_000)]
#: A query string, which may hold a mask of a million states.
Search = Annotated[str, Field(max_length=1_000_000)]

PolarityName = Literal["high", "low", "magnitude"]
Sort = Literal[
    "rank", "start", "-start", "length", "-length", "overlap", "-overlap", "more", "-more"
]
NavigationKind = Literal["load", "back", "dataset", "source"]

#: Requests: no conversion between types, and no key that is not listed.
_STRICT = ConfigDict(strict=True, extra="forbid")

# -------------------------------------------------------------------------------- stores of the page


class ViewStore(TypedDict):
    """The ``view`` store: `app.web.view.url.View`, and how it came about."""

    v: int
    dataset: str
    source: str
    fp: str
    threshold: float
    first: int
    start: int | None
    stop: int | None
    before: int
    after: int
    polarity: str
    excluded: list[int]
    pinned: int | None
    tracks: list[str]
    min_overlap: int | None
    min_length: int | None
    overlapping: bool
    length: tuple[int, int] | None
    full_range: bool
    zoom: int
    runs: int
    mask: bool
    colour: str
    sort: str
    page: int
    before_words: int | None
    auto: bool
    dragging: bool
    history: Literal["push", "replace"]
    restored: int


class Choice(TypedDict):
    """One option of a picker."""

    value: str
    label: str


class TrackChoice(Choice):
    """One option of the picker of annotations."""

    kind: str


class Slider(TypedDict):
    """The threshold slider; every value on it has at most `decimals` digits."""

    min: float
    max: float
    step: float
    decimals: int


class Bounds(TypedDict):
    """Defaults and bounds that browser and server share; all inclusive.

    ``zoom`` is the default width of a step in px; ``runs``, ``context`` and ``limit`` (steps before
    or after the brush that must be off) are the bounds of the boxes and handles of that name.
    """

    zoom: int
    least_zoom: int
    most_zoom: int
    most_runs: int
    most_context: int
    most_limit: int


class Suggestion(TypedDict):
    """A threshold with the share of values on that the source shown before had at ``was``."""

    was: float
    threshold: float
    share_before: float
    share_now: float


class Info(TypedDict):
    """The ``info`` store: what the browser must know of a dataset and a source."""

    dataset: str
    title: str
    description: str
    fp: str
    rtl: bool
    source: str
    sources: list[Choice]
    n_steps: int
    n_states: int
    n_sequences: int
    word_width: float
    most_steps: int
    page_rows: int
    most_listed: int
    most_saved: int
    bounds: Bounds
    sequence_starts: list[int]
    names: list[str] | None
    suggested: NotRequired[Suggestion]
    range: list[float]
    full: list[float]
    slider: Slider
    tracks: list[TrackChoice]


class NoticeItem(TypedDict):
    """One notice; with ``once``, it is shown once a browser session."""

    text: str
    level: Literal["info", "warning", "error"]
    once: NotRequired[bool]


class PreparingSource(TypedDict):
    """The source that is being prepared before a view can open: its names and titles."""

    dataset: str
    name: str
    source: str
    title: str


@with_config(_STRICT)
class Navigation(TypedDict):
    """The ``goto`` store: open what a query string asks for."""

    kind: NavigationKind
    search: Search
    n: Number
    #: Of kind ``source``: the source that was shown.
    from_source: NotRequired[Name]


class Notices(TypedDict):
    """The ``notices`` store. With ``preparing``, ``goto`` is to be sent again once it is ready."""

    n: int
    items: list[NoticeItem]
    nothing: NotRequired[bool]
    preparing: NotRequired[PreparingSource]
    goto: NotRequired[Navigation]


class OpenedView(TypedDict):
    """The answer of ``_view/open``: the stores to write; of no view, only the notices."""

    view: NotRequired[ViewStore]
    info: NotRequired[Info]
    notices: Notices


#: The ``hover`` store: the state under the pointer, and the part of the page that it is in.
Hover = TypedDict("Hover", {"state": int | None, "from": NotRequired[str | None]})


class Viewport(TypedDict):
    """The ``viewport`` store: widths in px of the time axis and of the page."""

    width: float
    page: float


# ------------------------------------------------------------------------------------- Select View


@with_config(_STRICT)
class Brush(TypedDict):
    """A brushed range and its limits in steps."""

    start: Whole
    stop: Whole
    before: Count
    after: Count


@with_config(_STRICT)
class WindowRequest(TypedDict):
    """The ``window-request`` store: visible steps, clipped to the data."""

    n: Number
    dataset: Name
    fp: Name
    source: Name
    start: Whole
    stop: Whole
    brush: Brush | None


class BrushSummary(TypedDict):
    """A brush with its summary (`app.web.payloads.window.brush_summary`), base64."""

    start: int
    stop: int
    before: int
    after: int
    values: str


class SequenceBounds(TypedDict):
    """A sequence: its bounds and its id, None where the data names none."""

    start: int
    stop: int
    id: str | int | None


class Window(TypedDict):
    """The ``window`` store. ``values`` is base64 of the rows [rows_start, rows_stop), row by row."""

    n: int
    dataset: str
    source: str
    start: int
    stop: int
    rows_start: int
    rows_stop: int
    n_states: int
    dtype: str
    values: str
    tokens: list[str]
    sequences: list[SequenceBounds]
    brush: BrushSummary | None


class WindowError(TypedDict):
    """In place of a `Window`; ``preparing`` where the view must be opened again."""

    n: int
    error: str
    preparing: NotRequired[bool]


@with_config(_STRICT)
class TracksRequest(TypedDict):
    """The ``tracks-request`` store."""

    dataset: Name
    fp: Name
    start: Whole
    stop: Whole
    tracks: list[Name]


class Category(TypedDict):
    """A category with its CSS colour."""

    label: str
    color: str


#: A category's number, a number (None: missing), the words of a ranked annotation with weights, or a value
#: written in full with its place on the scale, from 0 to 1.
Cell = int | float | None | list[tuple[str, float | None]] | tuple[str, float]


class TrackHeader(TypedDict):
    """What holds for a whole annotation; which keys are there depends on ``kind``."""

    name: str
    kind: str
    categories: NotRequired[list[Category]]
    counts: NotRequired[list[int]]
    low: NotRequired[float | str | None]
    high: NotRequired[float | str | None]
    unit: NotRequired[str | None]


class Track(TrackHeader):
    """An annotation over the steps of a window; an interval has ``spans`` (start, stop, category)."""

    cells: list[Cell]
    spans: NotRequired[list[tuple[int, int, int]]]


class Tracks(TypedDict):
    """The ``tracks`` store."""

    dataset: str
    start: int
    stop: int
    tracks: list[Track]


class Failure(TypedDict):
    """One sentence, in place of an answer."""

    error: str


@with_config(_STRICT)
class StateRequest(TypedDict):
    """What the card of a state is drawn from."""

    n: Number
    dataset: Name
    fp: Name
    source: Name
    state: Count
    threshold: Finite
    polarity: PolarityName


#: A stored value; the infinities as text, None for NaN.
StoredValue = float | Literal["Infinity", "-Infinity"] | None

#: A strong step of a state: its on-run [start, stop), and the words and values from the step ``from`` on.
StatePlace = TypedDict(
    "StatePlace",
    {
        "step": int,
        "value": StoredValue,
        "start": int,
        "stop": int,
        "sequence": str | int | None,
        "from": int,
        "tokens": list[str],
        "values": list[StoredValue],
    },
)


class StateCard(TypedDict):
    """One state over the whole corpus (`app.output.state`)."""

    n: int
    source: str
    state: int
    name: str
    threshold: float
    polarity: PolarityName
    n_steps: int
    on: int
    share: float
    runs: int
    nan: int
    high_infinities: int
    low_infinities: int
    low: float | None
    high: float | None
    bins: list[int]
    places: list[StatePlace]


class StateError(TypedDict):
    """In place of a `StateCard`."""

    n: int
    error: str


# -------------------------------------------------------------------------------------- Match View


@with_config(_STRICT)
class MatchKey(TypedDict):
    """What decides a match and how its rows are listed, in the names of the view."""

    dataset: Name
    fp: Name
    source: Name
    start: Whole | None
    stop: Whole | None
    before: Whole
    after: Whole
    threshold: Finite
    polarity: PolarityName
    excluded: list[Count]
    min_overlap: Whole | None
    min_length: Whole | None
    overlapping: bool
    length: Annotated[list[Whole], Field(min_length=2, max_length=2)] | None
    tracks: list[Name]
    sort: Sort
    page: Count


@with_config(_STRICT)
class MatchRequest(TypedDict):
    """The ``match-request`` store; ``instead`` of a request of the same page without an answer."""

    n: Number
    page: PageName
    key: MatchKey
    restored: Number
    instead: bool


class LengthBin(TypedDict):
    """One bar of the length histogram; ``low`` and ``high`` are both inclusive."""

    low: int
    high: int
    matches: int
    full_matches: int


#: A row of the Match View: a match, and the words and counts of on-states from the step ``from`` on.
MatchRow = TypedDict(
    "MatchRow",
    {
        "index": int,
        "rank": int,
        "start": int,
        "stop": int,
        "length": int,
        "overlap": int,
        "union": int,
        "sequence": str | int | None,
        "from": int,
        "tokens": list[str],
        "on": list[int],
    },
)


class RowTrack(TrackHeader):
    """An annotation over the steps of each row."""

    cells: list[list[Cell]]


class MatchStore(TypedDict):
    """The ``match`` store; the browser marks one that was cancelled."""

    n: int
    key: MatchKey
    selected: list[int]
    total: int
    full: int
    places: int | None
    places_at_least: int
    searched: int
    seconds: float
    reason: str | None
    histogram: list[LengthBin]
    background: float
    rows: list[MatchRow]
    listed: int
    tracks: list[RowTrack]
    cancelled: NotRequired[bool]


class MatchError(TypedDict):
    """In place of a `MatchStore`."""

    n: int
    key: MatchKey
    error: str


class Overview(TypedDict):
    """The ``overview`` store: at most 1,024 bins; ``on`` in thousandths of the selected states."""

    n: int
    key: MatchKey
    bin_steps: int
    on: list[int]
    matches: list[int]
    full: list[int]


class MatchAnswer(TypedDict):
    """The answer of a match job."""

    match: MatchStore | MatchError
    overview: Overview


# ------------------------------------------------------------------------------------------ search

#: The ``search-request`` store: the place at or after the step ``from``, the next one or the one before.
SearchRequest = TypedDict(
    "SearchRequest",
    {
        "n": Number,
        "dataset": Name,
        "phrase": Phrase,
        "exact": bool,
        "from": Whole,
        "way": Literal["here", "next", "back"],
    },
)
with_config(_STRICT)(SearchRequest)


class SearchHit(TypedDict):
    """One place with the words around it."""

    start: int
    stop: int
    sequence: str | int | None
    before: list[str]
    tokens: list[str]
    after: list[str]


class SearchAnswer(TypedDict):
    """The ``search`` store: ``results`` from place ``first`` on; ``at`` is the current place."""

    n: int
    phrase: NotRequired[str]
    total: int
    results: list[SearchHit]
    at: NotRequired[int]
    first: NotRequired[int]
    error: NotRequired[str]


# -------------------------------------------------------------------------------- `_jobs` and files


@with_config(_STRICT)
class FileRequest(TypedDict):
    """The body of a POST to ``_jobs/file/PAGE/N``: the whole list of a match, as a file.

    Optionally with this many ``words`` before and after each match, and with the ``annotations`` of the key.
    """

    form: Literal["csv", "spreadsheet", "parquet", "json"]
    key: MatchKey
    words: NotRequired[Annotated[int, Field(ge=0, le=100)]]
    annotations: NotRequired[bool]


class FileAnswer(TypedDict):
    """A file that is ready: its name, and sentences on what was left out."""

    name: str
    caps: list[str]


class JobStatus(TypedDict):
    """The progress of a match or of a file (`app.work.jobs.Status`)."""

    state: Literal["running", "done", "lost", "unknown"]
    stage: NotRequired[str]
    done: NotRequired[float]
    seconds: NotRequired[float]
    answer: NotRequired[MatchAnswer | FileAnswer | Failure | None]


class Cancellation(TypedDict):
    """The answer to the cancelling of a match or of a file."""

    state: Literal["cancelled", "unknown"]


class PreparationStatus(TypedDict):
    """The progress of a prepared copy (`app.work.preparation`), or what a request about it did."""

    state: Literal["ready", "building", "failed", "cancelled", "wanted", "left", "unknown"]
    done: NotRequired[int]
    total: NotRequired[int]
    left: NotRequired[float | None]
    sentence: NotRequired[str]


# ------------------------------------------------------------------------------------------ stores

#: Every store of the page by its id.
Stores = TypedDict(
    "Stores",
    {
        "view": ViewStore,
        "goto": Navigation,
        "info": Info,
        "notices": Notices,
        "window-request": WindowRequest,
        "window": Window | WindowError,
        "tracks-request": TracksRequest,
        "tracks": Tracks | Failure,
        "match-request": MatchRequest,
        "match": MatchStore | MatchError,
        "overview": Overview,
        "match-now": int,
        "search-request": SearchRequest,
        "search": SearchAnswer,
        "hover": Hover,
        "viewport": Viewport,
        "theme": Literal["light", "dark"],
    },
)
