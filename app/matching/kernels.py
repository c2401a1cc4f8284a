"""The compiled loops. They take packed 64-bit words and integers only: one signature each.

"Dense" words hold the on-bits of the selected states alone, in as few words as they fit: the sweep
counts bits and never asks which state one is, so the order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
_Function = TypeVar("_Function", bound=Callable[..., Any])

# Children of one node of a `fold_blocks` pyramid.
FANOUT = 32


def _kernel(function: _Function) -> _Function:
    """Compile `function` on first use, without the GIL, cached on disk where that is possible."""
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # No folder to write to: neither NUMBA_CACHE_DIR nor this one nor the home directory.
        return cast(_Function, numba.njit(nogil=True)(function))


@intrinsic
def _bit_count(typing_context: Any, word: Any) -> Any:
    """Return the number of bits set in a uint64, as int64 (numba has no such function)."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word_type = ir.IntType(64)
        function = builder.module.declare_intrinsic("llvm.ctpop", [word_type])
        return builder.call(function, arguments)

    return types.int64(types.uint64), build


@_kernel
def gather(
    bits: Words,
    sources: Integers,
    masks: Words,
    turns: Words,
    moves: Integers,
    first: int,
    last: int,
    dense: Words,
) -> None:
    """Copy the selected states' bits of steps [first, last) into `dense`.

    Dense word d of a step is the union, over k in [moves[d], moves[d + 1]), of the bits `masks[k]`
    of word `sources[k]`, rotated left by `turns[k]`.
    """
    # Indices are unsigned: a signed one costs a test for counting from the end each time.
    one = np.uint64(1)
    n_dense = np.uint64(dense.shape[1])
    source_of = sources.astype(np.uint64)
    move_of = moves.astype(np.uint64)
    for step in range(np.uint64(first), np.uint64(last)):
        for d in range(n_dense):
            # Two at a time, in a loop that the compiler does not turn into gathered loads: from 8
            # moves on those take four times as long.
            even = np.uint64(0)
            odd = np.uint64(0)
            k = move_of[d]
            stop = move_of[d + one]
            while k + one < stop:
                even |= _rotated(bits[step, source_of[k]] & masks[k], turns[k])
                k += one
                odd |= _rotated(bits[step, source_of[k]] & masks[k], turns[k])
                k += one
            if k < stop:
                even |= _rotated(bits[step, source_of[k]] & masks[k], turns[k])
            dense[step, d] = even | odd


@_kernel
def _rotated(word: np.uint64, left: np.uint64) -> np.uint64:
    """Return a uint64 with its bits rotated left by `left`, 0 to 63."""
    full_turn = np.uint64(63)
    turn = left & full_turn
    return (word << turn) | (word >> ((np.uint64(0) - turn) & full_turn))


@_kernel
def scan_back(
    bits: Words, requested: Words, first: int, last: int, since: Integers, gap: Integers
) -> None:
    """Write how long each state has been on, or off, when row `last` begins.

    Parameters
    ----------
    bits
        (n_rows, n_words); rows [first, last) are read, from the last one back, until every
        state is decided.
    requested
        (n_words,): the bits that are states.
    since
        (n_words * 64,) comes in as -1. Becomes the row from which the state is on through
        `last - 1`, `last` where it is off there; stays -1 where it is on from `first`.
    gap
        The same: the number of rows right before `since` at which it is off; stays -1 where it is
        on from `first`, or off from there to `since`.
    """
    n_words = bits.shape[1]
    one = np.uint64(1)
    in_run = requested.copy()
    in_gap = np.zeros(n_words, dtype=np.uint64)
    for t in range(last - 1, first - 1, -1):
        open_bits = np.uint64(0)
        for w in range(n_words):
            row = bits[t, w]
            changed = in_gap[w] & row
            in_gap[w] ^= changed
            while changed != np.uint64(0):
                lowest = changed & (~changed + one)
                c = w * 64 + _bit_count(lowest - one)
                gap[c] = since[c] - (t + 1)
                changed ^= lowest
            changed = in_run[w] & ~row
            in_run[w] ^= changed
            in_gap[w] |= changed
            while changed != np.uint64(0):
                lowest = changed & (~changed + one)
                since[w * 64 + _bit_count(lowest - one)] = t + 1
                changed ^= lowest
            open_bits |= in_run[w] | in_gap[w]
        if open_bits == np.uint64(0):
            return


