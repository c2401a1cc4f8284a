"""Train the English model and write its weights: `python -m demos.english.train --help`.

Needs torch (requirements-torch.txt), unlike the rest of the project, and the Brown corpus, which
`python -m app demo brown` downloads (demos/english/fetch.py).
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from demos import saving
from demos.english import corpus

HERE = Path(__file__).parent
WORDS = 10_000
EMBEDDING = 200
STATES = 200
LAYERS = 2
CUTOFFS = (1_000, 4_000)
"""Clusters of the adaptive softmax: the most common words have separate outputs."""
NARROWER = 4.0
BATCH = 32
WINDOW = 32
GRADIENT_LIMIT = 1.0
PAD = -100


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=HERE,
    help="Where to write weights.npz and vocabulary.txt.  [default: next to this script]",
)
@click.option("--epochs", default=12, show_default=True, help="Passes over the training texts.")
@click.option(
    "--dropout",
    default=0.35,
    show_default=True,
    help="Dropout before, between and after the layers.",
)
@click.option(
    "--rate",
    default=4e-3,
    show_default=True,
    help="Initial learning rate of Adam, with cosine decay to 0.",
)
@click.option(
    "--seed", default=1, show_default=True, help="Seed of the order and the initial weights."
)
def main(folder: Path, out: Path, epochs: int, dropout: float, rate: float, seed: int) -> None:
    """Train a two-layer LSTM on the training texts of the Brown corpus in FOLDER.

    2 x 200 states, 10,000 words in lower case, digits as N, an adaptive softmax, Adam, one thread.
    The state is carried through a text and reset for the next. The weights are saved as
    float16 in the layout that demos/lstm.py and demos/adaptive.py read (about 6 MB).
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    order = random.Random(seed)

    training = corpus.read(folder, "train")
    counts = Counter(corpus.model_word(word) for text in training for word in text.words)
    # Sorted by count, as required by the adaptive softmax, then by word, to be reproducible.
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: WORDS - 1]
    rare = sum(counts.values()) - sum(count for _, count in common)
    place = sum(count > rare for _, count in common)
    vocabulary = [word for word, _ in common]
    vocabulary.insert(place, corpus.UNKNOWN)
    codes = {word: code for code, word in enumerate(vocabulary)}
    unknown = codes[corpus.UNKNOWN]

    def encode(text: corpus.Text) -> Any:
        return np.array([codes.get(corpus.model_word(w), unknown) for w in text.words])

    train_texts = [encode(text) for text in training]
    validation = [encode(text) for text in corpus.read(folder, "validation")]

    embedding = torch.nn.Embedding(WORDS, EMBEDDING)
    torch.nn.init.uniform_(embedding.weight, -0.1, 0.1)
    lstm = torch.nn.LSTM(EMBEDDING, STATES, LAYERS, dropout=dropout, batch_first=True)
    drop = torch.nn.Dropout(dropout)
    softmax = torch.nn.AdaptiveLogSoftmaxWithLoss(STATES, WORDS, list(CUTOFFS), NARROWER)
    model = torch.nn.ModuleList([embedding, lstm, drop, softmax])
    optimizer = torch.optim.Adam(model.parameters(), rate)
    n_windows = epochs * sum(len(text) for text in train_texts) / (BATCH * WINDOW)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / n_windows)))
    )

    def loss_of(batch: Any, state: Any) -> tuple[Any, int, Any]:
        hidden, state = lstm(drop(embedding(batch[:, :-1].clamp(min=0))), state)
        target = batch[:, 1:].reshape(-1)
        known = target != PAD
        answer = softmax(drop(hidden).reshape(-1, STATES)[known], target[known])
        return answer.loss, int(known.sum()), state

    def perplexity(texts: list[Any]) -> float:
        model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for batch, fresh in windows(texts, None):
                if fresh.all():
                    state = None
                loss, n_words, state = loss_of(torch.from_numpy(batch), state)
                total, count = total + loss.item() * n_words, count + n_words
        return math.exp(total / count)

    click.echo(f"{len(train_texts)} texts, {sum(map(len, train_texts))} words to train on")
    began, done = time.perf_counter(), 0
    for epoch in range(1, epochs + 1):
        model.train()
        state: Any = None
        total, count = 0.0, 0
        for batch, fresh in windows(train_texts, order):
            if state is not None:
                keep = torch.from_numpy(~fresh).float()[None, :, None]
                state = tuple(part.detach() * keep for part in state)
            loss, n_words, state = loss_of(torch.from_numpy(batch), state)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_LIMIT)
            optimizer.step()
            schedule.step()
            done += 1
            total, count = total + loss.item() * n_words, count + n_words
        click.echo(
            f"epoch {epoch:2d}  {time.perf_counter() - began:6.0f} s  perplexity: training "
            f"{math.exp(total / count):.1f}, unseen texts {perplexity(validation):.1f}"
        )
    save(out, embedding, lstm, softmax, vocabulary)


def windows(texts: list[Any], order: random.Random | None) -> Any:
    """Split texts into batches of windows; each row is one text after another.

    Parameters
    ----------
    texts
        Arrays of codes.
    order
        Shuffles the texts; None reads them in groups of `BATCH` from a zero state each.

    Yields
    ------
    batch : int64 `(rows, WINDOW + 1)`
        One code more than the window, which is only predicted; `PAD` after the end of a text.
    fresh : bool `(rows,)`
        Whether a text begins in the row, so that its state is reset.
    """
    if order is None:
        for start in range(0, len(texts), BATCH):
            group = texts[start : start + BATCH]
            longest = max(map(len, group))
            for at in range(0, longest - 1, WINDOW):
                yield np.stack([_window(text, at) for text in group]), np.full(len(group), at == 0)
        return
    waiting = order.sample(texts, len(texts))
    rows: list[tuple[Any, int]] = [(waiting.pop(), 0) for _ in range(min(BATCH, len(waiting)))]
    while rows:
        batch = np.stack([_window(text, at) for text, at in rows])
        yield batch, np.array([at == 0 for _, at in rows])
        following = []
        for text, at in rows:
            if at + WINDOW < len(text) - 1:
                following.append((text, at + WINDOW))
            elif waiting:
                following.append((waiting.pop(), 0))
        if len(following) < len(rows):
            return  # drops the last few texts, which would make ever smaller batches; others each time
        rows = following


def _window(text: Any, at: int) -> Any:
    piece = text[at : at + WINDOW + 1]
    return np.pad(piece, (0, WINDOW + 1 - len(piece)), constant_values=PAD)


def save(out: Path, embedding: Any, lstm: Any, softmax: Any, vocabulary: list[str]) -> None:
    """Write weights.npz (float16) and vocabulary.txt (one word per line, by code) into `out`."""
    arrays = saving.recurrent_arrays(embedding, lstm)
    arrays["output"] = softmax.head.weight.detach().numpy()
    arrays["output_bias"] = np.zeros(len(arrays["output"]))
    for number, (narrow, wide) in enumerate(softmax.tail, 1):
        arrays[f"tail{number}_narrow"] = narrow.weight.detach().numpy()
        arrays[f"tail{number}_output"] = wide.weight.detach().numpy()
    saving.save(out / "weights.npz", arrays)
    (out / "vocabulary.txt").write_text("".join(f"{w}\n" for w in vocabulary), encoding="utf-8")


if __name__ == "__main__":
    main()
