"""`import arrays`, `import csv`, `import conll`: what is imported, and the errors."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cli.main import main
from loaders.check import check
from loaders.dataset import Dataset, open_dataset
from loaders.importers.arrays import open_arrays
from loaders.importers.conll import Layout, read_conll
from loaders.importers.joining import add_annotations, import_arrays
from loaders.importers.plain import read_plain
from loaders.importers.spans import Spans
from loaders.importers.steps import BATCH, Piece
from loaders.writer import write_dataset

RNG = np.random.default_rng(4)
H = RNG.normal(size=(6, 3)).astype(np.float32)
P = RNG.normal(size=(2, 4, 3)).astype(np.float32)
WORDS = ["the", "cat", "sat", "on", "a", "mat"]


class Desk:
    """A working folder, and the command line."""

    def __init__(self, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.capfd = capfd
        np.save(path / "h.npy", H)
        np.save(path / "p.npy", P)
        self.put("tokens.txt", "\n".join(WORDS) + "\n")

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, line: str) -> tuple[int, str, str]:
        """Run `import LINE`; words with a dot in them, `out` and `there` are paths in the folder."""
        words = []
        for word in line.split():
            name, equals, file = word.rpartition("=")
            is_path = "." in file or file in ("out", "there")
            words.append(name + equals + (str(self.path / file) if is_path else file))
        self.capfd.readouterr()
        code = main(["import", *words])
        return (code, *self.capfd.readouterr())

    def good(self, line: str) -> Dataset:
        """Run it and return the resulting dataset, which has neither problems nor warnings."""
        code, self.out, err = self.run(line)
        assert (code, err) == (0, ""), err
        report = check(self.path / "out")
        assert report.problems == report.warnings == ()
        return open_dataset(self.path / "out", self.path / "cache")

    def sentence(self, line: str) -> str:
        """Run it and return the sentence it fails with; nothing is left behind."""
        before = sorted(self.path.rglob("*"))
        code, out, err = self.run(line)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert err.endswith(".\n")
        assert "Something unexpected" not in err
        assert sorted(self.path.rglob("*")) == before
        return err.replace(str(self.path) + "/", "")


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capfd)


def rows(dataset: Dataset, name: str) -> np.ndarray[Any, Any]:
    return dataset.open_source(name).window(0, dataset.n_steps)


# -------------------------------------------------------------------------------------- arrays


def test_npy_with_one_token_per_line(desk: Desk) -> None:
    dataset = desk.good("arrays h.npy out --tokens tokens.txt --name Cats")
    assert dataset.tokens(0, 9) == WORDS
    assert dataset.name == "Cats"
    assert rows(dataset, "h").dtype == np.float32
    assert np.array_equal(rows(dataset, "h"), H)
    assert len(dataset.sequences) == 1
    assert desk.out == f"{desk.path}/out: 6 steps; source h.\n"


def test_every_array_of_an_npz_is_a_source_in_either_order(desk: Desk) -> None:
    np.savez_compressed(desk.path / "s.npz", c=H, f=np.asfortranarray(H * 2), note=np.arange(3))
    np.savez(desk.path / "one.npz", H * 3)
    dataset = desk.good("arrays s.npz one.npz big=h.npy out --tokens tokens.txt")
    assert sorted(dataset.sources) == ["big", "c", "f", "one"]
    for name, factor in {"c": 1, "f": 2, "one": 3, "big": 1}.items():
        assert np.array_equal(rows(dataset, name), H * np.float32(factor))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [">f4", "<f2", "i2", "f8"])
def test_types_and_orders_of_npy(desk: Desk, kind: str, order: Any) -> None:
    values = np.asarray(H * 100, dtype=kind, order=order)
    np.save(desk.path / "h.npy", values)
    dataset = desk.good("arrays h.npy out --tokens tokens.txt")
    assert np.array_equal(rows(dataset, "h"), values)


def test_three_axes_with_one_sequence_per_line(desk: Desk) -> None:
    desk.put("songs.txt", "the cat sat on\r\n\r\na mat\r\n")
    dataset = desk.good("arrays p.npy out --tokens songs.txt --split words --dtype float16")
    assert dataset.sequences.offsets.tolist() == [0, 4, 6]
    assert np.array_equal(rows(dataset, "p"), np.concatenate([P[0], P[1, :2]]).astype("f2"))


def test_three_axes_padded_before_with_lengths(desk: Desk) -> None:
    desk.put("lengths.txt", "4\n2\n")
    dataset = desk.good(
        "arrays p.npy out --tokens tokens.txt --lengths lengths.txt --padding before"
    )
    assert dataset.sequences.offsets.tolist() == [0, 4, 6]
    assert np.array_equal(rows(dataset, "p"), np.concatenate([P[0], P[1, 2:]]))


def test_three_axes_without_padding_are_sequences(desk: Desk) -> None:
    np.save(desk.path / "ids.npy", np.arange(8).reshape(2, 4))
    desk.put("vocabulary.txt", "\n".join("abcdefgh"))
    dataset = desk.good("arrays p.npy out --tokens ids.npy --vocabulary vocabulary.txt")
    assert dataset.tokens(3, 5) == ["d", "e"]
    assert dataset.sequences.offsets.tolist() == [0, 4, 8]
    assert np.array_equal(rows(dataset, "p"), P.reshape(8, 3))


def test_characters_with_line_ends_and_empty_tokens(desk: Desk) -> None:
    desk.put("text.txt", "a b\nç\n")
    assert desk.good("arrays h.npy out --tokens text.txt --split characters").tokens(0, 6) == [
        *("a", " ", "b", "\n", "ç", "\n")
    ]
    desk.put("text.txt", b"\xef\xbb\xbfx\n\n y\nz\x0bz\n\n\xe2\x80\xa8")
    dataset = desk.good("arrays h.npy out --tokens text.txt --overwrite")
    assert dataset.tokens(0, 6) == ["x", "", " y", "z\x0bz", "", "\u2028"]


def test_tokens_from_json_and_numpy_text(desk: Desk) -> None:
    desk.put("t.json", json.dumps([["a", "b"], [], ["c", "d", "e", "\ud800"]]))
    dataset = desk.good("arrays h.npy out --tokens t.json")
    assert dataset.tokens(0, 6) == ["a", "b", "c", "d", "e", "?"]
    assert dataset.sequences.offsets.tolist() == [0, 2, 6]
    np.save(desk.path / "t.npy", np.array(WORDS))
    assert desk.good("arrays h.npy out --tokens t.npy --overwrite").tokens(0, 6) == WORDS
    desk.put("v.json", json.dumps({"a": 0, "b": 7}))
    np.save(desk.path / "t.npy", np.array([0, 7, 7, 0, 0, 7]))
    dataset = desk.good("arrays h.npy out --tokens t.npy --vocabulary v.json --overwrite")
    assert "".join(dataset.tokens(0, 6)) == "abbaab"


def test_states_are_imported_without_being_in_memory(desk: Desk) -> None:
    n = 36_000
    big = np.lib.format.open_memmap(desk.path / "b.npy", "w+", np.float32, (n, 1024))  # 147 MB
    big[:, 0] = np.arange(n)
    big.flush()
    np.save(desk.path / "t.npy", np.zeros(n, np.int8))
    tracemalloc.start()
    code, _, err = desk.run("arrays b.npy out --tokens t.npy --dtype float16")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (code, err) == (0, "")
    assert peak < 120e6, peak
    states = pq.ParquetFile(desk.path / "out" / "states" / "b.parquet")
    assert states.metadata.num_row_groups == 3
    assert np.array_equal(states.read(["0"]).column(0).to_numpy(), np.arange(n, dtype=np.float16))


def test_progress_ends_with_all_steps_of_tokens_and_sources(desk: Desk) -> None:
    seen: list[tuple[int, int]] = []
    arrays = [*open_arrays(desk.path / "h.npy"), *open_arrays(desk.path / "h.npy", "again")]
    steps = read_plain(desk.path / "tokens.txt")
    import_arrays(
        desk.path / "out", steps, arrays, progress=lambda *reported: seen.append(reported)
    )
    assert seen == [(6, 18), (12, 18), (18, 18)]
    seen.clear()
    read_plain(desk.path / "tokens.txt", progress=lambda *reported: seen.append(reported))
    assert seen == [(6, 6)]


def test_bare_import_lists_the_formats(desk: Desk) -> None:
    code, out, err = desk.run("")
    assert (code, err) == (0, "")
    assert all(name in out for name in ("arrays", "csv", "conll", "lstmvis"))


WRONG_ARRAYS = {
    "arrays h.npy out --tokens missing.txt": ["missing.txt", "no such file"],
    "arrays missing.npy out --tokens tokens.txt": ["missing.npy", "no such file"],
    "arrays tokens.txt out --tokens tokens.txt": ["tokens.txt", "a NumPy file"],
    "arrays p.npy out --tokens tokens.txt": ["p.npy", "6 steps", "2 sequences of 4", "--lengths"],
    "arrays h.npy out --tokens five.txt": ["h.npy", "5 rows", "found 6"],
    "arrays h.npy h.npy out --tokens tokens.txt": ["'h' twice", "NAME=FILE"],
    "arrays a/b=h.npy out --tokens tokens.txt": ["'a/b' cannot be a file name"],
    "arrays bool.npy out --tokens tokens.txt": ["bool.npy", "shape (6, 3) of bool", "astype"],
    "arrays objects.npy out --tokens tokens.txt": ["objects.npy", "Python objects (pickled)"],
    "arrays flat.npy out --tokens tokens.txt": ["flat.npy", "shape (6,)"],
    "arrays cut.npy out --tokens tokens.txt": ["cut.npy", "72 bytes", "write the file again"],
    "arrays cut.npz out --tokens tokens.txt": ["cut.npz"],
    "arrays empty.npz out --tokens tokens.txt": ["empty.npz", "two or three axes"],
    "arrays long.npy out --tokens tokens.txt": ["long.npy", "float128", "--dtype float64"],
    "arrays huge.npy out --tokens tokens.txt --dtype float16": [
        "huge.npy, row 0",
        "65504",
        "1e+06",
    ],
    "arrays h.npy out --tokens empty.txt": ["empty.txt", "at least one step"],
    "arrays h.npy out --tokens latin.txt": ["latin.txt", "0xe9", "--encoding"],
    "arrays h.npy out --tokens tokens.txt --encoding klingon": ["'klingon'"],
    "arrays h.npy out --tokens bad.json": ["bad.json, line 1", "fix"],
    "arrays h.npy out --tokens numbers.json": ["numbers.json, token 1", "text in quotes", "2"],
    "arrays h.npy out --tokens object.json": ["object.json", "a list of tokens"],
    "arrays h.npy out --tokens ids.npy --vocabulary five.txt": ["ids.npy, step 5", "five.txt"],
    "arrays h.npy out --tokens tokens.txt --vocabulary five.txt": ["--vocabulary", ".npy"],
    "arrays h.npy out --tokens h.npy": ["h.npy", "text or whole numbers"],
    "arrays p.npy out --tokens tokens.txt --lengths five.txt": ["five.txt, line 1", "'the'"],
    "arrays p.npy out --tokens tokens.txt --lengths 3+2.txt": ["3+2.txt", "add up to 6", "5"],
    "arrays p.npy out --tokens tokens.txt --lengths 0+6.txt": ["sequence 0", "1 or more"],
    "arrays p.npy out --tokens tokens.txt --lengths 1+5.txt": ["sequence 1", "5 steps", "found 4"],
    "arrays p.npy out --tokens tokens.txt --lengths no.npy": ["no.npy", "whole numbers", "none"],
    "arrays p.npy out --tokens tokens.txt --lengths 6.txt": ["p.npy", "1 sequence", "found 2"],
    "arrays p.npy out --tokens two.json --lengths 6.txt": ["6.txt", "sequences in"],
    "arrays h.npy out": ["--tokens"],
    "arrays h.npy tokens.txt --tokens tokens.txt": [
        "tokens.txt already exists",
        "replace it with --overwrite",
    ],
}


@pytest.mark.parametrize("line", WRONG_ARRAYS)
def test_an_error_in_arrays_is_one_sentence(desk: Desk, line: str) -> None:
    five = "\n".join(WORDS[:5])
    texts: dict[str, str | bytes] = {
        "five.txt": five,
        "empty.txt": "",
        "latin.txt": "caf\xe9\n".encode("latin-1"),
        "bad.json": "[1, ",
        "numbers.json": '["a", 2]',
        "object.json": '{"a": 1}',
        "two.json": '[["a"], ["b", "c", "d", "e", "f"]]',
        **{f"{text}.txt": text.replace("+", " ") for text in ("3+2", "0+6", "1+5", "6")},
    }
    for name, text in texts.items():
        desk.put(name, text)
    np.save(desk.path / "bool.npy", H > 0)
    np.save(desk.path / "flat.npy", H[:, 0])
    np.save(desk.path / "long.npy", H.astype(np.longdouble))
    np.save(desk.path / "huge.npy", np.full((6, 2), 1e6))
    np.save(desk.path / "ids.npy", np.arange(6))
    np.save(desk.path / "no.npy", np.arange(0))
    np.save(desk.path / "objects.npy", np.array([["a", 1]] * 6, object), allow_pickle=True)
    desk.put("cut.npy", (desk.path / "h.npy").read_bytes()[:-9])
    np.savez(desk.path / "empty.npz", a=np.arange(3))
    desk.put("cut.npz", (desk.path / "empty.npz").read_bytes()[:60])
    found = desk.sentence(line)
    assert all(name in found for name in WRONG_ARRAYS[line]), found


# ----------------------------------------------------------------------------------------- csv

TABLE = '''token,sequence,pos,chunk,mood,n,p,empty
the,a,DET,B-NP,,1,0.5,
"cat, ""black""",a,NOUN,I-NP,good,2,1e-3,
,a,VERB,O,bad,-3,nan,
"two
lines",b,ADP,B-PP,good,4,.5,
a,b,DET,B-NP,good,5,,
mat,b,NOUN,I-NP,bad,6,-inf,
'''


def test_a_table_is_tokens_sequences_and_annotations_by_their_types(desk: Desk) -> None:
    desk.put("t.csv", TABLE)
    dataset = desk.good("csv t.csv out --states h.npy")
    assert dataset.tokens(0, 6) == ["the", 'cat, "black"', "", "two\nlines", "a", "mat"]
    assert dataset.sequences.ids == ("a", "b")
    assert {name: a.kind for name, a in dataset.annotations.items()} == {
        "pos": "categorical",
        "mood": "categorical",
        "n": "categorical",
        "p": "scalar",
        "chunk": "interval",
    }
    assert dataset.annotations["chunk"].spans(0, 6) == [(0, 2, "NP"), (3, 4, "PP"), (4, 6, "NP")]
    assert dataset.annotations["mood"].codes(0, 2).tolist() == [-1, 1]
    assert dataset.annotations["p"].values(0, 4).tolist()[:2] == [0.5, 1e-3]
    assert "column 'empty'" in desk.out and "Not imported" in desk.out


def test_a_table_with_other_names_delimiter_and_tags_kept(desk: Desk) -> None:
    desk.put("t.csv", TABLE.replace("token,sequence", "w;id", 1).replace(",", ";"))
    dataset = desk.good(
        "csv t.csv out --states x=h.npy --token w --sequence id --keep-tags --delimiter ;"
    )
    assert dataset.sequences.ids == ("a", "b")
    assert dataset.annotations["chunk"].kind == "categorical"
    assert list(dataset.sources) == ["x"]


def test_numbers_that_are_names_stay_text_and_sequences_stay_numbers(desk: Desk) -> None:
    desk.put(
        "t.tsv",
        "token\tsequence\tzip\tid\tflag\n"
        + "".join(f"w\t{10 + i // 3}\t0{i}\t{10**18 + i}\tTrue\n" for i in range(6)),
    )
    dataset = desk.good("csv t.tsv out --states h.npy")
    assert dataset.sequences.ids == (10, 11)
    table = pq.read_schema(desk.path / "out" / "tokens.parquet")
    assert [str(kind) for kind in table.types] == ["string", "int64", "string", "string", "bool"]


def test_annotations_are_added_to_an_existing_dataset(desk: Desk) -> None:
    desk.good("arrays h.npy out --tokens tokens.txt")
    desk.put("more.csv", "token,tag\n" + "".join(f"{w},{i % 2}\n" for i, w in enumerate(WORDS)))
    desk.put("phrase.csv", "label,start,stop,why\nPP,3,6,x\nNP,0,2,y\n")
    before = (desk.path / "out" / "tokens.parquet").read_bytes()
    desk.good("csv more.csv out --add")
    dataset = desk.good("csv phrase.csv out --add")
    assert "the columns 'why'" in desk.out
    assert dataset.annotations["phrase"].spans(0, 6) == [(0, 2, "NP"), (3, 6, "PP")]
    assert dataset.annotations["tag"].codes(0, 3).tolist() == [0, 1, 0]
    assert (desk.path / "out" / "tokens.parquet").read_bytes() == before
    assert "--overwrite" in desk.sentence("csv more.csv out --add")
    desk.put("more.csv", (desk.path / "more.csv").read_text().replace(",0", ",2"))
    assert (
        desk.good("csv more.csv out --add --overwrite").annotations["tag"].categories[1].label
        == "2"
    )


WRONG_TABLES = {
    ("token,a\nx,1\n", ""): ["states are missing"],
    ("tokens,a\nx,1\n", "--states h.npy"): ["a column 'token'", "'tokens', 'a'", "--token"],
    ("token,a\nx,1\n", "--states h.npy --sequence s"): ["a column 's'"],
    ("", "--states h.npy"): ["an empty file"],
    ("token,a\n", "--states h.npy"): ["at least one step"],
    ("token,a\nx,1\ny\n", "--states h.npy"): ["line 3", "2 cells", "1 cell"],
    ("token,a\nx,1\n\ny,1\n", "--states h.npy"): ["line 3", "an empty line"],
    ('token,a\nx,1\n"y,2\n', "--states h.npy"): ["line 3", "unexpected end of data"],
    ('token,a\nx,"1"2\n', "--states h.npy"): ["line 2", "expected after"],
    ("token,a,a\nx,1,2\n", "--states h.npy"): ["line 1", "'a' more than once"],
    (",token\n0,x\n", "--states h.npy"): ["a column without a name", "index=False"],
    ("word,token\nx,1\n", "--states h.npy --token word"): ["no other column 'token'"],
    ("token,sequence\nx,1\ny,2\nz,1\n", "--states h.npy"): ["line 4", "'1' again"],
    ("token,sequence\nx,1\ny,\n", "--states h.npy"): ["line 3", "an empty cell"],
    ("token,a\nx,1\n", "--states h.npy --delimiter ab"): ["--delimiter", "'ab'"],
    ("token,a\nx,1\n", "--states h.npy --add"): ["cannot be combined"],
    ("token,a\nx,1\n", "--add"): ["a dataset folder", "nothing there"],
    ("token,a\nx,1\n", "--states h.npy --annotation z"): ["start, stop and label"],
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_an_error_in_a_table_is_one_sentence(desk: Desk, case: tuple[str, str]) -> None:
    text, options = case
    desk.put("t.csv", text)
    found = desk.sentence(f"csv t.csv out {options}")
    assert all(name in found for name in WRONG_TABLES[case]), found


WRONG_ADDITIONS = {
    "token,a\nx,1\n": ["6 tokens", "found 1"],
    "token,a\n" + "x,1\n" * 6: ["step 0", "the token 'the'", "'x'"],
    "token\n" + "\n".join(WORDS): ["annotations in addition to the tokens"],
    "start,stop,label\n0,9,x\n": ["row 0", "steps from 0 to 6", "[0, 9)"],
    "start,stop,label\n0,2,x\n1,3,x\n": ["row 1", "do not overlap"],
    "start,stop,label\n0,x,x\n": ["line 2, column 'stop'", "'x'"],
    "token,a/b\n" + "\n".join(f"{word},1" for word in WORDS): [
        "'a/b'",
        "names that can be file names",
    ],
}


@pytest.mark.parametrize("text", WRONG_ADDITIONS)
def test_an_annotation_that_cannot_be_added_is_one_sentence(desk: Desk, text: str) -> None:
    desk.good("arrays h.npy out --tokens tokens.txt")
    desk.put("t.csv", text)
    found = desk.sentence("csv t.csv out --add")
    assert all(name in found for name in WRONG_ADDITIONS[text]), found


# --------------------------------------------------------------------------------------- conll

CONLL_2003 = """-DOCSTART- -X- O O

the DT B-NP O
cat NN I-NP O

sat VB B-VP O
on IN O O

-DOCSTART- -X- O O

# CD B-NP B-NUM
mat NN B-NP I-LOC
"""
CONLL_U = """# newdoc id = one
# sent_id = 1
# text = vámonos
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\t_

# sent_id = 2
1\tNew York\tNew York\tPROPN\tNNP\t_\t0\troot\t_\tSpaceAfter=No
1.1\tis\tbe\tAUX\t_\t_\t_\t_\t_\t_
2\t_\t_\tX\t_\t_\t1\tdep\t_\t_
3\t.\t.\tPUNCT\t.\t_\t1\tpunct\t_\t_
4\t!\t!\tPUNCT\t.\t_\t1\tpunct\t_\t_
"""


def test_conll_2003_sentences_documents_and_chunks(desk: Desk) -> None:
    desk.put("c.conll", CONLL_2003)
    dataset = desk.good("conll c.conll out --states h.npy")
    assert dataset.tokens(0, 6) == ["the", "cat", "sat", "on", "#", "mat"]
    assert dataset.sequences.offsets.tolist() == [0, 2, 4, 6]
    assert dataset.annotations["chunk"].spans(0, 6) == [
        *((0, 2, "NP"), (2, 3, "VP"), (4, 5, "NP"), (5, 6, "NP"))
    ]
    assert dataset.annotations["ner"].spans(0, 6) == [(4, 5, "NUM"), (5, 6, "LOC")]
    assert dataset.annotations["pos"].kind == "categorical"
    again = "conll c.conll out --states h.npy --overwrite"
    assert desk.good(f"{again} --sequence document").sequences.offsets.tolist() == [0, 4, 6]
    assert desk.good(f"{again} --sequence none").sequences.ids is None
    dataset = desk.good(f"{again} --columns token,-,phrase")
    assert list(dataset.annotations) == ["phrase"]


def test_conll_u_words_are_the_steps(desk: Desk) -> None:
    desk.put("c.conllu", CONLL_U)
    dataset = desk.good("conll c.conllu out --states h.npy")
    assert dataset.tokens(0, 6) == ["vamos", "nos", "New York", "_", ".", "!"]
    assert dataset.sequences.offsets.tolist() == [0, 2, 6]
    assert sorted(dataset.annotations) == ["deprel", "feats", "lemma", "upos", "xpos"]
    assert dataset.annotations["xpos"].codes(0, 3).tolist() == [-1, -1, 1]
    for left_out in ("column 'head'", "1 multiword token", "1 empty node"):
        assert left_out in desk.out


@pytest.mark.parametrize("is_added", [True, False], ids=["added", "with states"])
def test_a_text_file_is_parsed_once_for_any_number_of_annotations(
    desk: Desk, is_added: bool
) -> None:
    words = "".join(f"w{i} {'I' if i % 3 == 1 else 'B'}-x {i} B-y\n" for i in range(BATCH + 10))
    path = desk.put("long.conll", words)
    steps = read_conll(path, Layout(columns=("token", "x", "number", "y")))
    started, read_it = [], steps.read

    def counted() -> Iterator[Piece]:
        started.append(1)
        return read_it()

    rows, out = np.zeros((steps.n_steps, 1), np.float16), desk.path / "out"
    steps = replace(steps, read=counted)
    if is_added:
        write_dataset(out, tokens=[f"w{i}" for i in range(len(rows))], states={"s": rows})
        add_annotations(out, steps)
    else:
        np.save(desk.path / "s.npy", rows)
        import_arrays(out, steps, open_arrays(desk.path / "s.npy"))
    assert len(started) == 1
    dataset = open_dataset(out, desk.path / "cache")
    assert dataset.annotations["number"].values(BATCH - 2, BATCH + 2).tolist() == [
        *range(BATCH - 2, BATCH + 2)
    ]
    assert dataset.annotations["x"].spans(BATCH - 2, BATCH + 2) == [
        (BATCH - 2, BATCH - 1, "x"),
        (BATCH - 1, BATCH + 1, "x"),  # across the end of a batch
        (BATCH + 1, BATCH + 2, "x"),
    ]
    assert len(dataset.annotations["y"].spans(0, steps.n_steps)) == steps.n_steps


def test_conll_is_added_and_read_with_arrays(desk: Desk) -> None:
    desk.put("c.conll", CONLL_2003.replace("# CD", "a CD"))
    desk.good("arrays h.npy out --tokens tokens.txt")
    dataset = desk.good("conll c.conll out --add")
    assert sorted(dataset.annotations) == ["chunk", "ner", "pos"]
    dataset = desk.good("arrays h.npy out --tokens c.conll --overwrite")
    assert len(dataset.sequences) == 3


WRONG_CONLL = {
    ("", ""): ["no token"],
    ("a B\nc\n", ""): ["line 2", "2 columns", "found 1"],
    ("a b c d e\n", ""): ["5 columns", "--columns"],
    ("a b\n", "--columns word,tag"): ["--columns", "including token"],
    ("a b\n", "--columns token,a,b"): ["at most 2 names", "found 3"],
    ("a b\n", "--columns token,token"): ["'token' once"],
    (b"caf\xe9 x\n", ""): ["0xe9"],
}


@pytest.mark.parametrize("case", WRONG_CONLL)
def test_an_error_in_conll_is_one_sentence(desk: Desk, case: tuple[str | bytes, str]) -> None:
    text, options = case
    desk.put("c.conll", text)
    found = desk.sentence(f"conll c.conll out --states h.npy {options}")
    assert all(name in found for name in WRONG_CONLL[case]), found


# -------------------------------------------------------------------------------------- damage

DAMAGED = [
    ("arrays h.npy out --tokens tokens.txt --overwrite", ["h.npy", "tokens.txt"]),
    ("arrays s.npz out --tokens t.json --overwrite", ["s.npz", "t.json"]),
    ("arrays h.npy out --tokens ids.npy --vocabulary v.json --overwrite", ["ids.npy", "v.json"]),
    ("arrays h.npy out --tokens words.npy --overwrite", ["words.npy"]),
    ("csv t.csv out --states h.npy --overwrite", ["t.csv"]),
    ("csv r.csv there --add --overwrite", ["r.csv"]),
    ("conll c.conll out --states h.npy --overwrite", ["c.conll"]),
    ("conll c.conllu out --states h.npy --overwrite", ["c.conllu"]),
]
PIECES = [
    b"\n",
    b"\t",
    b",",
    b'"',
    b"\xff",
    b"\0",
    b" ",
    b"#",
    b"\r",
    b"-",
    b"\xe2\x80\xa8",
    b"[",
    b"{",
]


def damage(dice: random.Random, content: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 5])):
        at = dice.randrange(len(spoiled) + 1)
        what = dice.randrange(4)
        if what == 0:
            spoiled[at : at + 1] = bytes([dice.randrange(256)])
        elif what == 1:
            del spoiled[at : at + dice.choice([1, 3, 20])]
        elif what == 2:
            spoiled[at:at] = dice.choice(PIECES)
        else:
            spoiled[at:] = spoiled[max(0, at - 10) :]
    return bytes(spoiled)


@pytest.mark.parametrize(("line", "names"), DAMAGED)
def test_damaged_files_end_in_one_sentence(desk: Desk, line: str, names: list[str]) -> None:
    np.savez(desk.path / "s.npz", a=H, b=np.asfortranarray(H))
    np.save(desk.path / "ids.npy", np.arange(6))
    np.save(desk.path / "words.npy", np.array(WORDS))
    desk.put("t.json", json.dumps([WORDS[:2], WORDS[2:]]))
    desk.put("v.json", json.dumps({word: number for number, word in enumerate(WORDS)}))
    desk.put("t.csv", TABLE)
    desk.put("r.csv", "start,stop,label\n0,2,x\n3,5,y\n")
    desk.put("c.conll", CONLL_2003)
    desk.put("c.conllu", CONLL_U)
    desk.good("arrays h.npy out --tokens tokens.txt")
    (desk.path / "out").rename(desk.path / "there")
    dice = random.Random(line)
    for name in names:
        content = (desk.path / name).read_bytes()
        for _ in range(30):
            desk.put(name, damage(dice, content))
            code, _, err = desk.run(line)
            if code == 0:
                assert check(desk.path / ("there" if "--add" in line else "out")).problems == ()
            else:
                assert code == 2
                assert err.count("\n") == 1
                assert err.endswith(".\n")
                assert "Something unexpected" not in err, err
            assert not [path for path in desk.path.iterdir() if path.name.startswith(".")]
        desk.put(name, content)


# --------------------------------------------------------------------------------------- spans


def spans(tags: Sequence[tuple[int, str | None]], cut: int = 0) -> list[tuple[int, int, str]]:
    """The ranges of all tags, read in two parts."""
    found = Spans()
    return [*found.take(tags[:cut]), *found.take(tags[cut:]), *found.end()]


def read(tags: str) -> list[tuple[int, int, str]]:
    return spans([(0, tag) for tag in tags.split()])


def test_every_scheme_of_tags_gives_the_same_ranges() -> None:
    expected = [(0, 2, "NP"), (2, 3, "NP"), (4, 5, "VP")]
    assert read("I-NP I-NP B-NP O I-VP") == expected  # IOB
    assert read("B-NP I-NP B-NP O B-VP") == expected  # IOB2
    assert read("B-NP E-NP S-NP O S-VP") == expected  # IOBES
    assert read("B-NP L-NP U-NP O U-VP") == expected  # BILOU
    assert spans([(0, "B-A"), (1, "I-A"), (1, None)]) == [(0, 1, "A"), (1, 2, "A")]


TAGS = [(u, t) for u in range(3) for t in ("O", "B-a", "I-a", "E-a", "S-b", "I-b-c")]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.sampled_from(TAGS), max_size=20).map(lambda tags: sorted(tags, key=itemgetter(0)))
)
def test_ranges_are_sorted_disjoint_inside_their_unit_and_cover_every_tag(
    tags: list[tuple[int, str | None]],
) -> None:
    found = spans(tags)
    assert all(spans(tags, cut) == found for cut in range(len(tags)))
    covered: set[int] = set()
    last = 0
    for start, stop, label in found:
        assert last <= start < stop
        last = stop
        assert len({tags[step][0] for step in range(start, stop)}) == 1
        assert all(tags[step][1].partition("-")[2] == label for step in range(start, stop))
        covered |= set(range(start, stop))
    assert covered == {step for step, (_, tag) in enumerate(tags) if tag != "O"}
