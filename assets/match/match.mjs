/* The Match View: the sentence, the pager, sorting and downloads, and its parts. */
/** @import {FileRequest, Info, MatchStore, MatchError, ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
import { notify } from "../core/page.mjs";
import { matchKey } from "../core/requests.mjs";
import { decodedWindow } from "../core/selection.mjs";
import { same } from "../core/values.mjs";
import { count, escape, rangeText } from "../core/words.mjs";
import { histogram } from "./histogram.mjs";
import { matchRows } from "./rows.mjs";

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
    if (match && !failed && current) checkFilter(match, view);
    drawFilter(view);
    const empty = !match || failed || match.rows.length === 0;
    part("match-view").classList.toggle("sb-empty-match", Boolean(match) && empty);
    part("download-menu").toggleAttribute("inert", empty);
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

  /** A length filter stays while there are matches of its lengths. @param {MatchStore} match @param {ViewStore} view */
  function checkFilter(match, view) {
    if (view.length === null) return;
    const [low, high] = view.length;
    if (match.histogram.some((bin) => bin.matches > 0 && bin.low <= high && bin.high >= low)) return;
    panel.dispatch({ length: null }, { history: "replace" });
    notify(`No match has a length of ${rangeText(view.length)} any more: all lengths are listed.`, "info");
  }

  /** @param {ViewStore} view */
  function drawFilter(view) {
    const host = part("length-filter");
    const button = view.length === null ? ""
      : `<button type="button" data-clear-length="1" title="Show all lengths">only length ${rangeText(view.length)} ✕</button>`;
    if (host.innerHTML !== button) panel.keepFocus(host, () => { host.innerHTML = button; }, "match-button");
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
      download({ form, key: match.key, words: beside ? wordsBefore() : 0, annotations: beside });
    }
  });

  const { wordsBefore, ...rows } = matchRows(panel);
  return { checkSelection, drawSentence, drawPager, ...histogram(panel), ...rows };
}
