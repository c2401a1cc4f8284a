/* The rows of the Match View: why each is listed, its words, and a heatmap for the overlap and each track. */
/** @import {Info, MatchError, MatchRow, MatchStore, ViewStore, Viewport} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
import { ask, lost } from "../core/page.mjs";
import { legend, masked, trackCell, unmasked } from "../core/tracks.mjs";
import { count, cutMiddle, escape, shown as shownWord, wordRow } from "../core/words.mjs";

/** @typedef {MatchStore | MatchError} Answer */

const MOST_CONTEXT = 2000; // steps that the server's context answers at once

// The grid: why a row is listed, the words, then one heatmap for the overlap and one per track. The
// number of columns follows the width; the match starts in the same column in every row.
const NARROW = 820; // px: below, a row leaves out what is also in its tooltip and its label
const why = (/** @type {number} */ width) => (width < NARROW ? 196 : width < WIDE ? 310 : 350);
const WIDE = 1200;
/** The room for the name of a sequence, in px at 13 px. @param {number} width */
const nameRoom = (width) => (why(width) - 264) * 1.08;
const WORD = 40;
/** @param {number} width @param {number} tracks @param {number | null} wanted Words before the match */
function geometry(width, tracks, wanted) {
  const gap = 16 * (tracks + 1);
  // With many tracks the cells get narrower before words are given up.
  const usualHeat = tracks <= 2 ? 9 : tracks <= 4 ? 7 : 5;
  const fit = (/** @type {number} */ px) => Math.floor((width - why(width) - gap) / (WORD + px * (tracks + 1)));
  const heat = fit(usualHeat) < 5 ? 3 : usualHeat;
  const columns = fit(heat);
  const shown = Math.max(5, Math.min(40, columns));
  const usual = Math.min(8, Math.floor(shown / 3));
  return { columns: shown, before: wanted === null ? usual : Math.min(wanted, shown - 3), heat };
}

/** @param {number} share @param {number} background */
function colour(share, background) {
  // The usual overlap of the surroundings is nearly white, all states on is the full colour.
  const scaled = Math.max(0, (share - background) / Math.max(1e-9, 1 - background));
  return `rgba(var(--selected-rgb),${(0.6 * scaled).toFixed(3)})`;
}

const SORTABLE = [
  ["overlap", "states", "Selected states that are on over the whole match", "-overlap", ""],
  ["more", "other states on", "Other states that are on over the whole match as well", "more", "sb-number"],
  ["length", "length", "Length in steps", "-length", "sb-number"],
  ["start", "step", "First step", "start", "sb-number"],
];

/**
 * @param {ViewStore} view @param {MatchStore["tracks"]} tracks @param {string} grid The columns, as CSS
 * @param {number} words Px a word @param {number} before Words @param {number} width Px a heatmap
 */
function headings(view, tracks, grid, words, before, width) {
  const sorted = view.sort.replace("-", "");
  const why = SORTABLE.map(([key, name, title, first, style]) => {
    const mark = sorted === key ? (view.sort.startsWith("-") ? " ↓" : " ↑") : "";
    return `<span class="${style}" title="${title}: click to sort"><button type="button" data-sort="${first}"`
      + ` aria-pressed="${sorted === key}" aria-label="Sort by ${title.toLowerCase()}">${name}${mark}</button></span>`;
  }).join("");
  const heading = (/** @type {string} */ name, label = name) => `<span class="sb-heat" style="width:${width}px">`
    + `<button type="button" data-colour="${escape(name)}" aria-pressed="${view.colour === name}"`
    + ` title="Colour the words by ${escape(label)}">${escape(label)}</button></span>`;
  return `<div class="sb-row" style="${grid}"><span class="sb-why">${why}<span title="Sequence">sequence</span></span>`
    + `<span class="sb-along" style="padding-inline-start:${before * words}px">│ match starts here</span>`
    + heading("match", width < 66 ? "count" : "match count") + tracks.map((track) => heading(track.name)).join("") + "</div>";
}

/**
 * One row as drawn cells: for each column the word and one cell a heatmap.
 * @param {MatchStore} match @param {MatchRow} row @param {ViewStore} view
 * @param {number} columns @param {number} before Words @param {number} words Px a word
 */
