"""The NumPy forward pass against the equations, computed one number at a time, and torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from demos import lstm

LENGTHS = (3, 7, 0, 1, 7, 2)


def small_model(n_layers: int = 2, seed: int = 0) -> lstm.Lstm:
    """Five tokens, an embedding of 3, layers of 4, 5, ... states."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> Any:
        return rng.normal(0, 0.8, shape).astype(np.float32)

    layers, width = [], 3
    for n_states in range(4, 4 + n_layers):
        layers.append(
            lstm.Layer(
                weights(4 * n_states, width),
                weights(4 * n_states, n_states),
                weights(4 * n_states),
            )
        )
        width = n_states
    return lstm.Lstm(weights(5, 3), tuple(layers), weights(5, width), weights(5))


def some_sequences(lengths: tuple[int, ...] = LENGTHS) -> list[Any]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 5, length) for length in lengths]


def slow_forward(model: lstm.Lstm, codes: Any) -> list[dict[str, Any]]:
    """Process one sequence, one number at a time, in Python floats."""

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    steps = []
    h = [[0.0] * layer.n_states for layer in model.layers]
    c = [[0.0] * layer.n_states for layer in model.layers]
    for code in codes:
        x = [float(value) for value in model.embedding[code]]
        gates: list[list[list[float]]] = []
        for k, layer in enumerate(model.layers):
            n_states = layer.n_states
            sums = []
            for row in range(4 * n_states):
                total = float(layer.bias[row])
                for column, value in enumerate(x):
                    total += float(layer.inputs[row, column]) * value
                for column, value in enumerate(h[k]):
                    total += float(layer.recurrent[row, column]) * value
                sums.append(total)
            i = [sigmoid(value) for value in sums[:n_states]]
            f = [sigmoid(value) for value in sums[n_states : 2 * n_states]]
            g = [math.tanh(value) for value in sums[2 * n_states : 3 * n_states]]
            o = [sigmoid(value) for value in sums[3 * n_states :]]
            c[k] = [f[s] * c[k][s] + i[s] * g[s] for s in range(n_states)]
            h[k] = [o[s] * math.tanh(c[k][s]) for s in range(n_states)]
            gates.append([i, f, g, o])
            x = h[k]
        outputs = [
            float(model.output_bias[row])
            + sum(float(model.output[row, column]) * value for column, value in enumerate(x))
            for row in range(len(model.output_bias))
        ]
        steps.append({"h": list(h), "c": list(c), "gates": gates, "outputs": outputs})
    return steps


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_forward_follows_the_equations(n_layers: int) -> None:
    model, sequences = small_model(n_layers), some_sequences()
    run = lstm.forward(model, sequences, gates=True)
    expected = [step for codes in sequences for step in slow_forward(model, codes)]
    assert run.gates is not None
    assert len(expected) == sum(LENGTHS)
    for k, layer in enumerate(model.layers):
        assert run.hidden[k].shape == run.cell[k].shape == (sum(LENGTHS), layer.n_states)
        assert run.gates[k].shape == (sum(LENGTHS), 4, layer.n_states)
        for t, step in enumerate(expected):
            assert np.allclose(run.hidden[k][t], step["h"][k], atol=2e-6)
            assert np.allclose(run.cell[k][t], step["c"][k], atol=5e-6)
            assert np.allclose(run.gates[k][t], step["gates"][k], atol=2e-6)
    for t, step in enumerate(expected):
        assert np.allclose(run.outputs[t], step["outputs"], atol=1e-5)


def test_everything_is_float32() -> None:
    run = lstm.forward(small_model(), some_sequences(), gates=True)
    assert run.gates is not None
    for array in (*run.hidden, *run.cell, *run.gates, run.outputs):
        assert array.dtype == np.float32


def test_sequences_in_one_batch_are_independent() -> None:
    model, sequences = small_model(), some_sequences()
    together = lstm.forward(model, sequences)
    start = 0
    for codes in sequences:
        alone = lstm.forward(model, [codes])
        rows = slice(start, start + len(codes))
        assert np.allclose(together.cell[1][rows], alone.cell[1], atol=1e-6)
        assert np.allclose(together.outputs[rows], alone.outputs, atol=1e-6)
        start += len(codes)


@pytest.mark.parametrize("lengths", [(), (0,), (0, 0)])
def test_empty_input_gives_no_rows(lengths: tuple[int, ...]) -> None:
    run = lstm.forward(small_model(), some_sequences(lengths))
    assert [rows.shape for rows in run.hidden] == [(0, 4), (0, 5)]
    assert run.outputs.shape == (0, 5)
    assert run.gates is None


@pytest.mark.parametrize("code", [-1, 5])
def test_a_code_without_an_embedding_is_refused(code: int) -> None:
    with pytest.raises(IndexError):
        lstm.forward(small_model(), [np.array([0, code])])


