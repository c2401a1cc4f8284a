/* Coverage lines: for each selected state the runs in which it is on, the longest first. */
/** @import {Info, ViewStore} from "../wire" */
/** @import {Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { stateName } from "../core/axes.mjs";
import { runs as runsOf } from "../core/selection.mjs";
import { escape, plural } from "../core/words.mjs";
import { walk } from "./card.mjs";

const ROW = 5; // px a state

/**
 * @param {Panel} panel @param {(state: number | null, from: string) => void} setHover
 * @param {(state: number) => void} openCard
 */
export function coverage(panel, setHover, openCard) {
  const { at, part } = panel;

  let drawn = "";
  /** @param {ViewStore} view @param {Win} win @param {Info} info */
  function drawCoverage(view, win, info) {
    const { states } = panel.selection(view, win);
    const key = JSON.stringify([win.n, states, view.threshold, view.polarity, view.runs]);
    if (key === drawn) return;
    drawn = key;
    const all = runsOf(view, win, states);
    const longest = all.map((runs) => Math.max(0, ...runs.map(([start, stop]) => stop - start)));
    const order = states.map((_, i) => i).sort((a, b) => longest[b] - longest[a] || states[a] - states[b]);
    const steps = win.stop - win.start;
    const width = part("words").clientWidth;
    // 2 px are left at either end, so that neighbouring runs stay apart.
    const inset = Math.min(0.12, (2 * steps) / Math.max(1, width));
    const lines = order.map((i, k) => {
      const y = k * ROW + ROW / 2 + 1;
      const d = all[i].map(([start, stop]) =>
        `M${start - win.start + inset} ${y}H${stop - win.start - inset}`).join("");
      return `<path data-cover="${states[i]}" d="${d}"/>`
        + `<rect data-cover="${states[i]}" x="0" y="${k * ROW}" width="${steps}" height="${ROW}">`
        + `<title>state ${escape(stateName(states[i], info))}: longest run ${plural(longest[i], "step")}</title></rect>`;
    });
    const height = Math.max(1, order.length) * ROW;
    part("coverage").dataset.runs = String(view.runs);
    part("coverage").innerHTML = `<svg viewBox="0 0 ${steps} ${height}" preserveAspectRatio="none"`
      + ` style="height:${height}px;width:${width}px" role="img" aria-label="Runs in which each of ${states.length} selected states is on">${lines.join("")}</svg>`;
  }

  const line = `${at("coverage")} [data-cover]`;
  panel.on("mouseover", line, (_, { dataset }) => setHover(Number(dataset.cover), "coverage"));
  panel.on("mouseout", line, () => setHover(null, "coverage"));
  panel.on("click", line, (_, { dataset }) => openCard(Number(dataset.cover)));
  panel.on("keydown", at("coverage"), (event, host) => {
    const lines = [.../** @type {NodeListOf<SVGElement>} */ (host.querySelectorAll("rect"))];
    const states = lines.map(({ dataset }) => Number(dataset.cover));
    const next = walk(event, states, panel.read("hover")?.state ?? null, openCard);
    if (next === null) return;
    setHover(states[next], "coverage");
    lines[next].scrollIntoView({ block: "nearest" });
  });
  panel.on("focusout", at("coverage"), () => setHover(null, "coverage"));

  return { drawCoverage };
}
