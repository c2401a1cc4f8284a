"""Figure skeletons: layout and trace styles in Python, the numbers are filled in by the browser.

The parallel coordinates are drawn on Cartesian axes (steps on x), because ``go.Parcoords`` is
limited to 60 dimensions and has no hover for a line; see docs/decisions/0002-drawing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

#: Above this many states lines are a grey mass: quantile bands are drawn instead.
MOST_LINES = 1000
HISTOGRAM_HEIGHT = 94
#: Pixels left and right of the time axis, shared by everything in the Select View.
AXIS_LEFT, AXIS_RIGHT = 96, 8
#: Pixels around the bars of the length histogram.
HISTOGRAM_MARGIN = {"l": 40, "r": 4, "t": 6, "b": 18}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours that figures need in one colour scheme, as CSS colours."""

    ink: str
    muted: str
    hairline: str
    faint: str
    band: str
    middle: str
    selected: str
    selected_soft: str
    hot: str


LIGHT = Palette(
    ink="#1f2430",
    muted="#555e6b",
    hairline="#e3e6ea",
    faint="rgba(90,102,120,0.16)",
    band="rgba(90,102,120,0.18)",
    middle="#7b8594",
    selected="rgba(24,100,171,0.85)",
    selected_soft="#a5c8e8",
    hot="#d6232f",
)
DARK = Palette(
    ink="#e4e8ee",
    muted="#a0a9b6",
    hairline="#2c323b",
    faint="rgba(160,172,190,0.15)",
    band="rgba(160,172,190,0.16)",
    middle="#8b95a5",
    selected="rgba(100,176,245,0.9)",
    selected_soft="#2f5a80",
    hot="#ff6b6b",
)
PALETTES = {"light": LIGHT, "dark": DARK}


def _plain(figure: go.Figure) -> dict[str, Any]:
    # Plotly's default template is 7 kB a figure; everything it sets is given here instead.
    plain: dict[str, Any] = figure.to_plotly_json()
    del plain["layout"]["template"]
    return plain


def _lines(color: str, width: float, name: str) -> go.Scatter:
    # simplify off: Plotly would drop points of a line that holds many states with gaps.
    # Width 1 or less: wider strokes of thousands of segments cost two to three times as much.
    return go.Scatter(
        x=[],
        y=[],
        mode="lines",
        name=name,
        hoverinfo="skip",
        connectgaps=False,
        line={"color": color, "width": width, "simplify": False},
    )


def _bars(color: str, name: str) -> go.Bar:
    return go.Bar(x=[], y=[], marker={"color": color, "line": {"width": 0}}, name=name)


def _axes_layout(palette: Palette, *, ticks: bool) -> go.Layout:
    return go.Layout(
        autosize=True,  # as high as the stylesheet makes the plot in this window
        margin={"l": AXIS_LEFT, "r": AXIS_RIGHT, "t": 6, "b": 6},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        font={"family": FONT, "size": 11, "color": palette.muted},
        # Words never sit on a Plotly axis: every redraw would lay out all tick labels again.
        xaxis={"visible": False, "fixedrange": True, "range": [-0.5, 0.5]},
        yaxis={
            "visible": ticks,
            "fixedrange": True,
            "range": [-1, 1],
            "gridcolor": palette.hairline,
            "zeroline": ticks,
            "zerolinecolor": palette.muted,
            "zerolinewidth": 1,
            "automargin": False,
            "nticks": 6,
            "tickformat": ",~g",
        },
    )


def parallel_faint(palette: Palette) -> dict[str, Any]:
    """Skeleton of the lower layer: every state as a faint line (paper, section 5.1, fig. 3a).

    Returns
    -------
    dict
        A Plotly figure with one empty trace; the browser fills ``x``, ``y`` (null gaps between
        states) and the ranges.
    """
    return _plain(
        go.Figure(
            data=[_lines(palette.faint, 1, "all states")], layout=_axes_layout(palette, ticks=True)
        )
    )


def parallel_bands(palette: Palette) -> dict[str, Any]:
    """Skeleton of the lower layer above `MOST_LINES` states: bands of quantiles, step by step.

    Returns
    -------
    dict
        A Plotly figure with four empty traces: the areas that hold all, 90 % and 50 % of the states
        (the browser fills ``x`` and ``y`` with their outlines), and the median.
    """

    def area(name: str) -> go.Scatter:
        return go.Scatter(
            x=[],
            y=[],
            mode="lines",
            name=name,
            hoverinfo="skip",
            fill="toself",
            fillcolor=palette.band,
            line={"width": 0, "simplify": False},
        )

    areas = [area(name) for name in ("all", "90 %", "50 %")]
    median = _lines(palette.middle, 1, "median")
    return _plain(go.Figure(data=[*areas, median], layout=_axes_layout(palette, ticks=True)))


def parallel_lines(palette: Palette) -> dict[str, Any]:
    """Skeleton of the upper layer: the selected states in blue, pinned and hovered ones in red.

    Returns
    -------
    dict
        A Plotly figure with two empty traces: ``selected`` and ``hot``.
    """
    return _plain(
        go.Figure(
            data=[
                _lines(palette.selected, 1, "selected"),
                _lines(palette.hot, 2.5, "hot"),
            ],
            layout=_axes_layout(palette, ticks=False),
        )
    )


def length_histogram(palette: Palette) -> dict[str, Any]:
    """Skeleton of the match-length histogram: full matches drawn over all matches.

    The count axis is ``log10(1 + n)``: a few full matches stay visible beside millions.

    Returns
    -------
    dict
        A Plotly figure with two empty bar traces: ``all`` and ``full``.
    """
    figure = go.Figure(
        data=[
            _bars(palette.selected_soft, "all"),
            _bars(palette.selected, "full"),
        ],
        layout=go.Layout(
            height=HISTOGRAM_HEIGHT,
            margin=HISTOGRAM_MARGIN,
            barmode="overlay",
            bargap=0.15,
            showlegend=False,
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
            font={"family": FONT, "size": 10, "color": palette.muted},
            xaxis={
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
                "range": [-0.5, 0.5],
                "tickangle": 0,
                "automargin": True,
            },
            yaxis={
                "fixedrange": True,
                "gridcolor": palette.hairline,
                "zeroline": False,
                "range": [0, 1],
                "automargin": True,
            },
        ),
    )
    return _plain(figure)


def skeletons() -> dict[str, dict[str, Any]]:
    """Return every skeleton by colour scheme, as the browser's ``skeletons`` store holds them."""
    return {
        scheme: {
            "faint": parallel_faint(palette),
            "bands": parallel_bands(palette),
            "most_lines": MOST_LINES,
            "lines": parallel_lines(palette),
            "histogram": length_histogram(palette),
            "axis": [AXIS_LEFT, AXIS_RIGHT],
            "histogram_margin": HISTOGRAM_MARGIN,
            "colours": {"selected": palette.selected, "selected_soft": palette.selected_soft},
        }
        for scheme, palette in PALETTES.items()
    }
