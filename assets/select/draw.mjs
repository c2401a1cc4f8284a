/* Drawing the Select View from the stores. Nothing here changes the view. */
/** @import {Hover, Info, ViewStore, Viewport, Window as WindowPayload} from "../wire" */
/** @import {Skeletons, Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { axisRange, figure, percent, scheme } from "../core/axes.mjs";
import { noUpdate } from "../core/page.mjs";
import { decodedWindow, range, shares as sharesOn, shows } from "../core/selection.mjs";
import { clamp } from "../core/values.mjs";
import { count, escape, shown, uprightRow, wordRow } from "../core/words.mjs";

/**
 * One trace for many states: x and y with a gap (NaN) after each state and where a sequence ends,
 * for there the network's state was reset. A value between two gaps is drawn as a short dash, an infinite
 * one just inside the end of the axis, where its line is seen whole.
 * @param {Win} win @param {number[]} states @param {number[]} range The ends of the axis
 */
function polylines(win, states, [low, high]) {
  const inset = (high - low) * 0.01;
  const steps = win.stop - win.start;
  const starts = new Set(win.sequences.map((s) => s.start - win.start).filter((t) => t > 0 && t < steps));
  const most = states.length * (2 * steps + starts.size + 1);
  const x = new Float64Array(most);
  const y = new Float64Array(most);
  let k = 0;
  const from = (win.start - win.rows_start) * win.n_states;
  const put = (/** @type {number} */ at, /** @type {number} */ value) => { x[k] = at; y[k++] = value; };
  for (const c of states) {
    const value = (/** @type {number} */ t) => {
      const stored = win.values[from + t * win.n_states + c];
      return stored === Infinity ? high - inset : stored === -Infinity ? low + inset : stored;
    };
    const drawn = (/** @type {number} */ t) => t >= 0 && t < steps && !Number.isNaN(value(t));
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

// Which shares of the states are below the lower and upper edge of each band.
const BANDS = [[0, 1], [0.05, 0.95], [0.25, 0.75]];

/**
 * Per visible step: the edges of the bands and the median, over the states that are not NaN.
 * @param {Win} win @param {number[]} range
 */
function bands(win, [low, high]) {
  const steps = win.stop - win.start;
  const edges = BANDS.map(() => ({ lower: new Float64Array(steps), upper: new Float64Array(steps) }));
  const median = new Float64Array(steps);
  const inside = (/** @type {number} */ value) => clamp(value, low, high); // infinities end at the axis
  for (let t = 0; t < steps; t++) {
    const from = (win.start - win.rows_start + t) * win.n_states;
    // A typed array sorts numbers by value and puts NaN last.
    const sorted = win.values.slice(from, from + win.n_states).sort();
    let count = sorted.length;
    while (count > 0 && Number.isNaN(sorted[count - 1])) count--;
    const at = (/** @type {number} */ share) => (count ? inside(sorted[Math.round(share * (count - 1))]) : NaN);
    BANDS.forEach(([from_, to], k) => {
      edges[k].lower[t] = at(from_);
      edges[k].upper[t] = at(to);
    });
    median[t] = at(0.5);
  }
  const x = Array.from({ length: steps }, (_, t) => t);
  const outline = (/** @type {{ lower: Float64Array, upper: Float64Array }} */ { lower, upper }) => ({
    x: [...x, ...x.slice().reverse()], y: [...upper, ...Array.from(lower).reverse()],
  });
  return [...edges.map(outline), { x, y: median }];
}

/** The states in red: the pinned one and the one that is pointed at. @param {ViewStore} view @param {Hover | undefined} hover @param {Win} win */
function hotStates(view, hover, win) {
  const hot = [];
  if (view.pinned !== null) hot.push(view.pinned);
  if (hover && hover.state !== null && hover.state !== view.pinned) hot.push(hover.state);
  return hot.filter((c) => c < win.n_states);
}

// In steps narrower than this share of what the words need, they are upright.
const UPRIGHT = 0.6;
const UPRIGHT_HEIGHT = 64; // px, as in select.css

/** @param {Panel} panel */
export function draw(panel) {
  const { part } = panel;
  const axes = (/** @type {Win} */ win, /** @type {number[]} */ values) =>
    ({ x: { range: along([-0.5, win.stop - win.start - 0.5]) }, y: { range: values } });
  const along = (/** @type {number[]} */ ends) => (panel.rtl() ? ends.reverse() : ends);

  let drawnFaint = "";
  /** @param {WindowPayload} payload @param {ViewStore} view @param {string} theme @param {Info} info @param {Skeletons} skeletons */
  function drawFaint(payload, view, theme, info, skeletons) {
    const win = decodedWindow(payload);
    if (!win || !shows(win, view, info)) return noUpdate();
    const values = axisRange(view, info);
    // The view changes with every drag; the faint lines only with the window, the axis, the theme.
    const key = JSON.stringify([win.n, values, theme]);
    if (key === drawnFaint) return noUpdate();
    drawnFaint = key;
    part("plot-empty").hidden = true;
    const many = win.n_states > skeletons.light.most_lines;
    const note = part("plot-note");
    note.hidden = !many;
    if (many) {
      note.textContent = `grey: all, 90 % and half of the ${count(info.n_states)} states, and their median`;
      return figure(skeletons, theme, "bands", bands(win, values), axes(win, values));
    }
    const all = Array.from({ length: win.n_states }, (_, c) => c);
    return figure(skeletons, theme, "faint", [polylines(win, all, values)], axes(win, values));
  }

  let drawnLines = "";
  /** @param {ViewStore} view @param {WindowPayload} payload @param {Hover} hover @param {string} theme @param {Info} info @param {Skeletons} skeletons */
  function drawLines(view, payload, hover, theme, info, skeletons) {
    const win = decodedWindow(payload);
    if (!win || !shows(win, view, info)) return noUpdate();
    const { states } = panel.selection(view, win);
    const hot = hotStates(view, hover, win);
    const values = axisRange(view, info);
    const key = JSON.stringify([win.n, values, theme, states, hot]);
    if (key === drawnLines) return noUpdate();
    drawnLines = key;
    // Few selected states can afford to be bold; many stay thin so that drawing stays quick.
    const line = {
      .../** @type {object} */ (skeletons[scheme(theme)].lines.data[0].line),
      width: states.length <= 30 ? 1.5 : states.length <= 120 ? 1 : 0.6,
    };
    const selected = { ...polylines(win, states, values), line, opacity: states.length <= 120 ? 1 : 0.5 };
    return figure(skeletons, theme, "lines", [selected, polylines(win, hot, values)], axes(win, values));
  }

  // Words are drawn with the window; the brush, its handles and the limits are moved, never rebuilt,
  // so that a drag keeps its element and the keyboard its focus.
  let drawnWords = "";
  /** @param {WindowPayload} payload @param {Viewport} viewport @param {Info} info */
  function drawWords(payload, viewport, info) {
    const win = decodedWindow(payload);
    if (!win || !viewport || !info || win.dataset !== info.dataset) return;
    const key = `${win.n}|${viewport.width}`;
    if (key === drawnWords) return;
    drawnWords = key;
    const steps = win.stop - win.start;
    // Words make way for each other inside their sequence.
    const starts = new Set(win.sequences.map((s) => s.start));
    let group = win.start;
    const words = win.tokens.map((token, i) => {
      if (starts.has(win.start + i)) group = win.start + i;
      return { ...shown(token), bold: false, group };
    });
    const width = viewport.width / steps;
    const upright = width < UPRIGHT * info.word_width;
    /** @type {HTMLElement} */ (part("words").parentElement).classList.toggle("sb-upright-words", upright);
    const fitted = upright ? uprightRow(words, width, UPRIGHT_HEIGHT) : wordRow("span", words, width);
    const drawn = win.tokens.map((token, i) =>
      `<div class="sb-word${words[i].sign ? " sb-sign" : ""}" data-step="${win.start + i}"`
        + ` title="${escape(token)} · step ${count(win.start + i)}"`
        + ` style="inset-inline-start:${(100 * i) / steps}%;width:${100 / steps}%">${fitted[i]}</div>`);
    const edges = win.sequences
      .filter((s) => s.start > win.start && s.start < win.stop)
      .map((s) => `<div class="sb-boundary" style="inset-inline-start:${percent(s.start, win)}%"`
        + ` title="A new sequence starts here: ${escape(s.id === null ? "step " + count(s.start) : s.id)}"></div>`)
      .join("");
    if (!panel.find("word-layer")) {
      part("words").insertAdjacentHTML("afterbegin", `<div id="${panel.prefix}word-layer"></div>`);
      part("bands").insertAdjacentHTML("afterbegin", `<div id="${panel.prefix}boundary-layer"></div>`);
    }
    part("word-layer").dataset.n = String(win.n);
    part("word-layer").innerHTML = drawn.join("") + edges;
    part("boundary-layer").innerHTML = edges;
  }

  /** @param {ViewStore} view @param {Win} win */
  function drawBars(view, win) {
    const { states, fresh } = panel.selection(view, win);
    const steps = win.stop - win.start;
    const bars = part("bars");
    bars.classList.toggle("sb-stale", !fresh);
    bars.innerHTML = Array.from(sharesOn(view, win, states), (share, i) =>
      `<div class="sb-bar" style="inset-inline-start:${(100 * i) / steps}%;width:${100 / steps}%"`
      + ` title="${Math.round(share * states.length)} of ${states.length} selected states on at step ${count(win.start + i)}">`
      + (share > 0 ? `<i style="height:${(100 * share).toFixed(1)}%"></i>` : "") + "</div>").join("");
  }

  /** @param {ViewStore} view @param {Win} win @param {Info} info */
  function drawSelectionText(view, win, info) {
    const text = part("selection-text");
    if (view.start === null) {
      panel.keepFocus(text, () => { text.textContent = ""; }, "words"); // the list of chips says it
      return;
    }
    const { states, raw, fresh } = panel.selection(view, win);
    const [start, stop] = range(view);
    const excluded = raw.length - states.length;
    const html = `<b>${count(states.length)}</b> of ${count(info.n_states)} states on <span>at `
      + (stop - start === 1 ? `step ${count(start)}`
        : `all ${count(stop - start)} steps ${count(start)}–${count(stop - 1)}`)
      + (view.before || view.after ? `, off ${view.before} before, ${view.after} after` : "")
      + (excluded ? `, ${excluded} excluded` : "") + (fresh ? "" : " (updating…)")
      + ' <button type="button" class="sb-text-button" data-clear="1" title="Clear the selection (Esc)">clear</button></span>';
    if (text.innerHTML !== html) panel.keepFocus(text, () => { text.innerHTML = html; });
  }

  return { drawFaint, drawLines, drawWords, drawBars, drawSelectionText };
}