function rowCells(match, row, view, columns, before, words) {
  const full = match.selected.length;
  /** @type {{ words: string[], heats: string[][], cut: number }} */
  const out = { words: [], heats: [[], ...match.tracks.map(() => [])], cut: 0 };
  const mapped = match.tracks.findIndex((track) => track.name === view.colour);
  const place = (/** @type {number} */ step) => (step < row.start ? 0 : step < row.stop ? 1 : 2);
  const tint = (/** @type {number} */ i) => (mapped < 0 ? "" : trackCell(match.tracks[mapped], match.tracks[mapped].cells[row.index][i]).color);
  const shownWords = [];
  for (let k = 0; k < columns; k++) {
    const step = row.start - before + k;
    const token = row.tokens[step - row.from];
    // Neither a word of the match and one next to it nor words of different colours of a track, which
    // would seem to have both, reach into each other's columns.
    const group = token === undefined ? "" : `${place(step)} ${tint(step - row.from)}`;
    shownWords.push({ ...shownWord(token === undefined ? " " : token), bold: place(step) === 1, group });
    if (token === undefined) shownWords[k].text = "";
  }
  const fitted = wordRow("i", shownWords, words);
  for (let k = 0; k < columns; k++) {
    const step = row.start - before + k;
    const i = step - row.from;
    if (i < 0 || i >= row.tokens.length) {
      out.words.push("<span></span>");
      out.heats.forEach((cells) => cells.push("<i></i>"));
      continue;
    }
    const inside = step >= row.start && step < row.stop ? "sb-in" : "";
    const on = row.on[i];
    const share = full ? on / full : 0;
    const fade = masked(view, share);
    /** @type {{ color: string | null, text: string }[]} */
    const fills = [{ color: colour(share, match.background), text: `${on} of ${full} on` }];
    for (const track of match.tracks) fills.push(trackCell(track, track.cells[row.index][i]));
    fills.forEach((fill, m) => {
      const name = m === 0 ? "match count" : match.tracks[m - 1].name;
      out.heats[m].push(`<i class="${inside}" data-k="${k}" style="${fill.color ? `background:${fill.color};` : ""}${m ? fade : ""}"`
        + ` data-tip="${escape(`${name}: ${fill.text} · step ${count(step)}`)}"></i>`);
    });
    const chosen = fills[mapped + 1];
    const shade = mapped < 0 || !chosen.color ? (mapped < 0 ? `background:${chosen.color}` : "")
      : `background:color-mix(in srgb, ${chosen.color} ${Math.round(55 * (view.mask ? unmasked(share) : 1))}%, transparent)`;
    // Where a long match is cut, the last column counts what is not shown, its own word included.
    const left = row.stop - step;
    const cut = inside && left > 1 && k === columns - 1;
    out.words.push(`<span class="${inside}${shownWords[k].sign ? " sb-sign" : ""}" data-k="${k}" style="${shade}"`
      + ` data-tip="${escape(`${row.tokens[i]} · step ${count(step)} · ${fills[Math.max(0, mapped + 1)].text}`)}">`
      + `${cut ? "" : fitted[k]}</span>`);
    if (cut) out.cut = left;
  }
  return out;
}

