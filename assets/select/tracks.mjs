/* The annotation tracks under the plot, and their legends. */
/** @import {Failure, Info, Tracks, ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { percent } from "../core/axes.mjs";
import { decodedWindow, shares as sharesOn } from "../core/selection.mjs";
import { isWritten, legend, masked, shade, trackCell } from "../core/tracks.mjs";
import { clamp } from "../core/values.mjs";
import { count, escape, fitted, shown, textWidth } from "../core/words.mjs";

/** @param {Panel} panel */
export function tracks(panel) {
  const { part } = panel;

  /** @param {Tracks["tracks"][number]} track @param {Win} win @param {Float64Array} shares @param {ViewStore} view */
  function cells(track, win, shares, view) {
    const steps = win.stop - win.start;
    const at = (/** @type {number} */ i) => `left:${(100 * i) / steps}%;width:${100 / steps}%;`;
    const width = part("words").clientWidth;
    if (track.kind === "interval") {
      const bars = (track.spans ?? []).map(([start, stop, category]) => {
        const from = Math.max(start, win.start);
        const to = Math.min(stop, win.stop);
        const { label, color } = (track.categories ?? [])[category];
        // A label that does not fit would be a few letters of another word: it is in the tooltip.
        const room = (width * (to - from)) / steps - 8;
        const name = textWidth(label, false) * 0.85 <= room ? escape(label) : "";
        return `<i class="sb-span" style="left:${percent(from, win)}%;width:${percent(to, win) - percent(from, win)}%;--span:${color}"`
          + ` title="${escape(`${track.name}: ${label}, steps ${count(start)} to ${count(stop - 1)}`)}"><b>${name}</b></i>`;
      });
      const veils = view.mask ? Array.from(shares, (share, i) =>
        `<i class="sb-veil" style="${at(i)}opacity:${(0.92 * (1 - share)).toFixed(2)}"></i>`) : [];
      return bars.join("") + veils.join("");
    }
    const room = width / steps - 4;
    return track.cells.map((cell, i) => {
      const { color, text } = trackCell(track, cell);
      const ranked = track.kind === "ranked";
      const words = ranked && Array.isArray(cell) && !isWritten(cell) ? cell.map(([word, weight]) =>
        `<span style="background:${shade(weight === null ? 0.15 : 0.55 * clamp(weight, 0, 1))}">`
          + `${fitted("b", shown(word).text, room / 0.85, false)}</span>`) : [];
      return `<i class="sb-cell${ranked ? " sb-ranked" : ""}" style="${at(i)}`
        + `${color && !ranked ? `background:${color};` : ""}${masked(view, shares[i])}"`
        + ` title="${escape(`${track.name}: ${text}`)}">${words.join("")}</i>`;
    }).join("");
  }

  /** @param {Tracks | Failure} answer @param {ViewStore} view @param {WindowPayload} payload @param {Info} info */
  function drawTracks(answer, view, payload, info) {
    const win = decodedWindow(payload);
    if (!win || !view || !info || !answer || "error" in answer || answer.dataset !== win.dataset) return;
    if (win.source !== view.source || answer.start !== win.start || answer.stop !== win.stop) return;
    const { states } = panel.selection(view, win);
    const host = part("track-rows");
    const key = JSON.stringify([
      win.n, answer.tracks.map((t) => t.name), view.mask ? [states, view.threshold, view.polarity] : 0,
    ]);
    if (key === host.dataset.key) return;
    const shares = view.mask ? sharesOn(view, win, states) : new Float64Array(win.stop - win.start);
    host.dataset.key = key;
    host.style.setProperty("--track-width", `${/** @type {HTMLElement} */ (host.parentElement).clientWidth - 32}px`);
    panel.keepFocus(host, () => {
      host.innerHTML = answer.tracks.map((track, i) => {
        const name = escape(track.name);
        const move = i > 0
          ? `<button type="button" data-up="${name}" aria-label="Move ${name} up" title="Move up">▲</button>` : "";
        return `<div class="sb-track sb-track-${track.kind}" data-track="${name}">`
          + `<div class="sb-axis-label" title="${name}"><span class="sb-track-name">${name}</span>`
          + `<span class="sb-track-tools">${move}<button type="button" data-drop="${name}" aria-label="Remove ${name}" title="Remove">✕</button></span></div>`
          + `<div class="sb-inner">${cells(track, win, shares, view)}</div></div>`;
      }).join("");
    });
    part("legends").innerHTML = answer.tracks.map((track) =>
      `<div class="sb-legend"><span>${escape(track.name)}</span>${legend(track)}</div>`).join("");
  }

  panel.on("click", `${panel.at("track-rows")} button`, (_, { dataset }) => {
    const names = [...panel.read("view")?.tracks ?? []];
    if (dataset.drop) {
      panel.dispatch({ tracks: names.filter((name) => name !== dataset.drop) });
    } else {
      const i = names.indexOf(dataset.up ?? "");
      if (i < 1) return;
      [names[i - 1], names[i]] = [names[i], names[i - 1]];
      panel.dispatch({ tracks: names });
    }
  });

  return { drawTracks };
}
