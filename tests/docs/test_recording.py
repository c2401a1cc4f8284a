"""The scripts of docs/recording, run as printed."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from loaders.check import check
from loaders.dataset import open_dataset
from tests import ROOT

FOLDER = ROOT / "docs" / "recording"
PAGES = ("numpy", "pytorch", "keras", "huggingface")
KERAS = "keras is not installed (pip install keras; run with 3.15)"
TRANSFORMERS = "transformers is not installed (pip install transformers; run with 5.24)"


def blocks(page: str) -> list[str]:
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def script(page: str) -> str:
    return blocks(page)[-1]


def run(code: str, folder: Path, *options: str) -> None:
    """Run a script as its reader would: copied to a file in a separate folder."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *options, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "KERAS_BACKEND": "torch"},
    )
    assert done.returncode == 0, done.stderr


def names_of(page: str) -> dict[str, Any]:
    """Return the names that a script defines, without running its main part."""
    found: dict[str, Any] = {"__name__": "recording"}
    exec(compile(script(page), f"{page}.md", "exec"), found)  # noqa: S102 - the project's own pages
    return found


def clean(folder: Path) -> Any:
    report = check(folder)
    assert report.problems == ()
    return open_dataset(folder, folder.parent / "cache")


@pytest.mark.parametrize("page", PAGES)
def test_scripts_are_self_contained_and_write_the_same_format(page: str) -> None:
    code = script(page)
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", code, re.MULTILINE))
    assert imported <= {"pathlib", "numpy", "pyarrow", "torch", "keras", "transformers"}
    start = code.index("class Table:")
    table = code[start : code.index("\n\n\n", start)]
    first = script("numpy")
    assert table in first, "the pages' Table classes differ"
    compile(code, page, "exec")


def test_numpy_and_pandas(tmp_path: Path) -> None:
    small, large = blocks("numpy")
    run(small, tmp_path, "-W", "error")
    assert clean(tmp_path / "mydata").tokens(0, 3) == ["a", "dog", "ran"]
    run(large, tmp_path, "-W", "error")
    dataset = clean(tmp_path / "recorded")
    assert (dataset.n_steps, len(dataset.sequences)) == (40_000, 40)
    states = pq.ParquetFile(tmp_path / "recorded" / "states" / "layer1_hidden.parquet")
    assert states.metadata.num_row_groups == 3
    rows = dataset.open_source("layer2_hidden").rows
    rng = np.random.default_rng(0)
    rng.choice(7, size=1000)
    expected = np.tanh(rng.normal(size=(2, 1000, 64)).cumsum(axis=1) / 20)[1]
    assert np.array_equal(rows[:1000], expected.astype(np.float16))


# ------------------------------------------------------------------------------------- PyTorch


@pytest.mark.torch
def test_the_script_for_pytorch_runs(tmp_path: Path) -> None:
    run(script("pytorch"), tmp_path, "-W", "error")
    dataset = clean(tmp_path / "recorded")
    assert len(dataset.sources) == 12  # two layers: hidden, cell and four gates
    assert dataset.tokens(0, 7) == ["the", "cat", "sat", "on", "the", "mat", "."]
    assert dataset.sequences.bounds(8) == (7, 11)
    surprisal = dataset.annotations["surprisal"].values(0, dataset.n_steps)
    starts = np.isin(np.arange(dataset.n_steps), dataset.sequences.offsets)
    assert np.array_equal(np.isnan(surprisal), starts)
    hidden, cell, gate = (
        dataset.open_source(f"layer2_{name}").rows.astype(np.float32)
        for name in ("hidden", "cell", "output_gate")
    )
    assert np.allclose(hidden, gate * np.tanh(cell), atol=2e-3)


KINDS = ["LSTM", "GRU", "RNN", "RNN relu", "LSTM proj", "LSTM no bias"]
SHAPES = ["packed", "padded", "time first", "unbatched"]
LENGTHS = [4, 6, 1]


