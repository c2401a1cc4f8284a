/* Phrase search: places are listed while one types, and the view stays. Enter goes to the first place
   from the view on, again to the next one, with Shift to the one before: a place is brushed. The panel
   stays until Escape or a click elsewhere. */
import * as extents from "../core/axes.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";

const byId = (id) => document.getElementById(id);

const PAUSE = 200; // ms without a key before the places are looked up
let asked = 0;
let looking = null; // the timer of that
let jumps = false; // whether the answer that is waited for is gone to
let listed = null; // the phrase and dataset whose places the panel lists
let current = null; // the place that was last jumped to: {phrase, dataset, start}
function ask(way, jump) {
  clearTimeout(looking);
  const view = stores.read("view");
  const phrase = byId("search-box").value;
  if (!view) return;
  if (phrase.trim() === "") {
    asked += 1; // what is under way is no longer wanted
    hint();
    return;
  }
  const again = current && current.phrase === phrase && current.dataset === view.dataset;
  asked += 1;
  jumps = jump;
  stores.write("search-request", {
    n: asked, dataset: view.dataset, phrase, exact: byId("search-exact").checked,
    from: again ? current.start : view.first, way: again ? way : "here",
  });
}

const open = () => {
  if (byId("search-panel").hidden) ask("here", false);
};

/** The panel without places: how a phrase is written. */
function hint() {
  listed = null;
  byId("search-panel").hidden = false;
  byId("search-count").textContent = "Type a phrase; Enter goes to its next place.";
  byId("search-results").innerHTML = "";
}

function close() {
  clearTimeout(looking);
  if (!jumps) asked += 1; // places that come after that would open the panel again
  byId("search-panel").hidden = true;
}

function go(start, stop) {
  const info = stores.read("info");
  // In the left part of the view: the list of places hangs over the right one.
  const steps = extents.visibleSteps();
  const first = Math.max(0, start - Math.max(2, Math.floor((steps - (stop - start)) / 4)));
  stores.dispatch({ ...extents.newBrush(start, stop), first: extents.firstStep(first, info, steps) }, { group: "search" });
}

export function drawSearch(answer) {
  const panel = byId("search-panel");
  const info = stores.read("info");
  if (!answer || answer.n !== asked || !info) return;
  panel.hidden = false;
  const stands = current && current.phrase === answer.phrase && current.dataset === info.dataset;
  byId("search-count").textContent = answer.error ? answer.error
    : jumps || stands ? `${wording.count(answer.at + 1)} of ${wording.plural(answer.total, "place")}`
      : `${wording.plural(answer.total, "place")}; Enter goes to the marked one`;
  const list = byId("search-results");
  const text = (words) => words.map((word) => wording.escape(wording.shown(word).text)).join(" ");
  list.innerHTML = answer.results.map((result, i) =>
    `<button type="button" class="sb-result" data-start="${result.start}" data-stop="${result.stop}"`
    + ` aria-current="${answer.first + i === answer.at}">`
    + `<span class="sb-result-step">${wording.count(result.start)}</span>`
    + `<span class="sb-result-before"><span>${text(result.before)}</span></span>`
    + `<b>${text(result.tokens)}</b><span class="sb-result-after">${text(result.after)}</span></button>`).join("");
  listed = { phrase: answer.phrase, dataset: info.dataset };
  if (answer.error || !jumps) return;
  const hit = answer.results[answer.at - answer.first];
  current = { ...listed, start: hit.start };
  jumps = false;
  go(hit.start, hit.stop);
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea");
    if (event.target.id === "search-box") {
      if (event.key === "Enter") {
        ask(event.shiftKey ? "back" : "next", true);
        event.preventDefault();
        event.stopPropagation();
      } else if (event.key === "Escape") {
        close();
        event.preventDefault(); // the browser would empty the box
        event.stopPropagation();
      }
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && byId("search-box")) {
      byId("search-box").focus();
      byId("search-box").select();
      open();
      event.preventDefault();
    } else if (event.key === "Escape" && event.target.closest && event.target.closest("#search-panel")) {
      close();
      byId("search-box").focus();
      event.stopPropagation();
      event.preventDefault();
    }
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target.id !== "search-box") return;
    clearTimeout(looking);
    looking = setTimeout(() => ask("here", false), PAUSE);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "search-exact") ask("here", false);
  });
  // Whoever only passes by with the keyboard leaves nothing open.
  document.addEventListener("focusout", (event) => {
    const search = event.target.closest && event.target.closest(".sb-search");
    if (search && !listed && event.relatedTarget && !search.contains(event.relatedTarget)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest && !event.target.closest(".sb-search")) close();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest) return;
    if (event.target.id === "search-box") open();
    const result = event.target.closest(".sb-result");
    if (result) {
      const start = Number(result.dataset.start);
      current = { ...listed, start };
      for (const other of document.querySelectorAll(".sb-result")) {
        other.setAttribute("aria-current", other === result);
      }
      go(start, Number(result.dataset.stop));
    } else if (event.target.closest("#search-next")) ask("next", true);
    else if (event.target.closest("#search-back")) ask("back", true);
    else if (event.target.closest("#search-close")) close();
  });
}
