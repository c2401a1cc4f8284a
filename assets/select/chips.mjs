/* The list of S1 as chips: hover turns a state red everywhere, a click on its name opens its card, the
   cross excludes it and brings it back, the ring keeps only it. */
/** @import {Hover, Info, ViewStore} from "../wire" */
/** @import {Polarity, Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { stateName } from "../core/axes.mjs";
import { closestState, range, rawSelection } from "../core/selection.mjs";
import { escape, plural } from "../core/words.mjs";
import { snap } from "./threshold.mjs";

/**
 * @param {Panel} panel @param {(state: number | null, from: string) => void} setHover
 * @param {(state: number) => void} openCard
 */
export function chips(panel, setHover, openCard) {
  const { at, part } = panel;

  const action = (/** @type {string} */ name, /** @type {string} */ data) =>
    `<button type="button" class="sb-text-button" ${data}>${name}</button>`;

  let drawn = "";
  /** @param {ViewStore} view @param {Win} win @param {Info} info */
  function drawChips(view, win, info) {
    const { raw, fresh } = panel.selection(view, win);
    const key = JSON.stringify([
      view.dataset, view.source, raw, view.excluded, view.pinned, fresh, view.start === null,
      raw.length ? 0 : [view.start, view.stop, view.threshold, view.polarity, view.before, view.after],
    ]);
    if (key === drawn) return;
    drawn = key;
    const host = part("chips");
    const excluded = new Set(view.excluded);
    const absent = view.excluded.filter((c) => !raw.includes(c));
    host.classList.toggle("sb-stale", !fresh);
    const held = /** @type {HTMLElement | null} */ (document.activeElement);
    const focus = held && host.contains(held) ? held : null;
    const chip = (/** @type {number} */ c) => {
      const name = escape(stateName(c, info));
      const out = excluded.has(c);
      return `<span class="sb-chip${out ? " sb-excluded" : ""}${view.pinned === c ? " sb-pinned" : ""}" data-chip="${c}">`
        + `<button type="button" data-open="${c}" data-state="${c}" aria-haspopup="dialog"`
        + ` title="${out ? "Excluded. " : ""}Click for its values and strongest places"`
        + ` aria-label="State ${name}${out ? ", excluded" : ""}">${name}</button>`
        + (out || raw.length - excluded.size <= 1 && !absent.length && raw.length === 1 ? ""
          : `<button type="button" class="sb-only" data-only="${c}" data-state="${c}" aria-label="Only state ${name}" title="Only this state"><span class="sb-icon sb-icon-only"></span></button>`)
        + `<button type="button" class="sb-exclude" data-exclude="${c}" data-state="${c}" aria-pressed="${out}"`
        + ` aria-label="Exclude state ${name}" title="${out ? "Bring this state back" : "Exclude this state"}">`
        + `<span class="sb-icon sb-icon-${out ? "add" : "close"}"></span></button></span>`;
    };
    const reason = view.start === null ? "Nothing is selected: drag across some words above."
      : raw.length === 0 ? emptyReason(view, win, info) : null;
    const reset = view.excluded.length
      ? action(`reset ${view.excluded.length} excluded`, 'data-reset="1"') : "";
    host.innerHTML = (reason ? `<span class="sb-reason">${reason}</span>` : raw.map(chip).join(""))
      + absent.map(chip).join("") + reset;
    part("chips-label").textContent = raw.length
      ? plural(raw.length - raw.filter((c) => excluded.has(c)).length, "selected state") : "Selected states";
    countHidden();
    if (focus) {
      const same = /** @type {NodeListOf<HTMLElement>} */ (host.querySelectorAll(`[data-state="${focus.dataset.state}"]`));
      const again = [...same].find((element) => element.className === focus.className)
        || host.querySelector("button") || host;
      again.focus({ preventScroll: true });
    }
  }

  /** Say how many chips are out of sight; the strip opens for them. */
  function countHidden() {
    const host = part("chips");
    const button = part("chips-more");
    const open = button.getAttribute("aria-expanded") === "true";
    const bottom = host.getBoundingClientRect().bottom;
    const hidden = [...host.children].filter((chip) => chip.getBoundingClientRect().top > bottom - 8).length;
    button.hidden = !open && hidden === 0;
    const text = open ? "fewer" : `+${hidden} more`;
    if (button.textContent !== text) button.textContent = text;
  }
  panel.on("click", at("chips-more"), (_, button) => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.closest(".sb-chips-strip")?.classList.toggle("sb-open", open);
    countHidden();
  });
  new ResizeObserver(countHidden).observe(part("chips"));

  /** Why no state is on here, as HTML, with what changes that in one click. @param {ViewStore} view @param {Win} win @param {Info} info */
  function emptyReason(view, win, info) {
    const [start, stop] = range(view);
    const length = stop - start;
    const test = {
      high: `≥ ${view.threshold}`, low: `≤ ${-view.threshold}`, magnitude: `≥ ${view.threshold} in magnitude`,
    }[/** @type {Polarity} */ (view.polarity)];
    const where = length === 1 ? "at this step" : length === 2 ? "at both steps" : `at all ${length} steps`;
    const limits = view.before || view.after ? rawSelection({ ...view, before: 0, after: 0 }, win) : null;
    if (limits && limits.length) {
      return `${plural(limits.length, "state is", "states are")} ${test} ${where}, but none of them is off `
        + `${view.before} before and ${view.after} after: ${action("drop these limits", 'data-unlimited="1"')}`;
    }
    const closest = closestState(view, win);
    if (closest === null) return `No state is ${test} ${where}: brush fewer words.`;
    const { slider } = info;
    const nearest = snap(closest.threshold, slider);
    const threshold = nearest <= closest.threshold ? nearest : snap(closest.threshold - slider.step, slider);
    return `No state is ${test} ${where}; state ${escape(stateName(closest.state, info))} comes closest: `
      + `${action(`set ℓ to ${threshold}`, `data-threshold="${threshold}"`)} or brush fewer words.`;
  }

  /** Mark the chip and the coverage line of the state that is pointed at. @param {Hover | undefined} hover */
  function drawHover(hover) {
    const state = hover?.state ?? null;
    /** @type {NodeListOf<HTMLElement>} */
    const marks = panel.root.querySelectorAll(`${at("chips")} .sb-chip, ${at("coverage")} path`);
    for (const mark of marks) {
      mark.classList.toggle("sb-hot", Number(mark.dataset.chip ?? mark.dataset.cover) === state);
    }
  }

  const chip = `${at("chips")} .sb-chip`;
  panel.on("mouseover focusin", chip, (_, { dataset }) => setHover(Number(dataset.chip), "chip"));
  panel.on("mouseout focusout", chip, () => setHover(null, "chip"));
  panel.on("click", `${at("chips")} button`, (_, { dataset }) => {
    const view = panel.read("view");
    if (!view) return;
    if (dataset.unlimited) {
      panel.dispatch({ before: 0, after: 0 });
    } else if (dataset.threshold) {
      panel.dispatch({ threshold: Number(dataset.threshold) });
    } else if (dataset.reset) {
      panel.dispatch({ excluded: [] });
    } else if (dataset.open) {
      openCard(Number(dataset.open));
    } else if (dataset.only) {
      const keep = Number(dataset.only);
      panel.dispatch({ excluded: panel.selection(view, panel.win()).raw.filter((c) => c !== keep) });
    } else {
      const state = Number(dataset.exclude);
      const excluded = view.excluded.includes(state)
        ? view.excluded.filter((c) => c !== state)
        : [...view.excluded, state].sort((a, b) => a - b);
      panel.dispatch({ excluded });
    }
  });

  return { drawChips, drawHover };
}