@_kernel
def scan_ahead(bits: Words, requested: Words, first: int, last: int, next_on: Integers) -> None:
    """Write the first row in [first, last) at which each state is on; -1 in `next_on` stays if none.

    Only the states whose bits are set in `requested` count.
    """
    n_words = bits.shape[1]
    one = np.uint64(1)
    waiting = requested.copy()
    for t in range(first, last):
        open_bits = np.uint64(0)
        for w in range(n_words):
            changed = waiting[w] & bits[t, w]
            waiting[w] ^= changed
            while changed != np.uint64(0):
                lowest = changed & (~changed + one)
                next_on[w * 64 + _bit_count(lowest - one)] = t
                changed ^= lowest
            open_bits |= waiting[w]
        if open_bits == np.uint64(0):
            return


@_kernel
def find_limited_runs(
    dense: Words,
    base: int,
    offsets: Integers,
    first: int,
    last: int,
    off_before: int,
    off_after: int,
    went_off: Integers,
    next_on: Integers,
    starts: Words,
    ends: Words,
) -> None:
    """Mark where runs begin and end in steps [first, last) with enough off steps around them.

    Bit c of `starts[t - base]` is set when state c comes on at t after at least `off_before` off
    steps; of `ends[t - base]` when it goes off at t (inside the sequence) for at least `off_after`
    steps. Steps outside the sequence count as off. Either output may have no rows: then it is not
    requested. Both come in as zeros. `dense`, `base` and `offsets` are those of `sweep`.

    Parameters
    ----------
    went_off
        (n_dense * 64,): from which step on each state that is off at `first - 1` is off, a step
        far before the sequence where that is since it began. Overwritten.
    next_on
        (n_dense * 64,): the first step from `last` on, in the sequence that goes on there, at which
        each state is on; a step far behind where there is none.
    """
    n_dense = dense.shape[1]
    want_starts = starts.shape[0] > 0
    want_ends = ends.shape[0] > 0
    one = np.uint64(1)
    far = first - (np.int64(1) << np.int64(60))
    for s in range(offsets.shape[0] - 1):
        begin = offsets[s]
        stop = min(last, offsets[s + 1])
        if begin >= first:
            went_off[:] = far
        for t in range(max(begin, first), stop):
            for w in range(n_dense):
                now = dense[t - base, w]
                then = dense[t - 1 - base, w] if t > begin else np.uint64(0)
                changed = now & ~then
                while changed != np.uint64(0):
                    lowest = changed & (~changed + one)
                    c = w * 64 + _bit_count(lowest - one)
                    off = went_off[c]
                    if want_starts and t - off >= off_before:
                        starts[t - base, w] |= lowest
                    if want_ends and off >= first and t - off >= off_after:
                        ends[off - base, w] |= lowest
                    changed ^= lowest
                changed = then & ~now
                while changed != np.uint64(0):
                    lowest = changed & (~changed + one)
                    went_off[w * 64 + _bit_count(lowest - one)] = t
                    changed ^= lowest
        if want_ends:
            goes_on = offsets[s + 1] > last
            for w in range(n_dense):
                for b in range(64):
                    bit = one << np.uint64(b)
                    off = went_off[w * 64 + b]
                    if off < max(begin, first) or dense[stop - 1 - base, w] & bit != np.uint64(0):
                        continue
                    if not goes_on or next_on[w * 64 + b] - off >= off_after:
                        ends[off - base, w] |= bit
        if offsets[s + 1] >= last:
            return


