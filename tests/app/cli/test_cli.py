"""The command line as other programs and people meet it."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from app.cli.main import main
from app.web import serving
from loaders.writer import write_dataset
from tests import ROOT, naive
from tests.conftest import example_rows, write_parquet

Build = Callable[..., Path]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What stderr says, which has to be one plain line, and stdout empty."""
        assert self.code == 2
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.rstrip().endswith("."), self.err
        assert "Traceback" not in self.err
        assert "unforeseen" not in self.err
        return self.err.rstrip("\n")

    @property
    def answer(self) -> dict[str, Any]:
        assert (self.code, self.err) == (0, "")
        answer: dict[str, Any] = json.loads(self.out)
        return answer


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run the command line in this process."""
    monkeypatch.setenv("STATEBRUSH_CACHE_DIR", str(cache))

    def run_it(*arguments: object) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Ran(code, *capfd.readouterr())

    return run_it


Run = Callable[..., Ran]


# ---------------------------------------------------------------------------------------- match


def test_match_writes_json_and_nothing_else(run: Run, dataset_folder: Build) -> None:
    answer = run(
        *("match", dataset_folder(), "--start", 3, "--stop", 6, "--threshold", 0.5),
        *("--min-length", 1, "--min-overlap", 1, "--overlapping", "--format", "json"),
    ).answer
    assert list(answer) == [
        "query",
        "selected_states",
        "state_names",
        "searched_steps",
        "total_matches",
        "full_matches",
        "places",
        "reason",
        "matches",
        "length_histogram",
    ]
    assert answer["query"] == {
        "source": "layer",
        "start": 3,
        "stop": 6,
        "threshold": 0.5,
        "polarity": "high",
        "off_before": 0,
        "off_after": 0,
        "exclude": [],
        "states": None,
        "min_overlap": 1,
        "min_length": 1,
        "length": None,
        "overlapping": True,
        "top": 50,
        "offset": 0,
        "context": 5,
        "format": "json",
    }
    assert answer["state_names"] == ["s0", "s1"]
    found = [(m["start"], m["stop"], m["overlap"]) for m in answer["matches"]]
    assert found == [(3, 6, 2), (1, 6, 1), (3, 8, 1)]
    assert answer["matches"][0]["tokens"] == ["w3", "w4", "w5"]
    assert answer["matches"][0]["sequence"] is None


def test_match_works_as_a_program_of_its_own(dataset_folder: Build, cache: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "app", "match", dataset_folder(tokens=list("abcdéfghı"))),
            *"--source layer --states 0,1 --threshold -1e-3 --format json".split(),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "STATEBRUSH_CACHE_DIR": str(cache), "LC_ALL": "C"},
    )
    answer = Ran(done.returncode, done.stdout, done.stderr).answer
    assert answer["query"]["threshold"] == -0.001
    assert answer["matches"][0]["tokens"] == list("abcdéfghı")


@pytest.mark.parametrize("options", [("--workers", 2), ("--cache-bytes", 0)])
def test_match_answers_alike_whoever_makes_the_passes(
    run: Run, dataset_folder: Build, options: tuple[object, ...]
) -> None:
    asked = ("match", dataset_folder(), "--start", 3, "--stop", 5, "--threshold", 0.5)
    plain, spread = run(*asked, "--format", "json"), run(*asked, "--format", "json", *options)
    assert (plain.code, plain.err) == (spread.code, spread.err) == (0, "")
    assert spread.out == plain.out
    assert json.loads(plain.out)["matches"]


def test_match_writes_csv(run: Run, dataset_folder: Build) -> None:
    words = ["a", 'say "b"', "c,d", "", "e f", "g", "h", "i", "j"]
    data = dataset_folder(sequences=["x"] * 4 + ["y"] * 5, tokens=words)
    ran = run("match", data, *"--states 0,1 --threshold 0.5 --min-overlap 1 --format csv".split())
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == "rank start stop length overlap union sequence tokens".split()
    assert [(row["start"], row["stop"], row["sequence"]) for row in rows] == [
        ("4", "6", "y"),
        ("1", "4", "x"),
    ]
    assert rows[1]["tokens"] == 'say "b" c,d '


def test_match_writes_a_table_by_default(run: Run, dataset_folder: Build) -> None:
    ran = run("match", dataset_folder(), *"--start 3 --stop 6 --threshold 0.5".split())
    assert ran.code == 0
    assert "s0, s1" in ran.out
    assert "w3 w4 w5" in ran.out


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_an_empty_selection_is_an_answer_with_its_reason(
    run: Run, dataset_folder: Build, form: str
) -> None:
    arguments = f"--start 0 --stop 9 --threshold 0.5 --format {form}".split()
    ran = run("match", dataset_folder(), *arguments)
    assert (ran.code, ran.err) == (0, "")
    if form == "json":
        answer = ran.answer
        assert answer["selected_states"] == answer["matches"] == answer["length_histogram"] == []
        assert (answer["total_matches"], answer["full_matches"], answer["places"]) == (0, 0, 0)
        assert "0.5" in answer["reason"]
    elif form == "csv":
        assert ran.out == "rank,start,stop,length,overlap,union,sequence,tokens\n"
    else:
        assert "0.5" in ran.out


@pytest.mark.parametrize("threshold", ["1e300", "-1e300", "5", "-5"])
def test_a_threshold_outside_the_data_is_an_answer(
    run: Run, dataset_folder: Build, threshold: str
) -> None:
    arguments = f"--start 0 --stop 2 --threshold {threshold} --format json".split()
    answer = run("match", dataset_folder(), *arguments).answer
    n_on = 3 if threshold.startswith("-") else 0
    assert len(answer["selected_states"]) == n_on
    assert (answer["reason"] is None) == bool(n_on)


RANGE = "--start 3 --stop 6 --threshold 0.5"


def test_a_reason_calls_a_state_by_its_name(run: Run, dataset_folder: Build) -> None:
    answer = run("match", dataset_folder(), *"--start 3 --stop 6 --threshold 7".split())
    assert "state s0 comes closest" in answer.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (RANGE + " --source other", "no source 'other'; its sources are layer"),
        ("--start 3 --stop 6", "Missing option '--threshold'"),
        ("--threshold 0.5", "start and a stop"),
        ("--start 3 --threshold 0.5", "no stop"),
        ("--stop 3 --threshold 0.5", "no start"),
        ("--start x --stop 6 --threshold 0.5", "'x' is not a valid integer"),
        ("--start 3 --stop 6 --threshold high", "'high' is not a valid float"),
        ("--start 1_0 --stop 6 --threshold 0.5", "'1_0' is not a valid integer"),
        ("--start \uff13 --stop 6 --threshold 0.5", "'\uff13' is not a valid integer"),
        ("--start 3 --stop 6 --threshold 1_0.5", "'1_0.5' is not a valid float"),
        ("--start 3 --stop 6 --threshold \uff10.5", "'\uff10.5' is not a valid float"),
        ("--states 0,1_0 --threshold 0.5", "--states is '0,1_0'"),
        ("--states 0 --exclude 1_0 --threshold 0.5", "--exclude is '1_0'"),
        ("--states 0 --length 1_0 --threshold 0.5", "--length is '1_0'"),
        (f"--states 0 --threshold 0.5 --top {'9' * 5000}", "99…' is not a valid integer"),
        ("--start 3 --stop 6 --threshold nan", "finite"),
        ("--start 3 --stop 6 --threshold -inf", "finite"),
        ("--start 3 --stop 6 --threshold 1e999", "finite"),
        ("--start 6 --stop 6 --threshold 0.5", "empty"),
        ("--start 6 --stop 3 --threshold 0.5", "is reversed"),
        ("--start -1 --stop 3 --threshold 0.5", "outside"),
        ("--start 3 --stop 10 --threshold 0.5", "outside"),
        ("--start 3 --stop 99999999999999999999 --threshold 0.5", "outside"),
        (RANGE + " --polarity up", "'up' is not one of 'high', 'low', 'magnitude'"),
        (RANGE + " --format xml", "'xml' is not one of 'table', 'json', 'csv'"),
        (RANGE + " --off-before -1", "off_before is -1"),
        (RANGE + " --off-after -1", "off_after is -1"),
        (RANGE + " --offset -1", "offset is -1"),
        (RANGE + " --context -1", "context is -1"),
        (RANGE + " --min-overlap 0", "min_overlap is 0"),
        (RANGE + " --min-length 0", "min_length is 0"),
        (RANGE + " --top 0", "top is 0"),
        (RANGE + " --length 5:2", "The length range 5:2 is empty"),
        (RANGE + " --length 2:", "--length is '2:'"),
        (RANGE + " --length x", "--length is 'x'"),
        (RANGE + " --exclude 3", "states 0 to 2"),
        (RANGE + " --exclude 1,x", "--exclude is '1,x'"),
        ("--states 3 --threshold 0.5", "states 0 to 2"),
        ("--states 0,-1 --threshold 0.5", "states 0 to 2"),
        ("--states= --threshold 0.5", "list of states is empty"),
        (RANGE + " --colour red", "No such option '--colour'"),
        (RANGE + " extra", "extra"),
    ],
)
def test_a_bad_request_is_one_sentence(
    run: Run, dataset_folder: Build, arguments: str, says: str
) -> None:
    assert says in run("match", dataset_folder(), *arguments.split()).sentence


def test_numbers_larger_than_any_machine_word_are_answered(run: Run, dataset_folder: Build) -> None:
    huge = "9" * 30
    for option in ("top", "context", "off-before", "off-after", "offset", "min-overlap"):
        arguments = f"{RANGE} --{option} {huge} --format json".split()
        assert run("match", dataset_folder(), *arguments).answer["searched_steps"] == 9
    for more in (f"--min-length {huge}", f"--length 1:{huge}"):
        arguments = f"{RANGE} {more} --format json".split()
        assert run("match", dataset_folder(), *arguments).answer["searched_steps"] == 9


def test_a_range_over_a_sequence_boundary_names_the_boundary(
    run: Run, dataset_folder: Build
) -> None:
    data = dataset_folder(sequences=[7, 7, 7, 7, 8, 8, 8, 8, 8])
    assert "step 4" in run("match", data, *RANGE.split()).sentence
    at_the_boundary = "--start 2 --stop 4 --threshold 0.5 --off-after 1 --format json".split()
    answer = run("match", data, *at_the_boundary).answer
    assert answer["selected_states"] == [0]  # outside the sequence counts as off
    assert answer["matches"][0]["sequence"] == 7


def test_the_source_may_be_left_out_only_where_there_is_one(
    run: Run, dataset_folder: Build
) -> None:
    data = dataset_folder(sources={"one": example_rows(), "two": example_rows()})
    assert "--source: one, two" in run("match", data, *RANGE.split()).sentence
    arguments = [*RANGE.split(), "--source", "two", "--format", "json"]
    assert run("match", data, *arguments).answer["query"]["source"] == "two"


@pytest.mark.parametrize("seed", range(40))
def test_the_answer_is_that_of_the_definition(run: Run, dataset_folder: Build, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_steps, n_states = int(rng.integers(1, 24)), int(rng.integers(1, 7))
    kind = str(rng.choice(["float16", "float32", "float64"]))
    rows = rng.choice([-0.7, -0.25, 0.0, 0.25, 0.5, 0.7, np.nan], (n_steps, n_states)).astype(kind)
    cuts = np.sort(rng.choice(n_steps + 1, 2))
    sequences = np.repeat([10, 11, 12], np.diff([0, *cuts, n_steps])).tolist()
    offsets = np.array([0, *[s for s in range(1, n_steps) if sequences[s] != sequences[s - 1]]])
    offsets = np.append(offsets, n_steps)
    ordinal = int(rng.integers(len(offsets) - 1))
    start = int(rng.integers(offsets[ordinal], offsets[ordinal + 1]))
    query = naive.NaiveQuery(
        threshold=float(rng.choice([0.25, 0.5, 0.1, -0.25])),
        start=start,
        stop=int(rng.integers(start, min(offsets[ordinal + 1], start + 3))) + 1,
        polarity=str(rng.choice(["high", "low", "magnitude"])),
        off_before=int(rng.integers(0, 3)) * int(rng.integers(0, 2)),
        off_after=int(rng.integers(0, 3)) * int(rng.integers(0, 2)),
        exclude=(0,) if rng.random() < 0.2 else (),
        min_overlap=None if rng.random() < 0.5 else int(rng.integers(1, n_states + 1)),
        min_length=None if rng.random() < 0.5 else int(rng.integers(1, 4)),
        length=(1, 3) if rng.random() < 0.2 else None,
        overlapping=bool(rng.random() < 0.5),
        top=int(rng.choice([2, 50])),
        offset=int(rng.choice([0, 1])),
        context=int(rng.integers(0, 4)),
    )
    if rng.random() < 0.3:
        chosen = sorted(rng.choice(n_states, int(rng.integers(1, n_states + 1)), replace=False))
        query = replace(query, states=tuple(int(state) for state in chosen), start=None, stop=None)
    data = dataset_folder(sources={"layer": rows}, sequences=sequences)
    answer = run("match", data, *options(query), "--format", "json").answer

    expected = naive.Naive(rows, [int(offset) for offset in offsets], query).answer()
    assert answer["selected_states"] == list(expected["selected_states"])
    for name in ("searched_steps", "total_matches", "full_matches", "places"):
        assert answer[name] == expected[name], name
    assert [tuple(bar.values()) for bar in answer["length_histogram"]] == expected[
        "length_histogram"
    ]
    assert (answer["reason"] is None) == bool(expected["matches"])
    assert len(answer["matches"]) == len(expected["matches"])
    for match, wanted in zip(answer["matches"], expected["matches"], strict=True):
        rank, first, stop, overlap, union, sequence, profile_start, profile = wanted
        assert match["rank"] == rank
        assert (match["start"], match["stop"], match["length"]) == (first, stop, stop - first)
        assert (match["overlap"], match["union"]) == (overlap, union)
        assert match["sequence"] == sequences[int(offsets[sequence])]
        assert match["tokens"] == [f"w{step}" for step in range(first, stop)]
        assert match["profile_start"] == profile_start
        assert match["profile"] == pytest.approx(list(profile))


def options(query: naive.NaiveQuery) -> Iterator[str]:
    for name in query.__dataclass_fields__:
        value = getattr(query, name)
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            yield flag
        elif name == "length" and value is not None:
            yield from (flag, "{}:{}".format(*value))
        elif isinstance(value, tuple) and value:
            yield from (flag, ",".join(map(str, value)))
        elif isinstance(value, int | float | str) and value is not False:
            yield from (flag, str(value))


# ---------------------------------------------------------------------------------- broken data


def no_folder(data: Path) -> None:
    shutil.rmtree(data)


def a_file(data: Path) -> None:
    no_folder(data)
    data.touch()


def an_empty_folder(data: Path) -> None:
    no_folder(data)
    data.mkdir()


def no_states(data: Path) -> None:
    shutil.rmtree(data / "states")


def no_tokens(data: Path) -> None:
    (data / "tokens.parquet").unlink()


def truncated(data: Path) -> None:
    path = data / "states" / "layer.parquet"
    path.write_bytes(path.read_bytes()[:200])


def not_parquet(data: Path) -> None:
    (data / "states" / "layer.parquet").write_text("step,s0\n0,1\n")


def too_few_rows(data: Path) -> None:
    write_parquet(data / "states" / "layer.parquet", {"s0": np.zeros(8, np.float32)})


def no_rows(data: Path) -> None:
    write_parquet(data / "tokens.parquet", {"token": pa.array([], pa.string())})
    write_parquet(data / "states" / "layer.parquet", {"s0": np.zeros(0, np.float32)})


def text_states(data: Path) -> None:
    write_parquet(data / "states" / "layer.parquet", {"s0": list("abcdefghi")})


def a_sequence_that_comes_back(data: Path) -> None:
    columns = {"token": list("abcdefghi"), "sequence": [1, 1, 1, 2, 2, 2, 1, 1, 1]}
    write_parquet(data / "tokens.parquet", columns)


def a_null_token(data: Path) -> None:
    write_parquet(data / "tokens.parquet", {"token": [*"abcdefgh", None]})


def a_bad_config(data: Path) -> None:
    (data / "dataset.yaml").write_text("nmae: small\n")


NO_DATASET = [no_folder, a_file, an_empty_folder]
BROKEN = [
    no_states,
    no_tokens,
    truncated,
    not_parquet,
    too_few_rows,
    no_rows,
    text_states,
    a_sequence_that_comes_back,
    a_null_token,
    a_bad_config,
]


@pytest.mark.parametrize("breaks", [*NO_DATASET, *BROKEN])
def test_match_says_what_is_wrong_with_the_data(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    assert "small" in run("match", data, *RANGE.split()).sentence


@pytest.mark.parametrize("breaks", NO_DATASET)
def test_check_ends_with_2_where_there_is_no_dataset(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    assert "expected a dataset folder" in run("check", data).sentence


@pytest.mark.parametrize("breaks", BROKEN)
def test_check_ends_with_1_on_problems(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    ran = run("check", data)
    assert (ran.code, ran.err) == (1, "")
    assert "expected" in ran.out


def test_check_ends_with_0_on_a_clean_dataset_and_shows_what_is_there(
    run: Run, dataset_folder: Build
) -> None:
    ran = run("check", dataset_folder(sequences=[1] * 4 + [2] * 5))
    assert (ran.code, ran.err) == (0, "")
    for shown in ("layer", "float32", "9", "3"):
        assert shown in ran.out
    deep = run("check", dataset_folder(), "--deep")
    assert (deep.code, deep.err) == (0, "")
    assert "tokens.parquet" in deep.out


@pytest.mark.parametrize(
    ("started", "program"),
    [
        ([".venv/bin/python", "-m", "app", "check"], ".venv/bin/python -m app"),
        (["/a b/python", "-m", "app", "check"], "'/a b/python' -m app"),
        (["python", "-m", "pytest"], "python -m app"),
    ],
)
def test_commands_are_printed_as_this_one_was_started(
    run: Run,
    dataset_folder: Build,
    monkeypatch: pytest.MonkeyPatch,
    started: list[str],
    program: str,
) -> None:
    monkeypatch.setattr(sys, "orig_argv", started)
    data = dataset_folder()
    assert f"Ready: {program} serve {data}\n" in run("check", data).out
    assert f"{program} match --help" in run("match", data, "--start", "x").sentence


def test_check_looks_at_every_dataset_of_a_folder_as_serve_does(
    run: Run, dataset_folder: Build
) -> None:
    root = dataset_folder("one").parent
    dataset_folder("two")
    (root / "notes").mkdir()
    ran = run("check", root)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{root} is a folder of 2 datasets.\n")
    for name in ("one", "two"):
        assert f"Ready: python -m app serve {root / name}\n" in ran.out
    assert ran.out.endswith("2 of 2 datasets can be served.\n")
    (root / "one" / "tokens.parquet").write_bytes(b"no parquet")
    ran = run("check", root)
    assert (ran.code, ran.err) == (1, "")
    assert "one/tokens.parquet" in ran.out
    assert ran.out.endswith("1 of 2 datasets can be served; there are problems in 'one'.\n")
    # Where one dataset is needed, those that are there are named.
    assert "found a folder of 2 datasets ('one', 'two')" in run("match", root, *RANGE.split()).err


def test_warnings_are_not_problems(run: Run, dataset_folder: Build) -> None:
    rows = example_rows()
    rows[:, 2] = np.nan
    rows[0, 1] = np.inf
    data = dataset_folder(sources={"layer": rows})
    ran = run("check", data)
    assert ran.code == 0
    assert "NaN" in ran.out
    answer = run("match", data, *"--start 0 --stop 1 --threshold -9 --format json".split()).answer
    assert answer["selected_states"] == [0, 1]


@pytest.mark.parametrize(("n_steps", "n_states"), [(1, 3), (9, 1), (1, 1)])
def test_one_row_and_one_state_are_enough(
    run: Run, dataset_folder: Build, n_steps: int, n_states: int
) -> None:
    data = dataset_folder(sources={"layer": np.ones((n_steps, n_states), np.float32)})
    assert run("check", data).code == 0
    answer = run("match", data, *"--start 0 --stop 1 --threshold 1 --format json".split()).answer
    assert len(answer["selected_states"]) == n_states
    assert [(m["start"], m["stop"]) for m in answer["matches"]] == [(0, n_steps)]


def test_an_index_that_pandas_wrote_is_no_state(run: Run, dataset_folder: Build) -> None:
    data = dataset_folder()
    frame = pd.DataFrame(example_rows(), columns=["a", "b", "c"])
    frame.index = pd.Index(np.arange(9.0) + 100, name="when")
    frame.to_parquet(data / "states" / "layer.parquet")
    answer = run("match", data, *"--start 0 --stop 1 --threshold -9 --format json".split()).answer
    assert answer["state_names"] == ["a", "b", "c"]
    assert "when" in run("check", data).out


# ------------------------------------------------------------------------------- the rest of it


@pytest.mark.parametrize("verb", ["", "serve", "check", "match", "demo"])
def test_help_is_there(run: Run, verb: str) -> None:
    ran = run(*verb.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "--help" in ran.out


def test_no_verb_is_the_help(run: Run) -> None:
    assert run().out == run("--help").out


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys; from app.cli.main import main; main(['match', '--help']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not {"numpy", "numba", "pyarrow", "dash", "gunicorn"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("paint", "No such command 'paint'"),
        ("check", "Missing argument 'DATA'"),
        ("check a b", "b"),
        ("demo nothing", "There is no demo 'nothing'; the demos are"),
        ("demo --from here", "--from goes with the NAME of a demo"),
        ("demo parens --from here", "comes along whole; leave out --from"),
        ("demo chords --from songs.txt", "demo chords --from FILE --out FOLDER"),
        ("demo brown --out there", "demo chords --from FILE --out FOLDER"),
        ("demo brown --from nowhere", "nowhere does not hold the Brown corpus"),
        ("serve --port x", "--port is 'x'"),
        ("serve --threads 0", "--threads is '0'"),
        ("serve --cache-bytes lots", "--cache-bytes is 'lots'"),
    ],
)
def test_a_bad_command_is_one_sentence(run: Run, arguments: str, says: str) -> None:
    assert says in run(*arguments.split()).sentence


def test_songs_of_ones_own_become_a_dataset(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("One\tC major\t| C F G7 | C^\nTwo\t| Am Xyz F\n")
    arguments = ["--from", tmp_path / "mine.txt", "--out", tmp_path / "mine"]
    ran = run("demo", "chords", *arguments)
    assert (ran.code, ran.out.strip()) == (0, str(tmp_path / "mine"))
    assert "2 songs read; 1 token is no chord that the model knows" in ran.err
    assert "Xyz (1)" in ran.err
    assert "Problems: none" in run("check", tmp_path / "mine").out
    # Nothing of the user's is ever replaced.
    assert "mine" in run("demo", "chords", *arguments).sentence


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(
    run: Run, dataset_folder: Build, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    arguments = [*RANGE.split(), "--cache-dir", tmp_path / "file"]
    assert "cannot be written" in run("match", dataset_folder(), *arguments).sentence


def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_traceback_on_request(
    run: Run, monkeypatch: pytest.MonkeyPatch, dataset_folder: Build
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("loaders.open_dataset", fails)
    ran = run("match", dataset_folder(), *RANGE.split())
    assert ran.code == 2
    assert ran.err.startswith("Something unforeseen went wrong (ZeroDivisionError: division by")
    assert ran.err.count("\n") == 1
    monkeypatch.setenv("STATEBRUSH_DEBUG", "1")
    assert "Traceback" in run("match", dataset_folder(), *RANGE.split()).err


# ---------------------------------------------------------------------------------------- serve


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_told_before_any_work(run: Run, taken_port: int) -> None:
    says = f"Port {taken_port} on 127.0.0.1 is in use"
    assert says in run("serve", "--port", taken_port).sentence


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "The host 'nowhere.invalid' cannot be found"),
        ("192.0.2.1", "192.0.2.1 is not an address of this machine"),
        ("a" * 64, "cannot be found"),
    ],
)
def test_a_host_that_is_not_here_is_one_sentence(run: Run, host: str, says: str) -> None:
    assert says in run("serve", "--host", host, "--port", 0).sentence


def test_a_port_that_is_not_allowed_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert "may not listen on port 80" in run("serve", "--port", 80).sentence


def test_serve_ends_with_2_when_no_dataset_is_good(
    run: Run, dataset_folder: Build, tmp_path: Path
) -> None:
    data = dataset_folder()
    too_few_rows(data)
    ran = run("serve", data, tmp_path / "nothing", "--port", 0)
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert "8 rows" in first
    assert "nothing" in second


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_address_is_one_that_a_browser_takes(host: str) -> None:
    with serving.bind(host, 0) as listener:
        port = listener.getsockname()[1]
        assert serving.url(host, listener) == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_where_it_says_and_ends_cleanly(
    dataset_folder: Build, cache: Path, end: signal.Signals
) -> None:
    good, broken, damaged = map(dataset_folder, ("good", "broken", "and damaged"))
    truncated(broken)
    states = (
        damaged / "states" / "layer.parquet"
    )  # its footer is fine, and it would be opened first
    content = states.read_bytes()
    states.write_bytes(content[:4] + bytes([255] * 200) + content[204:])
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", good.parent, "--port", "0", "--cache-dir", cache],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("Statebrush is at http://127.0.0.1:")
        address = line.split()[-1]
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.status == 200
            assert "Statebrush" in answer.read().decode()
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
            if end == signal.SIGINT:  # a thread is still at work: nobody waits for it
                client.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
                time.sleep(0.1)
            server.send_signal(end)
            out, err = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert (server.returncode, out) == (0, "")
    # A busy machine may be slow enough for progress to be told.
    first, second = [line for line in err.splitlines() if not line.startswith("Preparing")]
    assert "and damaged/states/layer.parquet" in first
    assert "broken" in second


def test_clients_that_do_not_read_do_not_hold_all_threads(tmp_path: Path, cache: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(2_000, 256)).astype(np.float32)
    data = write_dataset(tmp_path / "wide", tokens=["w"] * len(rows), states={"layer": rows})
    large = (
        f"/api/v1/context?dataset=wide&start=0&stop=2000&states={','.join(map(str, range(256)))}"
    )
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "app", "serve", data, "--cache-dir", cache),
            *("--port", "0", "--threads", "2"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    clients = [socket.socket() for _ in range(2)]
    states = []
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", int(address.rpartition(":")[2])))
            client.settimeout(60)
            client.sendall(f"GET {large} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            states.append(client.recv(12))
        assert states == [b"HTTP/1.1 200", b"HTTP/1.1 503"]
        with urllib.request.urlopen(f"{address}/api/v1/datasets", timeout=60) as answer:
            assert answer.status == 200
    finally:
        for client in clients:
            client.close()
        server.kill()
        server.communicate()


def test_a_server_may_hold_more_files_open_than_a_shell_begins_with() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
        serving.allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_an_interrupted_first_opening_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((300_000, 64), np.float32)
    tokens = np.zeros(len(rows), "U1")
    data = write_dataset(tmp_path / "big", tokens=tokens, states={"layer": rows})
    copies = tmp_path / "cache" / "sources"
    command = [
        *(sys.executable, "-m", "app", "match", str(data), "--cache-dir", str(tmp_path / "cache")),
        *"--states 0,1 --threshold 0.5 --min-overlap 2 --workers 1 --format json".split(),
    ]
    pipe = subprocess.PIPE
    # Tests that run in the background of a shell are deaf to Ctrl+C, and so would be the command.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        first = subprocess.Popen(
            command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    while not list(copies.glob("*.tmp/rows-taken-in")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.001)
    # Ctrl+C reaches every process of a command, the one of --workers as well.
    os.killpg(first.pid, signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert (first.returncode, out, err.strip()) == (130, "", "")
    assert [path.suffix for path in copies.iterdir()] == [".lock"]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    answer = json.loads(again.stdout)
    assert answer["searched_steps"] == len(rows)
    assert answer["total_matches"] > 0


def test_kernels_are_compiled_into_the_folder_that_is_set_before_anybody_can_ask_for_a_match(
    dataset_folder: Build, cache: Path, tmp_path: Path
) -> None:
    kernels = tmp_path / "kernels"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "app",
            "serve",
            dataset_folder(),
            "--port",
            "0",
            "--cache-dir",
            cache,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(kernels)},
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Statebrush is at http")
        before = {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb*")}
    finally:
        server.terminate()
        _, err = server.communicate(timeout=30)
    assert "Compiling the search" in err
    # the same queries as the warm-up covers (test_matching_service.py) add nothing
    assert len([path for path in before if path.suffix == ".nbc"]) >= 5
    assert {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb*")} == before


def test_the_entry_for_teams_takes_its_settings_from_the_environment(
    dataset_folder: Build, cache: Path
) -> None:
    code = "from app.wsgi import server; print(server.test_client().get('/').status)"
    environ = {"STATEBRUSH_DATA": str(dataset_folder()), "STATEBRUSH_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    assert (done.returncode, done.stdout) == (0, "200 OK\n"), done.stderr


def test_the_entry_for_teams_starts_on_the_demos_without_fetching_anything(cache: Path) -> None:
    code = """
from demos import registry
registry.DEMOS = (registry.get("parens"), registry.get("brown"))
from app.wsgi import server
print(server.test_client().get("/api/v1/datasets").json["datasets"][0]["id"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        # Where there is no npm.
        env={**os.environ, "STATEBRUSH_CACHE_DIR": str(cache), "STATEBRUSH_DATA": "", "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (0, "parens\n"), done.stderr
