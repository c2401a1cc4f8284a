/* The one truth in the browser: the `view` store. `dispatch` is its only writer here; everything
   else is derived from it by clientside callbacks. */

// What a selection or a match is made of: a change of any of these makes a length filter, which
// belongs to the old matches, meaningless.
const MATCH_FIELDS = [
  "dataset", "source", "start", "stop", "before", "after", "threshold", "polarity", "excluded",
  "min_overlap", "min_length",
];

// What decides the order and length of the list: a change goes back to its first page.
const LIST_FIELDS = [...MATCH_FIELDS, "overlapping", "length", "sort"];

/** Whether two JSON values are equal; the order of keys does not count, a missing one is undefined. */
export function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const known = (value) => Object.keys(value).filter((key) => value[key] !== undefined);
  const keys = known(a);
  return keys.length === known(b).length && keys.every((key) => same(a[key], b[key]));
}

/** The present value of a store; undefined before Dash has laid out the page. */
export function read(id) {
  const api = window.dash_component_api;
  if (!api || !api.getLayout) return undefined;
  try {
    const found = api.getLayout(id);
    return found && found.props ? found.props.data : undefined;
  } catch {
    return undefined; // Dash throws while it has no layout yet
  }
}

export function write(id, data) {
  window.dash_clientside.set_props(id, { data });
}

let dragOpen = false;
let lastGroup = { name: null, time: 0 };

/**
 * Change the view. A drag (dragging: true, then a last call without it) is one entry of the
 * browser's history: its first change pushes, all others replace. Repeated small actions of one
 * `group` (holding an arrow key, say) are one entry as well, those of a `drag:` however slow.
 */
export function dispatch(patch, options) {
  const { history = "push", dragging = false, group = null } = options || {};
  const before = read("view");
  if (!before) return;
  const next = { ...before, ...patch };
  const changed = Object.keys(patch).filter((key) => !same(before[key], next[key]));
  if (changed.length === 0 && before.dragging === dragging) return;
  if (!("length" in patch) && changed.some((key) => MATCH_FIELDS.includes(key))) {
    next.length = null;
  }
  if (!("page" in patch) && changed.some((key) => LIST_FIELDS.includes(key))) next.page = 0;
  const now = Date.now();
  let how = history;
  if (dragOpen) how = "replace";
  else if (group && lastGroup.name === group
           && (group.startsWith("drag:") || now - lastGroup.time < 1000)) how = "replace";
  if (changed.length > 0) lastGroup = { name: group, time: now };
  if (dragging && changed.length > 0) dragOpen = true;
  if (!dragging) dragOpen = false;
  write("view", { ...next, dragging, history: how });
}

const encode = (text) =>
  encodeURIComponent(text).replace(/%3A/g, ":").replace(/%2C/g, ",");

