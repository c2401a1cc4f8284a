/* The brush on the words and across the plot, and the grey limit slider under it. Both change the
   view while dragging and ask the server for nothing. */
import * as extents from "../core/axes.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";

const byId = (id) => document.getElementById(id);
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const currentWindow = () => s1.decodedWindow(stores.read("window"));

let nextFocus = null; // the handle that gets the focus when it is drawn
export const focusNext = (name) => { nextFocus = name; };

function build() {
  byId("words").insertAdjacentHTML("beforeend",
    '<div class="sb-brush" id="brush"></div>'
    + '<div class="sb-handle sb-handle-start" data-handle="start" role="slider" tabindex="0" aria-label="Selection starts at step"></div>'
    + '<div class="sb-handle sb-handle-stop" data-handle="stop" role="slider" tabindex="0" aria-label="Selection ends with step"></div>');
  byId("limits").innerHTML = '<div class="sb-limit-bar" id="limit-bar"></div>'
    + '<div class="sb-limit-handle" data-handle="before" role="slider" tabindex="0" aria-label="Steps before that must be off" title="Drag left: off for that many steps before"></div>'
    + '<div class="sb-limit-handle" data-handle="after" role="slider" tabindex="0" aria-label="Steps after that must be off" title="Drag right: off for that many steps after"></div>'
    + '<div class="sb-limit-count" id="count-before"></div><div class="sb-limit-count" id="count-after"></div>';
  byId("bands").insertAdjacentHTML("beforeend",
    '<div class="sb-band sb-band-limit" id="band-before"></div>'
    + '<div class="sb-band" id="band-brush"></div>'
    + '<div class="sb-band sb-band-limit" id="band-after"></div>');
}

/** Put an element over [start, stop), cut at the window's edges; hidden when outside. */
function place(element, start, stop, win) {
  const from = clamp(start, win.start, win.stop);
  const to = clamp(stop, win.start, win.stop);
  element.style.display = to > from ? "" : "none";
  element.style.left = `${extents.percent(from, win)}%`;
  element.style.width = `${extents.percent(to, win) - extents.percent(from, win)}%`;
}

function placeHandle(element, step, win, shown) {
  element.style.display = shown && step >= win.start && step <= win.stop ? "" : "none";
  element.style.left = `${extents.percent(step, win)}%`;
}

function slider(element, now, low, high, text) {
  element.setAttribute("aria-valuenow", now);
  element.setAttribute("aria-valuemin", low);
  element.setAttribute("aria-valuemax", high);
  element.setAttribute("aria-valuetext", text);
}

/** The brushed words, which the brush itself lies over, and where they are. */
function brushedText({ start, stop }, win) {
  const words = win.tokens.slice(Math.max(0, start - win.start), Math.max(0, stop - win.start));
  const shown = words.slice(0, 12).map((token) => wording.shown(token).text).join(" ");
  const where = stop - start === 1 ? `step ${wording.count(start)}` : `steps ${wording.count(start)}–${wording.count(stop - 1)}`;
  return `${shown}${words.length > 12 ? " …" : ""} · ${where}`;
}

export function drawBrush(view, payload) {
  const win = s1.decodedWindow(payload);
  if (!view || !win || win.dataset !== view.dataset) return;
  if (!byId("brush")) build();
  const on = view.start !== null;
  const { start, stop, before, after } = on ? view : { start: 0, stop: 0, before: 0, after: 0 };
  // Steps outside the sequence count as off: the bands of the limits end where it does.
  const bounds = (on && s1.sequenceOf(win, start)) || { start: win.start, stop: win.stop };
  const low = Math.max(start - before, Math.min(start, bounds.start));
  const high = Math.min(stop + after, Math.max(stop, bounds.stop));
  place(byId("brush"), start, stop, win);
  byId("brush").title = on ? brushedText(view, win) : "";
  place(byId("band-brush"), start, stop, win);
  place(byId("band-before"), low, start, win);
  place(byId("band-after"), stop, high, win);
  place(byId("limit-bar"), low, high, win);
  const handles = {};
  for (const element of document.querySelectorAll("[data-handle]")) {
    handles[element.dataset.handle] = element;
  }
  placeHandle(handles.start, start, win, on);
  placeHandle(handles.stop, stop, win, on);
  // A limit that reaches beyond the view keeps its handle at the edge: it can be drawn back.
  const inView = on && start < win.stop && stop > win.start;
  const edge = { before: Math.max(low, win.start), after: Math.min(high, win.stop) };
  const ends = { before: inView && start >= win.start, after: inView && stop <= win.stop };
  placeHandle(handles.before, edge.before, win, ends.before);
  placeHandle(handles.after, edge.after, win, ends.after);
  for (const [id, count] of [["count-before", before], ["count-after", after]]) {
    byId(id).textContent = count ? `off ${count}` : "";
  }
  if (!on) return;
  slider(handles.start, start, bounds.start, stop - 1, `step ${wording.count(start)}`);
  slider(handles.stop, stop - 1, start, bounds.stop - 1, `step ${wording.count(stop - 1)}`);
  slider(handles.before, before, 0, 999, wording.plural(before, "step") + " before");
  slider(handles.after, after, 0, 999, wording.plural(after, "step") + " after");
  const label = (id, count, side, step, shown) => {
    const element = byId(id);
    element.style.display = count && shown ? "" : "none";
    const at = extents.percent(step, win);
    element.style.left = side === "left" ? "" : `${at}%`;
    element.style.right = side === "left" ? `${100 - at}%` : "";
  };
  label("count-before", before, "left", edge.before, ends.before);
  label("count-after", after, "right", edge.after, ends.after);
  if (nextFocus) handles[nextFocus].focus({ preventScroll: true });
  nextFocus = null;
}