@_kernel
def sweep(
    dense: Words,
    base: int,
    offsets: Integers,
    starts: Words,
    ends: Words,
    before_mode: int,
    after_mode: int,
    last: int,
    until: int,
    n_selected: int,
    low_overlap: int,
    high_overlap: int,
    min_length: int,
    least: int,
    most: int,
    cursor: Integers,
    group_masks: Words,
    group_starts: Integers,
    by_length: Integers,
    full_by_length: Integers,
    by_overlap: Integers,
    bin_shift: int,
    by_bin: Integers,
    full_by_bin: Integers,
    taken: Words,
    taken_base: int,
    found_starts: Integers,
    found_stops: Integers,
    found_overlaps: Integers,
) -> int:
    """Walk forward and meet every match once, in the order of its stop.

    The states that are on are kept in groups by the step they have been on from, oldest first. When
    some go off at b, the matches [a, b) that end there are: for each group at least as young as the
    oldest state going off, the range from the group's start, with the states of this and all older
    groups. A group that has fewer than `low_overlap` states, older ones included, can never again
    start a match, so its states are merged into the next younger group; when no group is left
    alive, nothing before can matter, and the walk goes on with one comparison a step. With a limit
    before, a group holds only the states whose run begins there after enough off steps, and older
    groups do not count; with a limit after, only the states that go off for long enough count.

    Parameters
    ----------
    dense, base
        (n_rows, n_dense) on-bits of the selected states from step `base` on: the shard's steps, and
        the one before them if there is one.
    offsets
        Where the sequences begin, from the one that holds the shard's first step on.
    before_mode, after_mode
        0 no limit; 1 one step, read from `dense`; 2 read from `starts` or `ends`, whose rows are
        those of `dense`.
    last
        The shard's end. A match that ends there is met if its sequence ends there, too; else it is
        the next shard's.
    until
        Pause before this step.
    low_overlap, high_overlap, min_length
        Matches outside these are ignored.
    least, most
        The length filter, inclusive; counts by length ignore it, counts by overlap do not.
    cursor
        (next step, living groups, sequence); next step is set to -1 when the walk is over.
    group_masks, group_starts
        The groups, kept between calls; one more than `n_selected` fit.
    by_length, full_by_length, by_overlap
        Counts to add to, or arrays of size 0 when the matches themselves are requested.
    bin_shift, by_bin, full_by_bin
        The same for the matches that pass the length filter, by `start >> bin_shift`.
    taken, taken_base
        One bit a step from `taken_base` on: matches that hold a taken step are not collected. May
        have size 0.
    found_starts, found_stops, found_overlaps
        Where collected matches go; the walk pauses when they might not fit.

    Returns
    -------
    Number of matches collected.
    """
    n_dense = dense.shape[1]
    counting = by_length.shape[0] > 0
    capacity = found_starts.shape[0]
    zero = np.uint64(0)
    now = np.zeros(n_dense, dtype=np.uint64)
    gone = np.zeros(n_dense, dtype=np.uint64)
    ending = np.zeros(n_dense, dtype=np.uint64)
    dead = np.zeros(n_dense, dtype=np.uint64)
    t = cursor[0]
    alive = cursor[1]
    # States in each group: counted when it begins, not each time some go off.
    sizes = np.zeros(group_masks.shape[0], dtype=np.int64)
    for i in range(alive):
        for w in range(n_dense):
            sizes[i] += _bit_count(group_masks[i, w])
    s = cursor[2]
    found = 0
    while True:
        begin = offsets[s]
        stop = offsets[s + 1]
        end = stop + 1 if stop <= last else last
        while t < end:
            if t >= until:
                cursor[0] = t
                cursor[1] = alive
                cursor[2] = s
                return found
            if alive > 0:
                if not counting and capacity - found < alive:
                    cursor[0] = t
                    cursor[1] = alive
                    cursor[2] = s
                    return found
                any_gone = zero
                for w in range(n_dense):
                    now[w] = dense[t - base, w] if t < stop else zero
                    gone[w] = dense[t - 1 - base, w] & ~now[w]
                    any_gone |= gone[w]
                if any_gone != zero:
                    if after_mode == 2 and t < stop:
                        for w in range(n_dense):
                            ending[w] = ends[t - base, w]
                    else:
                        for w in range(n_dense):
                            ending[w] = gone[w]
                    kept = 0
                    touched = False
                    states = 0  # of this and all older groups (without a limit before)
                    ended = 0  # those of them that go off here for long enough
                    left = 0  # those of them that stay on
                    g = 0
                    if before_mode == 0 and after_mode == 0 and sizes[0] >= low_overlap:
                        # Nothing ends or changes in groups older than all that goes off.
                        while g < alive:
                            hit = zero
                            for w in range(n_dense):
                                hit |= group_masks[g, w] & gone[w]
                            if hit != zero:
                                break
                            states += sizes[g]
                            g += 1
                        left = states
                        kept = g
                    dead[:] = zero
                    while g < alive:
                        own = sizes[g]
                        own_left = own
                        own_ended = 0
                        for w in range(n_dense):
                            own_left -= _bit_count(group_masks[g, w] & gone[w])
                        if after_mode != 0:
                            for w in range(n_dense):
                                own_ended += _bit_count(group_masks[g, w] & ending[w])
                        if before_mode != 0:
                            states = 0
                            ended = 0
                            left = 0
                        states += own
                        ended += own_ended
                        left += own_left
                        if after_mode == 0:
                            touched = (touched and before_mode == 0) or own_left < own
                            overlap = states if touched else 0
                        else:
                            overlap = ended if own_ended > 0 else 0
                        a = group_starts[g]
                        length = t - a
                        if overlap >= low_overlap and length >= min_length:
                            if counting:
                                by_length[length] += 1
                                if overlap == n_selected:
                                    full_by_length[length] += 1
                                if least <= length <= most:
                                    by_overlap[overlap] += 1
                                    by_bin[a >> bin_shift] += 1
                                    if overlap == n_selected:
                                        full_by_bin[a >> bin_shift] += 1
                            elif overlap <= high_overlap and least <= length <= most:
                                if _is_free(taken, a - taken_base, t - taken_base):
                                    found_starts[found] = a
                                    found_stops[found] = t
                                    found_overlaps[found] = overlap
                                    found += 1
                        if left < low_overlap:
                            if before_mode == 0:
                                for w in range(n_dense):
                                    dead[w] |= group_masks[g, w] & now[w]
                        elif own_left > 0:
                            if before_mode == 0 and kept == 0:
                                for w in range(n_dense):
                                    group_masks[0, w] = (group_masks[g, w] & now[w]) | dead[w]
                                sizes[0] = left
                            elif own_left < own or kept < g:
                                for w in range(n_dense):
                                    group_masks[kept, w] = group_masks[g, w] & now[w]
                                sizes[kept] = own_left
                            group_starts[kept] = a
                            kept += 1
                        g += 1
                    alive = kept
            if t < stop:
                row = t - base
                new = 0
                if before_mode == 0 and alive == 0:
                    for w in range(n_dense):
                        new += _bit_count(dense[row, w])
                    if new >= low_overlap:
                        for w in range(n_dense):
                            group_masks[0, w] = dense[row, w]
                        group_starts[0] = t
                        sizes[0] = new
                        alive = 1
                else:
                    for w in range(n_dense):
                        if before_mode == 2:
                            word = starts[row, w]
                        elif t > begin:
                            word = dense[row, w] & ~dense[row - 1, w]
                        else:
                            word = dense[row, w]
                        group_masks[alive, w] = word
                        new += _bit_count(word)
                    if new >= (low_overlap if before_mode != 0 else 1):
                        group_starts[alive] = t
                        sizes[alive] = new
                        alive += 1
            t += 1
        alive = 0
        if stop >= last:
            cursor[0] = -1
            return found
        s += 1
        t = offsets[s]