def layer(kind: str, torch: Any, width: int = 5, **more: Any) -> Any:
    name, _, extra = kind.partition(" ")
    special: dict[str, dict[str, Any]] = {
        "relu": {"nonlinearity": "relu"},
        "proj": {"proj_size": 3},
        "no bias": {"bias": False},
        "": {},
    }
    return getattr(torch.nn, name)(width, 4, dtype=torch.float64, **special[extra], **more).eval()


def one_layer(rnn: Any, kind: str, torch: Any, k: int, direction: int, width: int) -> Any:
    """Torch's single layer in one direction, with the weights of layer k of another module."""
    single = layer(kind, torch, width, batch_first=True)
    end = f"l{k}{'_reverse' if direction else ''}"
    own = {n[: -len(end)]: v for n, v in rnn.state_dict().items() if n.endswith(f"_{end}")}
    single.load_state_dict({f"{n}l0": value for n, value in own.items()})
    return single


@pytest.mark.torch
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_every_state_equals_torch_step_by_step(kind: str, directions: int, shape: str) -> None:
    """Compare with torch's modules run on the first 1, 2, 3, ... steps, whose last state is returned."""
    import torch

    torch.manual_seed(0)
    recorder_class = names_of("pytorch")["Recorder"]
    batch_first = shape != "time first"
    rnn = layer(
        kind,
        torch,
        num_layers=2,
        bidirectional=directions == 2,
        batch_first=batch_first,
        dropout=0.5,
    ).eval()
    n = 1 if shape == "unbatched" else 3
    x = torch.randn(n, 6, 5, dtype=torch.float64)
    lengths = LENGTHS if shape == "packed" else [6] * n
    width = 3 if "proj" in kind else 4
    h0 = torch.randn(2 * directions, n, width, dtype=torch.float64)
    c0 = torch.randn(2 * directions, n, 4, dtype=torch.float64)
    given = x
    start: Any = (h0, c0) if "LSTM" in kind else h0
    if shape == "packed":
        given = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
    elif shape == "time first":
        given = x.transpose(0, 1)
    elif shape == "unbatched":
        given = x[0]
        start = (h0[:, 0], c0[:, 0]) if "LSTM" in kind else h0[:, 0]
    with torch.no_grad(), recorder_class(rnn) as recorder:
        rnn(given, hx=start)
    rows = recorder.rows()

    first = 0
    for sequence, length in enumerate(lengths):
        inputs = x[sequence : sequence + 1, :length]
        for k in range(2):
            outputs = []
            for direction in range(directions):
                single = one_layer(rnn, kind, torch, k, direction, inputs.shape[2])
                where = k * directions + direction
                h = h0[where : where + 1, sequence : sequence + 1].contiguous()
                c = c0[where : where + 1, sequence : sequence + 1].contiguous()
                read = inputs.flip(1) if direction else inputs
                found_h, found_c = [], []
                with torch.no_grad():
                    for stop in range(1, length + 1):
                        _, last = single(read[:, :stop], (h, c) if "LSTM" in kind else h)
                        last = last if isinstance(last, tuple) else (last, last)
                        found_h.append(last[0][0, 0])
                        found_c.append(last[1][0, 0])
                own_h, own_c = torch.stack(found_h), torch.stack(found_c)
                if direction:
                    own_h, own_c = own_h.flip(0), own_c.flip(0)
                end = "_reverse" if direction else ""
                mine = rows[f"layer{k + 1}_hidden{end}"][first : first + length]
                assert np.allclose(mine, own_h.numpy(), rtol=0, atol=1e-12)
                if "LSTM" in kind:
                    mine = rows[f"layer{k + 1}_cell{end}"][first : first + length]
                    assert np.allclose(mine, own_c.numpy(), rtol=0, atol=1e-12)
                outputs.append(own_h)
            inputs = torch.cat(outputs, dim=1)[None]
        first += length
    assert first == len(rows["layer1_hidden"])


