"""`make bench` and `make bench-large`: performance as ratios, with bounds.

    python -m tests.benchmarks.bench [all | large | pack match card double open window users memory equal]

The files are cached in the cache folder under `bench`; delete it to free some gigabytes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import settings as settings_module
from tests import ROOT

SIZES = ((1_000_000, 650), (1_000_000, 200))
SELECTED = (3, 10, 30, 60, 130)


class Folder:
    """The folder of the measured files."""

    def __init__(self) -> None:
        self.settings = settings_module.load(os.environ)
        settings_module.prepare_cache(self.settings)
        self.path = self.settings.cache_dir / "bench"

    def rows(self, n_steps: int, n_states: int) -> NDArray[np.float16]:
        """Return generated states of this size."""
        from tests.benchmarks import data

        return data.generated(self.path / f"{n_steps}x{n_states}.npy", n_steps, n_states)

    def dataset(self, n_steps: int, n_states: int) -> Path:
        """Return the same as a dataset of Parquet files, one column per state, row groups of 65,536."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from tests.benchmarks import data

        path = self.path / f"parquet-{n_steps}x{n_states}"
        if path.exists():
            return path
        rows = self.rows(n_steps, n_states)
        half = path.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        (half / "states").mkdir(parents=True)
        offsets = data.sequences(n_steps)
        ids = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        words = pa.array([f"w{i}" for i in range(1000)])
        codes = pa.array(np.random.default_rng(0).integers(0, 1000, n_steps), pa.int32())
        tokens = pa.DictionaryArray.from_arrays(codes, words)
        pq.write_table(pa.table({"token": tokens, "sequence": ids}), half / "tokens.parquet")
        schema = pa.schema([(f"s{i}", pa.float16()) for i in range(n_states)])
        with pq.ParquetWriter(half / "states" / "cell.parquet", schema, use_dictionary=False) as to:
            for first in range(0, n_steps, 1 << 16):
                columns = np.ascontiguousarray(rows[first : first + (1 << 16)].T)
                table = pa.Table.from_arrays([pa.array(one) for one in columns], schema=schema)
                to.write_table(table, row_group_size=1 << 16)
        half.rename(path)
        return path


def row(*cells: object, widths: tuple[int, ...] = (46, 12, 12, 12, 10, 8)) -> None:
    """Print one line of a table; the first cell is left-aligned."""
    texts = [str(cell) for cell in cells]
    print(
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(texts, widths, strict=False))
        ),
        flush=True,
    )


def milliseconds(seconds: float) -> str:
    """Format a time for printing."""
    return f"{1000 * seconds:,.2f} ms"


def generated_bits(folder: Folder, n_steps: int, n_states: int) -> Any:
    """Return the generated source of this size, packed."""
    from app.matching import Polarity, pack
    from tests.benchmarks import data

    rows = folder.rows(n_steps, n_states)
    bits = pack(rows, data.THRESHOLD, Polarity.HIGH, threads=cores())
    name = f"generated {n_steps:,} x {n_states}"
    return data.Measured(name, bits, data.sequences(n_steps), n_states)


def tiled_bits(folder: Folder, n_steps: int, n_states: int) -> Iterator[Any]:
    """Yield every source of every included demo, repeated to this size."""
    from demos import registry
    from loaders import open_dataset
    from tests.benchmarks import data

    for demo in registry.starters():
        path = registry.ensure(demo, folder.settings.cache_dir / "demos")
        dataset = open_dataset(path, folder.settings.cache_dir)
        for source in dataset.sources:
            opened = dataset.open_source(source)
            yield data.tiled(
                f"{demo} {source} {n_steps:,} x {n_states}",
                np.asarray(opened.rows),
                dataset.sequences.offsets,
                opened.suggested_threshold,
                n_steps,
                n_states,
            )


def cores() -> int:
    """Return the number of threads used: all cores."""
    from app.matching.service import usable_cores

    return usable_cores()


