/* The controls and the view. `showControls` writes the view into the controls; each control's own
   callback dispatches when a person changed it, which is when it differs from what was shown. */
import * as extents from "../core/axes.mjs";
import * as requesting from "../core/requests.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";
import * as brushes from "./brush.mjs";
import * as level from "./threshold.mjs";

const set = (id, props) => window.dash_clientside.set_props(id, props);

const shown = {}; // what was last written into each control
function show(id, prop, value) {
  shown[`${id}.${prop}`] = value;
  return value;
}
const echo = (id, prop, value) => stores.same(shown[`${id}.${prop}`], value);

export function showSource(info) {
  if (!info) return;
  set("source", { data: info.sources, value: info.source });
  set("dataset", { value: info.dataset });
  set("track-picker", { data: info.tracks });
  drawAbout(info);
  document.title = `${info.title} · Statebrush`;
  document.getElementById("position-of").textContent =
    `of ${wording.count(info.n_steps)} steps`;
}

function drawAbout(info) {
  const kinds = info.tracks.map(({ label, kind }) => `${label} (${kind})`).join(", ");
  const source = info.sources.find((item) => item.value === info.source);
  const facts = [
    ["Size", `${wording.plural(info.n_steps, "step")} in ${wording.plural(info.n_sequences, "sequence")}`],
    ["This source", `${source.label}: ${wording.plural(info.n_states, "state")}`],
    ["All sources", info.sources.map((item) => item.label).join(" · ")],
    ["Annotations", kinds || "none"],
  ];
  document.getElementById("description").innerHTML =
    (info.description ? `<p>${wording.escape(info.description)}</p>` : "")
    + `<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${wording.escape(text)}</dd>`).join("")}</dl>`;
}

/** The first step on the screen: near the end of the data the window stands farther left. */
const shownFirst = (view, info) => extents.firstStep(view.first, info, extents.visibleSteps(view, info));

function put(id, prop, value) {
  if (!echo(id, prop, value)) set(id, { [prop]: show(id, prop, value) });
}
function showSlider(view, { slider }) {
  set("threshold-slider", {
    min: slider.min, max: slider.max, step: slider.step, precision: slider.decimals,
  });
  const at = Math.min(slider.max, Math.max(slider.min, view.threshold));
  if (!sliding) put("threshold-slider", "value", at); // whoever holds it moves it
}

export function showControls(_, info, viewport) {
  const view = stores.read("view"); // a control that has gone on since is not set back
  if (!view || !info || !viewport || view.source !== info.source) return;
  showSlider(view, info);
  put("threshold-text", "value", String(view.threshold));
  put("polarity", "value", view.polarity);
  put("pinned", "value", view.pinned === null ? "" : String(extents.stateName(view.pinned, info)));
  put("position", "value", wording.count(shownFirst(view, info)));
  put("auto", "checked", view.auto);
  put("min-overlap", "value", view.min_overlap === null ? "" : String(view.min_overlap));
  put("min-length", "value", view.min_length === null ? "" : String(view.min_length));
  put("mask", "checked", view.mask);
  put("runs", "value", String(view.runs));
  put("context", "value", view.before_words === null ? "" : String(view.before_words));
  put("overlapping", "value", view.overlapping ? "all" : "places");
  const tracks = view.tracks.filter((name) => info.tracks.some((t) => t.value === name));
  put("track-picker", "value", tracks);
  const button = document.getElementById("full-range");
  button.dataset.on = view.full_range;
  button.setAttribute("aria-pressed", view.full_range);
}

/** A control changed: forget what was shown there, so that it can be written again. */
function changed(id, prop, value) {
  if (value === undefined || value === null || echo(id, prop, value)) return false;
  shown[`${id}.${prop}`] = value;
  return Boolean(stores.read("view"));
}

// Mantine's slider, asked to tell every value while it is dragged, tells those that it was given as
// well, some frames later: an older view would come back as a person's change. So it tells the last
// value of a drag and that of a key; where its thumb is meanwhile is read from the thumb.
let sliding = null;
let drags = 0;
function slide() {
  const now = Number(sliding.thumb.getAttribute("aria-valuenow"));
  const threshold = level.snap(now, stores.read("info").slider);
  stores.dispatch({ threshold }, { dragging: sliding.held, group: sliding.group });
}
function letGo(drag) {
  if (sliding !== drag) return;
  drag.watch.disconnect();
  sliding = null;
  showSlider(stores.read("view"), stores.read("info"));
}

export function onThresholdSlider(value) {
  if (!changed("threshold-slider", "value", value) || sliding) return;
  const threshold = level.snap(value, stores.read("info").slider);
  stores.dispatch({ threshold }, { group: "key-threshold" });
}

/** Put a box back to what the view says, with a sentence on what was wrong. */
function refuse(id, text, sentence) {
  shown[`${id}.value`] = undefined;
  rewrite(id, text);
  stores.notify(sentence, "warning");
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
export function onThresholdText(text) {
  if (!changed("threshold-text", "value", text)) return;
  const view = stores.read("view");
  const clean = text.trim().replace("−", "-");
  const value = Number(clean);
  if (!NUMBER.test(clean) || !Number.isFinite(value)) {
    refuse("threshold-text", String(view.threshold),
      `The threshold must be a finite number such as 0.3 or -1e-3, not “${text}”.`);
    return;
  }
  if (value === view.threshold) rewrite("threshold-text", String(value));
  stores.dispatch({ threshold: value });
}
/** Have a box show a text again that it showed before somebody typed. */
function rewrite(id, text) {
  const before = shown[`${id}.value`];
  // When React has drawn what was typed, not before: it would see no change in the two together.
  requestAnimationFrame(() => setTimeout(() => {
    if (shown[`${id}.value`] === before) set(id, { value: show(id, "value", text) }); // nothing newer
  }));
}

export function onPolarity(value) {
  if (changed("polarity", "value", value)) stores.dispatch({ polarity: value });
}

export function onPinned(text) {
  if (!changed("pinned", "value", text)) return;
  const view = stores.read("view");
  const info = stores.read("info");
  const clean = text.trim();
  if (clean === "") {
    stores.dispatch({ pinned: null });
    return;
  }
  let state = info.names ? info.names.indexOf(clean) : -1;
  if (state < 0 && /^\d+$/.test(clean) && Number(clean) < info.n_states) state = Number(clean);
  if (state < 0) {
    refuse("pinned", view.pinned === null ? "" : String(extents.stateName(view.pinned, info)),
      `There is no state “${clean}” here: give a number from 0 to ${info.n_states - 1}`
      + (info.names ? " or a state's name." : "."));
    return;
  }
  stores.dispatch({ pinned: state });
}

export function onTracks(value) {
  const held = shown["track-picker.value"];
  if (!stores.isTouched("track-picker")) {
    if (held && !stores.same(value, held)) set("track-picker", { value: held });
  } else if (changed("track-picker", "value", value)) stores.dispatch({ tracks: value });
}

export function onPosition(text) {
  if (!changed("position", "value", text)) return;
  const view = stores.read("view");
  const info = stores.read("info");
  const clean = text.replace(/[\s,]/g, "");
  if (!/^\d+$/.test(clean)) {
    refuse("position", wording.count(shownFirst(view, info)),
      `A position is a step from 0 to ${wording.count(info.n_steps - 1)}, not “${text}”.`);
    return;
  }
  go(Math.min(Number(clean), info.n_steps - 1), {});
}

export function onAuto(checked) {
  if (changed("auto", "checked", checked)) stores.dispatch({ auto: checked });
}
/**
 * A box for a whole number: `field` of the view, from `low` to `high`; an empty box means `empty`.
 * What is no such number is refused with a sentence, never changed in silence.
 */
function wholeNumber(id, field, name, { low, high = Infinity, empty = null }) {
  const answer = function (text) {
    if (!changed(id, "value", text)) return;
    const clean = text.trim();
    const held = stores.read("view")[field];
    const value = clean === "" ? empty : Number(clean);
    if (clean !== "" && (!/^\d+$/.test(clean) || value < low || value > high)) {
      const range = high === Infinity ? `of ${low} or more` : `from ${low} to ${high}`;
      refuse(id, held === null ? "" : String(held),
        `${name} must be a whole number ${range}, not “${text}”.`);
      return;
    }
    if (value === held) rewrite(id, held === null ? "" : String(held));
    else stores.dispatch({ [field]: value });
  };
  document.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.target.id !== id || !by) return;
    event.preventDefault();
    const now = stores.read("view")[field];
    const next = Math.min(high, Math.max(low, now === null ? low : now + by));
    if (next !== now) stores.dispatch({ [field]: next }, { group: `key-${id}` });
  });
  return answer;
}
export const onMinOverlap = wholeNumber("min-overlap", "min_overlap", "The number of shared states", { low: 1 });
export const onMinLength = wholeNumber("min-length", "min_length", "The least length", { low: 1 });
export const onRuns = wholeNumber("runs", "runs", "The least length of an on-run", { low: 1, high: 999, empty: 1 });
export const onContext = wholeNumber("context", "before_words", "The number of words", { low: 0, high: 30 });
export function onOverlapping(value) {
  if (changed("overlapping", "value", value)) stores.dispatch({ overlapping: value === "all" });
}
export function onMask(checked) {
  if (changed("mask", "checked", checked)) stores.dispatch({ mask: checked });
}
export function onFullRange(clicks) {
  if (clicks) stores.dispatch({ full_range: !stores.read("view").full_range });
}
export function onMatch(clicks) {
  if (clicks) requesting.matchNow();
}

function go(first, options) {
  const info = stores.read("info");
  const viewport = stores.read("viewport");
  if (!info || !viewport) return;
  const target = extents.firstStep(Math.max(0, first), info, extents.visibleSteps());
  const view = stores.read("view");
  if (target === view.first) {
    shown["position.value"] = undefined;
    set("position", { value: show("position", "value", wording.count(target)) });
  }
  stores.dispatch({ first: target }, options);
}

/** Show the steps from `first` on; repeated moves of one `group` are one entry of the history. */
export const moveTo = (first, group) => go(first, { group });
const from = () => shownFirst(stores.read("view"), stores.read("info"));
export const page = (by) => go(from() + by * extents.visibleSteps(), { group: "page" });
export const step = (by) => go(from() + by, { group: "step" });

export function showBrush() {
  const view = stores.read("view");
  if (view.start !== null) go(extents.firstFor(view.start, view.stop), {});
}

/** Copy the address of the view. Pages without https have no clipboard: the old way serves there. */
export async function share() {
  const link = window.location.origin + window.location.pathname + stores.query(stores.read("view"));
  let copied = false;
  try {
    await navigator.clipboard.writeText(link);
    copied = true;
  } catch {
    const box = document.createElement("textarea");
    box.value = link;
    document.body.append(box);
    box.select();
    copied = document.execCommand("copy");
    box.remove();
  }
  if (copied) stores.notify("The link is copied: it opens what you see now.", "info");
  else stores.notify("The browser did not let the link be copied; take it from the address bar.", "warning");
}
export function onShare(clicks) {
  if (clicks && stores.read("view")) share();
}

export function onHelp(clicks) {
  if (clicks) set("help", { opened: true });
}
export const clearBrush = () => stores.dispatch({ start: null, stop: null, before: 0, after: 0 });
/** Brush the word in the middle of the view: the keyboard's way to make a brush. */
export function brushMiddle() {
  const { start, stop } = s1.decodedWindow(stores.read("window"));
  const middle = Math.floor((start + stop) / 2);
  brushes.focusNext("stop"); // as soon as it stands there
  stores.dispatch(extents.newBrush(middle, middle + 1));
}

// Wider or narrower steps, about a step that stays where it is: the one given, or the middle of
// the selection while it is in view, or the middle of the view.
const WIDTHS = [8, 10, 12, 14, 17, 20, 26, 32, 40, 52, 64, 80, 96];
export function zoom(by, about) {
  const view = stores.read("view");
  const info = stores.read("info");
  if (!view || !info || !stores.read("viewport")) return;
  const next = by > 0 ? WIDTHS.find((width) => width > view.zoom)
    : WIDTHS.findLast((width) => width < view.zoom);
  if (next === undefined) return;
  const before = extents.visibleSteps(view);
  const after = extents.visibleSteps({ ...view, zoom: next });
  const middle = view.start === null ? -1 : (view.start + view.stop) / 2;
  const fixed = about !== undefined ? about
    : middle >= view.first && middle <= view.first + before ? middle : view.first + before / 2;
  const first = Math.round(fixed - ((fixed - view.first) * after) / before);
  stores.dispatch({ zoom: next, first: extents.firstStep(Math.max(0, first), info, after) }, { group: "zoom" });
}

export function onNavigate() {
  const clicked = (window.dash_clientside.callback_context.triggered[0] || {}).prop_id;
  const actions = {
    "page-back.n_clicks": () => page(-1),
    "step-back.n_clicks": () => step(-1),
    "step-on.n_clicks": () => step(1),
    "page-on.n_clicks": () => page(1),
    "go-to-brush.n_clicks": () => showBrush(),
    "zoom-out.n_clicks": () => zoom(-1),
    "zoom-in.n_clicks": () => zoom(1),
  };
  if (actions[clicked]) actions[clicked]();
}

// The sentence at a control has been read when one begins to type or opens its list; it would cover
// the plot, or what there is to choose from.
const hush = () => document.body.classList.add("sb-typing");

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  // An open menu closes when one clicks beside it or presses Escape, which then does nothing else.
  document.addEventListener("pointerdown", (event) => {
    for (const menu of document.querySelectorAll(".sb-menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".sb-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const slider = event.target.closest && event.target.closest("#threshold-slider");
    if (!slider || !stores.read("view")) return;
    if (sliding) letGo(sliding);
    const thumb = slider.querySelector("[role=slider]");
    drags += 1;
    sliding = { thumb, held: true, group: `drag:slider-${drags}`, watch: new MutationObserver(slide) };
    sliding.watch.observe(thumb, { attributeFilter: ["aria-valuenow"] });
  }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
      if (!sliding) return;
      const drag = sliding;
      drag.held = false;
      // The thumb follows the mouse a frame later, and so does the last that it tells.
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => letGo(drag))));
    }, true);
  }
  // On the window, so that whatever has the focus comes first.
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest
      && event.target.closest("input, textarea, select, [role=slider], [role=combobox], [role=radio], [role=listbox]");
    if (typing || !stores.read("view") || document.querySelector(".mantine-Modal-content")) return;
    const actions = {
      PageUp: () => page(-1),
      PageDown: () => page(1),
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      Home: () => showBrush(),
      "+": () => zoom(1),
      "=": () => zoom(1),
      "-": () => zoom(-1),
      b: () => brushMiddle(),
      c: () => share(),
      Escape: () => clearBrush(),
      "?": () => set("help", { opened: true }),
    };
    // What can be scrolled keeps its keys.
    const scrolls = event.target.closest && event.target.closest("#legends, #heat-legend, #coverage, #chips");
    if (scrolls && /^(Arrow|Page|Home)/.test(event.key)) return;
    if (actions[event.key]) {
      actions[event.key]();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.target.closest("button, a")) {
      requesting.matchNow();
    }
  });
  document.addEventListener("input", hush);
  for (const name of ["click", "keydown"]) {
    document.addEventListener(name, (event) => {
      if (event.target.closest && event.target.closest("[aria-haspopup=listbox]")
          && event.key !== "Tab") hush();
    });
  }
  for (const name of ["focusout", "pointerdown"]) {
    document.addEventListener(name, () => document.body.classList.remove("sb-typing"));
  }
}
