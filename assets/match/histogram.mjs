/* The length histogram. A click on a bar lists its lengths only; a drag, or Shift or Ctrl and a click, a
   range of lengths. */
/** @import {MatchError, MatchStore, ViewStore} from "../wire" */
/** @import {Skeletons} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { figure, scheme } from "../core/axes.mjs";
import { noUpdate } from "../core/page.mjs";
import { same } from "../core/values.mjs";
import { count, plural, rangeText } from "../core/words.mjs";

/** @typedef {MatchStore | MatchError} Answer */

/** @param {Panel} panel */
export function histogram(panel) {
  const { part } = panel;

  /** @param {Answer} match @param {ViewStore} view @param {string} theme @param {Skeletons} skeletons */
  function drawHistogram(match, view, theme, skeletons) {
    if (!match || "error" in match || !view) return noUpdate();
    const bins = match.histogram;
    const { selected, selected_soft: soft } = skeletons[scheme(theme)].colours;
    const swatch = (/** @type {string} */ colour, /** @type {string} */ text) => `<span><i class="sb-swatch" style="background:${colour}"></i>${text}</span>`;
    part("histogram-title").innerHTML = bins.length === 0 ? ""
      : "Matches by length (steps)" + swatch(soft, "all") + swatch(selected, "with all states");
    const height = (/** @type {number} */ n) => Math.log10(1 + n);
    const top = Math.max(1, ...bins.map((b) => height(b.matches)));
    const ticks = bins.length === 0 ? [] : [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7].filter((n) => height(n) <= top * 1.02);
    const thin = ticks.length > 5 ? ticks.filter((_, i) => i % 2 === 0) : ticks;
    const slots = Math.max(bins.length, 6);
    // Labels are under their bars while they do not overlap.
    const { l, r, t, b } = skeletons.light.histogram_margin;
    const slot = (part("length-histogram").clientWidth - l - r) / slots;
    /** @type {number[]} */
    const named = [];
    let end = -Infinity;
    // The last bar, which often is a range, first: then from the left.
    const halves = bins.map((bin) => 3.2 * rangeText([bin.low, bin.high]).length + 3);
    const last = bins.length - 1;
    bins.forEach((_, i) => {
      const from = (i + 0.5) * slot - halves[i];
      const until = i === last ? Infinity : (last + 0.5) * slot - halves[last];
      if (i !== last && (from < end || (i + 0.5) * slot + halves[i] > until)) return;
      named.push(i);
      end = (i + 0.5) * slot + halves[i];
    });
    const host = part("length-bars");
    host.dataset.n = String(match.n);
    host.style.cssText = `left:${l}px;right:${r}px;top:${t}px;bottom:${b}px`;
    const bars = bins.map((bin, i) => {
      const chosen = view.length !== null && view.length[0] <= bin.low && view.length[1] >= bin.high;
      const share = match.total ? (100 * bin.matches) / match.total : 0;
      const text = `length ${rangeText([bin.low, bin.high])}: ${plural(bin.matches, "match", "matches")}`
        + ` (${share < 10 ? share.toFixed(1) : Math.round(share)} %), ${count(bin.full_matches)} full`;
      return `<button type="button" class="sb-length-bar" data-low="${bin.low}" data-high="${bin.high}"`
        + ` aria-pressed="${chosen}" aria-label="${text}" data-tip="${text}"`
        + ` style="left:${(100 * i) / slots}%;width:${100 / slots}%;top:0;bottom:0"></button>`;
    });
    part("histogram-tip").hidden = true; // its bar goes
    panel.keepFocus(host, () => { host.innerHTML = bars.join(""); }, "match-button");
    return figure(skeletons, theme, "histogram", [
      { x: bins.map((_, i) => i), y: bins.map((bin) => height(bin.matches)) },
      { x: bins.map((_, i) => i), y: bins.map((bin) => height(bin.full_matches)) },
    ], {
      x: {
        range: [-0.5, slots - 0.5],
        tickvals: named, ticktext: named.map((i) => rangeText([bins[i].low, bins[i].high])),
      },
      y: {
        range: [0, top * 1.05], tickvals: thin.map(height),
        ticktext: thin.map(count),
      },
    });
  }

  /** @typedef {[low: number, high: number]} Lengths */
  /** @param {HTMLElement} bar @returns {Lengths} */
  const lengthsOf = ({ dataset }) => [Number(dataset.low), Number(dataset.high)];
  /** @param {Lengths} a @param {Lengths} b @returns {Lengths} */
  const cover = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

  /** @type {{ anchor: Lengths, now: Lengths, pointer: number } | null} */
  let drag = null;
  /** Show which bars would be chosen. @param {Lengths} range */
  function preview(range) {
    for (const bar of /** @type {NodeListOf<HTMLElement>} */ (part("length-bars").querySelectorAll("button"))) {
      const [low, high] = lengthsOf(bar);
      bar.setAttribute("aria-pressed", String(low >= range[0] && high <= range[1]));
    }
  }
  panel.on("pointerdown", ".sb-length-bar", (event, bar) => {
    if (event.button !== 0 || event.shiftKey || event.ctrlKey || event.metaKey) return;
    drag = { anchor: lengthsOf(bar), now: lengthsOf(bar), pointer: event.pointerId };
  });
  panel.on("pointermove", ".sb-length-bar", (event, bar) => {
    if (!drag || event.pointerId !== drag.pointer || same(drag.now, lengthsOf(bar))) return;
    drag.now = lengthsOf(bar);
    preview(cover(drag.anchor, drag.now));
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    document.addEventListener(name, (event) => {
      if (!drag || event.pointerId !== drag.pointer) return;
      const { anchor, now } = drag;
      drag = null;
      if (!same(anchor, now) && name === "pointerup") panel.dispatch({ length: cover(anchor, now) });
    });
  }
  panel.on("click", "[data-clear-length]", () => panel.dispatch({ length: null }));
  panel.on("click", ".sb-length-bar", (event, bar) => {
    const length = lengthsOf(bar);
    const held = panel.read("view")?.length ?? null;
    const more = event.shiftKey || event.ctrlKey || event.metaKey;
    if (more && held) panel.dispatch({ length: cover(held, length) });
    else panel.dispatch({ length: same(held, length) ? null : length });
  });
  panel.on("mouseover focusin", ".sb-length-bar", (_, { dataset }) => {
    const tip = part("histogram-tip");
    tip.hidden = false;
    tip.textContent = dataset.tip ?? "";
    tip.style.right = "0";
    tip.style.top = "-3px";
  });
  panel.on("mouseout focusout", ".sb-length-bar", () => { part("histogram-tip").hidden = true; });

  return { drawHistogram };
}
