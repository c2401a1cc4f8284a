/* The Match View: the sentence, the length histogram, the rows and the heatmaps beside them. */
/** @import {FileRequest, Info, MatchStore, MatchError, MatchRow, ViewStore, Viewport, Window as WindowPayload} from "../wire" */
/** @import {Skeletons} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { figure, scheme } from "../core/axes.mjs";
import { noUpdate, notify } from "../core/page.mjs";
import { matchKey } from "../core/requests.mjs";
import { decodedWindow } from "../core/selection.mjs";
import { legend, masked, trackCell, unmasked } from "../core/tracks.mjs";
import { same } from "../core/values.mjs";
import { count, escape, plural, rangeText, shown, wordRow } from "../core/words.mjs";

/** @typedef {MatchStore | MatchError} Answer */

/** What was found, as HTML: how many matches, where, and how much was searched. @param {MatchStore} match */
function found(match) {
  const known = match.places === null ? `at least ${count(match.places_at_least)}` : count(match.places);
  const places = `<b>${known}</b> ${match.places === 1 ? "place" : "places"}`;
  const seconds = match.seconds < 0.095 ? match.seconds.toFixed(3) : match.seconds.toFixed(2);
  const states = match.selected.length;
  const length = /** @type {[number, number] | null} */ (match.key.length);
  let text = `<b>${count(match.total)}</b> ${match.total === 1 ? "match" : "matches"}`;
  if (match.total > 0) {
    text += match.key.overlapping || length ? "" : ` at ${places}`;
    if (states > 1) text += `, <b>${count(match.full)}</b> with all ${count(states)} states`;
    if (length) {
      text += `; of length ${rangeText(length)}: `
        + (match.key.overlapping ? `<b>${known}</b>` : places);
    }
  }
  text += `; ${count(match.searched)} of ${count(match.searched)} steps searched in ${seconds} s.`;
  return match.rows.length === 0 && match.reason ? `${text} ${escape(capital(match.reason))}` : text;
}
/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

// The grid: why a row is listed, the words, then one heatmap for the overlap and one per track. The
// number of columns follows the width; the match starts in the same column in every row.
const NARROW = 820; // px: below, a row leaves out what is also in its tooltip and its label
const why = (/** @type {number} */ width) => (width < NARROW ? 196 : 310);
const WORD = 40;
/** @param {number} width @param {number} tracks @param {number | null} wanted Words before the match */
function geometry(width, tracks, wanted) {
  const gap = 16 * (tracks + 1);
  // With many tracks the cells get narrower before words are given up.
  const heat = tracks <= 2 ? 9 : tracks <= 4 ? 7 : 5;
  const columns = Math.floor((width - why(width) - gap) / (WORD + heat * (tracks + 1)));
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
  return `<div class="sb-row" style="${grid}"><span class="sb-why">${why}<span>sequence</span></span>`
    + `<span style="padding-left:${before * words}px">│ match starts here</span>`
    + heading("match", width < 66 ? "count" : "match count") + tracks.map((track) => heading(track.name)).join("") + "</div>";
}

/**
 * One row as drawn cells: for each column the word and one cell a heatmap.
 * @param {MatchStore} match @param {MatchRow} row @param {ViewStore} view
 * @param {number} columns @param {number} before Words @param {number} words Px a word
 */
function rowCells(match, row, view, columns, before, words) {
  const full = match.selected.length;
  /** @type {{ words: string[], heats: string[][] }} */
  const out = { words: [], heats: [[], ...match.tracks.map(() => [])] };
  const mapped = match.tracks.findIndex((track) => track.name === view.colour);
  const place = (/** @type {number} */ step) => (step < row.start ? 0 : step < row.stop ? 1 : 2);
  const tint = (/** @type {number} */ i) => (mapped < 0 ? "" : trackCell(match.tracks[mapped], match.tracks[mapped].cells[row.index][i]).color);
  const shownWords = [];
  for (let k = 0; k < columns; k++) {
    const step = row.start - before + k;
    const token = row.tokens[step - row.from];
    // Neither a word of the match and one beside it nor words of different colours of a track, which
    // would seem to have both, reach into each other's columns.
    const group = token === undefined ? "" : `${place(step)} ${tint(step - row.from)}`;
    shownWords.push({ ...shown(token === undefined ? " " : token), bold: place(step) === 1, group });
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
      + (cut ? `<em class="sb-more">+${left}</em></span>`
        : `${fitted[k]}</span>`));
  }
  return out;
}

