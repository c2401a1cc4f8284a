/* Coverage lines: for each selected state the runs in which it is on, the longest first. */
import * as extents from "../core/axes.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";
import * as brushes from "./brush.mjs";
import * as chipList from "./chips.mjs";

const byId = (id) => document.getElementById(id);
const ROW = 5; // px a state

let drawn = null;
export function drawCoverage(view, win, info) {
  const { states } = s1.selection(view, win);
  const key = JSON.stringify([win.n, states, view.threshold, view.polarity, view.runs]);
  if (key === drawn) return;
  drawn = key;
  const all = s1.runs(view, win, states);
  const longest = all.map((runs) => Math.max(0, ...runs.map(([start, stop]) => stop - start)));
  const order = states.map((_, i) => i).sort((a, b) => longest[b] - longest[a] || states[a] - states[b]);
  const count = win.stop - win.start;
  // 2 px are left at either end, so that neighbouring runs stay apart.
  const inset = Math.min(0.12, (2 * count) / Math.max(1, byId("words").clientWidth));
  const lines = order.map((i, k) => {
    const y = k * ROW + ROW / 2 + 1;
    const d = all[i].map(([start, stop]) =>
      `M${start - win.start + inset} ${y}H${stop - win.start - inset}`).join("");
    return `<path data-cover="${states[i]}" d="${d}"/>`
      + `<rect data-cover="${states[i]}" x="0" y="${k * ROW}" width="${count}" height="${ROW}">`
      + `<title>state ${wording.escape(extents.stateName(states[i], info))}: longest run ${wording.plural(longest[i], "step")}</title></rect>`;
  });
  const height = Math.max(1, order.length) * ROW;
  byId("coverage").dataset.runs = view.runs;
  byId("coverage").innerHTML = `<svg viewBox="0 0 ${count} ${height}" preserveAspectRatio="none"`
    + ` style="height:${height}px;width:${byId("words").clientWidth}px" role="img" aria-label="Runs in which each of ${states.length} selected states is on">${lines.join("")}</svg>`;
  chipList.drawHover(stores.read("hover"));
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  for (const [name, leaving] of [["mouseover", false], ["mouseout", true]]) {
    document.addEventListener(name, (event) => {
      const state = event.target.dataset && event.target.dataset.cover;
      if (state !== undefined) brushes.setHover(leaving ? null : Number(state), "coverage");
    });
  }
}
