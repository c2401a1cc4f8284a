/* The brush on the words and across the plot, and the grey limit slider under it. Both change the
   view while dragging and ask the server for nothing. */
/** @import {ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { axisRange, newBrush, percent, stateName } from "../core/axes.mjs";
import { target } from "../core/page.mjs";
import { decodedWindow, range, sequenceOf } from "../core/selection.mjs";
import { clamp } from "../core/values.mjs";
import { count, plural, shown } from "../core/words.mjs";
import { walk } from "./card.mjs";

/** @typedef {"start" | "stop" | "before" | "after"} Handle */
/**
 * @typedef {object} Drag
 * @property {Handle | "make" | "move"} mode
 * @property {number} anchor @property {boolean} moved @property {number} origin @property {number} pointer
 * @property {boolean} onWords
 * @property {number} start @property {number} stop @property {number} before @property {number} after
 * @property {{ start: number | null, stop: number | null, before: number, after: number }} old
 * @property {number | null} line The state whose line in the plot was pressed: a click opens its card
 */

/** @param {Panel} panel @param {(state: number) => void} openCard */
export function brush(panel, openCard) {
  const { at, part, shareAt } = panel;

  /** @type {Handle | null} */
  let nextFocus = null; // the handle that gets the focus when it is drawn

  function build() {
    const handle = (/** @type {Handle} */ name, /** @type {string} */ kind, /** @type {string} */ label, tip = "") =>
      `<div class="${kind}" data-handle="${name}" role="slider" tabindex="0" aria-label="${label}"${tip && ` title="${tip}"`}></div>`;
    const div = (/** @type {string} */ id, /** @type {string} */ style) =>
      `<div class="${style}" id="${panel.prefix}${id}"></div>`;
    part("words").insertAdjacentHTML("beforeend", div("brush", "sb-brush")
      + handle("start", "sb-handle sb-handle-start", "Selection starts at step")
      + handle("stop", "sb-handle sb-handle-stop", "Selection ends with step"));
    part("limits").innerHTML = div("limit-bar", "sb-limit-bar")
      + handle("before", "sb-limit-handle", "Steps before that must be off", "Drag outwards: off for that many steps before")
      + handle("after", "sb-limit-handle", "Steps after that must be off", "Drag outwards: off for that many steps after")
      + div("count-before", "sb-limit-count") + div("count-after", "sb-limit-count");
    part("bands").insertAdjacentHTML("beforeend", div("band-before", "sb-band sb-band-limit")
      + div("band-brush", "sb-band") + div("band-after", "sb-band sb-band-limit"));
  }
  const handleOf = (/** @type {Handle} */ name) =>
    /** @type {HTMLElement} */ (panel.root.querySelector(`[data-handle="${name}"]`));

  /**
   * Put a part over [start, stop), cut at the window's edges; hidden when outside.
   * @param {string} name @param {number} start @param {number} stop @param {Win} win
   */
  function place(name, start, stop, win) {
    const { style } = part(name);
    const from = clamp(start, win.start, win.stop);
    const to = clamp(stop, win.start, win.stop);
    style.display = to > from ? "" : "none";
    style.insetInlineStart = `${percent(from, win)}%`;
    style.width = `${percent(to, win) - percent(from, win)}%`;
  }

  /** @param {Handle} name @param {number} step @param {Win} win @param {boolean} visible */
  function placeHandle(name, step, win, visible) {
    const { style } = handleOf(name);
    style.display = visible && step >= win.start && step <= win.stop ? "" : "none";
    style.insetInlineStart = `${percent(step, win)}%`;
  }

  /** @param {Handle} name @param {number} now @param {number} low @param {number} high @param {string} text */
  function slider(name, now, low, high, text) {
    const values = { valuenow: now, valuemin: low, valuemax: high, valuetext: text };
    for (const [key, value] of Object.entries(values)) handleOf(name).setAttribute(`aria-${key}`, String(value));
  }

  /** The brushed words, which the brush itself covers, and where they are. @param {number} start @param {number} stop @param {Win} win */
  function brushedText(start, stop, win) {
    const words = win.tokens.slice(Math.max(0, start - win.start), Math.max(0, stop - win.start));
    const text = words.slice(0, 12).map((token) => shown(token).text).join(" ");
    const where = stop - start === 1 ? `step ${count(start)}` : `steps ${count(start)}–${count(stop - 1)}`;
    return `${text}${words.length > 12 ? " …" : ""} · ${where}`;
  }

  /** @param {ViewStore} view @param {WindowPayload} payload */
  function drawBrush(view, payload) {
    const win = decodedWindow(payload);
    if (!view || !win || win.dataset !== view.dataset) return;
    if (!panel.find("brush")) build();
    const on = view.start !== null;
    const [start, stop] = on ? range(view) : [0, 0];
    const { before, after } = on ? view : { before: 0, after: 0 };
    // Steps outside the sequence count as off: the bands of the limits end where it does.
    const bounds = (on && sequenceOf(win, start)) || { start: win.start, stop: win.stop };
    const low = Math.max(start - before, Math.min(start, bounds.start));
    const high = Math.min(stop + after, Math.max(stop, bounds.stop));
    place("brush", start, stop, win);
    part("brush").title = on ? brushedText(start, stop, win) : "";
    place("band-brush", start, stop, win);
    place("band-before", low, start, win);
    place("band-after", stop, high, win);
    place("limit-bar", low, high, win);
    placeHandle("start", start, win, on);
    placeHandle("stop", stop, win, on);
    // A limit that reaches beyond the view keeps its handle at the edge: it can be dragged back.
    const inView = on && start < win.stop && stop > win.start;
    const edge = { before: Math.max(low, win.start), after: Math.min(high, win.stop) };
    const ends = { before: inView && start >= win.start, after: inView && stop <= win.stop };
    placeHandle("before", edge.before, win, ends.before);
    placeHandle("after", edge.after, win, ends.after);
    /** @type {["before" | "after", number][]} */
    const counts = [["before", before], ["after", after]];
    for (const [side, number] of counts) {
      const label = part(`count-${side}`);
      const reached = side === "before" ? start - number < bounds.start : stop + number > bounds.stop;
      label.textContent = number ? `off ${number}${reached ? ` · sequence ${side === "before" ? "starts" : "ends"}` : ""}` : "";
      label.style.display = number && ends[side] ? "" : "none";
      const where = percent(edge[side], win);
      label.style.insetInlineStart = side === "before" ? "" : `${where}%`;
      label.style.insetInlineEnd = side === "before" ? `${100 - where}%` : "";
    }
    if (!on) return;
    const most = mostLimit();
    slider("start", start, bounds.start, stop - 1, `step ${count(start)}`);
    slider("stop", stop - 1, start, bounds.stop - 1, `step ${count(stop - 1)}`);
    slider("before", before, 0, most, plural(before, "step") + " before");
    slider("after", after, 0, most, plural(after, "step") + " after");
    if (nextFocus) handleOf(nextFocus).focus({ preventScroll: true });
    nextFocus = null;
  }

  /** @param {number} clientX @param {Win} win */
  const stepAt = (clientX, win) =>
    clamp(win.start + Math.floor(shareAt(clientX) * (win.stop - win.start)), win.start, win.stop - 1);
  /** @param {number} clientX @param {Win} win */
  const edgeAt = (clientX, win) =>
    Math.round(win.start + clamp(shareAt(clientX), 0, 1) * (win.stop - win.start));

  const mostLimit = () => panel.open()?.info.bounds.most_limit ?? 0;

  /** @type {Drag | null} */
  let drag = null;

  /**
   * Which part of the brush is under the pointer in the plot: an end within 5 px, or its middle.
   * @param {number} clientX @param {ViewStore} view @param {Win} win @returns {"start" | "stop" | "move" | null}
   */
  function partAt(clientX, view, win) {
    if (view.start === null) return null;
    const [start, stop] = range(view);
    const width = part("words").clientWidth;
    const x = width * shareAt(clientX); // px from where time begins
    const edge = (/** @type {number} */ step) => (width * (step - win.start)) / (win.stop - win.start);
    if (Math.abs(x - edge(start)) <= 5) return "start";
    if (Math.abs(x - edge(stop)) <= 5) return "stop";
    return x > edge(start) && x < edge(stop) ? "move" : null;
  }

  /** @param {PointerEvent} event @param {HTMLElement} host @param {Drag["mode"]} mode */
  function begin(event, host, mode) {
    const view = panel.read("view");
    const win = panel.win();
    if (!view || !win || win.dataset !== view.dataset || event.button !== 0) return;
    const [start, stop] = range(view);
    const { before, after } = view;
    drag = {
      mode, anchor: stepAt(event.clientX, win), moved: false, origin: event.clientX, pointer: event.pointerId,
      onWords: host === part("words"), line: host === part("plot-pointer") ? pointed : null,
      start, stop, before, after, old: { start: view.start, stop: view.stop, before, after },
    };
    host.setPointerCapture(event.pointerId);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    const handle = target(event);
    if (handle?.dataset.handle) handle.focus();
    event.preventDefault();
  }

  /** @param {Drag} held @param {number} clientX @param {Win} win */
  function apply(held, clientX, win) {
    const step = stepAt(clientX, win);
    const edge = edgeAt(clientX, win);
    const { mode, anchor, start, stop } = held;
    const sequence = sequenceOf(win, mode === "make" ? anchor : start)
      || { start: win.start, stop: win.stop }; // the brush is outside the rows that are here
    const within = (/** @type {number} */ x) => clamp(x, sequence.start, sequence.stop);
    const other = clamp(step, sequence.start, sequence.stop - 1);
    const moved = clamp(start + step - anchor, sequence.start, sequence.stop - (stop - start));
    const patches = {
      make: () => newBrush(Math.min(anchor, other), Math.max(anchor, other) + 1),
      start: () => ({ start: Math.min(within(edge), stop - 1) }),
      stop: () => ({ stop: Math.max(within(edge), start + 1) }),
      move: () => ({ start: moved, stop: moved + stop - start }),
      before: () => ({ before: clamp(start - edge, 0, mostLimit()) }),
      after: () => ({ after: clamp(edge - stop, 0, mostLimit()) }),
    };
    panel.dispatch(patches[mode](), { dragging: true });
  }

  function end(/** @type {PointerEvent} */ event) {
    if (!drag || event.pointerId !== drag.pointer) return;
    const held = drag;
    drag = null;
    if (event.type === "pointercancel") { // a finger that scrolls the page
      panel.dispatch(held.old, { dragging: false });
      return;
    }
    const win = panel.win();
    if (!held.moved && held.line !== null) {
      openCard(held.line);
      return;
    }
    // A click selects one word on the words, and nothing in the plot.
    const make = held.mode === "make" && (held.moved || held.onWords);
    if (make && win) apply(held, event.clientX, win);
    if (panel.read("view")?.dragging) panel.dispatch({}, { dragging: false });
  }

  /** The nearest selected line under the pointer: the values are interpolated between the steps. @param {PointerEvent} event */
  function hoverLine(event) {
    const open = panel.open();
    const win = panel.win();
    if (!open || !win || win.source !== open.view.source) return;
    const { view, info } = open;
    const { states } = panel.selection(view, win);
    const plot = part("thresholds").getBoundingClientRect();
    const steps = win.stop - win.start;
    const x = clamp(shareAt(event.clientX) * steps - 0.5, 0, steps - 1);
    const left = Math.min(Math.floor(x), steps - 1);
    const right = Math.min(left + 1, steps - 1);
    const [low, high] = axisRange(view, info);
    const unit = plot.height / (high - low);
    const from = (win.start - win.rows_start) * win.n_states;
    /** @type {number | null} */
    let best = null;
    let distance = 14; // px: farther away, no line is meant
    for (const c of view.pinned === null ? states : [...states, view.pinned]) {
      const a = win.values[from + left * win.n_states + c];
      const b = win.values[from + right * win.n_states + c];
      const value = a + (b - a) * (x - left);
      const away = Math.abs(plot.top + (high - value) * unit - event.clientY);
      if (away < distance) {
        distance = away;
        best = c;
      }
    }
    const step = stepAt(event.clientX, win);
    setHover(best, "plot");
    const tip = part("plot-tip");
    tip.hidden = best === null;
    if (best !== null) {
      const host = part("plot").getBoundingClientRect();
      const value = win.values[(step - win.rows_start) * win.n_states + best];
      tip.textContent = `state ${stateName(best, info)} · ${value.toPrecision(4)} at step ${count(step)}`;
      const flip = event.clientX - host.left > host.width - 240;
      tip.style.left = flip ? "" : `${event.clientX - host.left + 12}px`;
      tip.style.right = flip ? `${host.right - event.clientX + 12}px` : "";
      tip.style.top = `${clamp(event.clientY - host.top - 26, 0, host.height - 24)}px`;
    }
    const cursors = { start: "ew-resize", stop: "ew-resize", move: "grab" };
    const over = partAt(event.clientX, view, win);
    part("plot-pointer").style.cursor = over ? cursors[over] : "crosshair";
    part("plot-pointer").title = over === "move" ? "Drag to move the selection; drag across the words to select others" : "";
  }

  /** @type {number | null} */
  let pointed = null; // the state whose line in the plot is under the pointer
  /** @param {number | null} state @param {string} from What is pointed at */
  function setHover(state, from) {
    pointed = from === "plot" ? state : null;
    if ((panel.read("hover")?.state ?? null) !== state) panel.write("hover", { state, from });
  }

  panel.on("pointerdown", at("limits"), (event, host) => {
    const mode = target(event)?.dataset.handle;
    if (mode) begin(event, host, /** @type {Handle} */ (mode));
  });
  panel.on("pointerdown", at("words"), (event, host) => {
    begin(event, host, /** @type {Handle | undefined} */ (target(event)?.dataset.handle) ?? "make");
  });
  panel.on("pointerdown", at("plot-pointer"), (event, host) => {
    const view = panel.read("view");
    const win = panel.win();
    if (view && win) begin(event, host, partAt(event.clientX, view, win) ?? "make");
  });
  // The pointer is captured: what it does elsewhere is an event of the panel as well.
  panel.root.addEventListener("pointermove", (event) => {
    const win = panel.win();
    if (drag && win) {
      const step = part("words").clientWidth / (win.stop - win.start);
      const least = drag.mode === "make" && !drag.onWords ? step / 2 : 3; // px
      if (!drag.moved && Math.abs(event.clientX - drag.origin) < least) return;
      drag.moved = true;
      apply(drag, event.clientX, win);
    } else if (!drag && event.target === part("plot-pointer")) {
      hoverLine(event);
    }
  });
  panel.root.addEventListener("pointerup", end, true);
  panel.root.addEventListener("pointercancel", end, true);
  panel.on("pointerout", at("plot-pointer"), () => {
    setHover(null, "plot");
    part("plot-tip").hidden = true;
  });
  // The same with the keyboard: the lines at the middle of the brush, or of the view, from the top.
  panel.on("keydown", at("plot-pointer"), (event) => {
    const open = panel.open();
    const win = panel.win();
    if (!open || !win || win.source !== open.view.source) return;
    const { states } = panel.selection(open.view, win);
    const [start, stop] = open.view.start === null ? [win.start, win.stop] : range(open.view);
    const step = clamp(Math.floor((start + stop - 1) / 2), win.start, win.stop - 1);
    const value = (/** @type {number} */ c) => win.values[(step - win.rows_start) * win.n_states + c];
    const sorted = [...states].sort((a, b) => value(b) - value(a) || a - b);
    const next = walk(event, sorted, panel.read("hover")?.state ?? null, openCard);
    if (next !== null) setHover(sorted[next], "plot");
  });
  panel.on("focusout", at("plot-pointer"), () => setHover(null, "plot"));
  // Escape gives a drag up: the selection is what it was.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drag) return;
    const { old } = drag;
    drag = null;
    panel.dispatch(old, { dragging: false });
    event.preventDefault();
    event.stopPropagation();
  }, true);
  // Keyboard: the handles are sliders.
  panel.on("keydown", "[data-handle]", (event, { dataset }) => {
    const view = panel.read("view");
    const win = panel.win();
    if (!view || !win || view.start === null) return;
    const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    const by = moves[/** @type {keyof typeof moves} */ (panel.along(event.key))];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const name = /** @type {Handle} */ (dataset.handle);
    const [start, stop] = range(view);
    const sequence = sequenceOf(win, start) || { start, stop };
    const patches = {
      start: { start: clamp(start + by, sequence.start, stop - 1) },
      stop: { stop: clamp(stop + by, start + 1, sequence.stop) },
      // The handle moves the way of the arrow: towards earlier steps means more steps before.
      before: { before: clamp(view.before - (/Up|Down/.test(event.key) ? -by : by), 0, mostLimit()) },
      after: { after: clamp(view.after + by, 0, mostLimit()) },
    };
    panel.dispatch(patches[name], { group: `key-${name}` });
  });

  return {
    drawBrush, setHover,
    /** Give a handle the focus when it is drawn next. @param {Handle} name */
    focusNext(name) { nextFocus = name; },
  };
}
