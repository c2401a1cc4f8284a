/* How the room is divided: the plot's height is dragged, and plot and strips fold. It is the reader's own,
   stored in the browser, and not part of the view. */
/** @import {Panel} from "../core/panel.mjs" */
import { clamp } from "../core/values.mjs";

const LEAST = 48; // px: lower, the plot is folded
const MOST = 700;
const KEY = "statebrush-layout";

/** @typedef {{ height?: number, folded?: string[], intro?: boolean }} Layout */

/** @returns {Layout} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "{}");
  } catch {
    return {}; // no storage, or another's text in it
  }
}

/** @param {Panel} panel */
export function layout(panel) {
  const { part } = panel;
  const divider = part("divider");
  const plot = part("plot");
  let held = stored();

  /** @param {Layout} change */
  function store(change) {
    held = { ...held, ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(held));
    } catch {
      // no storage: it holds until the page is left
    }
    show();
  }

  function show() {
    const folded = new Set(held.folded ?? []);
    const { height } = held;
    plot.style.height = height === undefined ? "" : `${height}px`;
    part("intro").hidden = held.intro === false;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (panel.root.querySelectorAll("[data-fold]"))) {
      const name = button.dataset.fold ?? "";
      panel.root.classList.toggle(`sb-folded-${name}`, folded.has(name));
      button.setAttribute("aria-expanded", String(!folded.has(name)));
    }
    divider.setAttribute("aria-valuenow", String(Math.round(height ?? plot.clientHeight)));
  }

  /** @param {number} height */
  function resize(height) {
    const rest = (held.folded ?? []).filter((name) => name !== "plot");
    if (height < LEAST) store({ folded: [...rest, "plot"] });
    else store({ height: clamp(Math.round(height), LEAST, MOST), folded: rest });
  }

  /** @type {{ pointer: number, y: number, height: number } | null} */
  let drag = null;
  divider.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { pointer: event.pointerId, y: event.clientY, height: plot.offsetHeight };
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => {
    if (drag) resize(drag.height + event.clientY - drag.y);
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    divider.addEventListener(name, () => { drag = null; });
  }
  divider.addEventListener("dblclick", () => store({ height: undefined, folded: [] }));
  divider.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -20, ArrowDown: 20 }[event.key];
    if (by === undefined) return;
    resize(plot.offsetHeight + by);
    event.preventDefault();
    event.stopPropagation();
  });
  panel.on("click", "[data-fold]", (_, { dataset }) => {
    const name = dataset.fold ?? "";
    const folded = held.folded ?? [];
    store({ folded: folded.includes(name) ? folded.filter((one) => one !== name) : [...folded, name] });
  });
  panel.on("click", "[data-intro]", () => store({ intro: false }));
  show();
}