@_kernel
def count_on(
    dense: Words, base: int, bin_shift: int, first: int, last: int, on_by_bin: Integers
) -> None:
    """Add the bits set in steps [first, last) of `dense` to `on_by_bin[step >> bin_shift]`.

    `dense` begins at step `base`.
    """
    n_dense = dense.shape[1]
    step = first
    while step < last:
        stop = min(last, ((step >> bin_shift) + 1) << bin_shift)
        count = 0
        for t in range(step - base, stop - base):
            for w in range(n_dense):
                count += _bit_count(dense[t, w])
        on_by_bin[step >> bin_shift] += count
        step = stop


@_kernel
def _is_free(taken: Words, first: int, last: int) -> bool:
    """Return whether no step of [first, last) has its bit set in `taken` (or it has size 0)."""
    if taken.shape[0] == 0:
        return True
    full = ~np.uint64(0)
    low = first >> 6
    high = (last - 1) >> 6
    head = full << np.uint64(first & 63)
    tail = full >> np.uint64(63 - ((last - 1) & 63))
    if low == high:
        return bool(taken[low] & head & tail == np.uint64(0))
    if taken[low] & head != np.uint64(0) or taken[high] & tail != np.uint64(0):
        return False
    for w in range(low + 1, high):
        if taken[w] != np.uint64(0):
            return False
    return True


