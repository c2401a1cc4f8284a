"""Train the parenthesis model and write its weights: `python -m demos.parens.train --help`.

Needs torch (requirements-torch.txt), unlike the rest of the project.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from demos import saving
from demos.parens import grammar

EMBEDDING = 64
STATES = 300
LAYERS = 2
DROPOUT = 0.2
LEARNING_RATE = 2e-3
BATCH = 32
WINDOW = 50
WINDOWS_A_TEXT = 20
"""Every stream starts a new text from a zero state after this many windows, or 1,000 characters."""
CHECK_EVERY = 100
GRADIENT_LIMIT = 1.0


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(__file__).with_name("weights.npz"),
    help="The file to write.  [default: weights.npz next to this script]",
)
@click.option(
    "--seed", default=1, show_default=True, help="Seed of the text and the initial weights."
)
@click.option(
    "--max-windows",
    default=2000,
    show_default=True,
    help=f"Stop after at most this many windows of {BATCH} streams x {WINDOW} characters.",
)
@click.option(
    "--tolerance",
    default=0.001,
    show_default=True,
    help="Stop once the loss on unseen text is this close to the entropy of the text, in nats.",
)
def main(out: Path, seed: int, max_windows: int, tolerance: float) -> None:
    """Train a two-layer LSTM on the parenthesis language and save its weights.

    2 x 300 states, an embedding of 64, dropout 0.2 between the layers, Adam, one thread. The same seed
    gives the same weights on the same machine and version of torch, but other seeds give states with
    other meanings. The weights are saved as float16 in the layout that demos/lstm.py reads (about
    2.1 MB).
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    n_tokens = len(grammar.ALPHABET)

    embedding = torch.nn.Embedding(n_tokens, EMBEDDING)
    lstm = torch.nn.LSTM(EMBEDDING, STATES, LAYERS, dropout=DROPOUT, batch_first=True)
    drop = torch.nn.Dropout(DROPOUT)
    output = torch.nn.Linear(STATES, n_tokens)
    model = torch.nn.ModuleList([embedding, lstm, drop, output])
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)

    # Text not used in training, and the loss of a model that knows the grammar.
    unseen = [grammar.generate(1000, np.random.default_rng([seed, 1, i])) for i in range(20)]
    floor = float(np.mean([grammar.true_surprisal(codes)[1:].mean() for codes in unseen]))
    held_out = torch.from_numpy(np.stack(unseen))

    def loss_of(codes: Any, state: Any) -> tuple[Any, Any]:
        hidden, state = lstm(embedding(codes[:, :-1]), state)
        logits = output(drop(hidden))
        return torch.nn.functional.cross_entropy(
            logits.reshape(-1, n_tokens), codes[:, 1:].reshape(-1)
        ), state

    click.echo(
        f"entropy: {grammar.entropy_floor():.4f} nats per character, {floor:.4f} unseen text"
    )
    began = time.perf_counter()
    state: Any = None
    text: Any = None
    for window in range(max_windows):
        place = window % WINDOWS_A_TEXT
        if place == 0:
            length = WINDOW * WINDOWS_A_TEXT + 1
            text = torch.from_numpy(np.stack([grammar.generate(length, rng) for _ in range(BATCH)]))
            state = None
        # One character more than the window, since the last one is only predicted.
        codes = text[:, place * WINDOW : (place + 1) * WINDOW + 1]
        model.train()
        loss, state = loss_of(codes, state)
        state = tuple(part.detach() for part in state)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_LIMIT)
        optimizer.step()
        if (window + 1) % CHECK_EVERY == 0 or window + 1 == max_windows:
            model.eval()
            with torch.no_grad():
                unseen_loss = float(loss_of(held_out, None)[0])
            seconds = time.perf_counter() - began
            click.echo(f"{window + 1:5d} windows  {seconds:5.1f} s  unseen loss {unseen_loss:.4f}")
            if unseen_loss - floor <= tolerance:
                break

    saving.save(out, saving.recurrent_arrays(embedding, lstm) | saving.output_arrays(output))


if __name__ == "__main__":
    main()
