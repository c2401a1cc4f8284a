/* The annotation tracks under the plot, each with its legend. */
/** @import {Failure, Info, Tracks, ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { percent } from "../core/axes.mjs";
import { target } from "../core/page.mjs";
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
    const at = (/** @type {number} */ i) => `inset-inline-start:${(100 * i) / steps}%;width:${100 / steps}%;`;
    const width = part("words").clientWidth;
    if (track.kind === "interval") {
      const bars = (track.spans ?? []).map(([start, stop, category]) => {
        const from = Math.max(start, win.start);
        const to = Math.min(stop, win.stop);
        const { label, color } = (track.categories ?? [])[category];
        // A label that does not fit would be a few letters of another word: it is in the tooltip.
        const room = (width * (to - from)) / steps - 8;
        const name = textWidth(label, false) * 0.85 <= room ? escape(label) : "";
        return `<i class="sb-span" style="inset-inline-start:${percent(from, win)}%;width:${percent(to, win) - percent(from, win)}%;--span:${color}"`
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
    const open = (/** @type {string} */ name) => legends.get(name) ?? answer.tracks.length <= FEW;
    const key = JSON.stringify([
      win.n, answer.tracks.map((t) => [t.name, open(t.name)]),
      view.mask ? [states, view.threshold, view.polarity] : 0,
    ]);
    if (key === host.dataset.key) return;
    const shares = view.mask ? sharesOn(view, win, states) : new Float64Array(win.stop - win.start);
    host.dataset.key = key;
    panel.root.style.setProperty("--tracks", String(Math.max(1, answer.tracks.length)));
    host.style.setProperty("--track-width", `${/** @type {HTMLElement} */ (host.parentElement).clientWidth - 32}px`);
    panel.keepFocus(host, () => {
      host.innerHTML = answer.tracks.map((track, i) => {
        const name = escape(track.name);
        const button = (/** @type {string} */ data, /** @type {string} */ label, /** @type {string} */ sign) =>
          `<button type="button" data-${data}="${name}" aria-label="${label} ${name}" title="${label}">${sign}</button>`;
        const tools = button("drop", "Remove", "✕") + (i > 0 ? button("up", "Move up", "▲") : "");
        return `<div class="sb-track-block" data-track="${name}"><div class="sb-track sb-track-${track.kind}">`
          + `<div class="sb-axis-label" title="${name}: click for the legend, drag to move it">`
          + `<button type="button" class="sb-track-name" data-legend="${name}" aria-expanded="${open(track.name)}">${name}</button>`
          + `<span class="sb-track-tools">${tools}</span></div>`
          + `<div class="sb-inner">${cells(track, win, shares, view)}</div></div>`
          + (open(track.name) ? `<div class="sb-legend sb-track-legend">${legend(track)}</div>` : "") + "</div>";
      }).join("");
    });
  }

  const FEW = 2; // tracks whose legends are shown unless they are closed
  /** @type {Map<string, boolean>} */
  const legends = new Map(); // legends that were opened or closed
  function redraw() {
    const [answer, view, payload, info] = [panel.read("tracks"), panel.read("view"), panel.read("window"), panel.read("info")];
    if (answer && view && payload && info && !("error" in payload)) drawTracks(answer, view, payload, info);
  }

  /** Put a track before another one, or last. @param {string} name @param {string | undefined} next */
  function move(name, next) {
    const names = (panel.read("view")?.tracks ?? []).filter((other) => other !== name);
    const i = next === undefined ? names.length : names.indexOf(next);
    panel.dispatch({ tracks: [...names.slice(0, i), name, ...names.slice(i)] });
  }

  /** @type {{ name: string, pointer: number, y: number, moved: boolean } | null} */
  let drag = null;
  const blocks = () => [.../** @type {NodeListOf<HTMLElement>} */ (part("track-rows").querySelectorAll(".sb-track-block"))];
  /** The block before which a track would be put. @param {number} y */
  const blockAt = (y) => blocks().find((block) => {
    const box = block.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
  panel.on("pointerdown", `${panel.at("track-rows")} .sb-axis-label`, (event, label) => {
    const block = /** @type {HTMLElement} */ (label.closest(".sb-track-block"));
    if (event.button !== 0 || target(event)?.closest(".sb-track-tools")) return;
    drag = { name: block.dataset.track ?? "", pointer: event.pointerId, y: event.clientY, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer || (!drag.moved && Math.abs(event.clientY - drag.y) < 4)) return;
    drag.moved = true;
    const next = blockAt(event.clientY);
    for (const block of blocks()) block.classList.toggle("sb-drop-before", block === next);
    part("track-rows").classList.toggle("sb-drop-last", !next);
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    document.addEventListener(name, (event) => {
      if (!drag || event.pointerId !== drag.pointer) return;
      const held = drag;
      setTimeout(() => { drag = null; }); // after the click that follows
      part("track-rows").classList.remove("sb-drop-last");
      for (const block of blocks()) block.classList.remove("sb-drop-before");
      const next = blockAt(event.clientY)?.dataset.track;
      if (held.moved && name === "pointerup" && next !== held.name) move(held.name, next);
    });
  }
  panel.on("click", `${panel.at("track-rows")} button`, (_, { dataset }) => {
    const names = panel.read("view")?.tracks ?? [];
    if (dataset.drop) {
      panel.dispatch({ tracks: names.filter((name) => name !== dataset.drop) });
    } else if (dataset.up) {
      move(dataset.up, names[names.indexOf(dataset.up) - 1]);
    } else if (dataset.legend && !drag?.moved) {
      legends.set(dataset.legend, !(legends.get(dataset.legend) ?? names.length <= FEW));
      redraw();
    }
  });

  return { drawTracks };
}
