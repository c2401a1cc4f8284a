/* The list of S1 as chips: hover turns a state red everywhere, a click excludes it. */
import * as extents from "../core/axes.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";
import * as brushes from "./brush.mjs";
import * as navigate from "./controls.mjs";
import * as level from "./threshold.mjs";

const byId = (id) => document.getElementById(id);

let drawn = null;
export function drawChips(view, win, info) {
  const { raw, fresh } = s1.selection(view, win);
  const key = JSON.stringify([
    view.dataset, view.source, raw, view.excluded, view.pinned, fresh, view.start === null,
    raw.length ? 0 : [view.start, view.stop, view.threshold, view.polarity, view.before, view.after],
  ]);
  if (key === drawn) return;
  drawn = key;
  const host = byId("chips");
  const gone = new Set(view.excluded);
  const absent = view.excluded.filter((c) => !raw.includes(c));
  host.classList.toggle("sb-stale", !fresh);
  const focus = document.activeElement && host.contains(document.activeElement)
    ? [document.activeElement.dataset.state, document.activeElement.className] : null;
  const chip = (c) => {
    const name = wording.escape(extents.stateName(c, info));
    const out = gone.has(c);
    return `<span class="sb-chip${out ? " sb-excluded" : ""}${view.pinned === c ? " sb-pinned" : ""}" data-chip="${c}">`
      + `<button type="button" data-state="${c}" aria-pressed="${out}"`
      + ` title="${out ? "Excluded: click to bring it back" : "Click to exclude"}"`
      + ` aria-label="State ${name}${out ? ", excluded" : ""}">${name}</button>`
      + (out || raw.length - gone.size <= 1 && !absent.length && raw.length === 1 ? ""
        : `<button type="button" class="sb-only" data-only="${c}" data-state="${c}" aria-label="Only state ${name}" title="Only this state"><span class="sb-icon sb-icon-only"></span></button>`)
      + "</span>";
  };
  let html = "";
  if (view.start === null) {
    html = '<span class="sb-reason">Nothing is selected: drag across some words above.</span>';
  } else if (raw.length === 0) {
    html = `<span class="sb-reason">${emptyReason(view, win, info)}</span>`;
  } else {
    html = raw.map(chip).join("");
  }
  html += absent.map(chip).join("");
  if (view.excluded.length) {
    html += `<button type="button" class="sb-text-button" data-reset="1">reset ${view.excluded.length} excluded</button>`;
  }
  host.innerHTML = html;
  byId("chips-label").innerHTML = raw.length
    ? `${raw.length - raw.filter((c) => gone.has(c)).length} in S<sub>1</sub>` : "S<sub>1</sub>";
  if (focus) {
    const again = [...host.querySelectorAll(`[data-state="${focus[0]}"]`)]
      .find((element) => element.className === focus[1]) || host.querySelector("button") || host;
    again.focus({ preventScroll: true });
  }
}

const action = (name, data) => `<button type="button" class="sb-text-button" ${data}>${name}</button>`;

/** Why no state is on here, as HTML, with what mends it in one click. */
function emptyReason(view, win, info) {
  const length = view.stop - view.start;
  const test = { high: `≥ ${view.threshold}`, low: `≤ ${-view.threshold}` }[view.polarity]
    || `≥ ${view.threshold} in magnitude`;
  const where = length === 1 ? "at this step" : length === 2 ? "at both steps" : `at all ${length} steps`;
  const limits = view.before || view.after
    ? s1.rawSelection({ ...view, before: 0, after: 0 }, win) : null;
  if (limits && limits.length) {
    return `${wording.plural(limits.length, "state is", "states are")} ${test} ${where}, but none of them is off `
      + `${view.before} before and ${view.after} after: ${action("drop these limits", 'data-unlimited="1"')}`;
  }
  const closest = s1.closestState(view, win);
  if (closest === null) return `No state is ${test} ${where}: brush fewer words.`;
  const { slider } = info;
  const nearest = level.snap(closest.threshold, slider);
  const threshold = nearest <= closest.threshold ? nearest : level.snap(closest.threshold - slider.step, slider);
  return `No state is ${test} ${where}; state ${wording.escape(extents.stateName(closest.state, info))} comes closest: `
    + `${action(`set ℓ to ${threshold}`, `data-threshold="${threshold}"`)} or brush fewer words.`;
}

export function drawHover(hover) {
  const state = hover && hover.state !== null ? hover.state : null;
  for (const chip of document.querySelectorAll("#chips .sb-chip")) {
    chip.classList.toggle("sb-hot", Number(chip.dataset.chip) === state);
  }
  for (const line of document.querySelectorAll("#coverage path")) {
    line.classList.toggle("sb-hot", Number(line.dataset.cover) === state);
  }
}

const stateOf = (event) => {
  const chip = event.target.closest && event.target.closest("#chips .sb-chip");
  return chip ? Number(chip.dataset.chip) : null;
};

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  for (const [name, leaving] of [["mouseover", false], ["mouseout", true], ["focusin", false], ["focusout", true]]) {
    document.addEventListener(name, (event) => {
      const state = stateOf(event);
      if (state !== null) brushes.setHover(leaving ? null : state, "chip");
    });
  }
  document.addEventListener("click", (event) => {
    if (event.target.dataset && event.target.dataset.clear) navigate.clearBrush();
    const button = event.target.closest && event.target.closest("#chips button");
    if (!button) return;
    const view = stores.read("view");
    const win = s1.decodedWindow(stores.read("window"));
    if (button.dataset.unlimited) {
      stores.dispatch({ before: 0, after: 0 });
    } else if (button.dataset.threshold) {
      stores.dispatch({ threshold: Number(button.dataset.threshold) });
    } else if (button.dataset.reset) {
      stores.dispatch({ excluded: [] });
    } else if (button.dataset.only) {
      const keep = Number(button.dataset.only);
      const { raw } = s1.selection(view, win);
      stores.dispatch({ excluded: raw.filter((c) => c !== keep) });
    } else {
      const state = Number(button.dataset.state);
      const excluded = view.excluded.includes(state)
        ? view.excluded.filter((c) => c !== state)
        : [...view.excluded, state].sort((a, b) => a - b);
      stores.dispatch({ excluded });
    }
  });
}
