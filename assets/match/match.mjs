/* The Match View: the sentence, the length histogram, the rows and the heatmaps beside them. */
import * as extents from "../core/axes.mjs";
import * as requesting from "../core/requests.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as tracking from "../core/tracks.mjs";
import * as wording from "../core/words.mjs";
import * as work from "../work/jobs.mjs";

const none = () => window.dash_clientside.no_update;
const byId = (id) => document.getElementById(id);

export function checkSelection(match, view, payload) {
  const win = s1.decodedWindow(payload);
  if (!match || match.error || !view || !win || !stores.same(match.key, requesting.matchKey(view))) return;
  const mine = s1.selection(view, win);
  if (mine.fresh && !stores.same(mine.states, match.selected)) {
    stores.notify("The browser and the server disagree on the selected states: "
      + `${mine.states.length} here, ${match.selected.length} there. Please report this.`, "error");
  }
}

/** What an empty box stands for, in the box: half of the selected states, two steps. */
function showDefaults(match) {
  if (!match || match.error || match.selected.length === 0) return;
  const { start, stop } = match.key;
  const defaults = {
    "min-overlap": Math.max(1, Math.ceil(match.selected.length / 2)), "min-length": stop - start === 1 ? 1 : 2,
  };
  for (const [id, value] of Object.entries(defaults)) {
    const placeholder = `auto: ${value}`;
    if (byId(id).placeholder !== placeholder) window.dash_clientside.set_props(id, { placeholder });
  }
}

export function drawSentence(match, view) {
  const host = byId("match-sentence");
  if (!view) return;
  const current = match && stores.same(match.key, requesting.matchKey(view));
  byId("match-view").classList.toggle("sb-old", Boolean(match) && !current);
  for (const id of ["match-rows", "length-histogram", "match-sentence"]) {
    const old = !current || (match.error && id === "length-histogram");
    byId(id).classList.toggle("sb-stale", Boolean(match) && Boolean(old) && !view.dragging);
  }
  drawFilter(view);
  showDefaults(match);
  if (match) host.dataset.n = match.n;
  host.title = work.keptWords(match);
  if (!match) {
    host.textContent = "";
    return;
  }
  if (match.error) {
    host.textContent = match.error;
    byId("match-changed").textContent = "";
    return;
  }
  byId("match-changed").textContent = current || view.dragging ? ""
    : match.cancelled ? "Cancelled: press Match or Enter."
      : view.auto ? "" : "The selection has changed: press Match or Enter.";
  host.innerHTML = match.selected.length === 0 ? "Nothing to search for: no state is selected."
    : found(match);
}

/** What was found, as HTML: how many matches, where, and how much was searched. */
function found(match) {
  const known = match.places === null ? `at least ${wording.count(match.places_at_least)}` : wording.count(match.places);
  const places = `<b>${known}</b> ${match.places === 1 ? "place" : "places"}`;
  const seconds = match.seconds < 0.095 ? match.seconds.toFixed(3) : match.seconds.toFixed(2);
  const states = match.selected.length;
  const { length } = match.key;
  let text = `<b>${wording.count(match.total)}</b> ${match.total === 1 ? "match" : "matches"}`;
  if (match.total > 0) {
    text += match.key.overlapping || length ? "" : ` at ${places}`;
    if (states > 1) text += `, <b>${wording.count(match.full)}</b> with all ${wording.count(states)} states`;
    if (length) {
      text += `; of length ${rangeText(length)}: `
        + (match.key.overlapping ? `<b>${known}</b>` : places);
    }
  }
  text += `; ${wording.count(match.searched)} of ${wording.count(match.searched)} steps searched in ${seconds} s.`;
  return match.rows.length === 0 && match.reason ? `${text} ${wording.escape(capital(match.reason))}` : text;
}
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

function drawFilter(view) {
  const host = byId("length-filter");
  const button = view.length === null ? ""
    : `<button type="button" data-clear-length="1" title="Show all lengths">only length ${rangeText(view.length)} ✕</button>`;
  if (host.innerHTML !== button) stores.keepFocus(host, () => { host.innerHTML = button; }, "match-button");
}
const rangeText = ([low, high]) => (low === high ? `${low}` : `${low}–${high}`);