function stepAt(clientX, win) {
  const box = byId("words").getBoundingClientRect();
  const share = (clientX - box.left) / box.width;
  return clamp(win.start + Math.floor(share * (win.stop - win.start)), win.start, win.stop - 1);
}

function edgeAt(clientX, win) {
  const box = byId("words").getBoundingClientRect();
  const share = clamp((clientX - box.left) / box.width, 0, 1);
  return Math.round(win.start + share * (win.stop - win.start));
}

let drag = null;

/** Which part of the brush is under the pointer in the plot: an end within 5 px, or its middle. */
function partAt(clientX, view, win) {
  if (view.start === null) return null;
  const box = byId("words").getBoundingClientRect();
  const x = (step) => box.left + (box.width * (step - win.start)) / (win.stop - win.start);
  if (Math.abs(clientX - x(view.start)) <= 5) return "start";
  if (Math.abs(clientX - x(view.stop)) <= 5) return "stop";
  return clientX > x(view.start) && clientX < x(view.stop) ? "move" : null;
}

function begin(event, host, mode) {
  const view = stores.read("view");
  const win = currentWindow();
  if (!view || !win || win.dataset !== view.dataset || event.button !== 0) return;
  const step = stepAt(event.clientX, win);
  drag = {
    mode, anchor: step, moved: false, origin: event.clientX,
    start: view.start, stop: view.stop, before: view.before, after: view.after,
    host, pointer: event.pointerId,
  };
  host.setPointerCapture(event.pointerId);
  if (document.activeElement && document.activeElement.blur) document.activeElement.blur();
  if (event.target.dataset && event.target.dataset.handle) event.target.focus();
  event.preventDefault();
}

function follow(event) {
  const win = currentWindow();
  if (!drag || !win) return;
  if (!drag.moved && Math.abs(event.clientX - drag.origin) < 3 && drag.mode !== "make") return;
  drag.moved = true;
  apply(event.clientX, win);
}

function apply(clientX, win) {
  const step = stepAt(clientX, win);
  const home = drag.mode === "make" ? drag.anchor : drag.start;
  const sequence = s1.sequenceOf(win, home)
    || { start: win.start, stop: win.stop }; // the brush lies outside the rows that are here
  const within = (x) => clamp(x, sequence.start, sequence.stop);
  let patch = {};
  if (drag.mode === "make") {
    const other = clamp(step, sequence.start, sequence.stop - 1);
    patch = extents.newBrush(Math.min(drag.anchor, other), Math.max(drag.anchor, other) + 1);
  } else if (drag.mode === "start") {
    patch = { start: Math.min(within(edgeAt(clientX, win)), drag.stop - 1) };
  } else if (drag.mode === "stop") {
    patch = { stop: Math.max(within(edgeAt(clientX, win)), drag.start + 1) };
  } else if (drag.mode === "move") {
    const length = drag.stop - drag.start;
    const start = clamp(drag.start + step - drag.anchor, sequence.start, sequence.stop - length);
    patch = { start, stop: start + length };
  } else if (drag.mode === "before") {
    patch = { before: Math.max(0, drag.start - edgeAt(clientX, win)) };
  } else if (drag.mode === "after") {
    patch = { after: Math.max(0, edgeAt(clientX, win) - drag.stop) };
  }
  stores.dispatch(patch, { dragging: true });
}

