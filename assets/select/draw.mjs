/* Drawing the Select View from the stores. Nothing here changes the view. */
import * as extents from "../core/axes.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";
import * as chipList from "./chips.mjs";
import * as covering from "./coverage.mjs";

const none = () => window.dash_clientside.no_update;
const byId = (id) => document.getElementById(id);

/**
 * One trace for many states: x and y with a gap (NaN) after each state and where a sequence ends,
 * for there the network's state was reset. A value between two gaps is drawn as a short dash.
 */
function polylines(win, states) {
  const steps = win.stop - win.start;
  const starts = new Set(win.sequences.map((s) => s.start - win.start).filter((t) => t > 0 && t < steps));
  const most = states.length * (2 * steps + starts.size + 1);
  const x = new Float64Array(most);
  const y = new Float64Array(most);
  let k = 0;
  const from = (win.start - win.rows_start) * win.n_states;
  const put = (at, value) => { x[k] = at; y[k++] = value; };
  for (const c of states) {
    const value = (t) => win.values[from + t * win.n_states + c];
    const drawn = (t) => t >= 0 && t < steps && Number.isFinite(value(t));
    for (let t = 0; t < steps; t++) {
      if (starts.has(t)) put(NaN, NaN);
      if (!drawn(t)) put(NaN, NaN);
      else if ((drawn(t - 1) && !starts.has(t)) || (drawn(t + 1) && !starts.has(t + 1))) put(t, value(t));
      else {
        put(t - 0.15, value(t));
        put(t + 0.15, value(t));
      }
    }
    put(NaN, NaN);
  }
  return { x: x.subarray(0, k), y: y.subarray(0, k) };
}

const matching = (view, win, info) => win && info && view && win.dataset === info.dataset
  && win.source === info.source && view.dataset === win.dataset && view.source === win.source;

// Which shares of the states lie below the lower and upper edge of each band.
const BANDS = [[0, 1], [0.05, 0.95], [0.25, 0.75]];

/** Per visible step: the edges of the bands and the median, over the states that are not NaN. */
function bands(win, [low, high]) {
  const steps = win.stop - win.start;
  const edges = BANDS.map(() => ({ lower: new Float64Array(steps), upper: new Float64Array(steps) }));
  const median = new Float64Array(steps);
  const inside = (value) => Math.min(high, Math.max(low, value)); // infinities end at the axis
  for (let t = 0; t < steps; t++) {
    const from = (win.start - win.rows_start + t) * win.n_states;
    // A typed array sorts numbers by value and puts NaN last.
    const sorted = win.values.slice(from, from + win.n_states).sort();
    let count = sorted.length;
    while (count > 0 && Number.isNaN(sorted[count - 1])) count--;
    const at = (share) => (count ? inside(sorted[Math.round(share * (count - 1))]) : NaN);
    BANDS.forEach(([from_, to], k) => {
      edges[k].lower[t] = at(from_);
      edges[k].upper[t] = at(to);
    });
    median[t] = at(0.5);
  }
  const x = Array.from({ length: steps }, (_, t) => t);
  const outline = ({ lower, upper }) => ({
    x: [...x, ...x.slice().reverse()], y: [...upper, ...Array.from(lower).reverse()],
  });
  return [...edges.map(outline), { x, y: median }];
}

let drawnFaint = null;
export function drawFaint(payload, view, theme, info, skeletons) {
  const win = s1.decodedWindow(payload);
  if (!matching(view, win, info)) return none();
  const range = extents.axisRange(view, info);
  // The view changes with every drag; the faint lines only with the window, the axis, the theme.
  const key = JSON.stringify([win.n, range, theme]);
  if (key === drawnFaint) return none();
  drawnFaint = key;
  byId("plot-empty").hidden = true;
  const axes = {
    x: { range: [-0.5, win.stop - win.start - 0.5] }, y: { range },
  };
  const many = win.n_states > skeletons.light.most_lines;
  byId("plot-note").hidden = !many;
  if (many) {
    byId("plot-note").textContent = `grey: all, 90 % and half of the ${wording.count(info.n_states)} states, and their median`;
    return extents.figure(skeletons, theme, "bands", bands(win, range), axes);
  }
  const all = Array.from({ length: win.n_states }, (_, c) => c);
  return extents.figure(skeletons, theme, "faint", [polylines(win, all)], axes);
}