@_kernel
def place(
    first: Integers, last: Integers, order: Integers, requested: int, taken: Words, placed: Integers
) -> int:
    """Walk `order`, take each range [first, last) that is still free, and list it in `placed`.

    Stops after `requested` ranges. Returns how many were listed; `taken` is updated.
    """
    n = 0
    full = ~np.uint64(0)
    for i in order:
        if n == requested:
            break
        a = first[i]
        b = last[i]
        if not _is_free(taken, a, b):
            continue
        placed[n] = i
        n += 1
        low = a >> 6
        high = (b - 1) >> 6
        head = full << np.uint64(a & 63)
        tail = full >> np.uint64(63 - ((b - 1) & 63))
        if low == high:
            taken[low] |= head & tail
        else:
            taken[low] |= head
            taken[high] |= tail
            for w in range(low + 1, high):
                taken[w] = full
    return n


@_kernel
def fold_blocks(rows: Words, either: bool, blocks: Words) -> None:
    """Write into each row of `blocks` the AND (or, if `either`, the OR) of FANOUT rows."""
    n_rows, n_words = rows.shape
    for i in range(blocks.shape[0]):
        for w in range(n_words):
            word = rows[i * FANOUT, w]
            for j in range(i * FANOUT + 1, min(n_rows, (i + 1) * FANOUT)):
                word = word | rows[j, w] if either else word & rows[j, w]
            blocks[i, w] = word


@_kernel
def _narrow(acc: Words, row: Words, either: bool) -> bool:
    """Keep in `acc` the bits on in `row` (off, if `either`); return whether any is left."""
    left = np.uint64(0)
    for w in range(acc.shape[0]):
        acc[w] &= ~row[w] if either else row[w]
        left |= acc[w]
    return bool(left != np.uint64(0))


@_kernel
def _narrow_over(
    acc: Words, bits: Words, blocks: Words, levels: Integers, either: bool, first: int, last: int
) -> bool:
    """Keep in `acc` the bits on (off, if `either`) throughout [first, last); return whether any is left.

    `blocks` is a pyramid over `bits`: its level k, rows levels[k] to levels[k + 1], folds
    FANOUT ** (k + 1) steps a row. It may have no levels.
    """
    level = -1
    n_levels = levels.shape[0] - 1
    while first < last:
        if level + 1 >= n_levels or last - first < 2 * FANOUT:
            for i in range(first, last):
                row = bits[i] if level < 0 else blocks[levels[level] + i]
                if not _narrow(acc, row, either):
                    return False
            return True
        while first % FANOUT != 0:
            row = bits[first] if level < 0 else blocks[levels[level] + first]
            if not _narrow(acc, row, either):
                return False
            first += 1
        while last % FANOUT != 0:
            last -= 1
            row = bits[last] if level < 0 else blocks[levels[level] + last]
            if not _narrow(acc, row, either):
                return False
        first //= FANOUT
        last //= FANOUT
        level += 1
    return True