function end(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  const win = currentWindow();
  if (!drag.moved && drag.mode === "move" && win) drag.mode = "make"; // a click selects one word
  if (drag.mode === "make" && win && event.type === "pointerup") apply(event.clientX, win);
  drag = null;
  const view = stores.read("view");
  if (view && view.dragging) stores.dispatch({}, { dragging: false });
}

// The nearest selected line under the pointer: the values are interpolated between the steps.
function hoverLine(event) {
  const view = stores.read("view");
  const info = stores.read("info");
  const win = currentWindow();
  if (!view || !info || !win || win.source !== view.source) return;
  const { states } = s1.selection(view, win);
  const box = byId("words").getBoundingClientRect();
  const plot = byId("thresholds").getBoundingClientRect();
  const steps = win.stop - win.start;
  const x = clamp(((event.clientX - box.left) / box.width) * steps - 0.5, 0, steps - 1);
  const left = Math.min(Math.floor(x), steps - 1);
  const right = Math.min(left + 1, steps - 1);
  const [low, high] = extents.axisRange(view, info);
  const unit = plot.height / (high - low);
  const from = (win.start - win.rows_start) * win.n_states;
  let best = null;
  let distance = 14; // px: farther away, no line is meant
  const candidates = view.pinned === null ? states : [...states, view.pinned];
  for (const c of candidates) {
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
  const tip = byId("plot-tip");
  tip.hidden = best === null;
  if (best !== null) {
    const host = byId("plot").getBoundingClientRect();
    const value = win.values[(step - win.rows_start) * win.n_states + best];
    tip.textContent = `state ${extents.stateName(best, info)} · ${value.toPrecision(4)} at step ${wording.count(step)}`;
    const flip = event.clientX - host.left > host.width - 240;
    tip.style.left = flip ? "" : `${event.clientX - host.left + 12}px`;
    tip.style.right = flip ? `${host.right - event.clientX + 12}px` : "";
    tip.style.top = `${clamp(event.clientY - host.top - 26, 0, host.height - 24)}px`;
  }
  byId("plot-pointer").style.cursor = { start: "ew-resize", stop: "ew-resize", move: "grab" }[
    partAt(event.clientX, view, win)] || "crosshair";
}

export function setHover(state, from) {
  const known = stores.read("hover");
  if ((known ? known.state : null) !== state) stores.write("hover", { state, from });
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("pointerdown", (event) => {
    const host = event.target.closest && event.target.closest("#words, #limits, #plot-pointer");
    if (!host) return;
    const handle = event.target.dataset.handle;
    if (host.id === "limits") {
      if (handle) begin(event, host, handle);
    } else if (host.id === "words") {
      begin(event, host, handle || (event.target.id === "brush" ? "move" : "make"));
    } else {
      const view = stores.read("view");
      const win = currentWindow();
      if (view && win) begin(event, host, partAt(event.clientX, view, win) || "make");
    }
  });
  document.addEventListener("pointermove", (event) => {
    if (drag) {
      follow(event);
    } else if (event.target.id === "plot-pointer") {
      hoverLine(event);
    }
  });
  document.addEventListener("pointerup", end, true);
  document.addEventListener("pointercancel", end, true);
  document.addEventListener("pointerout", (event) => {
    if (event.target.id === "plot-pointer") {
      setHover(null, "plot");
      byId("plot-tip").hidden = true;
    }
  });
  // Escape gives a drag up: the selection is what it was.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drag) return;
    const { start, stop, before, after } = drag;
    drag = null;
    stores.dispatch({ start, stop, before, after }, { dragging: false });
    event.preventDefault();
    event.stopPropagation();
  }, true);
  // Keyboard: the handles are sliders.
  document.addEventListener("keydown", (event) => {
    const handle = event.target.dataset && event.target.dataset.handle;
    const view = stores.read("view");
    const win = currentWindow();
    if (!handle || !view || !win || view.start === null) return;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const sequence = s1.sequenceOf(win, view.start) || { start: view.start, stop: view.stop };
    const patches = {
      start: { start: clamp(view.start + by, sequence.start, view.stop - 1) },
      stop: { stop: clamp(view.stop + by, view.start + 1, sequence.stop) },
      // The handle moves the way of the arrow: to the left means more steps before.
      before: { before: Math.max(0, view.before - (event.key.endsWith("p") || event.key.endsWith("n") ? -by : by)) },
      after: { after: Math.max(0, view.after + by) },
    };
    stores.dispatch(patches[handle], { group: `key-${handle}` });
  });
}