# ------------------------------------------------------------------------------------ the parts


def bench_pack(folder: Folder, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """A new threshold: packing against one pass of one thread over the values."""
    from app.matching import Polarity, States, pack_states
    from tests.benchmarks import data
    from tests.benchmarks.timing import fastest, one_pass

    print("\nPacking all bits at a new threshold, in passes over the values (bound: 2.5)")
    row("source", "one pass", "packing", "passes")
    for n_steps, n_states in sizes:
        half = folder.rows(n_steps, n_states)
        sources: list[tuple[str, Any]] = [("float16", half)]
        if n_steps * n_states <= 1_000_000 * 200:
            sources.append(("float32", half.astype(np.float32)))
        for kind, rows in sources:
            states = States(rows, data.sequences(n_steps))
            over = one_pass(rows, 3)
            for threshold, polarity in ((0.3, Polarity.HIGH), (0.3, Polarity.MAGNITUDE)):

                def work(
                    states: States = states, level: float = threshold, side: Polarity = polarity
                ) -> object:
                    return pack_states(states, level, side, threads=cores())

                seconds = fastest(work, 3)
                name = f"{n_steps:,} x {n_states} {kind}, {polarity}"
                row(name, milliseconds(over), milliseconds(seconds), f"{seconds / over:.2f}")


def bench_match(folder: Folder, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """Default options, histogram, overview, one per place and top 50, on packed bits."""
    print(
        "\nMatching with packed bits, default options, in passes of one thread over the bits\n"
        f"(bounds: 15 generated, 25 for the worst real source; {cores()} threads)"
    )
    row("source", "|S1|", "matches", "one pass", "match", "passes")
    for n_steps, n_states in sizes:
        match_rows(generated_bits(folder, n_steps, n_states))
        worst = [match_rows(source) for source in tiled_bits(folder, n_steps, n_states)]
        row(f"worst real source, {n_steps:,} x {n_states}", "", "", "", "", f"{max(worst):.1f}")


def match_rows(source: Any) -> float:
    """Print the lines of one source and return the worst ratio; each is the slower of two selections."""
    from tests.benchmarks.timing import fastest, one_pass

    over = one_pass(source.bits, 15)
    packed = source.packed(4 * cores())
    worst = 0.0
    for n_selected in SELECTED:
        slowest, total = 0.0, 0
        for near in (0.2, 0.6):
            states = source.together(n_selected, near)

            def work(states: tuple[int, ...] = states) -> Any:
                return source.match(states, packed, cores())

            seconds = fastest(work, 4)
            if seconds > slowest:
                slowest, total = seconds, work().total_matches
        ratio = slowest / over
        worst = max(worst, ratio)
        name = source.name if n_selected == SELECTED[0] else ""
        times = milliseconds(over), milliseconds(slowest), f"{ratio:.1f}"
        row(name, n_selected, f"{total:,}", *times)
    return worst


def bench_card(folder: Folder) -> None:
    """The card of a state and a default match: the slower of some states and polarities."""
    from app.matching import Polarity, describe, pack
    from tests.benchmarks import data
    from tests.benchmarks.timing import fastest

    print("\nThe card of a state, 1,000,000 x 650 (bound: one default match)")
    row("values", "match, 10", "card", "ratio", "CPU", "ratio")
    half = folder.rows(1_000_000, 650)
    offsets = data.sequences(len(half))
    bits = pack(half, data.THRESHOLD, Polarity.HIGH)
    source = data.Measured("", bits, offsets, half.shape[1])
    packed, states = source.packed(4 * cores()), source.together(10, 0.2)

    def match() -> object:
        return source.match(states, packed, cores())

    bounds = {c: (float(half[:, c].min()), float(half[:, c].max())) for c in (3, 324, 649)}

    def card(rows: NDArray[Any], state: int, polarity: Polarity) -> object:
        return describe(rows, state, offsets, bounds[state], data.THRESHOLD, polarity)

    for dtype in (np.float16, np.float32, np.float64):
        rows = half if dtype == np.float16 else half.astype(dtype)
        work = [partial(card, rows, state, one) for state in bounds for one in Polarity]
        pairs = [(fastest(match), fastest(one)) for one in work]
        spent = [(processor(match), processor(one)) for one in work]
        quick, slow = min(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
        cpu, cpus = min(pair[0] for pair in spent), max(pair[1] for pair in spent)
        times = milliseconds(quick), milliseconds(slow), f"{slow / quick:.2f}"
        row(np.dtype(dtype).name, *times, milliseconds(cpus), f"{cpus / cpu:.2f}")


def processor(work: Callable[[], object]) -> float:
    """Seconds of processors of the fastest of some runs, over all threads."""
    times = []
    for _ in range(5):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def bench_double(folder: Folder) -> None:
    """Double the steps, and double the states with the same selected ones."""
    from app.matching import Polarity, States, pack, pack_states
    from tests.benchmarks import data
    from tests.benchmarks.timing import fastest

    print("\nDoubling (bound: 2.2)")
    row("what", "half", "whole", "ratio")
    rows = folder.rows(1_000_000, 650)

    def both(what: str, small: Any, large: Any) -> None:
        # Alternating, so that other load on the machine affects both.
        pairs = [(fastest(small, 2), fastest(large, 2)) for _ in range(3)]
        half, whole = (min(times) for times in zip(*pairs, strict=True))
        row(what, milliseconds(half), milliseconds(whole), f"{whole / half:.2f}")

    def packing(part: NDArray[Any]) -> Callable[[], object]:
        states = States(part, data.sequences(len(part)))
        return lambda: pack_states(states, data.THRESHOLD, Polarity.HIGH, threads=cores())

    def matching(source: Any, states: tuple[int, ...]) -> Callable[[], object]:
        packed = source.packed(4 * cores())
        return lambda: source.match(states, packed, cores())

    def source_of(part: NDArray[Any]) -> Any:
        bits = pack(part, data.THRESHOLD, Polarity.HIGH)
        return data.Measured("", bits, data.sequences(len(part)), part.shape[1])

    narrow = np.ascontiguousarray(rows[:, :325])
    both("packing, 500,000 to 1,000,000 steps", packing(rows[:500_000]), packing(rows))
    both("packing, 325 to 650 states", packing(narrow), packing(rows))
    whole, short, thin = source_of(rows), source_of(rows[:500_000]), source_of(narrow)
    for n_selected in (10, 60):
        # The same states, from those in both sources.
        states = thin.together(n_selected, 0.2)
        of = f"match of {n_selected}, "
        both(of + "500,000 to 1,000,000 steps", matching(short, states), matching(whole, states))
        both(of + "325 to 650 states", matching(thin, states), matching(whole, states))


def bench_open(folder: Folder) -> None:
    """The first opening of Parquet files, and later ones."""
    import pyarrow.parquet as pq

    from loaders import open_dataset
    from tests.benchmarks.timing import fastest

    print("\nOpening 1,000,000 x 650 float16 (bounds: first 3 times pyarrow, later 0.5 s)")
    path = folder.dataset(1_000_000, 650)
    cache = folder.path / "opening"

    def read() -> None:
        pq.ParquetFile(path / "tokens.parquet").read()
        file = pq.ParquetFile(path / "states" / "cell.parquet")
        for i in range(file.num_row_groups):
            file.read_row_group(i)

    def write() -> None:
        with (folder.path / "written.bin").open("wb") as file:
            for _ in range(0, 1_000_000 * 650 * 2, len(zeros)):
                file.write(zeros)

    zeros = bytes(1 << 23)
    pairs, writing, spent = [], [], []
    for _ in range(5):
        reading = fastest(read, 2)
        writing.append(fastest(write, 1))
        # Earlier writes must not slow this down, and the memory that they used is allocated
        # again at once, before a virtual machine gives it back to its host (see docs/scaling.md).
        os.sync()
        (folder.path / "written.bin").unlink()
        shutil.rmtree(cache, ignore_errors=True)
        started, used = time.perf_counter(), time.process_time()
        open_dataset(path, cache).open_source("cell")
        pairs.append((reading, time.perf_counter() - started))
        spent.append(time.process_time() - used)
    ratios = sorted(first / reading for reading, first in pairs)
    reading, first = (min(times) for times in zip(*pairs, strict=True))
    later = fastest(lambda: open_dataset(path, cache).open_source("cell"))
    row("what", "pyarrow", "opening", "ratio")
    row("first opening", milliseconds(reading), milliseconds(first), f"{first / reading:.2f}")
    row("  the ratio each time", "", " ".join(f"{ratio:.2f}" for ratio in ratios))
    row("  its CPU time", "", milliseconds(min(spent)), "")
    row("  only writing as many bytes, each time", "", " ".join(f"{w:.2f}" for w in writing), "s")
    row("later opening", "", milliseconds(later), "")
    shutil.rmtree(cache, ignore_errors=True)


def bench_window(folder: Folder) -> None:
    """The answer with 60 steps of 650 states, against a callback of Dash that does nothing."""
    from dash import Dash, Input, Output, dcc

    from app.web.factory import create_app
    from loaders import Catalog
    from tests.app.web.load import window_request
    from tests.benchmarks.timing import fastest

    print("\nA window of 60 x 650 over loopback (bound: 3 times a callback that does nothing)")
    catalog = Catalog([folder.dataset(1_000_000, 650)], folder.settings.cache_dir)
    dashboard = create_app(catalog, folder.settings).server
    empty = Dash("empty")
    empty.layout = dcc.Store(id="window")

    @empty.callback(
        Output("window", "data"), Input("window-request", "data"), prevent_initial_call=True
    )
    def nothing(request: object) -> object:
        return {}

    entry = catalog.entries()[0].id
    request = {**window_request(5000), "dataset": entry, "source": "cell"}
    body = {
        "output": "window.data",
        "outputs": {"id": "window", "property": "data"},
        "inputs": [{"id": "window-request", "property": "data", "value": request}],
        "changedPropIds": ["window-request.data"],
    }
    with listening(empty.server) as idle, listening(dashboard) as busy:
        size = (
            len(idle.send("POST", "/_dash-update-component", body)),
            len(busy.window_text(request)),
        )
        base = fastest(lambda: idle.send("POST", "/_dash-update-component", body), 300)
        window = fastest(lambda: busy.window_text(request), 300)
    row("what", "empty", "window", "ratio")
    name = f"60 x 650, {size[1] / 1000:,.0f} kB against {size[0]} bytes"
    row(name, milliseconds(base), milliseconds(window), f"{window / base:.2f}")


def bench_users(folder: Folder) -> None:
    """Twenty users: ten page through windows while ten match, each at a different threshold."""
    import statistics
    from concurrent.futures import ThreadPoolExecutor

    from tests.app.web.load import User, match_key, serving, window_request

    print("\nTwenty users at once (bound: the median window 5 times as long as without the others)")
    path = folder.dataset(1_000_000, 650)
    source = {"dataset": path.name, "source": "cell"}
    over = threading.Event()

    def page(url: str, user: int) -> list[float]:
        times: list[float] = []
        with User(url) as tab:
            for turn in range(30):
                request = {**window_request(1000 * user + 60 * turn), **source}
                started = time.perf_counter()
                answer = tab.window_text(request)
                times.append(time.perf_counter() - started)
                if turn % 10 == 0:  # parsing all of them would itself be a load
                    data = json.loads(answer)
                    assert data["start"] == request["start"], "another user's answer"
                time.sleep(0.05)  # users do not page faster
        return times

    def match(url: str, user: int) -> int:
        n = 0
        with User(url) as tab:
            while not over.is_set():
                start = 5000 + 7 * user + n % 5
                key = match_key(start, start + 2, 0.2 + 0.01 * user, min_overlap=1, **source)
                answer = tab.match(key)["match"]
                assert answer["key"] == key, "another user's answer"
                assert "error" not in answer, answer
                n += 1
        return n

    with serving(path, folder.settings.cache_dir, "--threads", "24") as url:
        alone = statistics.median(page(url, 0))
        with ThreadPoolExecutor(20) as users:
            matching = [users.submit(match, url, user) for user in range(10)]
            paging = [users.submit(page, url, user) for user in range(10)]
            try:
                times = [one for user in paging for one in user.result()]
            finally:
                over.set()
            n_matches = sum(user.result() for user in matching)
    busy = statistics.median(times)
    row("what", "one user", "twenty", "ratio")
    name = f"{len(times)} windows during {n_matches} matches"
    row(name, milliseconds(alone), milliseconds(busy), f"{busy / alone:.2f}")


@contextmanager
def listening(application: Any) -> Iterator[Any]:
    """Serve an application on loopback, in threads; yield a user with an open connection."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    from tests.app.web.load import User

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]  # of its threaded subclass
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with User(f"http://127.0.0.1:{server.port}") as user:
            yield user
    finally:
        server.shutdown()
        thread.join()


# The work of a worker: open a source, pack a threshold, match, including the worst case.
_WORKER = """
import sys, threading, time
from pathlib import Path
from app import settings as settings_module
settings = settings_module.load({}, {"cache_dir": sys.argv[2], "cache_bytes": sys.argv[3]})
settings_module.prepare_cache(settings)
from app.web.factory import create_app
from app.matching import Query, MatchService
from app.execution.local import processes, states_of
from loaders import Catalog
peak = 0
def anonymous():
    global peak
    status = Path("/proc/self/status").read_text()
    now = int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])
    peak = max(peak, now // 1024)
    return now // 1024
def watch():
    while True:
        anonymous()
        time.sleep(0.005)
threading.Thread(target=watch, daemon=True).start()
catalog = Catalog([Path(sys.argv[1])], settings.cache_dir)
create_app(catalog, settings)
dataset = catalog.get(catalog.entries()[0].id)
source = dataset.open_source("cell")
print("opened", 0, anonymous(), 0.0, sep="|", flush=True)
service = MatchService(cache_bytes=settings.cache_bytes)
states = states_of(dataset, source)
for what, options in (
    ("packed, default match", {}),
    ("min_overlap 1", {"min_overlap": 1}),
    ("min_overlap 1, every match, top 1000", {"min_overlap": 1, "overlapping": True, "top": 1000}),
    ("limits of 3 on both sides", {"off_before": 3, "off_after": 3, "min_overlap": 1}),
):
    peak = 0
    started = time.perf_counter()
    query = Query(threshold=0.3, states=tuple(range(0, source.n_states, source.n_states // 60)), **options)
    result = service.match("a", states, query)
    seconds = time.perf_counter() - started
    print(what, result.total_matches, max(peak, anonymous()), seconds, sep="|", flush=True)
"""


def bench_memory(
    folder: Folder,
    sizes: tuple[tuple[int, int, str, str], ...] = ((1_000_000, 650, "256M", "500 MB"),),
) -> None:
    """Anonymous memory of a worker, without file pages, which are shared."""
    print("\nAnonymous memory of a worker with the dashboard loaded, one threshold packed")
    row("source", "bound", "matches", "peak", "seconds")
    for n_steps, n_states, cache_bytes, bound in sizes:
        path = folder.dataset(n_steps, n_states)
        arguments = [str(path), str(folder.settings.cache_dir), cache_bytes]
        done = subprocess.run(
            [sys.executable, "-c", _WORKER, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            what, matches, peak, seconds = line.split("|")
            name = f"{n_steps:,} x {n_states}: {what}"
            row(name, bound, f"{int(matches):,}", f"{peak} MB", f"{float(seconds):.2f} s")


def bench_equal(folder: Folder) -> None:
    """The same answer for any number of shards, threads and worker processes, on the large set."""
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from app.execution.local import StoredBits, processes
    from app.matching import Control, Polarity, Query, distribute_states, find_matches
    from loaders import open_dataset

    print(
        "\nEqual answers on 1,000,000 x 650, and the longest time between checks for cancellation"
    )
    source = generated_bits(folder, 1_000_000, 650)
    opened = open_dataset(folder.dataset(1_000_000, 650), folder.settings.cache_dir)
    home = opened.open_source("cell").home
    workers = processes(2)
    queries = [
        Query(threshold=0.3, states=source.together(60, 0.2)),
        Query(threshold=0.3, states=source.together(30, 0.2), min_overlap=1),
        Query(threshold=0.3, states=source.together(30, 0.2), off_before=2, off_after=5),
        Query(threshold=0.3, states=source.together(10, 0.6), overlapping=True, top=1000),
    ]

    class Timing(Control):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.longest = time.thread_time(), 0.0

        def check(self) -> None:
            now = time.thread_time()
            self.longest, self.last = max(self.longest, now - self.last), now
            super().check()

    with ThreadPoolExecutor(4) as pool:
        spreads = [
            distribute_states(
                source.states,
                0.3,
                Polarity.HIGH,
                opener=StoredBits(home),
                executors=executors,
                n_shards=n_shards,
            )
            for executors, n_shards in (([pool] * 4, 7), (workers, 64))
        ]
        for query in queries:
            timing = Timing()
            one = find_matches(source.states, query, bits=source.packed(1), control=timing)
            expected, n_tried = replace(one, seconds=0), 0
            others: list[tuple[Any, int]] = [(spread, 1) for spread in spreads]
            others += [(source.packed(n), threads) for n in (2, 7, 64) for threads in (1, 4)]
            for bits, threads in others:
                other = find_matches(source.states, query, bits=bits, threads=threads)
                assert replace(other, seconds=0) == expected, (query, bits, threads)
                n_tried += 1
            row(
                f"{one.total_matches:,} matches",
                f"{n_tried} ways",
                "all equal",
                milliseconds(timing.longest),
            )
    for executor in workers:
        executor.shutdown()


PARTS: dict[str, Callable[[Folder], None]] = {
    "pack": bench_pack,
    "match": bench_match,
    "card": bench_card,
    "double": bench_double,
    "open": bench_open,
    "window": bench_window,
    "users": bench_users,
    "memory": bench_memory,
    "equal": bench_equal,
}


def bench_large(folder: Folder) -> None:
    """4M x 650 and 10M x 256: packing, matching, and memory."""
    for n_steps, n_states in ((4_000_000, 650), (10_000_000, 256)):
        bench_pack(folder, ((n_steps, n_states),))
        match_rows(generated_bits(folder, n_steps, n_states))
    bench_memory(
        folder,
        (
            (4_000_000, 650, "256M", "in files"),
            (10_000_000, 256, "512M", "2 GB"),
            (10_000_000, 256, "256M", "in files"),
        ),
    )


def main(arguments: list[str]) -> int:
    """Run the named parts."""
    folder = Folder()
    started = time.perf_counter()
    load = os.getloadavg()[0]
    print(f"{cores()} cores, load {load:.1f} (ratios are fair only below the number of cores)")
    for name in arguments or ["all"]:
        for part in PARTS if name == "all" else (name,):
            (bench_large if part == "large" else PARTS[part])(folder)
    print(f"\n{time.perf_counter() - started:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