let drawnLines = null;
export function drawLines(view, payload, hover, theme, info, skeletons) {
  const win = s1.decodedWindow(payload);
  if (!matching(view, win, info)) return none();
  const { states } = s1.selection(view, win);
  const hot = hotStates(view, hover, win);
  const range = extents.axisRange(view, info);
  const key = JSON.stringify([win.n, range, theme, states, hot]);
  if (key === drawnLines) return none();
  drawnLines = key;
  const traces = [polylines(win, states), polylines(win, hot)];
  // Few selected states can afford to be bold; many stay thin so that drawing stays quick.
  traces[0].line = {
    ...skeletons.light.lines.data[0].line,
    color: skeletons[theme === "dark" ? "dark" : "light"].lines.data[0].line.color,
    width: states.length <= 30 ? 1.5 : states.length <= 120 ? 1 : 0.6,
  };
  traces[0].opacity = states.length <= 120 ? 1 : 0.5;
  return extents.figure(skeletons, theme, "lines", traces, {
    x: { range: [-0.5, win.stop - win.start - 0.5] }, y: { range },
  });
}

export function hotStates(view, hover, win) {
  const hot = [];
  if (view.pinned !== null) hot.push(view.pinned);
  if (hover && hover.state !== null && hover.state !== view.pinned) hot.push(hover.state);
  return hot.filter((c) => c < win.n_states);
}

// Words: drawn with the window; the brush, its handles and the limits are moved, never rebuilt,
// so that a drag keeps its element and the keyboard its focus.
let drawnWords = null;
// In steps narrower than this share of what the words need, they stand upright.
const UPRIGHT = 0.6;
const UPRIGHT_HEIGHT = 64; // px, as in select.css
export function drawWords(payload, viewport, info) {
  const win = s1.decodedWindow(payload);
  if (!win || !viewport || !info || win.dataset !== info.dataset) return;
  const key = `${win.n}|${viewport.width}`;
  if (key === drawnWords) return;
  drawnWords = key;
  const steps = win.stop - win.start;
  // Words make way for each other inside their sequence.
  const groups = new Map();
  for (const s of win.sequences) groups.set(s.start, s.start);
  let group = win.start;
  const shown = win.tokens.map((token, i) => {
    group = groups.get(win.start + i) ?? group;
    return { ...wording.shown(token), bold: false, group };
  });
  const width = viewport.width / steps;
  const upright = width < UPRIGHT * info.word_width;
  byId("words").parentElement.classList.toggle("sb-upright-words", upright);
  const fitted = upright ? wording.uprightRow(shown, width, UPRIGHT_HEIGHT) : wording.wordRow("span", shown, width);
  const words = win.tokens.map((token, i) =>
    `<div class="sb-word${shown[i].sign ? " sb-sign" : ""}" data-step="${win.start + i}"`
      + ` title="${wording.escape(token)} · step ${wording.count(win.start + i)}"`
      + ` style="left:${(100 * i) / steps}%;width:${100 / steps}%">${fitted[i]}</div>`);
  const edges = win.sequences
    .filter((s) => s.start > win.start && s.start < win.stop)
    .map((s) => `<div class="sb-boundary" style="left:${extents.percent(s.start, win)}%"`
      + ` title="A new sequence starts here: ${wording.escape(s.id === null ? "step " + wording.count(s.start) : s.id)}"></div>`)
    .join("");
  let layer = byId("word-layer");
  if (!layer) {
    byId("words").insertAdjacentHTML("afterbegin", '<div id="word-layer"></div>');
    byId("bands").insertAdjacentHTML("afterbegin", '<div id="boundary-layer"></div>');
    layer = byId("word-layer");
  }
  layer.dataset.n = win.n;
  layer.innerHTML = words.join("") + edges;
  byId("boundary-layer").innerHTML = edges;
}

