"""Train the chord model and write its weights: `python -m demos.chords.train --help`.

Needs torch (requirements-torch.txt), unlike the rest of the project.
"""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from demos import saving
from demos.chords import songs
from demos.chords.model import SONGS, UNKNOWN_CODE, WEIGHTS, codes, is_held_out, transposed
from demos.chords.symbols import SYMBOLS

EMBEDDING = 64
STATES = 128
LAYERS = 2
BATCH = 32
GRADIENT_LIMIT = 1.0
FORGOTTEN = 0.01
"""The share of chords replaced by unknown, so that the model learns to handle it."""
PAD = -100


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=WEIGHTS,
    help="The file to write.  [default: weights.npz next to this script]",
)
@click.option("--epochs", default=240, show_default=True, help="Passes over the training songs.")
@click.option(
    "--dropout", default=0.3, show_default=True, help="Dropout between and after the layers."
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
def main(out: Path, epochs: int, dropout: float, rate: float, seed: int) -> None:
    """Train a two-layer LSTM to predict the next chord of a chorale.

    2 x 128 states, an embedding of 64, Adam, one thread. Each time a song is read it is transposed at
    random. Every tenth song is held out. The weights are saved as float16 (about 0.5 MB).
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    order = random.Random(seed)
    with SONGS.open(encoding="utf-8") as file:
        every = [codes(song.chords) for song in songs.parse(file, SONGS.name)]
    training = [song for number, song in enumerate(every) if not is_held_out(number)]
    unseen = [song for number, song in enumerate(every) if is_held_out(number)]

    embedding = torch.nn.Embedding(len(SYMBOLS) + 1, EMBEDDING)
    lstm = torch.nn.LSTM(EMBEDDING, STATES, LAYERS, dropout=dropout, batch_first=True)
    drop = torch.nn.Dropout(dropout)
    output = torch.nn.Linear(STATES, len(SYMBOLS))
    model = torch.nn.ModuleList([embedding, lstm, drop, output])
    optimizer = torch.optim.Adam(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    def loss_of(batch: list[Any]) -> tuple[Any, int]:
        longest = max(map(len, batch))
        read = np.stack([np.pad(song, (0, longest - len(song))) for song in batch])[:, :-1]
        codes_of_batch = np.stack(
            [np.pad(song, (0, longest - len(song)), constant_values=PAD) for song in batch]
        )[:, 1:]
        given = torch.from_numpy(read)
        if model.training:
            given = torch.where(torch.rand(given.shape) < FORGOTTEN, UNKNOWN_CODE, given)
        hidden, _ = lstm(embedding(given))
        target = torch.from_numpy(np.ascontiguousarray(codes_of_batch)).reshape(-1)
        logits = output(drop(hidden)).reshape(-1, len(SYMBOLS))
        loss = torch.nn.functional.cross_entropy(logits, target, ignore_index=PAD)
        return loss, int((target != PAD).sum())

    began = time.perf_counter()
    for epoch in range(1, epochs + 1):
        model.train()
        mixed = order.sample(training, len(training))
        for start in range(0, len(mixed), BATCH):
            batch = [transposed(song, order.randrange(12)) for song in mixed[start : start + BATCH]]
            loss, _ = loss_of(batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_LIMIT)
            optimizer.step()
        schedule.step()
        if epoch % 20 == 0 or epoch == epochs:
            model.eval()
            with torch.no_grad():
                unseen_loss, _ = loss_of(unseen)
            seconds = time.perf_counter() - began
            click.echo(
                f"epoch {epoch:3d}  {seconds:5.0f} s  perplexity: training (last batch) "
                f"{math.exp(loss.item()):.1f}, held-out songs {math.exp(unseen_loss.item()):.1f}"
            )
    saving.save(out, saving.recurrent_arrays(embedding, lstm) | saving.output_arrays(output))


if __name__ == "__main__":
    main()
