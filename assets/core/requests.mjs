/* What the browser asks the server for, derived from the view. Nothing is asked while dragging. */
import * as extents from "./axes.mjs";
import * as s1 from "./selection.mjs";
import * as stores from "./state.mjs";

export const randomName = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
/** This page's own name for the server: random, so that nobody else can ask for its answers. */
export const pageId = randomName();

/** Whether a request still waits for its answer. */
export function awaits(store, request) {
  const answer = stores.read(store);
  return Boolean(request) && (!answer || answer.n !== request.n);
}

const none = () => window.dash_clientside.no_update;

/**
 * Where a view that was opened begins: as it says, unless its brush lies right of what this window
 * shows but not of what a wider one would. Going back brings back what was seen here before.
 */
function opening(view, info, steps) {
  const { first, start, stop } = view;
  if (start === null || (stores.read("goto") || {}).kind === "back") return first;
  const hidden = start >= first && stop > extents.firstStep(first, info, steps) + steps;
  return hidden && stop <= first + info.most_steps
    ? extents.firstStep(extents.firstFor(start, stop), info, steps) : first;
}

let asked = 0;
let opened = null; // the opening that was looked at
export function windowRequest(view, info, viewport, last) {
  if (!view || !info || !viewport || view.dragging) return none();
  if (info.dataset !== view.dataset || info.source !== view.source) return none();
  const steps = extents.visibleSteps(view, info, viewport);
  if (opened !== view.restored) {
    opened = view.restored;
    const first = opening(view, info, steps);
    if (first !== view.first) {
      stores.dispatch({ first }, { history: "replace" });
      return none();
    }
  }
  const start = extents.firstStep(view.first, info, steps);
  const stop = start + steps;
  const brush = view.start === null ? null
    : { start: view.start, stop: view.stop, before: view.before, after: view.after };
  const same = last && last.dataset === view.dataset && last.fp === info.fp
    && last.source === view.source && last.start === start && last.stop === stop;
  const failed = last && (stores.read("window") || {}).error;
  if (same && !failed) {
    if (stores.same(last.brush, brush)) return none();
    const win = s1.decodedWindow(stores.read("window"));
    if (win && win.n === last.n && s1.covers(view, win)) return none();
  }
  asked += 1;
  return {
    n: asked, dataset: view.dataset, fp: info.fp, source: view.source, start, stop, brush,
  };
}

export function tracksRequest(view, request, last) {
  if (!view || !request || view.dataset !== request.dataset) return none();
  const next = {
    dataset: request.dataset, fp: request.fp, start: request.start, stop: request.stop,
    tracks: view.tracks,
  };
  return stores.same(next, last) ? none() : next;
}

/** Everything that decides a match run and how its rows are listed. */
export function matchKey(view) {
  return {
    dataset: view.dataset, fp: view.fp, source: view.source, start: view.start, stop: view.stop,
    before: view.before, after: view.after, threshold: view.threshold, polarity: view.polarity,
    excluded: view.excluded, min_overlap: view.min_overlap, min_length: view.min_length,
    overlapping: view.overlapping, length: view.length, tracks: view.tracks, sort: view.sort,
    page: view.page,
  };
}

let matches = 0;
let lastNow = 0;
let wasAuto = true;
export function matchRequest(view, info, now, last) {
  if (!view || !info || view.dragging || info.dataset !== view.dataset
      || info.source !== view.source) return none();
  const pressed = (now || 0) !== lastNow;
  lastNow = now || 0;
  const turnedOn = view.auto && !wasAuto;
  wasAuto = view.auto;
  const key = matchKey(view);
  const opened = !last || view.restored !== last.restored;
  if (!view.auto && !pressed && !turnedOn && !opened) {
    // Only what is shown of the last run may follow by itself: a filter of the same query.
    const fixed = (k) => ({
      ...k, length: null, tracks: null, overlapping: null, sort: null, page: null,
    });
    if (!stores.same(fixed(key), fixed(last.key)) || stores.same(key, last.key)) return none();
  } else if (last && !pressed && stores.same(key, last.key)) {
    return none();
  }
  matches += 1;
  const instead = Boolean(last && awaits("match", last));
  return { n: matches, page: pageId, key, restored: view.restored, instead };
}

export const matchNow = () => stores.write("match-now", (stores.read("match-now") || 0) + 1);
