/* Annotations: how one value of any kind is coloured and named. The tracks of the Select View and the
   heatmaps of the Match View use the same functions. */
/** @import {ViewStore} from "../wire" */
/** @import {AnyTrack, Cell} from "../types" */
import { clamp } from "./values.mjs";
import { escape, shown } from "./words.mjs";

/** @param {number | null} value */
const trim = (value) => (value === null ? "no value" : String(Number(value.toPrecision(4))));
/** An end of a scale: a number, or what is written in full. @param {number | string | null | undefined} end */
const endText = (end) => (typeof end === "string" ? end : trim(end ?? null));

/** A CSS colour (or null) and the value in words, of one cell. @param {AnyTrack} track @param {Cell} cell */
export function trackCell(track, cell) {
  if (cell === null || cell === undefined) return { color: null, text: "no value" };
  const unit = track.unit ? ` ${track.unit}` : "";
  if (typeof cell !== "number") {
    if (cell.length === 0) return { color: null, text: "no value" };
    if (isWritten(cell)) return { color: shade(0.06 + 0.86 * cell[1]), text: cell[0] + unit };
    const [, weight] = cell[0];
    return {
      color: shade(weight === null ? 0.3 : 0.06 + 0.86 * clamp(weight, 0, 1)),
      text: cell.map(([word, w]) => shown(word).text + (w === null ? "" : ` ${trim(w)}`)).join(", "),
    };
  }
  if (track.kind === "scalar") {
    const low = Number(track.low ?? 0);
    const share = (cell - low) / (Number(track.high ?? 0) - low || 1);
    return { color: shade(0.06 + 0.86 * share), text: trim(cell) + unit };
  }
  const category = cell < 0 ? undefined : track.categories?.[cell];
  return { color: category?.color ?? null, text: category?.label ?? "no value" };
}

/** A value with its place on the scale, not words with their weights. @param {NonNullable<Cell>} cell @returns {cell is [string, number]} */
export const isWritten = (cell) => Array.isArray(cell) && typeof cell[0] === "string";

/** The colour of numbers, more or less of it. @param {number} share */
export const shade = (share) => `rgba(var(--scalar-rgb),${share.toFixed(3)})`;

/** How much of a cell's colour is left under the mask: the share of S1 that is on there. @param {number} share */
export const unmasked = (share) => 0.08 + 0.92 * share;
/** @param {ViewStore} view @param {number} share */
export const masked = (view, share) => (view.mask ? `opacity:${unmasked(share).toFixed(2)};` : "");

/** Swatches with labels, or the ends of a scale; what does not fit is counted and on hover. @param {AnyTrack} track */
export function legend(track) {
  if (track.kind === "scalar") {
    if (track.low === null || track.low === undefined) return "<span>no values</span>";
    return `<span>${endText(track.low)}</span><span class="sb-ramp sb-ramp-scalar"></span>`
      + `<span>${endText(track.high)}${track.unit ? ` ${escape(track.unit)}` : ""}</span>`;
  }
  if (track.kind === "ranked") {
    return "<span>best first, shaded by weight</span>";
  }
  // The frequent ones are named first; a colour is on as many words as there are steps of it.
  const { categories = [], counts = [] } = track;
  const order = categories.map((_, i) => i);
  const most = 24;
  const named = order.length > most
    ? order.slice().sort((a, b) => counts[b] - counts[a]).slice(0, most).sort((a, b) => a - b)
    : order;
  const parts = named.map((i) => categories[i]).map((c) =>
    `<span><i class="sb-swatch" style="background:${c.color}"></i>${escape(shown(c.label).text)}</span>`);
  if (order.length > most) {
    const rest = order.filter((i) => !named.includes(i)).map((i) => categories[i].label);
    parts.push(`<span title="${escape(rest.join(", "))}">and ${rest.length} more, named on hover</span>`);
  }
  return parts.join("");
}
