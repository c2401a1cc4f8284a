"""`match`, as other programs and people meet it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loaders.writer import write_dataset
from tests import ROOT, naive
from tests.app.cli.broken import BROKEN, NO_DATASET
from tests.app.cli.conftest import RANGE, Build, Ran, Run
from tests.conftest import example_rows, write_parquet


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


def test_match_works_as_a_separate_program(dataset_folder: Build, cache: Path) -> None:
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
def test_match_gives_the_same_answer_with_worker_processes(
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


def test_match_writes_csv_for_spreadsheets(run: Run, dataset_folder: Build) -> None:
    data = dataset_folder(tokens=["=1+1", "@SUM(A1)", "+é"] * 3)
    asked = ("match", data, *"--states 0,1 --threshold 0.5 --min-overlap 1 --min-length 1".split())
    plain = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv").out, newline="")))
    out = run(*asked, "--format", "spreadsheet").out
    assert out.startswith(
        "\ufeffrank,states,other states on,length,step,last step,sequence,words\r\n"
    )
    rows = list(csv.DictReader(io.StringIO(out[1:], newline="")))
    for row, exact in zip(rows, plain, strict=True):
        assert row["words"] == f"'{exact['tokens']}"
        assert (row["step"], row["states"]) == (exact["start"], exact["overlap"])
        assert int(row["other states on"]) == int(exact["union"]) - 2
    assert rows


@pytest.mark.parametrize("form", ["json", "csv", "spreadsheet"])
def test_match_writes_the_words_around_and_annotations_if_asked(
    run: Run, dataset_folder: Build, form: str
) -> None:
    data = Path(str(dataset_folder()))
    tags = [None if i == 4 else f"t{i}" for i in range(9)]
    write_parquet(data / "annotations" / "tag.parquet", {"tag": tags})
    asked = ("match", data, *f"--start 3 --stop 6 --threshold 0.5 --format {form}".split())
    ran = run(*asked, "--context-words", 2, "--annotations", "tag")
    assert (ran.code, ran.err) == (0, "")
    if form == "json":
        best = ran.answer["matches"][0]
        assert (best["before"], best["after"]) == (["w1", "w2"], ["w6", "w7"])
        assert best["annotations"] == {"tag": ["t3", None, "t5"]}
        bare = run(*asked).answer["matches"][0]
        assert bare == {key: best[key] for key in bare}
        return
    row = next(csv.DictReader(io.StringIO(ran.out.removeprefix("\ufeff"), newline="")))
    if form == "csv":
        assert (row["before"], row["tokens"], row["after"]) == ("w1 w2", "w3 w4 w5", "w6 w7")
        assert json.loads(row["annotations.tag"]) == ["t3", None, "t5"]
    else:
        assert (row["words before"], row["words after"]) == ("w1 w2", "w6 w7")
        assert row["tag"] == "t3 |  | t5"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--context-words 3", "give --format json"),
        ("--annotations none --format json", "has no annotation 'none'"),
        ("--context-words 101 --format csv", "--context-words is 101"),
        ("--context-words -1 --format csv", "from 0 to 100"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(
    run: Run, dataset_folder: Build, options: str, says: str
) -> None:
    asked = "--start 3 --stop 6 --threshold 0.5".split()
    assert says in run("match", dataset_folder(), *asked, *options.split()).sentence


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


def test_a_reason_uses_the_name_of_a_state(run: Run, dataset_folder: Build) -> None:
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


def test_the_error_for_a_range_across_a_boundary_names_it(run: Run, dataset_folder: Build) -> None:
    data = dataset_folder(sequences=[7, 7, 7, 7, 8, 8, 8, 8, 8])
    assert "step 4" in run("match", data, *RANGE.split()).sentence
    at_the_boundary = "--start 2 --stop 4 --threshold 0.5 --off-after 1 --format json".split()
    answer = run("match", data, *at_the_boundary).answer
    assert answer["selected_states"] == [0]  # outside the sequence counts as off
    assert answer["matches"][0]["sequence"] == 7


def test_the_source_is_optional_only_if_there_is_one(run: Run, dataset_folder: Build) -> None:
    data = dataset_folder(sources={"one": example_rows(), "two": example_rows()})
    assert "--source: one, two" in run("match", data, *RANGE.split()).sentence
    arguments = [*RANGE.split(), "--source", "two", "--format", "json"]
    assert run("match", data, *arguments).answer["query"]["source"] == "two"


@pytest.mark.parametrize("seed", range(40))
def test_the_answer_follows_the_definition(run: Run, dataset_folder: Build, seed: int) -> None:
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
    for match, expected_match in zip(answer["matches"], expected["matches"], strict=True):
        rank, first, stop, overlap, union, sequence, profile_start, profile = expected_match
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


@pytest.mark.parametrize("breaks", [*NO_DATASET, *BROKEN])
def test_match_reports_problems_of_the_data(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    assert "small" in run("match", data, *RANGE.split()).sentence


@pytest.mark.parametrize(("n_steps", "n_states"), [(1, 3), (9, 1), (1, 1)])
def test_one_row_and_one_state_are_enough(
    run: Run, dataset_folder: Build, n_steps: int, n_states: int
) -> None:
    data = dataset_folder(sources={"layer": np.ones((n_steps, n_states), np.float32)})
    assert run("check", data).code == 0
    answer = run("match", data, *"--start 0 --stop 1 --threshold 1 --format json".split()).answer
    assert len(answer["selected_states"]) == n_states
    assert [(m["start"], m["stop"]) for m in answer["matches"]] == [(0, n_steps)]


def test_an_index_written_by_pandas_is_not_a_state(run: Run, dataset_folder: Build) -> None:
    data = dataset_folder()
    frame = pd.DataFrame(example_rows(), columns=["a", "b", "c"])
    frame.index = pd.Index(np.arange(9.0) + 100, name="when")
    frame.to_parquet(data / "states" / "layer.parquet")
    answer = run("match", data, *"--start 0 --stop 1 --threshold -9 --format json".split()).answer
    assert answer["state_names"] == ["a", "b", "c"]
    assert "when" in run("check", data).out


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
    # Tests in the background of a shell ignore Ctrl+C, and the command would inherit this.
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
    # Ctrl+C reaches every process of a command, including those of --workers.
    os.killpg(first.pid, signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert (first.returncode, out, err.strip()) == (130, "", "")
    assert [path.suffix for path in copies.iterdir()] == [".lock"]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    answer = json.loads(again.stdout)
    assert answer["searched_steps"] == len(rows)
    assert answer["total_matches"] > 0