/** Ascending integers as "3,7-9", or as "~" and the base64url of one bit a number when shorter. */
export function compact(numbers) {
  const listed = ranges(numbers);
  const bytes = new Uint8Array(Math.floor((numbers.at(-1) ?? -1) / 8) + 1);
  const marked = 1 + Math.ceil((4 * bytes.length) / 3);
  if (marked >= listed.length) return listed;
  for (const number of numbers) bytes[number >> 3] |= 1 << (number & 7);
  let raw = "";
  for (const byte of bytes) raw += String.fromCharCode(byte);
  return "~" + btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
function ranges(numbers) {
  const parts = [];
  for (let i = 0; i < numbers.length; ) {
    let j = i;
    while (j + 1 < numbers.length && numbers[j + 1] === numbers[j] + 1) j++;
    parts.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`);
    i = j + 1;
  }
  return parts.join(",");
}

/** The query string of a view; app/web/view/url.py writes and reads the same. */
export function query(view) {
  const parts = [];
  const add = (key, value) => parts.push(`${key}=${encode(String(value))}`);
  add("v", view.v);
  add("dataset", view.dataset);
  add("fp", view.fp);
  add("source", view.source);
  add("first", view.first);
  if (view.start !== null) add("sel", `${view.start}:${view.stop}`);
  if (view.before || view.after) add("off", `${view.before}:${view.after}`);
  add("threshold", view.threshold);
  if (view.polarity !== "high") add("polarity", view.polarity);
  if (view.excluded.length) add("exclude", compact(view.excluded));
  if (view.pinned !== null) add("state", view.pinned);
  for (const track of view.tracks) add("track", track);
  if (view.min_overlap !== null) add("overlap", view.min_overlap);
  if (view.min_length !== null) add("minlength", view.min_length);
  if (view.overlapping) add("list", "all");
  if (view.length !== null) add("length", `${view.length[0]}:${view.length[1]}`);
  if (view.full_range) add("range", "all");
  if (view.zoom !== 26) add("width", view.zoom);
  if (view.runs !== 1) add("runs", view.runs);
  if (view.mask) add("mask", 1);
  if (view.colour !== "match") add("colour", view.colour);
  if (view.sort !== "rank") add("sort", view.sort);
  if (view.page) add("page", view.page + 1);
  if (view.before_words !== null) add("context", view.before_words);
  if (!view.auto) add("auto", 0);
  return "?" + parts.join("&");
}

let pendingUrl = null;
let urlTimer = null;
function flushUrl() {
  urlTimer = null;
  if (pendingUrl !== null && pendingUrl !== window.location.search) {
    window.history.replaceState(null, "", pendingUrl);
  }
  pendingUrl = null;
}

/** Write the URL from the view. Browsers limit how often an address may change: while dragging
    it follows four times a second. */
export function writeUrl(view) {
  if (!view) return;
  const search = query(view);
  if (view.history === "push") {
    pendingUrl = null;
    if (search !== window.location.search) window.history.pushState(null, "", search);
  } else if (view.history === "replace") {
    pendingUrl = search;
    if (!view.dragging) flushUrl();
    else if (urlTimer === null) urlTimer = setTimeout(flushUrl, 250);
  }
}

/** The first load reads the URL; so do the browser's back and forward (below). */
export function load() {
  return { kind: "load", search: window.location.search, n: 0 };
}

let moves = 0;
export function goTo(kind, search) {
  moves += 1;
  write("goto", { kind, search, n: moves });
}

// Mantine's pickers tell every value they have come to show, those that they were given too, and that
// some frames later, when the view may be another one already. It is a person's choice only when the
// picker was the last thing that a person has touched.
let touched = null;

/** Whether a person was last at this picker. */
export function isTouched(id) {
  const picker = document.getElementById(id);
  const whole = picker && (picker.closest(".mantine-InputWrapper-root") || picker);
  return Boolean(whole && touched && whole.contains(touched));
}

export function pickDataset(dataset) {
  const view = read("view");
  if (!dataset || (view && dataset === view.dataset)) return;
  if (isTouched("dataset")) goTo("dataset", "?dataset=" + encode(dataset));
  else if (view) window.dash_clientside.set_props("dataset", { value: view.dataset });
}

export function pickSource(source) {
  const view = read("view");
  if (!source || !view || source === view.source) return;
  if (isTouched("source")) goTo("source", query({ ...view, source }));
  else window.dash_clientside.set_props("source", { value: view.source });
}

/**
 * Draw a part of the page anew and leave the keyboard where it was: on the element with the same
 * data, or else on the first of its kind there, or on `fallback` when none is left.
 */
export function keepFocus(host, draw, fallback) {
  const held = document.activeElement;
  const inside = held && held !== host && host.contains(held);
  const known = inside ? JSON.stringify({ ...held.dataset, hot: 0 }) : null;
  const kind = inside ? held.tagName : null;
  draw();
  if (!inside || host.contains(document.activeElement)) return;
  const all = [...host.querySelectorAll(kind)].filter((element) => !element.disabled);
  const next = all.find((element) => JSON.stringify({ ...element.dataset, hot: 0 }) === known)
    || all[0] || document.getElementById(fallback);
  if (next) next.focus({ preventScroll: true });
}

let notified = 0;
let waiting = [];
/** A notice in plain words; errors stay until they are closed. */
export function notify(text, level) {
  notified += 1;
  const titles = { error: "Something is wrong", warning: "Please note", info: null };
  waiting.push({
    action: "show",
    id: `notice-${notified}`,
    title: titles[level],
    message: text,
    color: level === "error" ? "red" : level === "warning" ? "yellow" : "blue",
    autoClose: level === "error" ? false : 9000,
  });
  // Notices of one moment go together: a second write of the property would replace the first.
  if (waiting.length === 1) {
    setTimeout(() => {
      window.dash_clientside.set_props("notifications", { sendNotifications: waiting });
      waiting = [];
    }, 0);
  }
}

// The colour scheme is the reader's own, not part of the view: Mantine keeps it, we follow it.
function followScheme() {
  const root = document.documentElement;
  const tell = () => {
    const scheme = root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
    if (read("theme") !== scheme && read("skeletons")) write("theme", scheme);
  };
  new MutationObserver(tell).observe(root, {
    attributes: true, attributeFilter: ["data-mantine-color-scheme"],
  });
  tell();
}

/** How wide the time axis and the page are: told again when they change. */
function followWidth() {
  const inner = document.getElementById("words");
  let timer = null;
  const tell = () => {
    const width = inner.clientWidth;
    const known = read("viewport");
    if (width > 0 && (!known || known.width !== width)) {
      const page = document.getElementById("match-view").clientWidth;
      write("viewport", { width, page });
    }
  };
  new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(tell, 120);
  }).observe(inner);
  tell();
}

export function start() {
  followScheme();
  followWidth();
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  window.addEventListener("popstate", () => goTo("back", window.location.search));
  for (const name of ["pointerdown", "keydown", "focusin", "click"]) {
    document.addEventListener(name, ({ target }) => {
      const inList = target.closest && target.closest(".mantine-Popover-dropdown");
      if (!inList) touched = target; // a list hangs elsewhere on the page than its picker
    }, true);
  }
  window.addEventListener("popstate", () => { touched = null; });
  document.addEventListener("pointerup", () => {
    const view = read("view");
    if (view && view.dragging) dispatch({}, { dragging: false });
  });
}
