/* What the browser asks the server for, derived from the view. Nothing is asked while dragging. */
(function () {
  "use strict";
  const sb = window.statebrush;
  const none = () => window.dash_clientside.no_update;

  sb.firstStep = function (first, info, steps) {
    return Math.max(0, Math.min(first, info.n_steps - steps));
  };

  /** How many steps the view shows: as many as fit at its step width, and as the server sends. */
  sb.visibleSteps = function (view = sb.read("view"), info = sb.read("info"), viewport = sb.read("viewport")) {
    const fitting = Math.max(8, Math.floor(viewport.width / view.zoom));
    return Math.min(fitting, info.n_steps, info.most_steps);
  };

  /**
   * Where a view that was opened begins: as it says, unless its brush lies right of what this window
   * shows but not of what a wider one would. Going back brings back what was seen here before.
   */
  function opening(view, info, steps) {
    const { first, start, stop } = view;
    if (start === null || (sb.read("goto") || {}).kind === "back") return first;
    const hidden = start >= first && stop > sb.firstStep(first, info, steps) + steps;
    return hidden && stop <= first + info.most_steps
      ? sb.firstStep(sb.firstFor(start, stop), info, steps) : first;
  }

  let asked = 0;
  let opened = null; // the opening that was looked at
  sb.callbacks.windowRequest = function (view, info, viewport, last) {
    if (!view || !info || !viewport || view.dragging) return none();
    if (info.dataset !== view.dataset || info.source !== view.source) return none();
    const steps = sb.visibleSteps(view, info, viewport);
    if (opened !== view.restored) {
      opened = view.restored;
      const first = opening(view, info, steps);
      if (first !== view.first) {
        sb.dispatch({ first }, { history: "replace" });
        return none();
      }
    }
    const start = sb.firstStep(view.first, info, steps);
    const stop = start + steps;
    const brush = view.start === null ? null
      : { start: view.start, stop: view.stop, before: view.before, after: view.after };
    const same = last && last.dataset === view.dataset && last.fp === info.fp
      && last.source === view.source && last.start === start && last.stop === stop;
    const failed = last && (sb.read("window") || {}).error;
    if (same && !failed) {
      if (sb.same(last.brush, brush)) return none();
      const win = sb.window(sb.read("window"));
      if (win && win.n === last.n && sb.covers(view, win)) return none();
    }
    asked += 1;
    return {
      n: asked, dataset: view.dataset, fp: info.fp, source: view.source, start, stop, brush,
    };
  };

  sb.callbacks.tracksRequest = function (view, request, last) {
    if (!view || !request || view.dataset !== request.dataset) return none();
    const next = {
      dataset: request.dataset, fp: request.fp, start: request.start, stop: request.stop,
      tracks: view.tracks,
    };
    return sb.same(next, last) ? none() : next;
  };

  /** Everything that decides a match run and how its rows are listed. */
  sb.matchKey = function (view) {
    return {
      dataset: view.dataset, fp: view.fp, source: view.source, start: view.start, stop: view.stop,
      before: view.before, after: view.after, threshold: view.threshold, polarity: view.polarity,
      excluded: view.excluded, min_overlap: view.min_overlap, min_length: view.min_length,
      overlapping: view.overlapping, length: view.length, tracks: view.tracks, sort: view.sort,
      page: view.page,
    };
  };

  let matches = 0;
  let lastNow = 0;
  let wasAuto = true;
  sb.callbacks.matchRequest = function (view, info, now, last) {
    if (!view || !info || view.dragging || info.dataset !== view.dataset
        || info.source !== view.source) return none();
    const pressed = (now || 0) !== lastNow;
    lastNow = now || 0;
    const turnedOn = view.auto && !wasAuto;
    wasAuto = view.auto;
    const key = sb.matchKey(view);
    const opened = !last || view.restored !== last.restored;
    if (!view.auto && !pressed && !turnedOn && !opened) {
      // Only what is shown of the last run may follow by itself: a filter of the same query.
      const fixed = (k) => ({
        ...k, length: null, tracks: null, overlapping: null, sort: null, page: null,
      });
      if (!sb.same(fixed(key), fixed(last.key)) || sb.same(key, last.key)) return none();
    } else if (last && !pressed && sb.same(key, last.key)) {
      return none();
    }
    matches += 1;
    const instead = Boolean(last && sb.awaits("match", last));
    return { n: matches, page: sb.pageId, key, restored: view.restored, instead };
  };

  sb.matchNow = () => sb.write("match-now", (sb.read("match-now") || 0) + 1);
})();
