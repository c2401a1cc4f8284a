"""Every component id, once. The browser's code in ``assets/`` uses the same names.

A page may have several panels, each a Select View with its Match View: the ids of a panel are these names
after its prefix. The names of what a page has once are under "The page".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the page; ``panel(name)`` is the id of one of its parts or stores.

    Parameters
    ----------
    prefix
        What its ids begin with; the page's only panel needs none.
    search
        The query string of the view that it opens. None: that of the page's address, which then follows
        the view.
    """

    prefix: str = ""
    search: str | None = None

    def __call__(self, name: str) -> str:
        """Return the id of a part or a store."""
        return self.prefix + name


# The page
THEME = "theme"
SKELETONS = "skeletons"
HELP = "help"
NOTIFICATIONS = "notifications"

# Stores: ``view`` is the only state; the others carry requests and the server's answers.
VIEW = "view"
GOTO = "goto"
INFO = "info"
NOTICES = "notices"
WINDOW_REQUEST = "window-request"
WINDOW = "window"
TRACKS_REQUEST = "tracks-request"
TRACKS = "tracks"
MATCH_REQUEST = "match-request"
MATCH = "match"
OVERVIEW = "overview"
MATCH_NOW = "match-now"
SEARCH_REQUEST = "search-request"
SEARCH = "search"
HOVER = "hover"
VIEWPORT = "viewport"
STORES = (
    VIEW,
    GOTO,
    INFO,
    NOTICES,
    WINDOW_REQUEST,
    WINDOW,
    TRACKS_REQUEST,
    TRACKS,
    MATCH_REQUEST,
    MATCH,
    OVERVIEW,
    MATCH_NOW,
    SEARCH_REQUEST,
    SEARCH,
    HOVER,
    VIEWPORT,
)

# Header
PAGE = "page"
DATASET = "dataset"
SOURCE = "source"
POSITION = "position"
PAGE_BACK = "page-back"
STEP_BACK = "step-back"
STEP_ON = "step-on"
PAGE_ON = "page-on"
GO_TO_BRUSH = "go-to-brush"
ZOOM_OUT = "zoom-out"
ZOOM_IN = "zoom-in"
SEARCH_BOX = "search-box"
SEARCH_PANEL = "search-panel"
SHARE = "share"
HELP_BUTTON = "help-button"
SCHEME = "color-scheme"
BUSY = "busy"
ABOUT = "about"
DESCRIPTION = "description"
POSITION_OF = "position-of"
SEARCH_BACK = "search-back"
SEARCH_CLOSE = "search-close"
SEARCH_COUNT = "search-count"
SEARCH_EXACT = "search-exact"
SEARCH_NEXT = "search-next"
SEARCH_RESULTS = "search-results"
BANNER = "banner"
JOBS = "jobs"

# Select View
THRESHOLD_SLIDER = "threshold-slider"
THRESHOLD_TEXT = "threshold-text"
POLARITY = "polarity"
FULL_RANGE = "full-range"
PINNED = "pinned"
TRACK_PICKER = "track-picker"
TRACK_COUNT = "track-count"
SELECTION_TEXT = "selection-text"
OVERVIEW_STRIP = "overview-strip"
PLOT = "plot"
FAINT = "faint-figure"
LINES = "lines-figure"
WORDS = "words"
LIMITS = "limits"
BARS = "bars"
COVERAGE = "coverage"
RUNS = "runs"
MASK = "mask"
TRACK_ROWS = "track-rows"
CHIPS = "chips"
CHIPS_MORE = "chips-more"
DIVIDER = "divider"
INTRO = "intro"
SUGGESTION = "suggestion"
BANDS = "bands"
CHIPS_LABEL = "chips-label"
OVERVIEW_BRUSH = "overview-brush"
OVERVIEW_CANVAS = "overview-canvas"
OVERVIEW_TIP = "overview-tip"
OVERVIEW_VIEW = "overview-view"
PLOT_EMPTY = "plot-empty"
PLOT_NOTE = "plot-note"
PLOT_POINTER = "plot-pointer"
PLOT_TIP = "plot-tip"
STEP_MARK = "step-mark"
STEP_TIP = "step-tip"
THRESHOLDS = "thresholds"

# The card of a state
CARD = "card"
CARD_TITLE = "card-title"
CARD_BACK = "card-back"
CARD_ON = "card-on"
CARD_ONLY = "card-only"
CARD_CLOSE = "card-close"
CARD_SHARE = "card-share"
CARD_VALUES = "card-values"
CARD_HEADING = "card-heading"
CARD_ROWS = "card-rows"

# Match View
MATCH_VIEW = "match-view"
MATCH_BUTTON = "match-button"
AUTO = "auto"
MIN_OVERLAP = "min-overlap"
MIN_LENGTH = "min-length"
OVERLAPPING = "overlapping"
SENTENCE = "match-sentence"
FILTER = "length-filter"
HISTOGRAM = "length-histogram"
HISTOGRAM_BARS = "length-bars"
ROWS = "match-rows"
DOWNLOAD_FORMS = {
    "csv": "download-csv",
    "spreadsheet": "download-spreadsheet",
    "parquet": "download-parquet",
    "json": "download-json",
}
DOWNLOAD_BESIDE = "download-beside"
CONTEXT = "context"
PAGER = "pager"
ROWS_HEAD = "match-head"
HEAT_LEGEND = "heat-legend"
CELL_TIP = "cell-tip"
DOWNLOAD_MENU = "download-menu"
HISTOGRAM_TITLE = "histogram-title"
HISTOGRAM_TIP = "histogram-tip"
MATCH_CHANGED = "match-changed"
