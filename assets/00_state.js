/* The one truth in the browser: the `view` store. `dispatch` is its only writer here; everything
   else is derived from it by clientside callbacks. */
(function () {
  "use strict";
  const sb = (window.statebrush = {});
  window.dash_clientside = window.dash_clientside || {};
  sb.callbacks = window.dash_clientside.statebrush = window.dash_clientside.statebrush || {};

  // What a selection or a match is made of: a change of any of these makes a length filter, which
  // belongs to the old matches, meaningless.
  const MATCH_FIELDS = [
    "dataset", "source", "start", "stop", "before", "after", "threshold", "polarity", "excluded",
    "min_overlap", "min_length",
  ];

  // What decides the order and length of the list: a change goes back to its first page.
  const LIST_FIELDS = [...MATCH_FIELDS, "overlapping", "length", "sort"];

  /** A whole number as it is written everywhere on the page: 1,284. */
  sb.count = (number) => number.toLocaleString("en");

  /** Whether two JSON values are equal; the order of keys does not count, a missing one is undefined. */
  sb.same = function (a, b) {
    if (a === b) return true;
    if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const known = (value) => Object.keys(value).filter((key) => value[key] !== undefined);
    const keys = known(a);
    return keys.length === known(b).length && keys.every((key) => sb.same(a[key], b[key]));
  };

  /** The present value of a store; undefined before Dash has laid out the page. */
  sb.read = function (id) {
    const api = window.dash_component_api;
    if (!api || !api.getLayout) return undefined;
    try {
      const found = api.getLayout(id);
      return found && found.props ? found.props.data : undefined;
    } catch {
      return undefined; // Dash throws while it has no layout yet
    }
  };

  sb.write = function (id, data) {
    window.dash_clientside.set_props(id, { data });
  };

  let dragOpen = false;
  let lastGroup = { name: null, time: 0 };

  /**
   * Change the view. A drag (dragging: true, then a last call without it) is one entry of the
   * browser's history: its first change pushes, all others replace. Repeated small actions of one
   * `group` (holding an arrow key, say) are one entry as well, those of a `drag:` however slow.
   */
  sb.dispatch = function (patch, options) {
    const { history = "push", dragging = false, group = null } = options || {};
    const before = sb.read("view");
    if (!before) return;
    const next = { ...before, ...patch };
    const changed = Object.keys(patch).filter((key) => !sb.same(before[key], next[key]));
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
    sb.write("view", { ...next, dragging, history: how });
  };

  const encode = (text) =>
    encodeURIComponent(text).replace(/%3A/g, ":").replace(/%2C/g, ",");

  /** Ascending integers as "3,7-9", or as "~" and the base64url of one bit a number when shorter. */
  sb.compact = function (numbers) {
    const listed = ranges(numbers);
    const bytes = new Uint8Array(Math.floor((numbers.at(-1) ?? -1) / 8) + 1);
    const marked = 1 + Math.ceil((4 * bytes.length) / 3);
    if (marked >= listed.length) return listed;
    for (const number of numbers) bytes[number >> 3] |= 1 << (number & 7);
    let raw = "";
    for (const byte of bytes) raw += String.fromCharCode(byte);
    return "~" + btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
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
  sb.search = function (view) {
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
    if (view.excluded.length) add("exclude", sb.compact(view.excluded));
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
  };

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
  sb.callbacks.writeUrl = function (view) {
    if (!view) return;
    const search = sb.search(view);
    if (view.history === "push") {
      pendingUrl = null;
      if (search !== window.location.search) window.history.pushState(null, "", search);
    } else if (view.history === "replace") {
      pendingUrl = search;
      if (!view.dragging) flushUrl();
      else if (urlTimer === null) urlTimer = setTimeout(flushUrl, 250);
    }
  };

  /** The first load reads the URL; so do the browser's back and forward (below). */
  sb.callbacks.load = function () {
    return { kind: "load", search: window.location.search, n: 0 };
  };

  let moves = 0;
  sb.goTo = function (kind, search) {
    moves += 1;
    sb.write("goto", { kind, search, n: moves });
  };
  window.addEventListener("popstate", () => sb.goTo("back", window.location.search));

  // Mantine's pickers tell every value they have come to show, those that they were given too, and that
  // some frames later, when the view may be another one already. It is a person's choice only when the
  // picker was the last thing that a person has touched.
  let touched = null;
  for (const name of ["pointerdown", "keydown", "focusin", "click"]) {
    document.addEventListener(name, ({ target }) => {
      const inList = target.closest && target.closest(".mantine-Popover-dropdown");
      if (!inList) touched = target; // a list hangs elsewhere on the page than its picker
    }, true);
  }
  window.addEventListener("popstate", () => { touched = null; });

  /** Whether a person was last at this picker. */
  sb.touched = function (id) {
    const picker = document.getElementById(id);
    const whole = picker && (picker.closest(".mantine-InputWrapper-root") || picker);
    return Boolean(whole && touched && whole.contains(touched));
  };

  sb.callbacks.pickDataset = function (dataset) {
    const view = sb.read("view");
    if (!dataset || (view && dataset === view.dataset)) return;
    if (sb.touched("dataset")) sb.goTo("dataset", "?dataset=" + encode(dataset));
    else if (view) window.dash_clientside.set_props("dataset", { value: view.dataset });
  };

  sb.callbacks.pickSource = function (source) {
    const view = sb.read("view");
    if (!source || !view || source === view.source) return;
    if (sb.touched("source")) sb.goTo("source", sb.search({ ...view, source }));
    else window.dash_clientside.set_props("source", { value: view.source });
  };

  sb.callbacks.showNotices = function (notices) {
    if (!notices || !notices.items) return;
    if (notices.preparing) sb.followCopy(notices);
    const banner = document.getElementById("banner");
    banner.hidden = !notices.nothing;
    if (notices.nothing) {
      // Nothing could be opened at all: that stays on the page, it is not a passing notice.
      banner.textContent = notices.items.map((item) => item.text).join(" ");
      document.getElementById("plot-empty").textContent = "No dataset is open.";
      return;
    }
    for (const item of notices.items) {
      if (!item.once || firstTime(item.text)) sb.notify(item.text, item.level);
    }
    // What could not be opened is not what the pickers show.
    const view = sb.read("view");
    if (view) {
      window.dash_clientside.set_props("dataset", { value: view.dataset });
      window.dash_clientside.set_props("source", { value: view.source });
    }
  };

  /** Whether this browser session has not been told a sentence yet. */
  function firstTime(text) {
    try {
      const told = JSON.parse(sessionStorage.getItem("statebrush-told") || "[]");
      if (told.includes(text)) return false;
      sessionStorage.setItem("statebrush-told", JSON.stringify([...told.slice(-50), text]));
    } catch {
      // no storage: tell it again rather than never
    }
    return true;
  }

  /**
   * Draw a part of the page anew and leave the keyboard where it was: on the element with the same
   * data, or else on the first of its kind there, or on `fallback` when none is left.
   */
  sb.keepFocus = function (host, draw, fallback) {
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
  };

  let notified = 0;
  let waiting = [];
  /** A notice in plain words; errors stay until they are closed. */
  sb.notify = function (text, level) {
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
  };

  // The colour scheme is the reader's own, not part of the view: Mantine keeps it, we follow it.
  function followScheme() {
    const root = document.documentElement;
    const tell = () => {
      const scheme = root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
      if (sb.read("theme") !== scheme && sb.read("skeletons")) sb.write("theme", scheme);
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
      const known = sb.read("viewport");
      if (width > 0 && (!known || known.width !== width)) {
        const page = document.getElementById("match-view").clientWidth;
        sb.write("viewport", { width, page });
      }
    };
    new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(tell, 120);
    }).observe(inner);
    tell();
  }

  sb.callbacks.start = function () {
    followScheme();
    followWidth();
  };

  document.addEventListener("pointerup", () => {
    const view = sb.read("view");
    if (view && view.dragging) sb.dispatch({}, { dragging: false });
  });
})();