@_kernel
def _narrow_by_past(
    acc: Words, since: Integers, gap: Integers, first: int, on_from: int, off_from: int
) -> None:
    """Keep in `acc` the states that, before the shard begins at `first`, are as asked.

    On from `on_from` to `first`, if `on_from` is before it, and off from `off_from` to `on_from` or
    to `first`, whichever is earlier. `since` and `gap` are those of `edges.Edges`.
    """
    one = np.uint64(1)
    edge = min(on_from, first)
    for w in range(acc.shape[0]):
        left = acc[w]
        while left != np.uint64(0):
            lowest = left & (~left + one)
            c = w * 64 + _bit_count(lowest - one)
            fits = since[c] <= on_from if on_from < first else True
            if off_from < edge:
                fits = fits and since[c] == edge and gap[c] >= edge - off_from
            if not fits:
                acc[w] ^= lowest
            left ^= lowest


@_kernel
def _narrow_by_future(acc: Words, next_on: Integers, until: int) -> None:
    """Keep in `acc` the states that are off from the shard's end to step `until`."""
    one = np.uint64(1)
    for w in range(acc.shape[0]):
        left = acc[w]
        while left != np.uint64(0):
            lowest = left & (~left + one)
            if next_on[w * 64 + _bit_count(lowest - one)] < until:
                acc[w] ^= lowest
            left ^= lowest


@_kernel
def count_unions(
    bits: Words,
    base: int,
    selected: Words,
    offsets: Integers,
    shard_first: int,
    shard_last: int,
    since: Integers,
    gap: Integers,
    next_on: Integers,
    off_before: int,
    off_after: int,
    all_blocks: Words,
    all_levels: Integers,
    any_blocks: Words,
    any_levels: Integers,
    first: Integers,
    last: Integers,
    sequences: Integers,
    unions: Integers,
) -> None:
    """Write into `unions` the number of states that are selected or in S2 of each range.

    Parameters
    ----------
    bits, base
        (n_rows, n_words) on-bits of all states from step `base` on.
    shard_first, shard_last
        The steps of the shard. Ranges end in it; what is outside is known from the next three.
    since, gap, next_on
        See `edges.Edges`.
    all_blocks, all_levels, any_blocks, any_levels
        Pyramids of ANDs and ORs over `bits` (see `_narrow_over`).
    first, last, sequences
        The ranges, and which of `offsets` their sequences begin at.
    """
    n_words = bits.shape[1]
    acc = np.empty(n_words, dtype=np.uint64)
    n_selected = 0
    for w in range(n_words):
        n_selected += _bit_count(selected[w])
    for i in range(first.shape[0]):
        a = first[i]
        b = last[i]
        for w in range(n_words):
            acc[w] = ~selected[w]
        # Only states outside the selection can still add to the union: stop when none is left.
        left = _narrow_over(
            acc, bits, all_blocks, all_levels, False, max(a, shard_first) - base, b - base
        )
        edge = max(offsets[sequences[i]], a - off_before)
        if left and edge < shard_first:
            _narrow_by_past(acc, since, gap, shard_first, a, edge)
        if left and off_before > 0 and a > shard_first:
            low = max(edge, shard_first) - base
            left = _narrow_over(acc, bits, any_blocks, any_levels, True, low, a - base)
        if left and off_after > 0:
            edge = min(offsets[sequences[i] + 1], b + off_after)
            high = min(edge, shard_last) - base
            left = _narrow_over(acc, bits, any_blocks, any_levels, True, b - base, high)
            if left and edge > shard_last:
                _narrow_by_future(acc, next_on, edge)
        union = n_selected
        if left:
            for w in range(n_words):
                union += _bit_count(acc[w])
        unions[i] = union
