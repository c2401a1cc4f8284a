/* S1 in the browser: the same definition and the same numbers as app/matching (docs/matching.md).
   A stored float16 or float32 arrives as float32, a float64 as float64: every comparison with the
   threshold (a double) is exact. */

/** @import {Info, ViewStore, Window as WindowPayload, WindowError} from "../wire" */
/** @import {Polarity, Selection, Span, Win} from "../types" */

/** @param {number} value @param {number} threshold @param {string} polarity */
export function isOn(value, threshold, polarity) {
  if (polarity === "high") return value >= threshold;
  if (polarity === "low") return value <= -threshold;
  return Math.abs(value) >= threshold; // NaN compares false everywhere
}

/** @param {string} text Base64 @param {string} dtype */
function decode(text, dtype) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return dtype === "float64" ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

/** @type {WeakMap<object, Win>} */
const decoded = new WeakMap();
/**
 * The window payload with its numbers as typed arrays; decoded once a payload.
 * @param {WindowPayload | WindowError | null | undefined} payload @returns {Win | null}
 */
export function decodedWindow(payload) {
  if (!payload || "error" in payload) return null;
  const known = decoded.get(payload);
  if (known) return known;
  const { brush, dtype } = payload;
  const made = {
    ...payload, values: decode(payload.values, dtype),
    brush: brush ? { ...brush, values: decode(brush.values, dtype) } : null,
  };
  decoded.set(payload, made);
  return made;
}

/** @param {Win} win @param {number} step */
export function sequenceOf(win, step) {
  return win.sequences.find((s) => s.start <= step && step < s.stop) || null;
}

/** The brushed range of a view that has one. @param {ViewStore} view */
export const range = (view) => /** @type {Span} */ ([view.start, view.stop]);

/** @param {Win} win @param {ViewStore} view @param {number} first @param {number} last */
function fromRows(win, view, first, last) {
  const { n_states: width, values } = win;
  const [start, stop] = range(view);
  const chosen = [];
  for (let c = 0; c < width; c++) {
    let keep = true;
    for (let t = first; keep && t < last; t++) {
      const on = isOn(values[(t - win.rows_start) * width + c], view.threshold, view.polarity);
      keep = on === (t >= start && t < stop);
    }
    if (keep) chosen.push(c);
  }
  return chosen;
}

// The six summaries of the brushed range that the server sends for a brush which is not (wholly)
// among the rows: least, greatest and least magnitude over the brush (NaN if any is NaN), then
// greatest, least and greatest magnitude over the limit steps. They decide S1 for any threshold.
/** @param {NonNullable<Win["brush"]>} brush @param {ViewStore} view @param {number} width */
function fromSummary(brush, view, width) {
  const [onMin, onMax, onMinAbs, offMax, offMin, offMaxAbs] = [0, 1, 2, 3, 4, 5].map((k) =>
    brush.values.subarray(k * width, (k + 1) * width));
  const limit = view.threshold;
  const chosen = [];
  for (let c = 0; c < width; c++) {
    let keep;
    if (view.polarity === "high") keep = onMin[c] >= limit && !(offMax[c] >= limit);
    else if (view.polarity === "low") keep = onMax[c] <= -limit && !(offMin[c] <= -limit);
    else keep = onMinAbs[c] >= limit && !(offMaxAbs[c] >= limit);
    if (keep) chosen.push(c);
  }
  return chosen;
}

/**
 * S1 before exclusions, from what is in the browser; null when part of the brushed range (limits
 * included) is not here: it is never computed from a part.
 * @param {ViewStore} view @param {Win} win @returns {number[] | null}
 */
export function rawSelection(view, win) {
  if (view.start === null) return [];
  const [start, stop] = range(view);
  const sequence = sequenceOf(win, start);
  if (sequence) {
    const first = Math.max(sequence.start, start - view.before);
    const last = Math.min(sequence.stop, stop + view.after);
    if (first >= win.rows_start && last <= win.rows_stop) return fromRows(win, view, first, last);
  }
  const brush = win.brush;
  if (brush && brush.start === start && brush.stop === stop
      && brush.before === view.before && brush.after === view.after) {
    return fromSummary(brush, view, win.n_states);
  }
  return null;
}

