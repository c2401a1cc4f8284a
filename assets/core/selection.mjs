/* S1 in the browser: the same definition and the same numbers as app/matching (docs/matching.md).
   A stored float16 or float32 arrives as float32, a float64 as float64: every comparison with the
   threshold (a double) is exact. */

export function isOn(value, threshold, polarity) {
  if (polarity === "high") return value >= threshold;
  if (polarity === "low") return value <= -threshold;
  return Math.abs(value) >= threshold; // NaN compares false everywhere
}

function decode(text, dtype) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return dtype === "float64" ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

let decoded = { key: null, value: null };
/** The window payload with its numbers as typed arrays; decoded once a payload. */
export function decodedWindow(payload) {
  if (!payload || payload.error) return null;
  if (decoded.key !== payload) {
    const brush = payload.brush
      ? { ...payload.brush, values: decode(payload.brush.values, payload.dtype) }
      : null;
    decoded = {
      key: payload,
      value: { ...payload, values: decode(payload.values, payload.dtype), brush },
    };
  }
  return decoded.value;
}

export function sequenceOf(win, step) {
  return win.sequences.find((s) => s.start <= step && step < s.stop) || null;
}

function fromRows(win, view, first, last) {
  const { n_states: width, values } = win;
  const chosen = [];
  for (let c = 0; c < width; c++) {
    let keep = true;
    for (let t = first; keep && t < last; t++) {
      const on = isOn(values[(t - win.rows_start) * width + c], view.threshold, view.polarity);
      keep = on === (t >= view.start && t < view.stop);
    }
    if (keep) chosen.push(c);
  }
  return chosen;
}

// The six summaries of the brushed range that the server sends for a brush which is not (wholly)
// among the rows: least, greatest and least magnitude over the brush (NaN if any is NaN), then
// greatest, least and greatest magnitude over the limit steps. They decide S1 for any threshold.
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
 */
export function rawSelection(view, win) {
  if (view.start === null) return [];
  const sequence = sequenceOf(win, view.start);
  if (sequence) {
    const first = Math.max(sequence.start, view.start - view.before);
    const last = Math.min(sequence.stop, view.stop + view.after);
    if (first >= win.rows_start && last <= win.rows_stop) return fromRows(win, view, first, last);
  }
  const brush = win.brush;
  if (brush && brush.start === view.start && brush.stop === view.stop
      && brush.before === view.before && brush.after === view.after) {
    return fromSummary(brush, view, win.n_states);
  }
  return null;
}

/**
 * The state that needs the least lower threshold to be on at all brushed steps, limits aside, and
 * the highest threshold at which it is: {state, threshold}. Null when every state is NaN somewhere
 * there, or the brushed range is not in the browser.
 */
export function closestState(view, win) {
  // Turned so that larger is closer to on, whatever the polarity.
  const turned = (value) => (view.polarity === "low" ? -value
    : view.polarity === "magnitude" ? Math.abs(value) : value);
  const width = win.n_states;
  const summary = { high: 0, low: 1, magnitude: 2 }[view.polarity];
  const inRows = view.start >= win.rows_start && view.stop <= win.rows_stop;
  const { brush } = win;
  if (!inRows && !(brush && brush.start === view.start && brush.stop === view.stop)) return null;
  let best = null;
  for (let c = 0; c < width; c++) {
    let least = Infinity;
    if (inRows) {
      for (let t = view.start - win.rows_start; t < view.stop - win.rows_start; t++) {
        const value = turned(win.values[t * width + c]);
        least = Number.isNaN(least) || value >= least ? least : value; // NaN comes and stays
      }
    } else least = turned(brush.values[summary * width + c]);
    if (Number.isFinite(least) && (best === null || least > best.threshold)) {
      best = { state: c, threshold: least };
    }
  }
  return best;
}

let memo = { key: null, value: { raw: [], states: [], fresh: false } };
/** {raw, states, fresh}: S1 before and after exclusions; kept, and not fresh, while rows miss. */
export function selection(view, win) {
  const here = win && view.dataset === win.dataset && view.source === win.source;
  const key = JSON.stringify([
    view.dataset, view.source, here ? win.n : -1, view.start, view.stop, view.before, view.after,
    view.threshold, view.polarity, view.excluded,
  ]);
  if (memo.key === key) return memo.value;
  const raw = here ? rawSelection(view, win) : null;
  if (raw === null) {
    memo = { key, value: { ...memo.value, fresh: false } };
  } else {
    const gone = new Set(view.excluded);
    memo = { key, value: { raw, states: raw.filter((c) => !gone.has(c)), fresh: true } };
  }
  return memo.value;
}

/** Whether the window payload can answer for the view's brush and limits. */
export const covers = (view, win) => rawSelection(view, win) !== null;

/**
 * The on-runs of each state in the window, [start, stop) in steps, without those that the length
 * filter hides: shorter than view.runs and not touching an edge of the window, behind which they
 * may go on. A run ends where its sequence does.
 */
export function runs(view, win, states) {
  const starts = new Set(win.sequences.map((s) => s.start));
  return states.map((c) => {
    const runs = [];
    let from = -1;
    const close = (stop) => {
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

/** The share of the selected states that is on at each visible step, by the same runs. */
export function shares(view, win, states) {
  const out = new Float64Array(win.stop - win.start);
  if (states.length === 0) return out;
  for (const spans of runs(view, win, states)) {
    for (const [start, stop] of spans) for (let t = start; t < stop; t++) out[t - win.start] += 1;
  }
  return out.map((count) => count / states.length);
}
