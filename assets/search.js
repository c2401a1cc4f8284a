/* Phrase search: Enter finds the first place from the view on, again the next one, with Shift the one
   before. A result is jumped to and brushed; the panel stays until Escape or a click elsewhere. */
(function () {
  "use strict";
  const sb = window.statebrush;
  const byId = (id) => document.getElementById(id);

  let asked = 0;
  let current = null; // the place that was last jumped to: {phrase, start}
  function ask(way) {
    const view = sb.read("view");
    const phrase = byId("search-box").value;
    if (!view || phrase.trim() === "") {
      close();
      return;
    }
    const again = current && current.phrase === phrase && current.dataset === view.dataset;
    asked += 1;
    sb.write("search-request", {
      n: asked, dataset: view.dataset, phrase, exact: byId("search-exact").checked,
      from: again ? current.start : view.first, way: again ? way : "here",
    });
  }

  function close() {
    byId("search-panel").hidden = true;
  }

  function go(start, stop) {
    const info = sb.read("info");
    // In the left part of the view: the list of places hangs over the right one.
    const steps = sb.visibleSteps();
    const first = Math.max(0, start - Math.max(2, Math.floor((steps - (stop - start)) / 4)));
    sb.dispatch({ start, stop, first: sb.firstStep(first, info, steps) }, { group: "search" });
  }

  sb.callbacks.drawSearch = function (answer) {
    const panel = byId("search-panel");
    const info = sb.read("info");
    if (!answer || answer.n !== asked || !info) return;
    panel.hidden = false;
    byId("search-count").textContent = answer.error ? answer.error
      : `${(answer.at + 1).toLocaleString("en")} of ${sb.plural(answer.total, "place")}`;
    const list = byId("search-results");
    const text = (words) => words.map((word) => sb.escape(sb.shown(word).text)).join(" ");
    list.innerHTML = answer.results.map((result, i) =>
      `<button type="button" class="sb-result" data-start="${result.start}" data-stop="${result.stop}"`
      + ` aria-current="${answer.first + i === answer.at}">`
      + `<span class="sb-result-step">${result.start.toLocaleString("en")}</span>`
      + `<span class="sb-result-before"><span>${text(result.before)}</span></span>`
      + `<b>${text(result.tokens)}</b><span class="sb-result-after">${text(result.after)}</span></button>`).join("");
    if (answer.error) return;
    const hit = answer.results[answer.at - answer.first];
    current = { phrase: answer.phrase, start: hit.start, dataset: info.dataset };
    go(hit.start, hit.stop);
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea");
    if (event.target.id === "search-box") {
      if (event.key === "Enter") {
        ask(event.shiftKey ? "back" : "next");
        event.preventDefault();
        event.stopPropagation();
      } else if (event.key === "Escape") {
        close();
        event.stopPropagation();
      }
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && byId("search-box")) {
      byId("search-box").focus();
      byId("search-box").select();
      event.preventDefault();
    } else if (event.key === "Escape" && event.target.closest && event.target.closest("#search-panel")) {
      close();
      byId("search-box").focus();
      event.stopPropagation();
      event.preventDefault();
    }
  }, true);

  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest && !event.target.closest(".sb-search")) close();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest) return;
    const result = event.target.closest(".sb-result");
    if (result) {
      const start = Number(result.dataset.start);
      current = { ...current, start };
      for (const other of document.querySelectorAll(".sb-result")) {
        other.setAttribute("aria-current", other === result);
      }
      go(start, Number(result.dataset.stop));
    } else if (event.target.closest("#search-next")) ask("next");
    else if (event.target.closest("#search-back")) ask("back");
    else if (event.target.closest("#search-close")) close();
  });
})();