/**
 * The state that needs the least lower threshold to be on at all brushed steps, limits aside, and
 * the highest threshold at which it is: {state, threshold}. Null when every state is NaN somewhere
 * there, or the brushed range is not in the browser.
 * @param {ViewStore} view @param {Win} win @returns {{ state: number, threshold: number } | null}
 */
export function closestState(view, win) {
  // Turned so that larger is closer to on, whatever the polarity.
  const turned = (/** @type {number} */ value) => (view.polarity === "low" ? -value
    : view.polarity === "magnitude" ? Math.abs(value) : value);
  const width = win.n_states;
  const summary = { high: 0, low: 1, magnitude: 2 }[/** @type {Polarity} */ (view.polarity)];
  const [start, stop] = range(view);
  const inRows = start >= win.rows_start && stop <= win.rows_stop;
  const brush = win.brush && win.brush.start === start && win.brush.stop === stop ? win.brush : null;
  if (!inRows && !brush) return null;
  /** @type {{ state: number, threshold: number } | null} */
  let best = null;
  for (let c = 0; c < width; c++) {
    let least = Infinity;
    if (inRows) {
      for (let t = start - win.rows_start; t < stop - win.rows_start; t++) {
        const value = turned(win.values[t * width + c]);
        least = Number.isNaN(least) || value >= least ? least : value; // NaN comes and stays
      }
    } else if (brush) least = turned(brush.values[summary * width + c]);
    if (Number.isFinite(least) && (best === null || least > best.threshold)) {
      best = { state: c, threshold: least };
    }
  }
  return best;
}

/**
 * Make a function that returns S1 before and after exclusions; while rows are missing it returns the
 * last one, marked as not fresh.
 * @returns {(view: ViewStore, win: Win | null) => Selection}
 */
export function selector() {
  let key = "";
  /** @type {Selection} */
  let held = { raw: [], states: [], fresh: false };
  return (view, win) => {
    const here = win && view.dataset === win.dataset && view.source === win.source ? win : null;
    const next = JSON.stringify([
      view.dataset, view.source, here ? here.n : -1, view.start, view.stop, view.before, view.after,
      view.threshold, view.polarity, view.excluded,
    ]);
    if (key === next) return held;
    key = next;
    const raw = here ? rawSelection(view, here) : null;
    const excluded = new Set(view.excluded);
    held = raw === null ? { ...held, fresh: false }
      : { raw, states: raw.filter((c) => !excluded.has(c)), fresh: true };
    return held;
  };
}

/** Whether a window can answer for the view's brush and limits. @param {ViewStore} view @param {Win} win */
export const covers = (view, win) => rawSelection(view, win) !== null;

/**
 * The on-runs of each state in the window, [start, stop) in steps, without those that the length
 * filter hides: shorter than view.runs and not touching an edge of the window, behind which they
 * may go on. A run ends where its sequence does.
 * @param {ViewStore} view @param {Win} win @param {number[]} states @returns {Span[][]}
 */
export function runs(view, win, states) {
  const starts = new Set(win.sequences.map((s) => s.start));
  return states.map((c) => {
    /** @type {Span[]} */
    const runs = [];
    let from = -1;
    const close = (/** @type {number} */ stop) => {
      const whole = from > win.start && stop < win.stop;
      if (!whole || stop - from >= view.runs) runs.push([from, stop]);
      from = -1;
    };
    for (let t = win.start; t < win.stop; t++) {
      const value = win.values[(t - win.rows_start) * win.n_states + c];
      const on = isOn(value, view.threshold, view.polarity);
      if (from >= 0 && (!on || starts.has(t))) close(t);
      if (on && from < 0) from = t;
    }
    if (from >= 0) close(win.stop);
    return runs;
  });
}

/**
 * The share of the selected states that is on at each visible step, by the same runs.
 * @param {ViewStore} view @param {Win} win @param {number[]} states
 */
export function shares(view, win, states) {
  const out = new Float64Array(win.stop - win.start);
  if (states.length === 0) return out;
  for (const spans of runs(view, win, states)) {
    for (const [start, stop] of spans) for (let t = start; t < stop; t++) out[t - win.start] += 1;
  }
  return out.map((count) => count / states.length);
}

/** Whether a window is of what the view shows. @param {{ dataset: string, source: string }} win @param {ViewStore} view @param {Info} info */
export const shows = (win, view, info) => Boolean(view && info) && win.dataset === info.dataset
  && win.source === info.source && view.dataset === win.dataset && view.source === win.source;
