"""Print every figure of the tutorial: `python -m tests.findings [--brown FOLDER]`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from app.matching import warm
from demos import lstm
from demos.english import build as english
from demos.english import corpus as texts
from demos.english import excerpt
from demos.registry import ensure
from tests.findings import levels, phrase_types, phrases, progressions
from tests.findings.corpus import Corpus, open_corpus

LIMITS = {"no limits": (False, False), "left limit": (True, False), "both limits": (True, True)}
CONTROLS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--brown", type=Path, help="a folder with the Brown corpus, to include its figures"
    )
    parser.add_argument("--brushes", type=int, default=400)
    given = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        say("# Levels", levels.HEAD)
        for level in levels.followers(open_corpus(ensure("parens", root), root)):
            say(level.row())
        chords = open_corpus(ensure("chords", root), root)
        say(
            "\n# Chords: the state with the longest runs, on held-out songs", progressions.RUNS_HEAD
        )
        for source in chords.dataset.sources:
            say(progressions.long_runs(chords, source).row(source))
        say("\n# Chords: the state that follows the key signature", progressions.KEY_HEAD)
        for source in chords.dataset.sources:
            say(progressions.key_state(chords, source).row(source))
        english_figures(
            open_corpus(ensure("english", root), root), list(excerpt.read()), given.brushes
        )
        if given.brown:
            path = ensure("brown", root, source=given.brown)
            held_out = texts.read(given.brown, "held_out")
            english_figures(open_corpus(path, root), held_out, given.brushes)


def english_figures(corpus: Corpus, read: list[texts.Text], brushes: int) -> None:
    """Phrases, and the projection with its control, on one dataset."""
    name = f"{corpus.dataset.id}, {corpus.dataset.n_steps} words"
    sources = ("layer1_hidden", "layer2_hidden")
    say(f"\n# Closed noun phrases, both limits: {name}", phrases.HEAD)
    for source in sources:
        say(phrases.closed_noun_phrases(corpus, source, brushes).row(source))
    say(f"\n# Open verb phrases, left limit: {name}", phrases.HEAD)
    for source in sources:
        say(phrases.open_verb_phrases(corpus, source, brushes).row(source))
    say(f"\n# Noun phrases against verb phrases (Fig. 7): {name}", phrase_types.HEAD)
    noun, verb = corpus.phrases("NP", 2), corpus.phrases("VP", 2)
    for source in sources:
        for words, limits in LIMITS.items():
            on = corpus.on(source, phrase_types.THRESHOLD)
            found = phrase_types.several(on, noun, verb, corpus.offsets, limits)
            say(phrase_types.row(f"{source}, {words}", found))
    for seed in range(CONTROLS):
        model = phrase_types.untrained(lstm.load(english.WEIGHTS), seed)
        states = lstm.sources(lstm.forward(model, english.encode(read)))
        for source in sources:
            for words, limits in LIMITS.items():
                on = states[source].astype(float) >= phrase_types.THRESHOLD
                found = phrase_types.several(on, noun, verb, corpus.offsets, limits)
                say(phrase_types.row(f"untrained ({seed}), {source}, {words}", found))


def say(*lines: str) -> None:
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
