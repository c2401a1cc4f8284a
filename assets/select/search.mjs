/* Phrase search: places are listed while one types, and the view stays. Enter goes to the first place
   from the view on, again to the next one, with Shift to the one before: a place is brushed. The panel
   stays until Escape or a click elsewhere. */
/** @import {SearchAnswer, SearchRequest} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
import { newBrush } from "../core/axes.mjs";
import { ask, lost, target } from "../core/page.mjs";
import { count, escape, plural, shown } from "../core/words.mjs";

const PAUSE = 200; // ms without a key before the places are looked up

/** @param {Panel} panel */
export function search(panel) {
  const { at, box, part } = panel;

  let asked = 0;
  let timer = 0; // of the look-up while one types
  let jumps = false; // whether to go to the place that the answer names
  /** @type {{ phrase: string, dataset: string } | null} */
  let listed = null; // whose places the list shows
  /** @type {{ phrase: string, dataset: string, start: number } | null} */
  let current = null; // the place that was last opened

  /** @param {SearchRequest["way"]} way @param {boolean} jump */
  function find(way, jump) {
    clearTimeout(timer);
    const view = panel.read("view");
    const phrase = box("search-box").value;
    if (!view) return;
    asked += 1; // what was asked before is no longer wanted
    if (phrase.trim() === "") {
      hint();
      return;
    }
    const again = current && current.phrase === phrase && current.dataset === view.dataset;
    jumps = jump;
    panel.write("search-request", {
      n: asked, dataset: view.dataset, phrase, exact: box("search-exact").checked,
      from: again ? /** @type {NonNullable<typeof current>} */ (current).start : view.first, way: again ? way : "here",
    });
  }

  const open = () => {
    if (part("search-panel").hidden) find("here", false);
  };

  /** The panel without places: how a phrase is written. */
  function hint() {
    listed = null;
    part("search-panel").hidden = false;
    part("search-count").textContent = "Type a phrase; Enter goes to its next place.";
    part("search-results").innerHTML = "";
  }

  function close() {
    clearTimeout(timer);
    if (!jumps) asked += 1; // places that come after that would open the panel again
    part("search-panel").hidden = true;
  }

  /** @param {number} start @param {number} stop */
  function go(start, stop) {
    // In the left part of the view: the list of places hangs over the right one.
    const first = start - Math.max(2, Math.floor((panel.steps() - (stop - start)) / 4));
    panel.dispatch({ ...newBrush(start, stop), first: panel.clipped(first) }, { group: "search" });
  }

  /** Read the places of a request. @param {SearchRequest} [request] */
  async function readSearch(request) {
    if (!request) return;
    const reply = await ask("_view/search", request);
    panel.write("search", reply.answer ?? { n: request.n, total: 0, results: [], error: lost(reply) });
  }

  /** @param {SearchAnswer} [answer] */
  function drawSearch(answer) {
    const info = panel.read("info");
    if (!answer || answer.n !== asked || !info) return;
    const { results, at: chosen = 0, first = 0, phrase = "" } = answer;
    part("search-panel").hidden = false;
    const stays = current && current.phrase === phrase && current.dataset === info.dataset;
    part("search-count").textContent = answer.error ? answer.error
      : jumps || stays ? `${count(chosen + 1)} of ${plural(answer.total, "place")}`
        : `${plural(answer.total, "place")}; Enter goes to the marked one`;
    const text = (/** @type {string[]} */ words) => words.map((word) => escape(shown(word).text)).join(" ");
    part("search-results").innerHTML = results.map((result, i) =>
      `<button type="button" class="sb-result" data-start="${result.start}" data-stop="${result.stop}"`
      + ` aria-current="${first + i === chosen}">`
      + `<span class="sb-result-step">${count(result.start)}</span>`
      + `<span class="sb-result-before"><span>${text(result.before)}</span></span>`
      + `<b>${text(result.tokens)}</b><span class="sb-result-after">${text(result.after)}</span></button>`).join("");
    listed = { phrase, dataset: info.dataset };
    if (answer.error || !jumps) return;
    const { start, stop } = results[chosen - first];
    current = { ...listed, start };
    jumps = false;
    go(start, stop);
  }

  panel.on("keydown", at("search-box"), (event) => {
    if (event.key === "Enter") find(event.shiftKey ? "back" : "next", true);
    else if (event.key === "Escape") {
      if (part("search-panel").hidden) box("search-box").blur(); // the next one clears the selection
      close(); // places that are still awaited would open it; the browser would empty the box
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
  panel.on("keydown", at("search-panel"), (event) => {
    if (event.key !== "Escape") return;
    close();
    part("search-box").focus();
    event.stopPropagation();
    event.preventDefault();
  }, { capture: true });
  document.addEventListener("keydown", (event) => {
    const typing = target(event)?.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || !panel.hears(event)) return;
    box("search-box").focus();
    box("search-box").select();
    open();
    event.preventDefault();
  }, true);
  panel.on("input", at("search-box"), () => {
    clearTimeout(timer);
    timer = setTimeout(() => find("here", false), PAUSE);
  });
  panel.on("change", at("search-exact"), () => find("here", false));
  // Passing by with the keyboard leaves nothing open.
  panel.on("focusout", ".sb-search", (event, element) => {
    if (!listed && event.relatedTarget && !element.contains(event.relatedTarget)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!target(event)?.closest(".sb-search") && panel.find("search-panel")) close();
  });
  panel.on("click", at("search-box"), open);
  panel.on("click", at("search-next"), () => find("next", true));
  panel.on("click", at("search-back"), () => find("back", true));
  panel.on("click", at("search-close"), close);
  panel.on("click", ".sb-result", (_, element) => {
    const start = Number(element.dataset.start);
    if (listed) current = { ...listed, start };
    for (const other of panel.root.querySelectorAll(".sb-result")) {
      other.setAttribute("aria-current", String(other === element));
    }
    go(start, Number(element.dataset.stop));
  });

  return { readSearch, drawSearch };
}
