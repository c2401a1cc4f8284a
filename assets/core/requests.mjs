/* What the browser asks the server for, derived from the view, and the answers. Nothing is asked while
   dragging. */
/** @import {Info, MatchKey, Navigation, OpenedView, TracksRequest, ViewStore, Viewport, WindowRequest} from "../wire" */
/** @import {Panel} from "./panel.mjs" */
import { firstStep, visibleSteps } from "./axes.mjs";
import { ask, lost, noUpdate, notify } from "./page.mjs";
import { covers } from "./selection.mjs";
import { same } from "./values.mjs";

/** Everything that decides a match and how its rows are listed. @param {ViewStore} view */
export const matchKey = (view) => /** @type {MatchKey} */ ({
  dataset: view.dataset, fp: view.fp, source: view.source, start: view.start, stop: view.stop,
  before: view.before, after: view.after, threshold: view.threshold, polarity: view.polarity,
  excluded: view.excluded, min_overlap: view.min_overlap, min_length: view.min_length,
  overlapping: view.overlapping, length: view.length, tracks: view.tracks, sort: view.sort,
  page: view.page,
});

/** What the page's address names: requested at once, before there is a page to show it in. */
export const FIRST = /** @type {Navigation} */ ({ kind: "load", search: window.location.search, n: 0 });
/** @type {ReturnType<typeof ask> | null} */
let first = ask("_view/open", FIRST);

/** @typedef {ReturnType<typeof requests>} Requests */

/** The requests of a panel. @param {Panel} panel */
export function requests(panel) {
  /** Whether a request still waits for its answer. @param {"window" | "match"} store @param {{ n: number } | undefined} request */
  const awaits = (store, request) => request !== undefined && panel.read(store)?.n !== request.n;

  /**
   * Where a view that was opened begins: as it says, unless its brush is right of what this window
   * shows but not of what a wider one would. Going back brings back what was seen here before.
   * @param {ViewStore} view @param {Info} info @param {number} steps
   */
  function opening(view, info, steps) {
    const { first, start, stop } = view;
    if (start === null || stop === null || panel.read("goto")?.kind === "back") return first;
    const hidden = start >= first && stop > firstStep(first, info, steps) + steps;
    return hidden && stop <= first + info.most_steps ? panel.around(start, stop) : first;
  }

  let asked = 0;
  /** @type {number | null} */
  let opened = null; // the opening whose first step was checked
  /** @param {ViewStore} view @param {Info} info @param {Viewport} viewport */
  function windowRequest(view, info, viewport) {
    const last = panel.read("window-request");
    if (!view || !info || !viewport || view.dragging) return noUpdate();
    if (info.dataset !== view.dataset || info.source !== view.source) return noUpdate();
    const steps = visibleSteps(view, info, viewport);
    if (opened !== view.restored) {
      opened = view.restored;
      const first = opening(view, info, steps);
      if (first !== view.first) {
        panel.dispatch({ first }, { history: "replace" });
        return noUpdate();
      }
    }
    const start = firstStep(view.first, info, steps);
    const stop = start + steps;
    const brush = view.start === null ? null
      : { start: view.start, stop: view.stop, before: view.before, after: view.after };
    const next = { dataset: view.dataset, fp: info.fp, source: view.source, start, stop };
    const window = panel.read("window");
    const failed = last && window && "error" in window;
    if (last && !failed && same({ ...last, ...next }, last)) {
      if (same(last.brush, brush)) return noUpdate();
      const win = panel.win();
      if (win && win.n === last.n && covers(view, win)) return noUpdate();
    }
    asked += 1;
    return { n: asked, ...next, brush };
  }

  /** @param {ViewStore} view @param {WindowRequest} request */
  function tracksRequest(view, request) {
    if (!view || !request || view.dataset !== request.dataset) return noUpdate();
    const next = {
      dataset: request.dataset, fp: request.fp, start: request.start, stop: request.stop,
      tracks: view.tracks,
    };
    return same(next, panel.read("tracks-request")) ? noUpdate() : next;
  }

  let matches = 0;
  let lastNow = 0;
  let wasAuto = true;
  /** @param {ViewStore} view @param {Info} info @param {number} now */
  function matchRequest(view, info, now) {
    const last = panel.read("match-request");
    if (!view || !info || view.dragging || info.dataset !== view.dataset
        || info.source !== view.source) return noUpdate();
    const pressed = (now || 0) !== lastNow;
    lastNow = now || 0;
    const turnedOn = view.auto && !wasAuto;
    wasAuto = view.auto;
    const key = matchKey(view);
    const opened = !last || view.restored !== last.restored;
    if (last && !opened && !view.auto && !pressed && !turnedOn) {
      // Only what is shown of the last run may follow: a filter of the same query.
      const fixed = (/** @type {MatchKey} */ k) => ({
        ...k, length: null, tracks: null, overlapping: null, sort: null, page: null,
      });
      if (!same(fixed(key), fixed(last.key)) || same(key, last.key)) return noUpdate();
    } else if (last && !pressed && same(key, last.key)) {
      return noUpdate();
    }
    matches += 1;
    return { n: matches, page: panel.page, key, restored: view.restored, instead: awaits("match", last) };
  }

  return {
    awaits, windowRequest, tracksRequest, matchRequest,
    matchNow: () => panel.write("match-now", (panel.read("match-now") || 0) + 1),

    // The answers are written when they come: a callback that waited would hold up, in Dash, all others
    // that use the store.

    /** Read the window of a request. @param {WindowRequest} [request] */
    async readWindow(request) {
      if (!request) return;
      const reply = await ask("_view/window", request);
      if (panel.read("window-request")?.n !== request.n) return;
      panel.write("window", reply.answer ?? { n: request.n, error: lost(reply) });
    },

    /** Read the tracks of a request. @param {TracksRequest} [request] */
    async readTracks(request) {
      if (!request) return;
      const reply = await ask("_view/tracks", request);
      if (!same(panel.read("tracks-request"), request)) return;
      const answer = reply.answer ?? { error: lost(reply) };
      if (answer.error) notify(answer.error, "error");
      panel.write("tracks", answer);
    },

    /** Open what `goto` names: its view, info and notices. @param {Navigation} [goto] */
    async openView(goto) {
      if (!goto) return;
      const early = same(goto, FIRST) ? first : null;
      first = null; // what is asked again has a new answer
      const reply = await (early ?? ask("_view/open", goto));
      if (panel.read("goto")?.n !== goto.n) return;
      const opened = /** @type {OpenedView | undefined} */ (reply.answer);
      if (opened?.view && opened.info) {
        panel.write("info", opened.info);
        panel.write("view", opened.view);
      }
      panel.write("notices", opened?.notices
        ?? { n: -1, items: [{ text: lost(reply), level: "error" }], nothing: !panel.read("view") });
    },
  };
}