export function drawSelection(view, payload, info) {
  const win = s1.decodedWindow(payload);
  if (!matching(view, win, info)) return;
  drawBars(view, win);
  covering.drawCoverage(view, win, info);
  chipList.drawChips(view, win, info);
  drawSelectionText(view, win, info);
}

function drawBars(view, win) {
  const { states, fresh } = s1.selection(view, win);
  const steps = win.stop - win.start;
  const shares = s1.shares(view, win, states);
  const bars = byId("bars");
  bars.classList.toggle("sb-stale", !fresh);
  bars.innerHTML = Array.from(shares, (share, i) =>
    `<div class="sb-bar" style="left:${(100 * i) / steps}%;width:${100 / steps}%"`
    + ` title="${Math.round(share * states.length)} of ${states.length} selected states on at step ${wording.count(win.start + i)}">`
    + (share > 0 ? `<i style="height:${(100 * share).toFixed(1)}%"></i>` : "") + "</div>").join("");
}

export function drawThresholds(view, info, payload) {
  const win = s1.decodedWindow(payload);
  if (!matching(view, win, info)) return;
  const host = byId("thresholds");
  if (!host.firstChild) {
    host.innerHTML = ["upper", "lower"].map((which) =>
      `<div class="sb-threshold" data-line="${which}" role="slider" tabindex="0"`
      + ` aria-orientation="vertical"><span></span></div>`).join("");
  }
  const [low, high] = extents.axisRange(view, info);
  const lines = { upper: view.threshold, lower: -view.threshold };
  for (const [which, value] of Object.entries(lines)) {
    const line = host.querySelector(`[data-line="${which}"]`);
    line.hidden = which === "upper" ? view.polarity === "low" : view.polarity === "high";
    line.style.display = line.hidden ? "none" : "";
    const at = (100 * (high - value)) / (high - low);
    const clipped = Math.min(100, Math.max(0, at));
    line.style.top = `${clipped}%`;
    line.classList.toggle("sb-below", clipped < 12);
    const beyond = at < 0 ? " ↑" : at > 100 ? " ↓" : "";
    const sign = which === "lower" ? "−ℓ" : "ℓ";
    line.firstChild.textContent = `${sign} = ${value}${beyond}`;
    line.setAttribute("aria-label", which === "lower" ? "Threshold, lower line" : "Threshold");
    line.setAttribute("aria-valuemin", info.slider.min);
    line.setAttribute("aria-valuemax", info.slider.max);
    line.setAttribute("aria-valuenow", value);
  }
}

function drawSelectionText(view, win, info) {
  const text = byId("selection-text");
  if (view.start === null) {
    stores.keepFocus(text, () => { text.textContent = ""; }, "words"); // the list of chips says it
    return;
  }
  const { states, raw, fresh } = s1.selection(view, win);
  const length = view.stop - view.start;
  const gone = raw.length - states.length;
  const html = `<b>${wording.count(states.length)}</b> of ${wording.count(info.n_states)} states on <span>at `
    + (length === 1 ? `step ${wording.count(view.start)}`
      : `all ${wording.count(length)} steps ${wording.count(view.start)}–${wording.count(view.stop - 1)}`)
    + (view.before || view.after ? `, off ${view.before} before, ${view.after} after` : "")
    + (gone ? `, ${gone} excluded` : "") + (fresh ? "" : " (updating…)") + "</span>"
    + ' <button type="button" class="sb-text-button" data-clear="1" title="Clear the selection (Esc)">clear</button>';
  if (text.innerHTML !== html) stores.keepFocus(text, () => { text.innerHTML = html; });
}
