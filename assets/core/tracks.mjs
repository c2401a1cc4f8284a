/* Annotation tracks: how one value of any kind is coloured and named, and the tracks of the Select
   View. The Match View draws its heatmaps with the same functions. */
import * as extents from "./axes.mjs";
import * as s1 from "./selection.mjs";
import * as stores from "./state.mjs";
import * as wording from "./words.mjs";

const byId = (id) => document.getElementById(id);

const trim = (value) => (value === null ? "no value" : String(Number(value.toPrecision(4))));

/** {color, text} of one cell: a CSS colour (or null) and the value in words. */
export function trackCell(track, cell) {
  if (track.kind === "categorical" || track.kind === "interval") {
    const category = cell < 0 || cell === null || cell === undefined ? null : track.categories[cell];
    return { color: category ? category.color : null, text: category ? category.label : "no value" };
  }
  if (track.kind === "scalar") {
    const reach = track.high - track.low || 1;
    const share = cell === null || cell === undefined ? null : (cell - track.low) / reach;
    return {
      color: share === null ? null : `rgba(var(--scalar-rgb),${(0.06 + 0.86 * share).toFixed(3)})`,
      text: cell === null || cell === undefined ? "no value"
        : trim(cell) + (track.unit ? ` ${track.unit}` : ""),
    };
  }
  if (!cell || cell.length === 0) return { color: null, text: "no value" };
  const [, weight] = cell[0];
  return {
    color: `rgba(var(--scalar-rgb),${(weight === null ? 0.3 : 0.06 + 0.86 * clamp(weight)).toFixed(3)})`,
    text: cell.map(([word, w]) => wording.shown(word).text + (w === null ? "" : ` ${trim(w)}`)).join(", "),
  };
}
const clamp = (x) => Math.min(1, Math.max(0, x));

/** How much of a cell's colour stays under the mask: the share of S1 that is on there. */
export const masked = (view, share) => (view.mask ? `opacity:${(0.08 + 0.92 * share).toFixed(2)};` : "");

function steps(track, win, shares, view) {
  const count = win.stop - win.start;
  const at = (i) => `left:${(100 * i) / count}%;width:${100 / count}%;`;
  if (track.kind === "ranked") {
    const room = byId("words").clientWidth / count - 4;
    return track.cells.map((cell, i) => {
      const words = (cell || []).map(([word, weight]) => {
        const { text } = wording.shown(word);
        const shade = weight === null ? 0.15 : 0.55 * clamp(weight);
        return `<span style="background:rgba(var(--scalar-rgb),${shade.toFixed(3)})">`
          + `${wording.fitted("b", text, room / 0.85, false)}</span>`;
      });
      return `<i class="sb-cell sb-ranked" style="${at(i)}${masked(view, shares[i])}"`
        + ` title="${wording.escape(`${track.name}: ${trackCell(track, cell).text}`)}">${words.join("")}</i>`;
    }).join("");
  }
  if (track.kind === "interval") {
    const bars = track.spans.map(([start, stop, category]) => {
      const from = Math.max(start, win.start);
      const to = Math.min(stop, win.stop);
      const { label, color } = track.categories[category];
      // A label that does not fit would be a few letters of another word: it is in the tooltip.
      const room = (byId("words").clientWidth * (to - from)) / count - 8;
      const shown = wording.textWidth(label, false) * 0.85 <= room ? wording.escape(label) : "";
      return `<i class="sb-span" style="left:${extents.percent(from, win)}%;width:${extents.percent(to, win) - extents.percent(from, win)}%;--span:${color}"`
        + ` title="${wording.escape(`${track.name}: ${label}, steps ${wording.count(start)} to ${wording.count(stop - 1)}`)}"><b>${shown}</b></i>`;
    });
    const veils = view.mask ? Array.from(shares, (share, i) =>
      `<i class="sb-veil" style="${at(i)}opacity:${(0.92 * (1 - share)).toFixed(2)}"></i>`) : [];
    return bars.join("") + veils.join("");
  }
  return track.cells.map((cell, i) => {
    const { color, text } = trackCell(track, cell);
    return `<i class="sb-cell" style="${at(i)}${color ? `background:${color};` : ""}${masked(view, shares[i])}"`
      + ` title="${wording.escape(`${track.name}: ${text}`)}"></i>`;
  }).join("");
}