@pytest.mark.torch
def test_gates_follow_the_equations_in_torchs_documentation() -> None:
    import torch

    torch.manual_seed(1)
    recorder_class = names_of("pytorch")["Recorder"]
    x = torch.randn(2, 5, 5)
    lstm, gru = torch.nn.LSTM(5, 4, batch_first=True), torch.nn.GRU(5, 4, batch_first=True)
    for rnn in (lstm, gru):
        with torch.no_grad(), recorder_class(rnn) as recorder:
            rnn(x)
        s = {
            name.removeprefix("layer1_"): v.double().numpy() for name, v in recorder.states.items()
        }
        w, u, b = (
            getattr(rnn, name).detach().double().numpy()
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        )
        bu = rnn.bias_hh_l0.detach().double().numpy()
        before = np.concatenate([np.zeros((2, 1, 4)), s["hidden"][:, :-1]], axis=1)
        from_x, from_h = x.double().numpy() @ w.T + b, before @ u.T + bu
        sigmoid = 1 / (1 + np.exp(-from_x - from_h))
        if rnn is lstm:
            order = ["input_gate", "forget_gate", "candidate", "output_gate"]
            for i, name in enumerate(order):
                z = (from_x + from_h)[..., 4 * i : 4 * i + 4]
                expected = np.tanh(z) if name == "candidate" else sigmoid[..., 4 * i : 4 * i + 4]
                assert np.allclose(s[name], expected, atol=1e-6)
            last = np.concatenate([np.zeros((2, 1, 4)), s["cell"][:, :-1]], axis=1)
            assert np.allclose(
                s["cell"], s["forget_gate"] * last + s["input_gate"] * s["candidate"], atol=1e-6
            )
        else:
            assert np.allclose(s["reset_gate"], sigmoid[..., :4], atol=1e-6)
            assert np.allclose(s["update_gate"], sigmoid[..., 4:8], atol=1e-6)
            candidate = np.tanh(from_x[..., 8:] + s["reset_gate"] * from_h[..., 8:])
            assert np.allclose(s["candidate"], candidate, atol=1e-6)


@pytest.mark.torch
def test_a_mask_picks_the_rows_of_a_padded_batch_and_a_state_is_carried_over() -> None:
    import torch

    torch.manual_seed(2)
    recorder_class = names_of("pytorch")["Recorder"]
    rnn = torch.nn.LSTM(5, 4, batch_first=True)
    x = torch.randn(3, 6, 5)
    mask = torch.arange(6) < torch.tensor(LENGTHS)[:, None]
    with torch.no_grad(), recorder_class(rnn, gates=False) as recorder:
        rnn(x)
        padded = recorder.rows(mask)
        assert set(padded) == {"layer1_hidden", "layer1_cell"}
        rnn(torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, True, enforce_sorted=False))
        packed = recorder.rows()
        for name in padded:
            assert np.allclose(padded[name], packed[name], atol=1e-6)
        _, state = rnn(x[:, :2])
        rnn(x[:, 2:], state)
        later = recorder.rows(mask[:, 2:])
    kept = np.concatenate([np.arange(4)[2:], 4 + np.arange(6)[2:]])
    assert np.allclose(later["layer1_cell"], packed["layer1_cell"][kept], atol=1e-6)


@pytest.mark.torch
def test_the_recorder_refuses_unsupported_modules() -> None:
    import torch

    recorder_class = names_of("pytorch")["Recorder"]
    rnn = torch.nn.LSTM(5, 4, num_layers=2, dropout=0.5)
    recorder = recorder_class(rnn)
    with pytest.raises(RuntimeError, match=r"model\.eval\(\)"):
        rnn(torch.randn(3, 1, 5))
    recorder.hook.remove()

    class Doubled(torch.nn.LSTM):  # type: ignore[name-defined, misc]
        def forward(self, *args: Any) -> Any:
            out, state = super().forward(*args)
            return out * 2, state

    double = Doubled(5, 4)
    with recorder_class(double), pytest.raises(RuntimeError, match="disagree"):
        double(torch.randn(3, 1, 5))


