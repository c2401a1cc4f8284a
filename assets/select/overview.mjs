/* The whole corpus in one thin strip: the share of S1 that is on, where matches start, the selection
   and what the view shows. A click or a drag goes there; so does the keyboard. The wheel pans. */
/** @import {Info, MatchKey, Overview, ViewStore, Viewport} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Navigation} from "./navigation.mjs" */
import { firstStep, visibleSteps } from "../core/axes.mjs";
import { target } from "../core/page.mjs";
import { matchKey } from "../core/requests.mjs";
import { clamp, same } from "../core/values.mjs";
import { count, plural } from "../core/words.mjs";

const HEIGHT = 22;
const TICKS = 6; // px above the shares, for the matches
const PACE = 80; // ms: of moves that are faster than pictures can follow, the last one counts

const style = (/** @type {string} */ name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A match key without what only changes how its rows are listed. @param {MatchKey} key */
const searched = (key) => ({ ...key, tracks: null, overlapping: null, sort: null, page: null });

/**
 * The bins as they fall on `pixels` columns: the mean share, and the sums of matches.
 * @param {Overview} overview @param {number} nSteps @param {number} pixels
 */
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

/** @param {Panel} panel @param {Navigation} navigation */
export function overview(panel, navigation) {
  const { part } = panel;
  const strip = panel.at("overview-strip");

  let painted = "";
  /** @param {Overview | null} overview @param {Info} info @param {Viewport} viewport @param {string} theme */
  function paint(overview, info, viewport, theme) {
    const canvas = /** @type {HTMLCanvasElement} */ (panel.find("overview-canvas"));
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
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
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
    for (const kind of /** @type {const} */ (["matches", "full"])) {
      pen.fillStyle = kind === "full" ? style("--selected") : `rgba(${style("--selected-rgb")}, 0.45)`;
      all.forEach((column, x) => {
        if (column[kind] > 0) pen.fillRect(x, 0, 1, TICKS - 1);
      });
    }
  }

  /** @param {Overview | undefined} overview @param {ViewStore} view @param {Info} info @param {Viewport} viewport @param {string} theme */
  function drawOverview(overview, view, info, viewport, theme) {
    if (!view || !info || !viewport || view.dataset !== info.dataset) return;
    const host = part("overview-strip");
    const mine = overview && overview.key.dataset === view.dataset && overview.key.source === view.source
      && overview.key.fp === info.fp ? overview : null;
    paint(mine, info, viewport, theme);
    const current = mine !== null && same(searched(mine.key), searched(matchKey(view)));
    host.classList.toggle("sb-stale", mine !== null && !current && !view.dragging);
    host.dataset.n = mine ? String(mine.n) : "";
    const steps = visibleSteps(view, info, viewport);
    const first = firstStep(view.first, info, steps);
    const share = (/** @type {number} */ step) => `${(100 * step) / info.n_steps}%`;
    const frame = part("overview-view");
    frame.style.insetInlineStart = share(first);
    frame.style.width = share(steps);
    const brush = part("overview-brush");
    brush.hidden = view.start === null;
    if (view.start !== null) {
      brush.style.insetInlineStart = share(view.start);
      brush.style.width = share((view.stop ?? 0) - view.start);
    }
    host.setAttribute("aria-valuemin", String(0));
    host.setAttribute("aria-valuemax", String(info.n_steps - 1));
    host.setAttribute("aria-valuenow", String(first));
    host.setAttribute("aria-valuetext",
      `steps ${count(first)} to ${count(first + steps - 1)} of ${count(info.n_steps)}`);
  }

  function stepAt(/** @type {number} */ clientX) {
    const steps = panel.read("info")?.n_steps ?? 1;
    return Math.min(steps - 1, Math.floor(clamp(panel.shareAt(clientX, "overview-strip"), 0, 1) * steps));
  }

  let timer = 0;
  /** @type {{ first: number, group: string } | null} */
  let aim = null;
  /** @param {number} first @param {string} group */
  function moveSoon(first, group) {
    aim = { first, group };
    if (timer) return;
    const run = () => {
      timer = 0;
      if (aim === null) return;
      navigation.moveTo(aim.first, aim.group);
      aim = null;
      timer = setTimeout(run, PACE);
    };
    run();
  }

  /** @type {{ pointer: number, group: string, offset: number } | null} */
  let drag = null;
  let drags = 0;
  /** @param {PointerEvent} event @param {HTMLElement} strip */
  function begin(event, strip) {
    const view = panel.open()?.view;
    if (!view || event.button !== 0) return;
    const steps = panel.steps();
    const step = stepAt(event.clientX);
    const inside = step >= view.first && step < view.first + steps;
    drags += 1;
    drag = {
      pointer: event.pointerId, group: `drag:overview-${drags}`,
      offset: inside ? step - view.first : Math.floor(steps / 2),
    };
    strip.setPointerCapture(event.pointerId);
    strip.focus({ preventScroll: true });
    event.preventDefault();
    if (!inside) moveSoon(step - drag.offset, drag.group);
  }

  function showTip(/** @type {PointerEvent} */ event) {
    const info = panel.read("info");
    if (!info) return;
    const overview = panel.read("overview");
    const tip = part("overview-tip");
    const step = stepAt(event.clientX);
    let text = `step ${count(step)}`;
    if (overview && overview.on.length && overview.key.source === info.source) {
      const bin = Math.floor(step / overview.bin_steps);
      const start = bin * overview.bin_steps;
      const stop = Math.min(start + overview.bin_steps, info.n_steps);
      const range = stop - start === 1 ? text
        : `steps ${count(start)}–${count(stop - 1)}`;
      text = `${range} · ${(overview.on[bin] / 10).toFixed(1)} % of S1 on · `
        + `${plural(overview.matches[bin], "match starts", "matches start")} here`
        + (overview.full[bin] ? `, ${count(overview.full[bin])} full` : "");
    }
    tip.textContent = text;
    tip.hidden = false;
    const host = /** @type {HTMLElement} */ (tip.parentElement).getBoundingClientRect();
    const flip = event.clientX - host.left > host.width - 320;
    tip.style.left = flip ? "" : `${event.clientX - host.left + 12}px`;
    tip.style.right = flip ? `${host.right - event.clientX + 12}px` : "";
  }

  panel.on("pointerdown", strip, begin);
  panel.root.addEventListener("pointermove", (event) => {
    if (drag && event.pointerId === drag.pointer) {
      moveSoon(Math.max(0, stepAt(event.clientX) - drag.offset), drag.group);
    }
  });
  panel.on("pointermove", strip, showTip);
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    panel.root.addEventListener(name, (event) => {
      if (drag && event.pointerId === drag.pointer) drag = null;
    }, true);
  }
  panel.on("pointerout", strip, (event, element) => {
    if (!element.contains(event.relatedTarget)) part("overview-tip").hidden = true;
  });
  panel.on("keydown", strip, (event) => {
    const open = panel.open();
    if (!open || event.ctrlKey || event.metaKey || event.altKey) return;
    const { first } = open.view;
    const steps = panel.steps();
    const leap = Math.max(steps, Math.round(open.info.n_steps / 10));
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: first - steps, ArrowDown: first - steps, ArrowRight: first + steps, ArrowUp: first + steps,
      PageUp: first - leap, PageDown: first + leap, Home: 0, End: open.info.n_steps,
    };
    const key = panel.along(event.key);
    if (!(key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    navigation.moveTo(moves[key], "overview");
  });

  // Sideways (or with Shift) the wheel pans, with Ctrl it zooms. Downwards it scrolls the page, except
  // over the overview: a page that cannot be scrolled with the pointer on the plot would be a trap.
  const rest = { pan: 0, zoom: 0 };
  panel.root.addEventListener("wheel", (event) => {
    const element = target(event);
      const over = element?.closest(".sb-plot, .sb-strip, .sb-tracks");
    const scrolls = element?.closest([panel.at("coverage"), panel.at("chips")].join());
    const open = panel.open();
    if (!over || !open || open.view.dragging || (scrolls && !event.ctrlKey && !event.deltaX)) return;
    const { view, info } = open;
    const unit = event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 400 : 1;
    if (event.ctrlKey) {
      event.preventDefault();
      rest.zoom -= event.deltaY * unit;
      if (Math.abs(rest.zoom) < 40) return;
      const share = clamp(panel.shareAt(event.clientX), 0, 1);
      navigation.zoom(Math.sign(rest.zoom), view.first + share * panel.steps());
      rest.zoom = 0;
      return;
    }
    const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    const turn = panel.rtl() ? -1 : 1;
    const amount = over.classList.contains("sb-overview-strip") && !sideways ? event.deltaY : sideways;
    if (!amount) return;
    event.preventDefault();
    rest.pan += (turn * amount * unit) / view.zoom;
    const steps = Math.trunc(rest.pan);
    if (steps === 0) return;
    rest.pan -= steps;
    moveSoon(clamp((aim ?? view).first + steps, 0, Math.max(0, info.n_steps - panel.steps())), "pan");
  }, { passive: false });

  return { drawOverview };
}
