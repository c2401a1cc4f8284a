"""Save a trained torch model in the layout that demos/lstm.py reads; torch itself is not imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray


def recurrent_arrays(embedding: Any, lstm: Any) -> dict[str, NDArray[np.floating]]:
    """Return the weights of a `torch.nn.Embedding` and a `torch.nn.LSTM`, under the names used by `lstm.load`.

    torch has two biases per layer, which are always added; their sum is saved.
    """
    parameters = {name: value.detach().numpy() for name, value in lstm.named_parameters()}
    arrays = {"embedding": embedding.weight.detach().numpy()}
    for k in range(lstm.num_layers):
        arrays[f"layer{k + 1}_input"] = parameters[f"weight_ih_l{k}"]
        arrays[f"layer{k + 1}_recurrent"] = parameters[f"weight_hh_l{k}"]
        arrays[f"layer{k + 1}_bias"] = parameters[f"bias_ih_l{k}"] + parameters[f"bias_hh_l{k}"]
    return arrays


def output_arrays(output: Any) -> dict[str, NDArray[np.floating]]:
    """Return the weights of the `torch.nn.Linear` on top."""
    return {
        "output": output.weight.detach().numpy(),
        "output_bias": output.bias.detach().numpy(),
    }


def save(out: Path, arrays: dict[str, NDArray[np.floating]]) -> None:
    """Write arrays as float16 into an .npz file and print its size."""
    halves: dict[str, Any] = {name: array.astype(np.float16) for name, array in arrays.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, allow_pickle=False, **halves)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