export function drawHistogram(match, view, theme, skeletons) {
  if (!match || match.error || !view) return none();
  const bins = match.histogram;
  const { selected, selected_soft: soft } = skeletons[theme === "dark" ? "dark" : "light"].colours;
  const swatch = (colour, text) => `<span><i class="sb-swatch" style="background:${colour}"></i>${text}</span>`;
  byId("histogram-title").innerHTML = bins.length === 0 ? ""
    : "matches of each length in steps" + swatch(soft, "all") + swatch(selected, "with all states");
  const height = (n) => Math.log10(1 + n);
  const top = Math.max(1, ...bins.map((b) => height(b.matches)));
  const ticks = bins.length === 0 ? [] : [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7].filter((n) => height(n) <= top * 1.02);
  const thin = ticks.length > 5 ? ticks.filter((_, i) => i % 2 === 0) : ticks;
  const slots = Math.max(bins.length, 6);
  // Labels stand under their bars as long as they keep apart.
  const { l: left, r: right } = skeletons.light.histogram_margin;
  const slot = (byId("length-histogram").clientWidth - left - right) / slots;
  const named = [];
  let end = -Infinity;
  bins.forEach((bin, i) => {
    const half = 3.2 * rangeText([bin.low, bin.high]).length + 3;
    if ((i + 0.5) * slot - half < end) return;
    named.push(i);
    end = (i + 0.5) * slot + half;
  });
  const host = byId("length-bars");
  const { l, r, t, b } = skeletons.light.histogram_margin;
  host.dataset.n = match.n;
  host.style.cssText = `left:${l}px;right:${r}px;top:${t}px;bottom:${b}px`;
  const bars = bins.map((bin, i) => {
    const chosen = view.length !== null && view.length[0] === bin.low && view.length[1] === bin.high;
    const share = match.total ? (100 * bin.matches) / match.total : 0;
    const text = `length ${rangeText([bin.low, bin.high])}: ${wording.plural(bin.matches, "match", "matches")}`
      + ` (${share < 10 ? share.toFixed(1) : Math.round(share)} %), ${wording.count(bin.full_matches)} full`;
    return `<button type="button" class="sb-length-bar" data-low="${bin.low}" data-high="${bin.high}"`
      + ` aria-pressed="${chosen}" aria-label="${text}" data-tip="${text}"`
      + ` style="left:${(100 * i) / slots}%;width:${100 / slots}%;top:0;bottom:0"></button>`;
  });
  byId("histogram-tip").hidden = true; // its bar goes
  stores.keepFocus(host, () => { host.innerHTML = bars.join(""); }, "match-button");
  return extents.figure(skeletons, theme, "histogram", [
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

export function onDownload() {
  const id = (window.dash_clientside.callback_context.triggered[0] || {}).prop_id || "";
  const match = stores.read("match");
  if (!id.startsWith("download-") || !match) return;
  byId("download-menu").open = false;
  if (match.error) {
    stores.notify(match.error, "warning");
    return;
  }
  work.download(id.replace("download-", "").replace(".n_clicks", ""), match.key);
}

// The grid: what stands why, the words, then one heatmap for the overlap and one per track. The
// number of columns follows the width; the match starts in the same column in every row.
const NARROW = 820; // px: below, a row leaves out what is also in its tooltip and its label
const why = (width) => (width < NARROW ? 196 : 310);
const WORD = 40;
function geometry(width, tracks, wanted) {
  const gap = 16 * (tracks + 1);
  // With many tracks the cells get narrower before words are given up.
  const heat = tracks <= 2 ? 9 : tracks <= 4 ? 7 : 5;
  const columns = Math.floor((width - why(width) - gap) / (WORD + heat * (tracks + 1)));
  const shown = Math.max(5, Math.min(40, columns));
  const usual = Math.min(8, Math.floor(shown / 3));
  return { columns: shown, before: wanted === null ? usual : Math.min(wanted, shown - 3), heat };
}

function colour(share, background) {
  // The usual overlap of the surroundings is nearly white, all states on is the full colour.
  const scaled = Math.max(0, (share - background) / Math.max(1e-9, 1 - background));
  return `rgba(var(--selected-rgb),${(0.6 * scaled).toFixed(3)})`;
}

function rowLink(view, row) {
  return stores.query({
    ...view, start: row.start, stop: row.stop, first: extents.firstFor(row.start, row.stop), length: null,
  });
}

const SORTABLE = [
  ["overlap", "states", "Selected states that are on over the whole match", "-overlap", ""],
  ["more", "also on", "Other states that are on over the whole match as well", "more", "sb-number"],
  ["length", "length", "Length in steps", "-length", "sb-number"],
  ["start", "step", "First step", "start", "sb-number"],
];

function headings(view, tracks, grid, words, before, width) {
  const sorted = view.sort.replace("-", "");
  const why = SORTABLE.map(([key, name, title, first, style]) => {
    const mark = sorted === key ? (view.sort.startsWith("-") ? " ↓" : " ↑") : "";
    return `<span class="${style}" title="${title}: click to sort"><button type="button" data-sort="${first}"`
      + ` aria-pressed="${sorted === key}" aria-label="Sort by ${title.toLowerCase()}">${name}${mark}</button></span>`;
  }).join("");
  const heading = (name, label) => `<span class="sb-heat" style="width:${width}px">`
    + `<button type="button" data-colour="${wording.escape(name)}" aria-pressed="${view.colour === name}"`
    + ` title="Colour the words by ${wording.escape(label)}">${wording.escape(label)}</button></span>`;
  return `<div class="sb-row" style="${grid}"><span class="sb-why">${why}<span title="sequence">seq.</span></span>`
    + `<span style="padding-left:${before * words}px">│ match starts here</span>`
    + heading("match", width < 66 ? "count" : "match count") + tracks.map((track) => heading(track.name, track.name)).join("") + "</div>";
}

/** One row as drawn cells: for each column the word and one cell a heatmap. */
function rowCells(match, row, view, columns, before, words) {
  const full = match.selected.length;
  const out = { words: [], heats: [[], ...match.tracks.map(() => [])] };
  const mapped = match.tracks.findIndex((track) => track.name === view.colour);
  const place = (step) => (step < row.start ? 0 : step < row.stop ? 1 : 2);
  const tint = (i) => (mapped < 0 ? "" : tracking.trackCell(match.tracks[mapped], match.tracks[mapped].cells[row.index][i]).color);
  const shown = [];
  for (let k = 0; k < columns; k++) {
    const step = row.start - before + k;
    const token = row.tokens[step - row.from];
    // Neither a word of the match and one beside it nor words of different colours of a track, which
    // would seem to have both, reach into each other's columns.
    const group = token === undefined ? "" : `${place(step)} ${tint(step - row.from)}`;
    shown.push({ ...wording.shown(token === undefined ? " " : token), bold: place(step) === 1, group });
    if (token === undefined) shown[k].text = "";
  }
  const fitted = wording.wordRow("i", shown, words);
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
    const fade = tracking.masked(view, share);
    const fills = [{ color: colour(share, match.background), text: `${on} of ${full} on` }];
    for (const track of match.tracks) fills.push(tracking.trackCell(track, track.cells[row.index][i]));
    fills.forEach((fill, m) => {
      const name = m === 0 ? "match count" : match.tracks[m - 1].name;
      out.heats[m].push(`<i class="${inside}" data-k="${k}" style="${fill.color ? `background:${fill.color};` : ""}${m ? fade : ""}"`
        + ` data-tip="${wording.escape(`${name}: ${fill.text} · step ${wording.count(step)}`)}"></i>`);
    });
    const chosen = fills[mapped + 1];
    const shade = mapped < 0 || !chosen.color ? (mapped < 0 ? `background:${chosen.color}` : "")
      : `background:color-mix(in srgb, ${chosen.color} ${Math.round(55 * (view.mask ? 0.08 + 0.92 * share : 1))}%, transparent)`;
    // Where a long match is cut, the last column counts what is not shown, its own word included.
    const left = row.stop - step;
    const cut = inside && left > 1 && k === columns - 1;
    out.words.push(`<span class="${inside}${shown[k].sign ? " sb-sign" : ""}" data-k="${k}" style="${shade}"`
      + ` data-tip="${wording.escape(`${row.tokens[i]} · step ${wording.count(step)} · ${fills[Math.max(0, mapped + 1)].text}`)}">`
      + (cut ? `<em class="sb-more">+${left}</em></span>`
        : `${fitted[k]}</span>`));
  }
  return out;
}

let drawn = null;
export function drawRows(match, viewport, info, view) {
  if (!match || !viewport || !info || !view || match.key.dataset !== info.dataset) return;
  const key = JSON.stringify([match.n, viewport.page, view.colour, view.mask, view.before_words, view.sort]);
  if (key === drawn) return;
  drawn = key;
  const rows = byId("match-rows");
  const head = byId("match-head");
  rows.dataset.n = match.n;
  byId("cell-tip").hidden = true; // what it stood at goes, and no pointer leaves that
  if (match.error || match.rows.length === 0) {
    head.innerHTML = "";
    byId("heat-legend").innerHTML = "";
    rows.innerHTML = ""; // the sentence says why
    return;
  }
  const tracks = match.tracks;
  const page = viewport.page - 32;
  byId("match-view").classList.toggle("sb-narrow", page < NARROW);
  const { columns, before, heat } = geometry(page, tracks.length, view.before_words);
  const grid = `grid-template-columns:${why(page)}px minmax(0,1fr) repeat(${tracks.length + 1},auto)`;
  const heatColumns = `grid-template-columns:repeat(${columns},${heat}px)`;
  const words = Math.floor((page - why(page) - (16 + heat * columns) * (tracks.length + 1)) / columns);
  const full = match.selected.length;
  const focus = head.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  head.innerHTML = headings(view, tracks, grid, words, before, heat * columns);
  if (focus) {
    const again = [...head.querySelectorAll("button")].find((button) =>
      (focus.colour && button.dataset.colour === focus.colour) || (focus.sort && button.dataset.sort === focus.sort));
    if (again) again.focus({ preventScroll: true });
  }
  const drawnRows = match.rows.map((row) => {
    const cells = rowCells(match, row, view, columns, before, words);
    const sequence = row.sequence === null ? "" : String(row.sequence);
    const more = row.union - full;
    const label = `Rank ${row.rank}: ${row.overlap} of ${full} states, ${more} more on, length ${row.length}, `
      + `steps ${wording.count(row.start)} to ${wording.count(row.stop - 1)}${sequence ? ", sequence " + sequence : ""}. Open this place.`;
    return `<div role="listitem"><a class="sb-row" href="${wording.escape(rowLink(view, row))}" style="${grid}" data-row="${row.index}"`
      + ` data-start="${row.start}" data-stop="${row.stop}" aria-label="${wording.escape(label)}">`
      + `<span class="sb-why"><span title="states of the selection on over the whole match"><b>${row.overlap}</b>/${full}</span>`
      + `<span class="sb-number" title="other states on over the whole match">+${more}</span>`
      + `<span class="sb-number">${row.length}</span><span class="sb-number">${wording.count(row.start)}</span>`
      + `<span title="${wording.escape(sequence)}">${wording.escape(sequence)}</span></span>`
      + `<span class="sb-match-words" style="grid-template-columns:repeat(${columns},minmax(0,1fr))">${cells.words.join("")}</span>`
      + cells.heats.map((m) => `<span class="sb-heat" style="${heatColumns}">${m.join("")}</span>`).join("")
      + "</a></div>";
  });
  // A row that was opened has led to the Select View: there the keyboard goes on.
  const opened = rows.contains(document.activeElement);
  rows.innerHTML = drawnRows.join("");
  if (opened) byId("words").focus({ preventScroll: true });
  drawLegend(match, view);
}

function drawLegend(match, view) {
  const track = match.tracks.find((item) => item.name === view.colour);
  const percent = Math.round(100 * match.background);
  byId("heat-legend").innerHTML = track
    ? `<span class="sb-legend"><span>words: ${wording.escape(track.name)}</span>${tracking.legend(track)}</span>`
    : `<span>share of S<sub>1</sub> on: ≤ ${percent} %</span><span class="sb-ramp"></span><span>100 %</span>`;
}

export function drawPager(match, view, info) {
  const host = byId("pager");
  // A link may name a page that is not there (any more): the last one is shown.
  if (match && !match.error && view && info && match.rows.length === 0 && match.key.page > 0
      && stores.same(match.key, requesting.matchKey(view))) {
    const last = Math.max(0, Math.ceil(match.listed / info.page_rows) - 1);
    if (last < match.key.page) stores.dispatch({ page: last }, { history: "replace" });
  }
  if (!match || match.error || !view || !info || match.rows.length === 0) {
    host.innerHTML = "";
    return;
  }
  const pages = Math.max(1, Math.ceil(match.listed / info.page_rows));
  const first = match.key.page * info.page_rows + 1;
  const known = match.places === null ? match.places_at_least : match.places;
  const capped = known > match.listed || match.places === null
    ? ` <span title="Paging and sorting work on the first ${wording.count(info.most_listed)}; a download holds up to ${wording.count(info.most_saved)}, the command line all.">(of the first ${wording.count(match.listed)})</span>` : "";
  const button = (name, by, off) => `<button type="button" data-page="${by}" aria-label="${name}" title="${name}"${off ? " disabled" : ""}>`
    + `<span class="sb-icon sb-icon-step-${by < 0 ? "back" : "on"}"></span></button>`;
  stores.keepFocus(host, () => {
    host.innerHTML = button("Previous page of matches", -1, match.key.page === 0)
      + `<span>${wording.count(first)}–${wording.count(first + match.rows.length - 1)} of ${wording.count(match.listed)}${capped}</span>`
      + button("Next page of matches", 1, match.key.page >= pages - 1);
  });
}

// A word and its heatmap cells light up together, with the value of the one under the pointer.
function link(event, on) {
  const cell = event.target.closest && event.target.closest("a.sb-row [data-k]");
  if (!cell) return;
  const row = cell.closest("a.sb-row");
  for (const other of row.querySelectorAll(`[data-k="${cell.dataset.k}"]`)) {
    other.classList.toggle("sb-linked", on);
  }
  const tip = byId("cell-tip");
  tip.hidden = !on;
  if (!on) return;
  tip.textContent = cell.dataset.tip;
  const box = cell.getBoundingClientRect();
  const host = byId("match-view").getBoundingClientRect();
  tip.style.top = `${box.bottom - host.top + 4}px`;
  const right = box.left - host.left > host.width / 2;
  tip.style.left = right ? "" : `${box.left - host.left}px`;
  tip.style.right = right ? `${host.right - box.right}px` : "";
}

// The same with the keyboard: on a row, up and down go to the next one, left and right along it.
let linked = null; // the column that the keyboard has reached
function unlink(row) {
  for (const cell of row.querySelectorAll(".sb-linked")) cell.classList.remove("sb-linked");
  byId("cell-tip").hidden = true;
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest) return;
    const bar = event.target.closest(".sb-length-bar");
    const view = stores.read("view");
    if (bar) {
      const length = [Number(bar.dataset.low), Number(bar.dataset.high)];
      const again = stores.same(view.length, length);
      stores.dispatch({ length: again ? null : length });
    } else if (event.target.closest("[data-clear-length]")) {
      stores.dispatch({ length: null });
    }
  });
  for (const [name, leaving] of [["mouseover", false], ["mouseout", true], ["focusin", false], ["focusout", true]]) {
    document.addEventListener(name, (event) => {
      const bar = event.target.closest && event.target.closest(".sb-length-bar");
      if (!bar) return;
      const tip = byId("histogram-tip");
      tip.hidden = leaving;
      if (leaving) return;
      tip.textContent = bar.dataset.tip;
      tip.style.right = "0";
      tip.style.top = "-3px";
    });
  }
  document.addEventListener("click", (event) => {
    const target = event.target.closest && event.target.closest("[data-sort], [data-colour], [data-page]");
    if (!target || target.tagName !== "BUTTON") return;
    const view = stores.read("view");
    if (target.dataset.page) {
      stores.dispatch({ page: Math.max(0, view.page + Number(target.dataset.page)) });
    } else if (target.dataset.colour) {
      stores.dispatch({ colour: view.colour === target.dataset.colour ? "match" : target.dataset.colour });
    } else {
      const first = target.dataset.sort;
      const turned = first.startsWith("-") ? first.slice(1) : `-${first}`;
      stores.dispatch({ sort: view.sort === first ? turned : view.sort === turned ? "rank" : first });
    }
  });
  document.addEventListener("mouseover", (event) => link(event, true));
  document.addEventListener("mouseout", (event) => link(event, false));
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest && event.target.closest("a.sb-row");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...byId("match-rows").querySelectorAll("a.sb-row")];
    const cells = [...row.querySelectorAll(".sb-match-words [data-k]")];
    const rowBy = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const cellBy = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (rowBy === undefined && cellBy === undefined) return;
    event.preventDefault();
    unlink(row);
    let next = row;
    if (rowBy) {
      next = all[all.indexOf(row) + rowBy] || row;
      next.focus();
      if (linked === null) return;
    }
    const first = cells.findIndex((cell) => cell.classList.contains("sb-in"));
    const known = cells.findIndex((cell) => Number(cell.dataset.k) === linked);
    const at = known < 0 ? first : Math.min(cells.length - 1, Math.max(0, known + (cellBy || 0)));
    linked = Number(cells[at].dataset.k);
    const cell = next.querySelector(`.sb-match-words [data-k="${linked}"]`);
    if (cell) link({ target: cell }, true);
  });
  document.addEventListener("focusout", (event) => {
    const row = event.target.closest && event.target.closest("a.sb-row");
    if (row) unlink(row);
    if (row && !byId("match-rows").contains(event.relatedTarget)) linked = null;
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest && event.target.closest("a.sb-row");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const start = Number(row.dataset.start);
    const stop = Number(row.dataset.stop);
    stores.dispatch({
      start, stop, first: extents.firstStep(extents.firstFor(start, stop), stores.read("info"), extents.visibleSteps()),
    });
    window.scrollTo({ top: 0 });
  });
}
