/* The whole corpus in one thin strip: the share of S1 that is on, where matches start, the selection
   and what the view shows. A click or a drag goes there; so does the keyboard. The wheel pans. */
import * as extents from "../core/axes.mjs";
import * as requesting from "../core/requests.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";
import * as navigate from "./controls.mjs";

const byId = (id) => document.getElementById(id);
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const HEIGHT = 22;
const TICKS = 6; // px above the shares, for the matches

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The bins as they fall on `pixels` columns: the mean share, and the sums of matches. */
function columns(overview, nSteps, pixels) {
  const { on, matches, full, bin_steps: width } = overview;
  const out = Array.from({ length: pixels }, () => ({ share: 0, steps: 0, matches: 0, full: 0 }));
  on.forEach((share, i) => {
    const start = i * width;
    const stop = Math.min(start + width, nSteps);
    const first = clamp(Math.floor((start * pixels) / nSteps), 0, pixels - 1);
    const last = clamp(Math.ceil((stop * pixels) / nSteps) - 1, first, pixels - 1);
    for (let x = first; x <= last; x++) {
      out[x].share += share * (stop - start);
      out[x].steps += stop - start;
    }
    out[first].matches += matches[i];
    out[first].full += full[i];
  });
  return out;
}

let painted = null;
function paint(overview, info, viewport, theme) {
  const canvas = byId("overview-canvas");
  const scale = window.devicePixelRatio || 1;
  const key = JSON.stringify([
    overview ? overview.n : -1, info.dataset, info.fp, info.source, viewport.width, theme, scale,
  ]);
  if (key === painted) return;
  painted = key;
  const width = viewport.width;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(HEIGHT * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.clearRect(0, 0, width, HEIGHT);
  pen.fillStyle = style("--hairline");
  for (const step of info.sequence_starts) {
    pen.fillRect(Math.round((step * width) / info.n_steps), TICKS, 1, HEIGHT - TICKS);
  }
  if (!overview || overview.on.length === 0) return;
  const all = columns(overview, info.n_steps, width);
  const shares = all.map((column) => (column.steps ? column.share / column.steps : 0));
  const most = Math.max(50, ...shares); // thousandths: the axis reaches at least 5 %
  pen.fillStyle = `rgba(${style("--selected-rgb")}, 0.4)`;
  shares.forEach((share, x) => {
    const height = ((HEIGHT - TICKS - 1) * share) / most;
    pen.fillRect(x, HEIGHT - height, 1, height);
  });
  // Full matches last: where both fall on a column, the full one is seen.
  for (const [kind, color] of [
    ["matches", `rgba(${style("--selected-rgb")}, 0.45)`], ["full", style("--selected")],
  ]) {
    pen.fillStyle = color;
    all.forEach((column, x) => {
      if (column[kind] > 0) pen.fillRect(x, 0, 1, TICKS - 1);
    });
  }
}

export function drawOverview(overview, view, info, viewport, theme) {
  if (!view || !info || !viewport || view.dataset !== info.dataset) return;
  const host = byId("overview-strip");
  const mine = overview && overview.key.dataset === view.dataset && overview.key.source === view.source
    && overview.key.fp === info.fp ? overview : null;
  paint(mine, info, viewport, theme);
  const current = mine !== null && stores.same(searched(mine.key), searched(requesting.matchKey(view)));
  host.classList.toggle("sb-stale", mine !== null && !current && !view.dragging);
  host.dataset.n = mine ? mine.n : "";
  const steps = extents.visibleSteps(view, info, viewport);
  const first = extents.firstStep(view.first, info, steps);
  const share = (step) => `${(100 * step) / info.n_steps}%`;
  const frame = byId("overview-view");
  frame.style.left = share(first);
  frame.style.width = share(steps);
  const brush = byId("overview-brush");
  brush.hidden = view.start === null;
  if (view.start !== null) {
    brush.style.left = share(view.start);
    brush.style.width = share(view.stop - view.start);
  }
  host.setAttribute("aria-valuemin", 0);
  host.setAttribute("aria-valuemax", info.n_steps - 1);
  host.setAttribute("aria-valuenow", first);
  host.setAttribute("aria-valuetext",
    `steps ${wording.count(first)} to ${wording.count(first + steps - 1)} of ${wording.count(info.n_steps)}`);
}

/** A match key without what only changes how its rows are listed. */
export const searched = (key) => ({
  ...key, tracks: null, overlapping: null, sort: null, page: null,
});

function stepAt(clientX) {
  const box = byId("overview-strip").getBoundingClientRect();
  const share = clamp((clientX - box.left) / box.width, 0, 1);
  const { n_steps: count } = stores.read("info");
  return Math.min(count - 1, Math.floor(share * count));
}

// Moves that come faster than pictures can follow are gathered: the last one counts.
const PACE = 80; // ms
let timer = null;
let aim = null;
function moveSoon(first, group) {
  aim = { first, group };
  if (timer !== null) return;
  const run = () => {
    timer = null;
    if (aim === null) return;
    const { first: to, group: name } = aim;
    aim = null;
    navigate.moveTo(to, name);
    timer = setTimeout(run, PACE);
  };
  run();
}
const aimedFirst = () => (aim === null ? stores.read("view").first : aim.first);

let drag = null;
let drags = 0;
function begin(event) {
  const view = stores.read("view");
  if (!view || !stores.read("info") || !stores.read("viewport") || event.button !== 0) return;
  const steps = extents.visibleSteps();
  const step = stepAt(event.clientX);
  const inside = step >= view.first && step < view.first + steps;
  drags += 1;
  drag = {
    pointer: event.pointerId, group: `drag:overview-${drags}`,
    offset: inside ? step - view.first : Math.floor(steps / 2),
  };
  byId("overview-strip").setPointerCapture(event.pointerId);
  byId("overview-strip").focus({ preventScroll: true });
  event.preventDefault();
  if (!inside) moveSoon(step - drag.offset, drag.group);
}

function tell(event) {
  const info = stores.read("info");
  const overview = stores.read("overview");
  const tip = byId("overview-tip");
  const step = stepAt(event.clientX);
  let text = `step ${wording.count(step)}`;
  if (overview && overview.on.length && overview.key.source === info.source) {
    const bin = Math.floor(step / overview.bin_steps);
    const start = bin * overview.bin_steps;
    const stop = Math.min(start + overview.bin_steps, info.n_steps);
    const range = stop - start === 1 ? text
      : `steps ${wording.count(start)}–${wording.count(stop - 1)}`;
    text = `${range} · ${(overview.on[bin] / 10).toFixed(1)} % of S1 on · `
      + `${wording.plural(overview.matches[bin], "match starts", "matches start")} here`
      + (overview.full[bin] ? `, ${wording.count(overview.full[bin])} full` : "");
  }
  tip.textContent = text;
  tip.hidden = false;
  const host = tip.parentElement.getBoundingClientRect();
  const flip = event.clientX - host.left > host.width - 320;
  tip.style.left = flip ? "" : `${event.clientX - host.left + 12}px`;
  tip.style.right = flip ? `${host.right - event.clientX + 12}px` : "";
}

// Sideways (or with Shift) the wheel pans, with Ctrl it zooms. Downwards it scrolls the page, except
// over the overview: a page that cannot be scrolled with the pointer on the plot would be a trap.
const rest = { pan: 0, zoom: 0 };

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest && event.target.closest("#overview-strip")) begin(event);
  });
  document.addEventListener("pointermove", (event) => {
    if (drag && event.pointerId === drag.pointer) {
      moveSoon(Math.max(0, stepAt(event.clientX) - drag.offset), drag.group);
    }
    const strip = event.target.closest && event.target.closest("#overview-strip");
    if (strip) tell(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, (event) => {
      if (drag && event.pointerId === drag.pointer) drag = null;
    }, true);
  }
  document.addEventListener("pointerout", (event) => {
    const strip = event.target.closest && event.target.closest("#overview-strip");
    if (strip && !strip.contains(event.relatedTarget)) byId("overview-tip").hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "overview-strip" || event.ctrlKey || event.metaKey || event.altKey) return;
    const view = stores.read("view");
    const info = stores.read("info");
    const steps = extents.visibleSteps();
    const leap = Math.max(steps, Math.round(info.n_steps / 10));
    const moves = {
      ArrowLeft: view.first - steps, ArrowDown: view.first - steps,
      ArrowRight: view.first + steps, ArrowUp: view.first + steps,
      PageUp: view.first - leap, PageDown: view.first + leap, Home: 0, End: info.n_steps,
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    navigate.moveTo(moves[event.key], "overview");
  });
  document.addEventListener("wheel", (event) => {
    const legend = event.target.closest && event.target.closest("#legends, #heat-legend");
    if (legend && legend.scrollWidth > legend.clientWidth && !event.ctrlKey) {
      legend.scrollLeft += event.deltaX || event.deltaY;
      event.preventDefault();
      return;
    }
    const over = event.target.closest && event.target.closest(".sb-plot, .sb-strip, .sb-tracks");
    if (!over || event.target.closest("#coverage, #chips") && !event.ctrlKey && !event.deltaX) return;
    const view = stores.read("view");
    const viewport = stores.read("viewport");
    if (!view || !viewport || !stores.read("info") || view.dragging) return;
    const unit = event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 400 : 1;
    if (event.ctrlKey) {
      event.preventDefault();
      rest.zoom -= event.deltaY * unit;
      if (Math.abs(rest.zoom) < 40) return;
      const box = byId("words").getBoundingClientRect();
      const share = clamp((event.clientX - box.left) / box.width, 0, 1);
      navigate.zoom(Math.sign(rest.zoom), view.first + share * extents.visibleSteps());
      rest.zoom = 0;
      return;
    }
    const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    const amount = over.classList.contains("sb-overview-strip") && !sideways ? event.deltaY : sideways;
    if (!amount) return;
    event.preventDefault();
    rest.pan += (amount * unit) / view.zoom;
    const steps = Math.trunc(rest.pan);
    if (steps === 0) return;
    rest.pan -= steps;
    const last = stores.read("info").n_steps - extents.visibleSteps();
    moveSoon(clamp(aimedFirst() + steps, 0, Math.max(0, last)), "pan");
  }, { passive: false });
}
