/* A panel: one Select View with its Match View and their stores, on a page that may have several.

   Its element has `data-panel`, a prefix: the ids of its parts and stores are their names after it.
   The `view` store is the only state; `dispatch` is its only writer in the browser, and everything
   else is derived from it. */
/** @import {Stores, ViewStore} from "../wire" */
/** @import {Change, Selection, Win} from "../types" */
import { firstFor, firstStep, visibleSteps } from "./axes.mjs";
import { readStore, setProps, target } from "./page.mjs";
import { decodedWindow, selector } from "./selection.mjs";
import { query } from "./url.mjs";
import { randomName, same } from "./values.mjs";

// What decides the order and length of the list: a change goes back to its first page.
const LIST_FIELDS = [
  "dataset", "source", "start", "stop", "before", "after", "threshold", "polarity", "excluded",
  "min_overlap", "min_length", "overlapping", "length", "sort",
];

const REPEAT = 1000; // ms within which small changes of one group are one entry of the history

/** @typedef {ReturnType<typeof makePanel>} Panel */

/** Make a panel of an element. @param {HTMLElement} root */
export function makePanel(root) {
  const prefix = root.dataset.panel ?? "";
  /** The selector of a part. @param {string} name */
  const at = (name) => `#${prefix}${name}`;
  const find = (/** @type {string} */ name) => document.getElementById(prefix + name);
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (find(name));
  const box = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (find(name));

  /**
   * The present value of a store; undefined while there is none.
   * @template {keyof Stores} K @param {K} name @returns {Stores[K] | undefined}
   */
  const read = (name) => /** @type {Stores[K] | undefined} */ (readStore(prefix + name) ?? undefined);
  /** Write a store. @template {keyof Stores} K @param {K} name @param {Stores[K]} data */
  const write = (name, data) => setProps(prefix + name, { data });
  /** The view and the info of what it shows, both there. */
  const open = () => {
    const view = read("view");
    const info = read("info");
    return view && info && read("viewport") ? { view, info } : null;
  };
  /** The window that is here, decoded. @returns {Win | null} */
  const win = () => decodedWindow(read("window"));

  /** How many steps a view shows; by default the present one, which must be open. */
  const steps = (view = read("view")) => visibleSteps(
    /** @type {ViewStore} */ (view), /** @type {Stores["info"]} */ (read("info")),
    /** @type {Stores["viewport"]} */ (read("viewport")));
  /** The first step that a window from `first` on can show. @param {number} first @param {ViewStore} [view] */
  const clipped = (first, view) =>
    firstStep(Math.max(0, first), /** @type {Stores["info"]} */ (read("info")), steps(view));
  /** The first visible step with [start, stop) in the middle. @param {number} start @param {number} stop */
  const around = (start, stop) => clipped(firstFor(start, stop, steps()));

  let dragOpen = false;
  /** @type {{ name: string | null, time: number }} */
  let last = { name: null, time: 0 };
  /**
   * Change the view. A drag (dragging: true, then a last call without it) is one entry of the
   * browser's history: its first change pushes, all others replace. Repeated small actions of one
   * `group` (holding an arrow key, say) are one entry as well, those of a `drag:` however slow.
   * @param {Partial<ViewStore>} patch @param {Change} [change]
   */
  function dispatch(patch, { history = "push", dragging = false, group = null } = {}) {
    const before = read("view");
    if (!before) return;
    const next = { ...before, ...patch };
    const keys = /** @type {(keyof ViewStore)[]} */ (Object.keys(patch));
    const changed = keys.filter((key) => !same(before[key], next[key]));
    if (changed.length === 0 && before.dragging === dragging) return;
    if (!("page" in patch) && changed.some((key) => LIST_FIELDS.includes(key))) next.page = 0;
    const now = Date.now();
    const repeated = group && last.name === group
      && (group.startsWith("drag:") || now - last.time < REPEAT);
    const how = dragOpen || repeated ? "replace" : history;
    if (changed.length > 0) last = { name: group, time: now };
    dragOpen = dragging && (dragOpen || changed.length > 0);
    write("view", { ...next, dragging, history: how });
  }

  let moves = 0;
  /** Open what a query string names. @param {Stores["goto"]["kind"]} kind @param {string} search @param {string} [source] The one shown until now */
  function goTo(kind, search, source) {
    moves += 1;
    write("goto", { kind, search, n: moves, ...source && { from_source: source } });
  }

  /**
   * Call `act` for events on elements of this panel that a selector fits, with that element.
   * @param {string} types @param {string} fitting
   * @param {(event: any, element: HTMLElement) => void} act @param {AddEventListenerOptions} [options]
   */
  function on(types, fitting, act, options) {
    for (const type of types.split(" ")) {
      root.addEventListener(type, (event) => {
        const element = /** @type {HTMLElement | null | undefined} */ (target(event)?.closest(fitting));
        if (element && root.contains(element)) act(event, element);
      }, options);
    }
  }

  /** Whether a key is for this panel: pressed in it, or in none while this is the page's first. @param {Event} event */
  function hears(event) {
    const own = target(event)?.closest("[data-panel]");
    return own ? own === root : document.querySelector("[data-panel]") === root;
  }

  /**
   * Draw a part again and leave the keyboard where it was: on the element with the same data, or else
   * on the first of its kind there, or on the part `fallback` when none is left.
   * @param {HTMLElement} host @param {() => void} draw @param {string} [fallback]
   */
  function keepFocus(host, draw, fallback) {
    const held = /** @type {HTMLElement | null} */ (document.activeElement);
    const inside = held !== null && held !== host && host.contains(held);
    const known = inside ? JSON.stringify({ ...held.dataset, hot: 0 }) : null;
    draw();
    if (!inside || host.contains(document.activeElement)) return;
    const all = [.../** @type {NodeListOf<HTMLButtonElement>} */ (host.querySelectorAll(held.tagName))]
      .filter((element) => !element.disabled);
    const next = all.find((element) => JSON.stringify({ ...element.dataset, hot: 0 }) === known)
      || all[0] || (fallback && find(fallback));
    if (next) next.focus({ preventScroll: true });
  }

  const rtl = () => read("info")?.rtl ?? false;
  /** A key by its way along the time axis: in right-to-left data the left arrow goes on. @param {string} key */
  const along = (key) => (!rtl() ? key
    : { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" }[key] ?? key);
  /** Where a pointer is on a part of the time axis, as a share of it; not bounded. @param {number} clientX @param {string} [name] */
  function shareAt(clientX, name = "words") {
    const { left, width } = part(name).getBoundingClientRect();
    const share = (clientX - left) / width;
    return rtl() ? 1 - share : share;
  }

  /** @type {(view: ViewStore, win: Win | null) => Selection} */
  const selection = selector();

  return {
    root, prefix, at, find, part, box, read, write, open, win, steps, clipped, around, dispatch, goTo, on, hears,
    keepFocus, selection, rtl, along, shareAt,
    /** This panel's own name for the server: random, so that no other client can ask for its answers. */
    page: randomName(),
    /** The query string of a view. @param {ViewStore} view */
    query: (view) => query(view, /** @type {Stores["info"]} */ (read("info")).bounds.zoom),
  };
}
