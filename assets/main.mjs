/* The one module that the page loads: it makes the panels and hands Dash's callbacks to them. */
/** @import {ViewStore} from "./wire" */
import { followScheme, listen, patience } from "./core/page.mjs";
import { makePanel } from "./core/panel.mjs";
import { matchKey, requests } from "./core/requests.mjs";
import { decodedWindow, rawSelection } from "./core/selection.mjs";
import { writeAddress } from "./core/url.mjs";
import { same } from "./core/values.mjs";
import { matchView } from "./match/match.mjs";
import { selectView } from "./select/view.mjs";
import { cards } from "./work/cards.mjs";
import { jobs } from "./work/jobs.mjs";
import { preparation } from "./work/preparation.mjs";

/** Everything that Dash calls for one panel. @param {HTMLElement} root */
function makeView(root) {
  const panel = makePanel(root);
  const asking = requests(panel);
  const shown = cards(panel);
  const { underWay, runMatch, download } = jobs(panel, asking, shown);
  const select = selectView(panel, asking);
  // A drag that ends anywhere has ended.
  document.addEventListener("pointerup", () => {
    if (panel.read("view")?.dragging) panel.dispatch({}, { dragging: false });
  });
  return {
    ...asking, ...select, ...matchView(panel, select, download),
    ...preparation(panel, shown, select.showPickers), panel, underWay, runMatch,

    /** Open what the address names; a panel with an address of its own has it in `data-search`. */
    load() {
      followScheme();
      select.followWidth();
      if (!("search" in root.dataset)) {
        window.addEventListener("popstate", () => panel.goTo("back", window.location.search));
      }
      return { kind: "load", search: root.dataset.search ?? window.location.search, n: 0 };
    },
    /** The address and the title follow the view. @param {ViewStore} view */
    writeUrl(view) {
      const info = panel.read("info");
      if (!view || !info || "search" in root.dataset) return;
      writeAddress(panel.query(view), view);
      document.title = `${info.title} · Statebrush`;
    },
    /** What could not be opened is not what the pickers show. */
    showOpened() {
      const view = panel.read("view");
      if (view) select.showPickers(view);
    },
  };
}

/** @type {WeakMap<Element, ReturnType<typeof makeView>>} */
const views = new WeakMap();
/** The view of the element with an id, made when it is first asked for. @param {string} id */
function viewOf(id) {
  const root = /** @type {HTMLElement} */ (document.getElementById(id));
  const view = views.get(root) ?? makeView(root);
  views.set(root, view);
  return view;
}

// What app/web/callbacks/ names; the last argument of each is the id of its panel's element.
const CALLBACKS = /** @type {const} */ ([
  "load", "openView", "writeUrl", "showNotices", "showOpened", "showSource", "showControls",
  "windowRequest", "readWindow", "tracksRequest", "readTracks", "matchRequest", "runMatch", "readSearch",
  "drawOverview", "drawFaint", "drawLines", "drawWords", "drawBrush", "drawThresholds", "drawTracks",
  "drawSelection", "drawCard", "drawHover", "drawReading", "drawSearch", "drawSentence", "drawHistogram", "drawRows",
  "drawPager", "checkSelection", "underWay",
]);

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.statebrush = {
  ...Object.fromEntries(CALLBACKS.map((name) => [name, (/** @type {any[]} */ ...values) => {
    const made = /** @type {(...values: any[]) => unknown} */ (viewOf(values.pop())[name])(...values);
    return made instanceof Promise ? undefined : made; // Dash waits for nothing
  }])),
  // For the browser's console, and tests.
  panel: (id = "page") => viewOf(id).panel,
  decodedWindow, matchKey, patience, rawSelection, same,
};
listen();
