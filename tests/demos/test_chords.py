"""Bach's chorales as chords: the text format, the model that reads them, the dataset."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from demos import lstm
from demos.chords import build as chords
from demos.chords import chorales, model, songs, symbols, train
from loaders import open_dataset
from tests import ROOT

# ------------------------------------------------------------------------------- chord symbols


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("C", "C"),
        ("Cmaj", "C"),
        ("C#m", "Dbm"),
        ("E♭M7", "Ebmaj7"),
        ("Bbmaj9", "Bbmaj7"),
        ("F#-7", "F#m7"),
        ("Gbm7(b5)", "F#m7b5"),
        ("Bø", "Bm7b5"),
        ("B°7", "Bdim7"),
        ("Co", "Cdim"),
        ("A+", "Aaug"),
        ("D7sus4", "Dsus4"),
        ("G13", "G7"),
        ("D/F#", "D"),
        ("Am7/G", "Am7"),
        ("Cb", "B"),
        ("CM7", "Cmaj7"),
        ("Cm7", "Cm7"),
    ],
)
def test_spellings_of_lead_sheets_are_understood(written: str, meant: str) -> None:
    assert symbols.parse(written) == meant


@pytest.mark.parametrize("token", ["N.C.", "H", "hm", "", "|", "Xm7", "C/", "Cfoo", "c", "12"])
def test_other_tokens_are_not_read_as_chords(token: str) -> None:
    assert symbols.parse(token) is None


def test_there_are_120_symbols_and_each_is_its_own_spelling() -> None:
    assert len(set(symbols.SYMBOLS)) == 120
    for symbol in symbols.SYMBOLS:
        assert symbols.parse(symbol) == symbol
        root, quality = symbols.split(symbol)
        assert symbols.ROOTS[root] + quality == symbol


@given(st.sampled_from(symbols.SYMBOLS), st.integers(0, 11))
def test_transposing_moves_the_root_and_keeps_the_quality(symbol: str, semitones: int) -> None:
    (moved,) = model.transposed(model.codes([symbol]), semitones)
    root, quality = symbols.split(symbol)
    assert symbols.split(symbols.SYMBOLS[moved]) == ((root + semitones) % 12, quality)
    (unknown,) = model.transposed(model.codes(["?"]), semitones)
    assert unknown == model.UNKNOWN_CODE


# ------------------------------------------------------------------------------- songs as text


def one_song(line: str) -> songs.Song:
    (song,) = songs.parse([line], "x.txt")
    return song


def test_a_line_is_a_song() -> None:
    song = one_song("Mine\tG major\tD7 | G Em^ | C D\n")
    assert song.title == "Mine"
    assert song.key == songs.Key(7, True)
    assert song.chords == ("D7", "G", "Em", "C", "D")
    assert song.phrase_ends == (False, False, True, False, False)
    assert song.beats == (0, 1, 2, 1, 2)


def test_chords_alone_are_a_song() -> None:
    found = list(songs.parse(["# mine", "", "C F G", "Two\tAm|Dm"], "x.txt"))
    assert [(song.title, song.chords) for song in found] == [
        ("song 3", ("C", "F", "G")),
        ("Two", ("Am", "Dm")),
    ]
    assert found[0].beats is None
    assert found[0].key is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a\tG major\tC\tD", "expected at most title, key and chords"),
        ("a\tloud\tC", "expected a key such as G major"),
        ("a\t\t  ", "has no chords"),
        ("C ^ D", "does not follow a chord"),
    ],
)
def test_the_error_for_an_invalid_line_names_its_number(line: str, sentence: str) -> None:
    with pytest.raises(songs.SongError, match=sentence) as caught:
        list(songs.parse(["C", line], "mine.txt"))
    assert "mine.txt, line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "sharps"),
    [
        ("G major", "G major", 1),
        ("f# minor", "F# minor", 3),
        ("Bbm", "Bb minor", -5),
        ("c", "C minor", -3),
        ("C", "C major", 0),
        ("F# major", "F# major", 6),
        ("D♭ major", "Db major", -5),
    ],
)
def test_keys_in_common_spellings(text: str, name: str, sharps: int) -> None:
    key = songs.parse_key(text)
    assert key is not None
    assert (key.name, key.sharps) == (name, sharps)


def test_the_chorales_can_be_read_and_written_without_loss() -> None:
    lines = model.SONGS.read_text(encoding="utf-8").splitlines()
    read = list(songs.parse(lines, "chorales.txt"))
    assert [songs.line(song) for song in read] == [line for line in lines if line[0] != "#"]
    assert len(read) > 400
    assert sum(len(song.chords) for song in read) > 22_000
    assert {chord for song in read for chord in song.chords} <= set(symbols.SYMBOLS)


# ------------------------------------------------------------------------------- from a score


def score(*voices: str, fifths: int = 0) -> ElementTree.Element:
    """A score of quarter notes in bars of two: `C4 E4 | G4h` (h a half note, ! a fermata)."""
    parts = []
    for voice in voices:
        measures = []
        for bar in voice.split("|"):
            notes = []
            for note in bar.split():
                name = note.rstrip("h!")
                length = 4 if "h" in note else 2
                held = "<notations><fermata/></notations>" if "!" in note else ""
                alter = "<alter>1</alter>" if "#" in name else ""
                notes.append(
                    f"<note><pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"
                    f"<duration>{length}</duration>{held}</note>"
                )
            measures.append(f"<measure>{''.join(notes)}</measure>")
        attributes = (
            f"<attributes><divisions>2</divisions><key><fifths>{fifths}</fifths></key>"
            "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
        )
        measures[0] = measures[0].replace("<measure>", f"<measure>{attributes}", 1)
        parts.append(f"<part>{''.join(measures)}</part>")
    return ElementTree.fromstring(f"<score-partwise>{''.join(parts)}</score-partwise>")  # noqa: S314 - made here


def test_a_score_becomes_one_chord_per_beat() -> None:
    bars = 8
    root = score(
        " | ".join(["G4 | E4 D4!"] + ["E4 D4"] * bars),
        " | ".join(["D4 | C4 B3"] + ["C4 B3"] * bars),
        " | ".join(["B3 | G3 G3"] + ["G3 F3"] * bars),
        " | ".join(["G3 | C3 G2"] + ["C3 G2"] * bars),
        fifths=0,
    )
    song = chorales.chorale("BWV 1", root)
    assert song is not None
    assert song.chords[:6] == ("G", "C", "G", "C", "G7", "C")
    assert song.beats is not None
    assert song.beats[:5] == (0, 1, 2, 1, 2)
    assert [i for i, end in enumerate(song.phrase_ends) if end] == [2]
    assert song.key == songs.Key(0, True)


def test_a_long_note_sounds_through_and_ends_the_phrase_on_its_last_beat() -> None:
    voices = [" | ".join([f"{note}4h!"] + [f"{note}4h"] * 9) for note in "CEGC"]
    song = chorales.chorale("BWV 1", score(*voices))
    assert song is not None
    assert set(song.chords) == {"C"}
    assert len(song.chords) == 20
    assert song.phrase_ends[:3] == (False, True, False)


def test_scores_other_than_chorales_are_left_out() -> None:
    voice = " | ".join(["C4 C4!"] * 10)
    assert chorales.chorale("BWV 1", score(voice, voice)) is None  # two voices
    unending = voice.replace("!", "")
    assert chorales.chorale("BWV 1", score(*[unending] * 4)) is None  # no phrase ends
    assert chorales.chorale("BWV 1", score(*["C4 C4!"] * 4)) is None  # two beats


@pytest.mark.parametrize(
    ("notes", "name"),
    [
        ((0, 4, 7), "C"),
        ((0, 4, 7, 10), "C7"),
        ((9, 12, 16), "Am"),
        ((9, 12, 16, 19), "Am7"),
        ((0, 4, 7, 9), "C"),  # four equal notes, with C in the bass: C and an added sixth
        ((11, 14, 17), "Bdim"),
        ((11, 14, 17, 21), "Bm7b5"),
        ((11, 14, 17, 20), "Bdim7"),
        ((0, 5, 7), "Csus4"),
        ((0, 4, 8), "Caug"),
        ((0, 0, 0), "C"),
    ],
)
def test_the_chord_of_notes_is_the_one_with_these_notes(notes: tuple[int, ...], name: str) -> None:
    sounding = [chorales.Note(chorales.Fraction(0), chorales.Fraction(1), n, False) for n in notes]
    found = chorales.chord(sounding, chorales.Fraction(0), chorales.Fraction(1))
    if notes == (0, 4, 7, 9):
        assert found in ("C", "Am7")  # the same four notes
    else:
        assert found == name


# ------------------------------------------------------------------------------- the network


def every_song() -> list[songs.Song]:
    with model.SONGS.open(encoding="utf-8") as file:
        return list(songs.parse(file, "chorales.txt"))


def test_the_model_predicts_held_out_songs_better_than_bigrams() -> None:
    """Compare the perplexity on held-out songs with a bigram model, add-one smoothed."""
    read = [model.codes(song.chords) for song in every_song()]
    held_out = [song for number, song in enumerate(read) if model.is_held_out(number)]
    training = [song for number, song in enumerate(read) if not model.is_held_out(number)]
    run = lstm.forward(lstm.load(model.WEIGHTS), held_out)
    perplexity = math.exp(np.nanmean(lstm.surprisal(run, held_out)))

    counts = np.full((120, 120), 0.1)
    for song in training:
        np.add.at(counts, (song[:-1], song[1:]), 1)
    chances = counts / counts.sum(axis=1, keepdims=True)
    loss = [-np.log(chances[song[:-1], song[1:]]) for song in held_out]
    pairs = math.exp(np.concatenate(loss).mean())
    assert perplexity < 14
    assert perplexity < 0.75 * pairs


def test_the_weights_are_small() -> None:
    with np.load(model.WEIGHTS) as file:
        assert {file[name].dtype for name in file.files} == {np.dtype(np.float16)}
    assert model.WEIGHTS.stat().st_size < 0.6e6


@pytest.mark.torch
def test_training_writes_what_the_forward_pass_reads(tmp_path: Path) -> None:
    out = tmp_path / "weights.npz"
    answer = CliRunner().invoke(train.main, ["--out", str(out), "--epochs", "2"])
    assert answer.exit_code == 0, answer.output
    read = [model.codes(song.chords) for song in every_song()[:40]]
    new, committed = lstm.load(out), lstm.load(model.WEIGHTS)
    assert new.embedding.shape == committed.embedding.shape
    surprisal = lstm.surprisal(lstm.forward(new, read), read)
    assert np.nanmean(surprisal) < math.log(len(symbols.SYMBOLS))


@pytest.mark.parametrize("command", [train.main, chorales.main])
def test_scripts_explain_themselves_without_torch(command: Any) -> None:
    answer = CliRunner().invoke(command, ["--help"])
    assert answer.exit_code == 0
    assert "--out" in answer.output


# ------------------------------------------------------------------------------- the dataset


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chords.build(tmp_path_factory.mktemp("demos") / "chords")


def column(folder: Path, name: str) -> list[Any]:
    return list(pq.read_table(folder / "annotations" / f"{name}.parquet")[name].to_pylist())


def test_the_dataset_has_no_problems(built: Path, tmp_path: Path) -> None:
    dataset = open_dataset(built, tmp_path)
    assert dataset.warnings == ()
    assert dataset.id == "chords"
    assert dataset.n_steps > 22_000
    assert "Bach" in dataset.name
    assert "one chord per beat" in dataset.name
    assert {name: item.kind for name, item in dataset.annotations.items()} == {
        "beat": "categorical",
        "degree": "categorical",
        "key": "categorical",
        "kind": "categorical",
        "mode": "categorical",
        "phrase": "interval",
        "phrase_end": "categorical",
        "prediction": "ranked",
        "signature": "categorical",
        "surprisal": "scalar",
        "training": "categorical",
    }
    assert dataset.sequences.id(0) == "2.6"


def test_annotations_agree_with_the_songs(built: Path) -> None:
    degree, key = column(built, "degree"), column(built, "key")
    tokens = pq.read_table(built / "tokens.parquet")["token"].to_pylist()
    ends = column(built, "phrase_end")
    assert sum(ends) > 2_000
    for token, where, name in zip(tokens, degree, key, strict=True):
        if where == "I":
            assert token.startswith(name.split()[0])
    phrase = pq.read_table(built / "annotations" / "phrase.parquet").to_pylist()
    assert len(phrase) == sum(ends)
    for span in phrase:
        assert ends[span["stop"] - 1]
        assert not any(ends[span["start"] : span["stop"] - 1])
        assert span["label"] == f"ends on {degree[span['stop'] - 1]}"


def test_it_opens_with_a_phrase_whose_states_indicate_the_key_signature(built: Path) -> None:
    default = yaml.safe_load((built / "dataset.yaml").read_text(encoding="utf-8"))["default"]
    table = pq.read_table(built / "states" / f"{default['source']}.parquet")
    rows = np.column_stack([one.to_numpy() for one in table.columns]).astype(np.float64)
    on = rows >= default["threshold"]
    brush = slice(default["start"], default["stop"])
    phrase = pq.read_table(built / "annotations" / "phrase.parquet").to_pylist()
    assert any((span["start"], span["stop"]) == (brush.start, brush.stop) for span in phrase)
    selected = np.flatnonzero(on[brush].all(axis=0))
    assert 3 <= len(selected) <= 15
    signature = np.array(column(built, "signature"))
    together = on[:, selected].all(axis=1)
    # Some beats are ranges of one step; ranges of two or more steps are at least 99 %.
    assert (signature[together] == signature[brush.start]).mean() > 0.95
    assert (signature == signature[brush.start]).mean() < 0.3


def test_states_without_meaning_give_no_opening() -> None:
    noise = np.random.default_rng(1).normal(size=(4000, 40)).astype(np.float16)
    signature = np.repeat(["1 sharp", "1 flat"], 2000)
    found = [(start, start + 10) for start in range(0, 4000, 10)]
    assert chords.opening_phrase("hidden", noise, signature, np.arange(0, 4001, 100), found) is None


def test_own_songs_keep_their_spelling_and_unknown_chords_are_named(
    tmp_path: Path,
) -> None:
    source = tmp_path / "mine.txt"
    source.write_text(
        "Mi\u2028ne\tG major\t| Em7 C G^ | D Hx D/F# G\nC Am F G7\nTwo\t| N.C. Hx\nTwo\tC♯m\n",
        encoding="utf-8",
    )
    made = chords.build_songs(source, tmp_path / "mine")
    assert (made.n_songs, made.unknown) == (4, (("Hx", 2), ("N.C.", 1)))
    dataset = open_dataset(made.path, tmp_path / "cache")
    assert dataset.warnings == ()
    assert dataset.tokens(0, 8) == ["Em7", "C", "G", "D", "Hx", "D/F#", "G", "C"]
    assert dataset.sequences.ids == ("Mi\u2028ne", "song 2", "Two", "Two (2)")
    surprisal = np.array(column(made.path, "surprisal"), np.float64)
    assert np.flatnonzero(np.isnan(surprisal)).tolist() == [0, 4, 7, 11, 12, 13]
    assert column(made.path, "degree")[:5] == ["VI", "IV", "I", "V", None]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "contains no songs"),
        (b"# nothing\n", "contains no songs"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"these are words\nand more words\n", "contains no chord that the model knows"),
    ],
)
def test_a_file_without_chords_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    source = tmp_path / "mine.txt"
    source.write_bytes(content)
    with pytest.raises(songs.SongError, match=sentence):
        chords.build_songs(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_own_songs_never_replace_an_existing_folder(tmp_path: Path) -> None:
    source = tmp_path / "mine.txt"
    source.write_text("C F G C", encoding="utf-8")
    chords.build_songs(source, tmp_path / "out")
    with pytest.raises(songs.SongError, match="already exists"):
        chords.build_songs(source, tmp_path / "out")


def test_the_example_of_the_page_is_two_songs_with_known_chords() -> None:
    page = (ROOT / "docs" / "demos.md").read_text(encoding="utf-8")
    block = next(part for part in page.split("```") if "Autumn" in part)
    read = list(songs.parse(block.strip().splitlines(), "demos.md"))
    assert [song.title for song in read] == ["Autumn", "song 3"]
    assert read[0].key == songs.Key(7, False)
    assert all(symbols.parse(chord) for song in read for chord in song.chords)
    written = page.split("understood (")[1].split(")")[0].replace("`", "").split(", ")
    assert len(written) == 6
    assert all(symbols.parse(chord) for chord in written)
