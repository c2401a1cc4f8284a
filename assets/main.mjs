/* The one module that the page loads: it gathers what Dash calls and starts the listeners. */
import * as extents from "./core/axes.mjs";
import * as requesting from "./core/requests.mjs";
import * as s1 from "./core/selection.mjs";
import * as stores from "./core/state.mjs";
import * as tracking from "./core/tracks.mjs";
import * as wording from "./core/words.mjs";
import * as rows from "./match/match.mjs";
import * as brushes from "./select/brush.mjs";
import * as chipList from "./select/chips.mjs";
import * as navigate from "./select/controls.mjs";
import * as covering from "./select/coverage.mjs";
import * as plots from "./select/draw.mjs";
import * as overviews from "./select/overview.mjs";
import * as alongWords from "./select/reading.mjs";
import * as phrases from "./select/search.mjs";
import * as level from "./select/threshold.mjs";
import * as work from "./work/jobs.mjs";

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.statebrush = {
  ...extents,
  ...requesting,
  ...s1,
  ...stores,
  ...tracking,
  ...wording,
  ...rows,
  ...brushes,
  ...chipList,
  ...navigate,
  ...covering,
  ...plots,
  ...overviews,
  ...alongWords,
  ...phrases,
  ...level,
  ...work,
};

// Of two listeners to one event the first may stop it: this order counts, not that of the imports.
for (const module of [
  stores,
  brushes,
  chipList,
  navigate,
  covering,
  work,
  rows,
  overviews,
  alongWords,
  phrases,
  level,
  tracking,
]) module.listen();