# --------------------------------------------------------------------------------------- Keras


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason=KERAS)
    run(script("keras"), tmp_path)
    dataset = clean(tmp_path / "recorded")
    assert sorted(dataset.sources) == [
        *("layer1_cell", "layer1_hidden", "layer2_cell", "layer2_hidden")
    ]
    assert dataset.sequences.bounds(8) == (7, 11)

    layers = keras.layers
    recorder_class = names_of("keras")["Recorder"]
    ids = np.array([[3, 1, 2, 4, 0, 0], [1, 2, 3, 4, 2, 1], [2, 0, 0, 0, 0, 0]])
    kinds = (layers.LSTM, layers.GRU, layers.SimpleRNN)
    for kind, masked, both in itertools.product(kinds, (True, False), (True, False)):
        inputs = layers.Input((None,))
        x = layers.Embedding(5, 3, mask_zero=masked)(inputs)
        rnn = kind(4, return_sequences=True, name="r")
        top = layers.Bidirectional(rnn, name="b") if both else rnn
        model = keras.Model(inputs, layers.Dense(2)(kind(3, name="last")(top(x))))
        embedded = model.layers[1](ids)
        for batch in (ids, ids[:, ::-1].copy()):  # padding after, and before
            found = recorder_class(model).record(batch)
            prefix = "b_forward" if both else "r"
            own = top.forward_layer if both else rnn
            stepper = kind(4, return_state=True)
            stepper(embedded)
            stepper.set_weights(own.get_weights())
            values = model.layers[1](batch)
            for stop in range(1, 7):
                mask = (batch[:, :stop] != 0) if masked else None
                _, *last = stepper(values[:, :stop], mask=mask)
                # Keras keeps the state over a masked step; at steps with tokens they agree.
                on = batch[:, stop - 1] != 0
                for name, state in zip(("hidden", "cell"), last, strict=False):
                    mine = found[f"{prefix}_{name}"][:, stop - 1]
                    theirs = keras.ops.convert_to_numpy(state)
                    assert np.allclose(mine[on], theirs[on], atol=1e-5)
            assert (f"{prefix}_cell" in found) == (kind is layers.LSTM)
            assert found["last_hidden"].shape == (3, 6, 3)


# -------------------------------------------------------------------------------- Hugging Face


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", ["left", "right"])
def test_hugging_face(tmp_path: Path, side: str) -> None:
    transformers = pytest.importorskip("transformers", reason=TRANSFORMERS)
    import tokenizers
    import torch

    words = ["[PAD]", "[UNK]", "the", "cat", "sat", "on", "mat"]
    vocabulary = {word: number for number, word in enumerate(words)}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, "[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "padding_side": side}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **special)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=7, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    texts = ["the cat sat on the mat", "the dog sat", "cat"]
    names_of("huggingface")["record"](model, tokenizer, texts, out=tmp_path / "r", batch_size=2)
    dataset = clean(tmp_path / "r")
    assert dataset.tokens(0, 10) == "the cat sat on the mat the [UNK] sat cat".split()
    assert dataset.sequences.offsets.tolist() == [0, 6, 9, 10]
    assert sorted(dataset.sources) == ["layer00", "layer01", "layer02"]
    surprisal = dataset.annotations["surprisal"].values(0, 10)
    assert np.flatnonzero(np.isnan(surprisal)).tolist() == [0, 6, 9]
    first = 0
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            alone = model(ids, output_hidden_states=True)
        stop = first + ids.shape[1]
        for number, states in enumerate(alone.hidden_states):
            rows = dataset.open_source(f"layer{number:02}").rows[first:stop]
            assert np.allclose(rows, states[0].numpy(), atol=2e-3)
        chances = alone.logits[0].log_softmax(-1)[:-1].gather(1, ids[0, 1:, None])
        assert np.allclose(surprisal[first + 1 : stop], -chances[:, 0].numpy(), atol=1e-4)
        first = stop