/** @param {Panel} panel */
export function matchRows(panel) {
  const { part } = panel;

  /** @param {ViewStore} view @param {MatchRow} row */
  const rowLink = (view, row) => panel.query({
    ...view, start: row.start, stop: row.stop, first: panel.around(row.start, row.stop), length: null,
  });

  let drawn = "";
  let wordsBefore = 0; // as many as the rows show
  /** @param {Answer} match @param {Viewport} viewport @param {Info} info @param {ViewStore} view */
  function drawRows(match, viewport, info, view) {
    if (!match || !viewport || !info || !view || match.key.dataset !== info.dataset) return;
    requestAnimationFrame(markOwn);
    const key = JSON.stringify([match.n, viewport.page, view.colour, view.mask, view.before_words, view.sort]);
    if (key === drawn) return;
    drawn = key;
    const rows = part("match-rows");
    const head = part("match-head");
    rows.dataset.n = String(match.n);
    part("cell-tip").hidden = true; // the cell under the pointer goes without an event
    if ("error" in match || match.rows.length === 0) {
      head.innerHTML = "";
      part("heat-legend").innerHTML = "";
      rows.innerHTML = ""; // the sentence says why
      return;
    }
    const tracks = match.tracks;
    const page = viewport.page - 32;
    part("match-view").classList.toggle("sb-narrow", page < NARROW);
    const { columns, before, heat } = geometry(page, tracks.length, view.before_words);
    wordsBefore = before;
    const grid = `grid-template-columns:${why(page)}px minmax(0,1fr) repeat(${tracks.length + 1},auto)`;
    const heatColumns = `grid-template-columns:repeat(${columns},${heat}px)`;
    const words = Math.floor((page - why(page) - (16 + heat * columns) * (tracks.length + 1)) / columns);
    const full = match.selected.length;
    panel.keepFocus(head, () => {
      head.innerHTML = headings(view, tracks, grid, words, before, heat * columns);
    });
    const drawnRows = match.rows.map((row) => {
      const cells = rowCells(match, row, view, columns, before, words);
      const sequence = row.sequence === null ? "" : String(row.sequence);
      const more = row.union - full;
      const label = `Rank ${row.rank}: ${row.overlap} of ${full} states, ${more} more on, length ${row.length}, `
        + `steps ${count(row.start)} to ${count(row.stop - 1)}${sequence ? ", sequence " + sequence : ""}. Open this place.`;
      return `<div role="listitem"><a class="sb-row" href="${escape(rowLink(view, row))}" style="${grid}" data-row="${row.index}"`
        + ` data-start="${row.start}" data-stop="${row.stop}" aria-label="${escape(label)}">`
        + `<span class="sb-why"><span title="states of the selection on over the whole match"><b>${row.overlap}</b>/${full}</span>`
        + `<span class="sb-number" title="other states on over the whole match">+${more}</span>`
        + `<span class="sb-number">${row.length}</span><span class="sb-number">${count(row.start)}</span>`
        + `<span title="${escape(sequence)}">${escape(cutMiddle(sequence, nameRoom(page)))}</span></span>`
        + `<span class="sb-match-words" style="grid-template-columns:repeat(${columns},minmax(0,1fr))">${cells.words.join("")}</span>`
        + cells.heats.map((m) => `<span class="sb-heat" style="${heatColumns}">${m.join("")}</span>`).join("")
        + `</a>${cells.cut ? `<button type="button" class="sb-more" data-unfold="${row.index}" aria-expanded="false"`
          + ` style="left:${why(page) + (panel.rtl() ? 0 : (columns - 1) * words)}px;width:${words}px"`
          + ` aria-label="Show all ${row.length} words of this match" title="Show the whole match">+${cells.cut}</button>` : ""}</div>`;
    });
    // A row that was opened has led to the Select View: there the keyboard goes on.
    const opened = rows.contains(document.activeElement);
    rows.innerHTML = drawnRows.join("");
    if (opened) part("words").focus({ preventScroll: true });
    drawLegend(match, view);
  }

  /** @param {MatchStore} match @param {ViewStore} view */
  function drawLegend(match, view) {
    const track = match.tracks.find((item) => item.name === view.colour);
    const percent = Math.round(100 * match.background);
    const one = match.selected.length === 1;
    part("heat-legend").innerHTML = track
      ? `<span class="sb-legend"><span>words: ${escape(track.name)}</span>${legend(track)}</span>`
      : one ? '<span>the selected state is on:</span><i class="sb-swatch sb-swatch-on"></i><span>yes</span>'
        : `<span>selected states on: ≤ ${percent} %</span><span class="sb-ramp"></span><span>100 %</span>`;
  }

  /** Mark the rows that share a step with the selection itself. */
  function markOwn() {
    const view = panel.read("view");
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (part("match-rows").querySelectorAll("a.sb-row"))) {
      const own = view !== undefined && view.start !== null && Number(row.dataset.start) < (view.stop ?? 0)
        && Number(row.dataset.stop) > view.start;
      row.classList.toggle("sb-own", own);
    }
  }

  /** Show all words of a long match under its row, or hide them again. @param {HTMLElement} button */
  async function unfold(button) {
    const item = /** @type {HTMLElement} */ (button.parentElement);
    const shown = item.querySelector(".sb-whole");
    const match = panel.read("match");
    button.setAttribute("aria-expanded", String(!shown));
    if (shown) {
      shown.remove();
      return;
    }
    if (!match || "error" in match) return;
    const row = match.rows[Number(button.dataset.unfold)];
    const whole = document.createElement("div");
    whole.className = "sb-whole";
    whole.textContent = "reading…";
    item.append(whole);
    /** @type {string[]} */
    const tokens = [];
    for (let start = row.start; start < row.stop; start += MOST_CONTEXT) {
      const stop = Math.min(row.stop, start + MOST_CONTEXT);
      const asked = { dataset: match.key.dataset, source: match.key.source, start: String(start), stop: String(stop) };
      const reply = await ask(`api/v1/context?${new URLSearchParams(asked)}`);
      if (!reply.answer) {
        whole.textContent = lost(reply);
        return;
      }
      tokens.push(...reply.answer.tokens);
    }
    whole.textContent = tokens.map((token) => shownWord(token).text).join(" ");
  }
  panel.on("click", "button[data-unfold]", (_, button) => unfold(button));

  // A word and its heatmap cells light up together, with the value of the one under the pointer.
  const CELL = "a.sb-row [data-k]";
  /** @param {HTMLElement} cell @param {boolean} on */
  function link(cell, on) {
    const row = /** @type {HTMLElement} */ (cell.closest("a.sb-row"));
    for (const other of row.querySelectorAll(`[data-k="${cell.dataset.k}"]`)) {
      other.classList.toggle("sb-linked", on);
    }
    const tip = part("cell-tip");
    tip.hidden = !on;
    if (!on) return;
    tip.textContent = cell.dataset.tip ?? "";
    const box = cell.getBoundingClientRect();
    const host = part("match-view").getBoundingClientRect();
    tip.style.top = `${box.bottom - host.top + 4}px`;
    const right = box.left - host.left > host.width / 2;
    tip.style.left = right ? "" : `${box.left - host.left}px`;
    tip.style.right = right ? `${host.right - box.right}px` : "";
  }
  panel.on("mouseover", CELL, (_, cell) => link(cell, true));
  panel.on("mouseout", CELL, (_, cell) => link(cell, false));

  // The same with the keyboard: on a row, up and down go to the next one, left and right along it.
  /** @type {number | null} */
  let linked = null; // the column that the keyboard has reached
  /** @param {HTMLElement} row */
  function unlink(row) {
    for (const cell of row.querySelectorAll(".sb-linked")) cell.classList.remove("sb-linked");
    part("cell-tip").hidden = true;
  }
  panel.on("keydown", "a.sb-row", (event, row) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rowBy = { ArrowUp: -1, ArrowDown: 1 }[/** @type {string} */ (event.key)];
    const cellBy = { ArrowLeft: -1, ArrowRight: 1 }[panel.along(event.key)];
    if (rowBy === undefined && cellBy === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    unlink(row);
    const all = [.../** @type {NodeListOf<HTMLElement>} */ (part("match-rows").querySelectorAll("a.sb-row"))];
    const next = rowBy ? all[all.indexOf(row) + rowBy] || row : row;
    if (rowBy) {
      next.focus();
      if (linked === null) return;
    }
    const cells = [.../** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll(".sb-match-words [data-k]"))];
    const first = cells.findIndex((cell) => cell.classList.contains("sb-in"));
    const known = cells.findIndex((cell) => Number(cell.dataset.k) === linked);
    const reached = known < 0 ? first : Math.min(cells.length - 1, Math.max(0, known + (cellBy || 0)));
    linked = Number(cells[reached].dataset.k);
    const cell = /** @type {HTMLElement | null} */ (next.querySelector(`.sb-match-words [data-k="${linked}"]`));
    if (cell) link(cell, true);
  });
  panel.on("focusout", "a.sb-row", (event, row) => {
    unlink(row);
    if (!part("match-rows").contains(event.relatedTarget)) linked = null;
  });
  panel.on("click", "a.sb-row", (event, row) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const start = Number(row.dataset.start);
    const stop = Number(row.dataset.stop);
    panel.dispatch({ start, stop, first: panel.around(start, stop) });
    window.scrollTo({ top: 0 });
  });

  return { drawRows, wordsBefore: () => wordsBefore };
}