let drawn = null;
export function drawTracks(tracks, view, payload, info) {
  const win = s1.decodedWindow(payload);
  if (!win || !view || !info || !tracks || tracks.error || tracks.dataset !== win.dataset) return;
  if (win.source !== view.source || tracks.start !== win.start || tracks.stop !== win.stop) return;
  const { states } = s1.selection(view, win);
  const key = JSON.stringify([
    win.n, tracks.tracks.map((t) => t.name), view.mask ? [states, view.threshold, view.polarity] : 0,
  ]);
  if (key === drawn && byId("track-rows").dataset.key === key) return;
  drawn = key;
  const shares = view.mask ? s1.shares(view, win, states) : new Float64Array(win.stop - win.start);
  const host = byId("track-rows");
  const focus = host.contains(document.activeElement) ? document.activeElement.dataset : null;
  host.dataset.key = key;
  host.style.setProperty("--track-width", `${host.parentElement.clientWidth - 32}px`);
  host.innerHTML = tracks.tracks.map((track, i) => {
    const name = wording.escape(track.name);
    const move = i > 0
      ? `<button type="button" data-up="${name}" aria-label="Move ${name} up" title="Move up">▲</button>` : "";
    return `<div class="sb-track sb-track-${track.kind}" data-track="${name}">`
      + `<div class="sb-axis-label" title="${name}"><span class="sb-track-name">${name}</span>`
      + `<span class="sb-track-tools">${move}<button type="button" data-drop="${name}" aria-label="Remove ${name}" title="Remove">✕</button></span></div>`
      + `<div class="sb-inner">${steps(track, win, shares, view)}</div></div>`;
  }).join("");
  if (focus) {
    const again = [...host.querySelectorAll("button")].find((button) =>
      (focus.up && button.dataset.up === focus.up) || (focus.drop && button.dataset.drop === focus.drop));
    if (again) again.focus({ preventScroll: true });
  }
  byId("legends").innerHTML = tracks.tracks.map((track) =>
    `<div class="sb-legend"><span>${wording.escape(track.name)}</span>${legend(track)}</div>`).join("");
}

/** Swatches with labels, or the ends of a scale; what does not fit is counted and on hover. */
export function legend(track) {
  if (track.kind === "scalar") {
    if (track.low === null) return "<span>no values</span>";
    return `<span>${trim(track.low)}</span><span class="sb-ramp sb-ramp-scalar"></span>`
      + `<span>${trim(track.high)}${track.unit ? ` ${wording.escape(track.unit)}` : ""}</span>`;
  }
  if (track.kind === "ranked") {
    return '<span>best first, shaded by weight</span>';
  }
  // The frequent ones are named first; a colour is on as many words as there are steps of it.
  const order = track.categories.map((_, i) => i);
  const most = 10;
  const named = order.length > most
    ? order.slice().sort((a, b) => track.counts[b] - track.counts[a]).slice(0, most).sort((a, b) => a - b)
    : order;
  const parts = named.map((i) => track.categories[i]).map((c) =>
    `<span><i class="sb-swatch" style="background:${c.color}"></i>${wording.escape(wording.shown(c.label).text)}</span>`);
  if (order.length > most) {
    const rest = order.filter((i) => !named.includes(i)).map((i) => track.categories[i].label);
    parts.push(`<span title="${wording.escape(rest.join(", "))}">and ${rest.length} more, named on hover</span>`);
  }
  return parts.join("");
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("#track-rows button");
    if (!button) return;
    const tracks = [...stores.read("view").tracks];
    if (button.dataset.drop) {
      stores.dispatch({ tracks: tracks.filter((name) => name !== button.dataset.drop) });
    } else {
      const i = tracks.indexOf(button.dataset.up);
      if (i < 1) return;
      [tracks[i - 1], tracks[i]] = [tracks[i], tracks[i - 1]];
      stores.dispatch({ tracks });
    }
  });
}
