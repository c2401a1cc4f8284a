/* Coverage lines: for each selected state the runs in which it is on, the longest first. */
(function () {
  "use strict";
  const sb = window.statebrush;
  const byId = (id) => document.getElementById(id);
  const ROW = 5; // px a state

  let drawn = null;
  sb.drawCoverage = function (view, win, info) {
    const { states } = sb.selection(view, win);
    const key = JSON.stringify([win.n, states, view.threshold, view.polarity, view.runs]);
    if (key === drawn) return;
    drawn = key;
    const all = sb.runs(view, win, states);
    const longest = all.map((runs) => Math.max(0, ...runs.map(([start, stop]) => stop - start)));
    const order = states.map((_, i) => i).sort((a, b) => longest[b] - longest[a] || states[a] - states[b]);
    const count = win.stop - win.start;
    // 2 px are left at either end, so that neighbouring runs stay apart.
    const inset = Math.min(0.12, (2 * count) / Math.max(1, byId("words").clientWidth));
    const lines = order.map((i, k) => {
      const y = k * ROW + ROW / 2 + 1;
      const d = all[i].map(([start, stop]) =>
        `M${start - win.start + inset} ${y}H${stop - win.start - inset}`).join("");
      return `<path data-cover="${states[i]}" d="${d}"/>`
        + `<rect data-cover="${states[i]}" x="0" y="${k * ROW}" width="${count}" height="${ROW}">`
        + `<title>state ${sb.escape(sb.stateName(states[i], info))}: longest run ${sb.plural(longest[i], "step")}</title></rect>`;
    });
    const height = Math.max(1, order.length) * ROW;
    byId("coverage").dataset.runs = view.runs;
    byId("coverage").innerHTML = `<svg viewBox="0 0 ${count} ${height}" preserveAspectRatio="none"`
      + ` style="height:${height}px;width:${byId("words").clientWidth}px" role="img" aria-label="Runs in which each of ${states.length} selected states is on">${lines.join("")}</svg>`;
    sb.callbacks.drawHover(sb.read("hover"));
  };

  for (const [name, leaving] of [["mouseover", false], ["mouseout", true]]) {
    document.addEventListener(name, (event) => {
      const state = event.target.dataset && event.target.dataset.cover;
      if (state !== undefined) sb.setHover(leaving ? null : Number(state), "coverage");
    });
  }
})();
