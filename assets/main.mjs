/* The one module that the page loads: it makes the panels and has them follow their stores. */
/** @import {ViewStore} from "./wire" */
import { followScheme, listen, patience } from "./core/page.mjs";
import { makePanel } from "./core/panel.mjs";
import { follower } from "./core/reactions.mjs";
import { FIRST, matchKey, requests } from "./core/requests.mjs";
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
  const parts = {
    ...asking, ...select, ...matchView(panel, select, download),
    ...preparation(panel, shown, select.showPickers), underWay, runMatch,

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
  select.hearKeys();
  followScheme();
  select.followWidth();
  // Open what the address names; a panel with an address of its own has it in `data-search`.
  const { search } = root.dataset;
  if (search === undefined) window.addEventListener("popstate", () => panel.goTo("back", window.location.search));
  panel.write("goto", search === undefined ? FIRST : { kind: "load", search, n: 0 });
  return { panel, follow: follower(panel, REACTIONS, parts) };
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

/**
 * What each panel does when its stores change, in this order: requests to the server first, and
 * Plotly's figures, which take longest, last.
 * @type {readonly import("./core/reactions.mjs").Reaction[]}
 */
const REACTIONS = [
  ["openView", "goto"],
  ["matchRequest", "view info match-now", "match-request"],
  ["runMatch", "match-request"],
  ["windowRequest", "view info viewport", "window-request"],
  ["readWindow", "window-request"],
  ["tracksRequest", "view window-request", "tracks-request"],
  ["readTracks", "tracks-request"],
  ["readSearch", "search-request"],
  ["writeUrl", "view"],
  ["showNotices", "notices"],
  ["showOpened", "view notices"],
  ["showSource", "info"],
  ["showControls", "view info viewport"],
  ["drawSentence", "match view"],
  ["drawRows", "match viewport info view"],
  ["drawPager", "match view info"],
  ["checkSelection", "match view window"],
  ["drawWords", "window viewport info"],
  ["drawBrush", "view window"],
  ["drawThresholds", "view info window"],
  ["drawTracks", "tracks view window info"],
  ["drawSelection", "view window info"],
  ["drawCard", "info view window"],
  ["drawHover", "hover"],
  ["drawReading", "window tracks view"],
  ["drawSearch", "search"], // only answers jump: with the info as well, going back would jump again
  ["drawOverview", "overview view info viewport theme"],
  ["drawHistogram", "match view theme skeletons", "length-histogram.figure"],
  ["drawLines", "view window hover theme info skeletons", "lines-figure.figure"],
  ["drawFaint", "window view theme info skeletons", "faint-figure.figure"],
  ["underWay", "window-request window match-request match"], // not before all is drawn
];

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.statebrush = {
  /** Dash calls it at the start and when a store has changed; the id of the panel's element is last. */
  follow(/** @type {any[]} */ ...values) { viewOf(values.pop()).follow(); },
  // For the browser's console, and tests.
  panel: (id = "page") => viewOf(id).panel,
  decodedWindow, matchKey, patience, rawSelection, same,
};
listen();
