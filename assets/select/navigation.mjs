/* Moving along the corpus, wider and narrower steps, and the keys that a panel hears. */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Requests} from "../core/requests.mjs" */
import { newBrush } from "../core/axes.mjs";
import { notify, setProps, target } from "../core/page.mjs";
import { range } from "../core/selection.mjs";

/** @typedef {ReturnType<typeof navigation>} Navigation */

const WIDTHS = [8, 10, 12, 14, 17, 20, 26, 32, 40, 52, 64, 80, 96]; // px a step

/** @param {Panel} panel @param {Requests} requests @param {(handle: "stop") => void} focusNext */
export function navigation(panel, requests, focusNext) {
  const { at } = panel;

  /** Show the steps from `first` on; repeated moves of one `group` are one entry of the history. @param {number} first @param {string} [group] */
  function moveTo(first, group) {
    if (panel.open()) panel.dispatch({ first: panel.clipped(first) }, { group });
  }
  /** The first step on the screen: near the end of the data the window is farther left. */
  const from = () => panel.clipped(panel.read("view")?.first ?? 0);
  /** Move by steps, or by whole windows. @param {number} by @param {"step" | "page"} unit */
  const move = (by, unit) => {
    if (panel.open()) moveTo(from() + by * (unit === "page" ? panel.steps() : 1), unit);
  };

  function showBrush() {
    const view = panel.open()?.view;
    if (view && view.start !== null) panel.dispatch({ first: panel.around(...range(view)) });
  }

  const clearBrush = () => panel.dispatch({ start: null, stop: null, before: 0, after: 0 });

  /** Brush the word in the middle of the view: the keyboard's way to make a brush. */
  function brushMiddle() {
    const win = panel.win();
    if (!win) return;
    const middle = Math.floor((win.start + win.stop) / 2);
    focusNext("stop"); // as soon as it is there
    panel.dispatch(newBrush(middle, middle + 1));
  }

  /**
   * Wider or narrower steps, about a step that stays where it is: the one given, or the middle of the
   * selection while it is in view, or the middle of the view.
   * @param {number} by @param {number} [about]
   */
  function zoom(by, about) {
    const view = panel.open()?.view;
    if (!view) return;
    const next = by > 0 ? WIDTHS.find((width) => width > view.zoom)
      : WIDTHS.findLast((width) => width < view.zoom);
    if (next === undefined) return;
    const before = panel.steps(view);
    const wider = { ...view, zoom: next };
    const [start, stop] = range(view);
    const middle = view.start === null ? -1 : (start + stop) / 2;
    const fixed = about !== undefined ? about
      : middle >= view.first && middle <= view.first + before ? middle : view.first + before / 2;
    const first = Math.round(fixed - ((fixed - view.first) * panel.steps(wider)) / before);
    panel.dispatch({ zoom: next, first: panel.clipped(first, wider) }, { group: "zoom" });
  }

  /** Copy the address of the view. Pages without https have no clipboard: the old way serves there. */
  async function share() {
    const view = panel.open()?.view;
    if (!view) return;
    const link = window.location.origin + window.location.pathname + panel.query(view);
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
    if (copied) notify("The link is copied: it opens what you see now.", "info");
    else notify("The browser did not let the link be copied; take it from the address bar.", "warning");
  }

  const help = () => setProps("help", { opened: true });

  /** @type {Record<string, () => void>} */
  const buttons = {
    "page-back": () => move(-1, "page"), "page-on": () => move(1, "page"),
    "step-back": () => move(-1, "step"), "step-on": () => move(1, "step"),
    "go-to-brush": showBrush, "zoom-out": () => zoom(-1), "zoom-in": () => zoom(1), share,
    "full-range": () => panel.dispatch({ full_range: !panel.read("view")?.full_range }),
    "match-button": requests.matchNow, "help-button": help,
  };
  for (const [name, act] of Object.entries(buttons)) panel.on("click", at(name), act);
  panel.on("click", "[data-clear]", clearBrush);

  /** @type {Record<string, () => void>} */
  const keys = {
    PageUp: buttons["page-back"], PageDown: buttons["page-on"],
    ArrowLeft: buttons["step-back"], ArrowRight: buttons["step-on"], Home: showBrush,
    "+": buttons["zoom-in"], "=": buttons["zoom-in"], "-": buttons["zoom-out"],
    b: brushMiddle, c: share, Escape: clearBrush, "?": help,
  };
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !panel.hears(event)) return;
    const element = target(event);
    if (!panel.read("view") || document.querySelector(".mantine-Modal-content") || uses(element, event.key)) return;
    const key = panel.along(event.key);
    if (keys[key]) {
      keys[key]();
      event.preventDefault();
    } else if (event.key === "Enter" && !element?.closest("button, a, summary, input, select")) {
      requests.matchNow();
      event.preventDefault();
    }
  }
  /** Hear the keys; called last, so that parts that have a use for one come first. */
  function hearKeys() {
    // Not on the document, from which Mantine's tooltips keep Escape while they are shown.
    panel.root.addEventListener("keydown", onKey);
    document.body.addEventListener("keydown", onKey);
  }

  /** Whether an element has a use of its own for a key. @param {HTMLElement | null} element @param {string} key */
  function uses(element, key) {
    const moves = /^(Arrow|Home|End)/.test(key);
    // What can be scrolled keeps its keys.
    if (element?.closest(["coverage", "chips"].map(at).join())) return moves || /^Page/.test(key);
    if (element instanceof HTMLSelectElement) return moves || /^[\p{L}\p{N}]$/u.test(key); // letters choose
    if (!(element instanceof HTMLInputElement)) return element instanceof HTMLTextAreaElement;
    if (element.type === "range") return moves || /^Page/.test(key);
    if (element.type === "radio") return moves;
    return element.type !== "checkbox" && key !== "Escape" && !/^Page/.test(key); // text
  }

  return { moveTo, from, zoom, hearKeys };
}