def test_large_sums_do_not_overflow() -> None:
    model = small_model(1)
    layer = model.layers[0]
    steep = lstm.Layer(layer.inputs * 1000, layer.recurrent * 1000, layer.bias)
    run = lstm.forward(
        lstm.Lstm(model.embedding, (steep,), model.output, model.output_bias), some_sequences()
    )
    assert np.isfinite(run.outputs).all()


def test_progress_ends_at_one_and_never_decreases() -> None:
    reported: list[float] = []
    lstm.forward(small_model(), some_sequences((120, 60)), progress=reported.append)
    assert reported == sorted(reported)
    assert reported[-1] == 1
    assert 0 < reported[0] < 1


def test_surprisal_is_of_the_token_read_given_those_before_it() -> None:
    model, sequences = small_model(), some_sequences()
    run = lstm.forward(model, sequences)
    values = lstm.surprisal(run, sequences)
    expected: list[float] = []
    for codes in sequences:
        steps = slow_forward(model, codes)
        for t, code in enumerate(codes):
            if t == 0:
                expected.append(math.nan)
                continue
            outputs = steps[t - 1]["outputs"]
            total = sum(math.exp(value) for value in outputs)
            expected.append(-math.log(math.exp(outputs[code]) / total))
    assert np.allclose(values, expected, atol=1e-5, equal_nan=True)


def test_log_softmax_handles_large_outputs() -> None:
    logs = lstm.log_softmax(np.array([[1000.0, 999.0], [-1000.0, -1000.0]]))
    assert np.allclose(np.exp(logs).sum(axis=1), 1)
    assert logs[0, 0] - logs[0, 1] == pytest.approx(1)


def save(path: Path, model: lstm.Lstm, without: str = "") -> Path:
    arrays: dict[str, Any] = {
        "embedding": model.embedding,
        "output": model.output,
        "output_bias": model.output_bias,
    }
    for k, layer in enumerate(model.layers, 1):
        arrays[f"layer{k}_input"] = layer.inputs
        arrays[f"layer{k}_recurrent"] = layer.recurrent
        arrays[f"layer{k}_bias"] = layer.bias
    halves = {name: a.astype(np.float16) for name, a in arrays.items() if name != without}
    np.savez(path, allow_pickle=False, **halves)
    return path


def test_a_model_is_read_from_float16_and_widened(tmp_path: Path) -> None:
    model = small_model(3)
    loaded = lstm.load(save(tmp_path / "w.npz", model))
    assert len(loaded.layers) == 3
    for mine, theirs in zip(model.layers, loaded.layers, strict=True):
        assert theirs.inputs.dtype == np.float32
        assert np.array_equal(theirs.recurrent, mine.recurrent.astype(np.float16))


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="layer2_bias"):
        lstm.load(save(tmp_path / "w.npz", small_model(), without="layer2_bias"))


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    model = small_model()
    upside_down = lstm.Lstm(model.embedding, model.layers[::-1], model.output, model.output_bias)
    with pytest.raises(ValueError, match="layer 1 should have the shapes"):
        lstm.load(save(tmp_path / "w.npz", upside_down))


def test_numpy_uses_its_threads_again_afterwards() -> None:
    before = threadpool_info()
    lstm.forward(small_model(), some_sequences((40,)))
    assert threadpool_info() == before


@pytest.mark.torch
def test_forward_equals_torch_step_by_step() -> None:
    import torch

    model, codes = small_model(2), some_sequences((40,))[0]
    # torch.nn.LSTM has layers of one width only: one LSTM per layer, one token at a time.
    modules = []
    for layer in model.layers:
        module = torch.nn.LSTM(layer.inputs.shape[1], layer.n_states)
        with torch.no_grad():
            module.weight_ih_l0.copy_(torch.from_numpy(layer.inputs))
            module.weight_hh_l0.copy_(torch.from_numpy(layer.recurrent))
            module.bias_ih_l0.copy_(torch.from_numpy(layer.bias))
            module.bias_hh_l0.zero_()
        modules.append(module)
    run = lstm.forward(model, [codes])
    states: list[Any] = [None, None]
    with torch.no_grad():
        for t, code in enumerate(codes):
            x = torch.from_numpy(model.embedding[code]).reshape(1, 1, -1)
            for k, module in enumerate(modules):
                x, states[k] = module(x, states[k])
                assert np.allclose(run.hidden[k][t], states[k][0].numpy().ravel(), atol=5e-6)
                assert np.allclose(run.cell[k][t], states[k][1].numpy().ravel(), atol=5e-6)
            outputs = model.output @ x.numpy().ravel() + model.output_bias
            assert np.allclose(run.outputs[t], outputs, atol=1e-5)
