"""What the pictures of the tutorial show, found on the demos by looking, as links and one figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.web.view.default import opening_view
from app.web.view.url import View, write
from demos import lstm
from demos.english import build as english
from demos.english import excerpt
from loaders import Catalog
from tests.findings import levels, phrase_types, phrases, progressions
from tests.findings.corpus import Corpus, open_corpus

BEFORE = 16
"""Steps to be seen before the brush."""
LONGEST_RUN = 24


def opening(corpus: Corpus) -> View:
    """The view that a demo opens on."""
    default = corpus.dataset.default
    assert default is not None
    assert default.source is not None
    return opening_view(corpus.dataset, corpus.dataset.open_source(default.source))


def fourth_level(corpus: Corpus, source: str = "layer2_hidden") -> View:
    """The first "( 4" at the fourth level after step 300, with one step of off before it."""
    words = corpus.dataset.tokens(0, corpus.dataset.n_steps)
    level = corpus.labels("level")
    start = next(
        step
        for step in range(300, corpus.dataset.n_steps)
        if words[step : step + 2] == ["(", "4"] and level[step] == "4"
    )
    return _view(corpus, source, start, start + 2, 0.3, ("level", "token_kind"), before=1)


def level_state(corpus: Corpus) -> View:
    """The same place, with the state that follows level 4 best pinned in its own source."""
    follower = levels.followers(corpus)[-1]
    view = fourth_level(corpus, follower.source)
    return View(**{**view.store(), "pinned": follower.state, "tracks": ("level",)})


def open_verb_phrase(corpus: Corpus) -> View:
    """The verb phrase near the start, brushed with the left limit, that finds verb phrases best."""
    source, best, chosen = "layer1_hidden", 0.0, (0, 0)
    begins = {start for start, _ in corpus.phrases("VP")}
    for start, stop in corpus.phrases("VP", 2, phrases.LONGEST):
        if start > 5_000:
            break
        result = corpus.match(
            source, start=start, stop=stop, threshold=phrases.THRESHOLD, off_before=1
        )
        if 3 <= len(result.selected_states) <= 15 and len(result.matches) >= 30:
            share = float(np.mean([match.start in begins for match in result.matches]))
            if share > best:
                best, chosen = share, (start, stop)
    return _view(corpus, source, *chosen, phrases.THRESHOLD, ("phrase", "pos"), before=1)


def long_run(corpus: Corpus) -> View:
    """A run of the state with the longest runs, on a held-out song, brushed from end to end."""
    source = "layer2_hidden"
    state = progressions.long_runs(corpus, source).state
    on = corpus.on(source, progressions.THRESHOLD)[:, state]
    unseen = corpus.labels("training") == "held out"
    edges = set(corpus.offsets.tolist())
    best = (0, 0)
    start = None
    for step in range(len(on) + 1):
        inside = step < len(on) and on[step]
        if start is not None and (not inside or step in edges):
            if unseen[start] and best[1] - best[0] < step - start <= LONGEST_RUN:
                best = (start, step)
            start = None
        if inside and start is None:
            start = step
    view = _view(
        corpus, source, *best, progressions.THRESHOLD, ("signature", "phrase"), before=1, after=1
    )
    return View(**{**view.store(), "pinned": state})


SHOTS: dict[str, tuple[str, str, Callable[[Corpus], View]]] = {
    "first-screen": ("parens", "light", opening),
    "fourth-level-dark": ("parens", "dark", fourth_level),
    "tutorial-levels": ("parens", "light", level_state),
    "tutorial-noun-phrase": ("english", "light", opening),
    "tutorial-open-verb-phrase": ("english", "light", open_verb_phrase),
    "tutorial-key": ("chords", "light", opening),
    "tutorial-long-run": ("chords", "light", long_run),
}
"""Name of the picture -> demo, colour scheme, view."""


def link(catalog: Catalog, name: str, cache_dir: Path) -> str:
    """The query string of a picture's view."""
    demo, _, view = SHOTS[name]
    return write(view(open_corpus(catalog.get(demo).path, cache_dir)))


def phrase_types_figure(corpus: Corpus) -> go.Figure:
    """Fig. 7: the patterns of noun and verb phrases on two components, and those of a control."""
    noun, verb = corpus.phrases("NP", 2), corpus.phrases("VP", 2)
    source, limits = "layer2_hidden", (True, False)
    model = phrase_types.untrained(lstm.load(english.WEIGHTS))
    control = lstm.sources(lstm.forward(model, english.encode(list(excerpt.read()))))[source]
    panels = {
        "trained": corpus.on(source, phrase_types.THRESHOLD),
        "never trained": control.astype(float) >= phrase_types.THRESHOLD,
    }
    found = {
        name: phrase_types.several(on, noun, verb, corpus.offsets, limits)
        for name, on in panels.items()
    }
    titles = [
        f"{name}: balanced accuracy {np.mean([one.two for one in draws]):.2f}"
        for name, draws in found.items()
    ]
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.12)
    rng = np.random.default_rng(0)
    for column, draws in enumerate(found.values(), 1):
        points = draws[0].points
        # Many patterns are equal: a little noise shows how many.
        shown = points + rng.normal(0, 0.03, points.shape)
        for is_verb, name, color in ((False, "NP", "#0072b2"), (True, "VP", "#d55e00")):
            chosen = shown[draws[0].verb == is_verb]
            figure.add_scatter(
                x=chosen[:, 0],
                y=chosen[:, 1],
                mode="markers",
                name=name,
                showlegend=column == 1,
                marker={"color": color, "size": 5, "opacity": 0.6, "symbol": "x" if is_verb else 0},
                row=1,
                col=column,
            )
    figure.update_xaxes(title="first component", zeroline=False)
    figure.update_yaxes(title="second component", zeroline=False)
    figure.update_layout(width=1100, height=520, template="plotly_white", font_size=14)
    figure.update_layout(margin={"l": 70, "r": 20, "t": 50, "b": 60})
    return figure


def _view(
    corpus: Corpus,
    source: str,
    start: int,
    stop: int,
    threshold: float,
    tracks: tuple[str, ...],
    before: int = 0,
    after: int = 0,
) -> View:
    return View(
        dataset=corpus.dataset.id,
        fp=corpus.dataset.fingerprint,
        source=source,
        first=max(0, start - BEFORE),
        start=start,
        stop=stop,
        before=before,
        after=after,
        threshold=threshold,
        tracks=tracks,
    )