/**
 * @param {Panel} panel
 * @param {{ showDefault: (name: "min-overlap" | "min-length", value: number) => void }} controls
 * @param {(body: FileRequest) => void} download
 */
export function matchView(panel, { showDefault }, download) {
  const { at, part } = panel;

  /** @param {Answer} match @param {ViewStore} view @param {WindowPayload} payload */
  function checkSelection(match, view, payload) {
    const win = decodedWindow(payload);
    if (!match || "error" in match || !view || !win || !same(match.key, matchKey(view))) return;
    const mine = panel.selection(view, win);
    if (mine.fresh && !same(mine.states, match.selected)) {
      notify("The browser and the server disagree on the selected states: "
        + `${mine.states.length} here, ${match.selected.length} there. Please report this.`, "error");
    }
  }

  /** What an empty box means, in the box: half of the selected states, two steps. @param {MatchStore} match */
  function showDefaults({ selected, key }) {
    if (selected.length === 0) return;
    showDefault("min-overlap", Math.max(1, Math.ceil(selected.length / 2)));
    showDefault("min-length", (key.stop ?? 0) - (key.start ?? 0) === 1 ? 1 : 2);
  }

  /** @param {Answer} match @param {ViewStore} view */
  function drawSentence(match, view) {
    const host = part("match-sentence");
    if (!view) return;
    const current = match && same(match.key, matchKey(view));
    const failed = match && "error" in match;
    part("match-view").classList.toggle("sb-old", Boolean(match) && !current);
    for (const name of ["match-rows", "length-histogram", "match-sentence"]) {
      const old = !current || (failed && name === "length-histogram");
      part(name).classList.toggle("sb-stale", Boolean(match) && Boolean(old) && !view.dragging);
    }
    drawFilter(view);
    if (match) host.dataset.n = String(match.n);
    const changed = part("match-changed");
    if (!match || failed) {
      host.textContent = match ? match.error : "";
      if (match) changed.textContent = "";
      return;
    }
    showDefaults(match);
    changed.textContent = current || view.dragging ? ""
      : match.cancelled ? "Cancelled: press Match or Enter."
        : view.auto ? "" : "The selection has changed: press Match or Enter.";
    host.innerHTML = match.selected.length === 0 ? "Nothing to search for: no state is selected."
      : found(match);
  }

  /** @param {ViewStore} view */
  function drawFilter(view) {
    const host = part("length-filter");
    const button = view.length === null ? ""
      : `<button type="button" data-clear-length="1" title="Show all lengths">only length ${rangeText(view.length)} ✕</button>`;
    if (host.innerHTML !== button) panel.keepFocus(host, () => { host.innerHTML = button; }, "match-button");
  }

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
    bins.forEach((bin, i) => {
      const half = 3.2 * rangeText([bin.low, bin.high]).length + 3;
      if ((i + 0.5) * slot - half < end) return;
      named.push(i);
      end = (i + 0.5) * slot + half;
    });
    const host = part("length-bars");
    host.dataset.n = String(match.n);
    host.style.cssText = `left:${l}px;right:${r}px;top:${t}px;bottom:${b}px`;
    const bars = bins.map((bin, i) => {
      const chosen = view.length !== null && view.length[0] === bin.low && view.length[1] === bin.high;
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
        ticktext: thin.map((n) => (n >= 1e6 ? `${n / 1e6}M` : n >= 1e3 ? `${n / 1e3}k` : `${n}`)),
      },
    });
  }

  /** @param {ViewStore} view @param {MatchRow} row */
  const rowLink = (view, row) => panel.query({
    ...view, start: row.start, stop: row.stop, first: panel.around(row.start, row.stop), length: null,
  });

  let drawn = "";
  let wordsBefore = 0;
  /** @param {Answer} match @param {Viewport} viewport @param {Info} info @param {ViewStore} view */
  function drawRows(match, viewport, info, view) {
    if (!match || !viewport || !info || !view || match.key.dataset !== info.dataset) return;
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
        + `<span title="${escape(sequence)}">${escape(sequence)}</span></span>`
        + `<span class="sb-match-words" style="grid-template-columns:repeat(${columns},minmax(0,1fr))">${cells.words.join("")}</span>`
        + cells.heats.map((m) => `<span class="sb-heat" style="${heatColumns}">${m.join("")}</span>`).join("")
        + "</a></div>";
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
    part("heat-legend").innerHTML = track
      ? `<span class="sb-legend"><span>words: ${escape(track.name)}</span>${legend(track)}</span>`
      : `<span>selected states on: ≤ ${percent} %</span><span class="sb-ramp"></span><span>100 %</span>`;
  }

  /** @param {Answer} match @param {ViewStore} view @param {Info} info */
  function drawPager(match, view, info) {
    const host = part("pager");
    // A link may name a page that is not there (any more): the last one is shown.
    if (match && !("error" in match) && view && info && match.rows.length === 0 && match.key.page > 0
        && same(match.key, matchKey(view))) {
      const last = Math.max(0, Math.ceil(match.listed / info.page_rows) - 1);
      if (last < match.key.page) panel.dispatch({ page: last }, { history: "replace" });
    }
    if (!match || "error" in match || !view || !info || match.rows.length === 0) {
      host.innerHTML = "";
      return;
    }
    const pages = Math.max(1, Math.ceil(match.listed / info.page_rows));
    const first = match.key.page * info.page_rows + 1;
    const known = match.places === null ? match.places_at_least : match.places;
    const capped = known > match.listed || match.places === null
      ? ` <span title="Paging and sorting work on the first ${count(info.most_listed)}; a download holds up to ${count(info.most_saved)}, the command line all.">(of the first ${count(match.listed)})</span>` : "";
    const button = (/** @type {string} */ name, /** @type {number} */ by, /** @type {boolean} */ off) => `<button type="button" data-page="${by}" aria-label="${name}" title="${name}"${off ? " disabled" : ""}>`
      + `<span class="sb-icon sb-icon-step-${by < 0 ? "back" : "on"}"></span></button>`;
    panel.keepFocus(host, () => {
      host.innerHTML = button("Previous page of matches", -1, match.key.page === 0)
        + `<span>${count(first)}–${count(first + match.rows.length - 1)} of ${count(match.listed)}${capped}</span>`
        + button("Next page of matches", 1, match.key.page >= pages - 1);
    });
  }

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
    const cellBy = { ArrowLeft: -1, ArrowRight: 1 }[/** @type {string} */ (event.key)];
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

  panel.on("click", ".sb-length-bar", (_, { dataset }) => {
    /** @type {[number, number]} */
    const length = [Number(dataset.low), Number(dataset.high)];
    panel.dispatch({ length: same(panel.read("view")?.length, length) ? null : length });
  });
  panel.on("click", "[data-clear-length]", () => panel.dispatch({ length: null }));
  panel.on("mouseover focusin", ".sb-length-bar", (_, { dataset }) => {
    const tip = part("histogram-tip");
    tip.hidden = false;
    tip.textContent = dataset.tip ?? "";
    tip.style.right = "0";
    tip.style.top = "-3px";
  });
  panel.on("mouseout focusout", ".sb-length-bar", () => { part("histogram-tip").hidden = true; });
  panel.on("click", "button[data-page]", (_, { dataset }) =>
    panel.dispatch({ page: Math.max(0, (panel.read("view")?.page ?? 0) + Number(dataset.page)) }));
  panel.on("click", "button[data-colour]", (_, { dataset }) => {
    const colour = dataset.colour ?? "match";
    panel.dispatch({ colour: panel.read("view")?.colour === colour ? "match" : colour });
  });
  panel.on("click", "button[data-sort]", (_, { dataset }) => {
    const first = dataset.sort ?? "rank";
    const turned = first.startsWith("-") ? first.slice(1) : `-${first}`;
    const now = panel.read("view")?.sort;
    panel.dispatch({ sort: now === first ? turned : now === turned ? "rank" : first });
  });
  panel.on("click", `${at("download-menu")} button`, (_, { dataset }) => {
    const match = panel.read("match");
    if (!match) return;
    /** @type {HTMLDetailsElement} */ (panel.find("download-menu")).open = false;
    if ("error" in match) notify(match.error, "warning");
    else {
      const form = /** @type {FileRequest["form"]} */ (dataset.form);
      const beside = /** @type {HTMLInputElement} */ (panel.find("download-beside")).checked;
      download({ form, key: match.key, words: beside ? wordsBefore : 0, annotations: beside });
    }
  });

  return { checkSelection, drawSentence, drawHistogram, drawRows, drawPager };
}
