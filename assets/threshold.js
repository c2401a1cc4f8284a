/* One value, three handles: the dashed line, the slider, the number box. The value is always parsed
   from decimal text and never the product of a multiplication (docs/matching.md). */
(function () {
  "use strict";
  const sb = window.statebrush;
  const byId = (id) => document.getElementById(id);

  /** The nearest point of the slider's grid, through its decimal text. */
  sb.snap = function (value, slider) {
    return Number((Math.round(value / slider.step) * slider.step).toFixed(slider.decimals)) + 0;
  };

  let dragging = null;
  document.addEventListener("pointerdown", (event) => {
    const line = event.target.closest && event.target.closest(".sb-threshold");
    if (!line || event.button !== 0) return;
    dragging = { line, moved: false, origin: event.clientY };
    line.setPointerCapture(event.pointerId);
    line.focus({ preventScroll: true });
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    if (!dragging.moved && Math.abs(event.clientY - dragging.origin) < 2) return;
    dragging.moved = true;
    const view = sb.read("view");
    const info = sb.read("info");
    const [low, high] = sb.axisRange(view, info);
    const box = byId("thresholds").getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
    const value = high - share * (high - low);
    const threshold = dragging.line.dataset.line === "lower" ? -value : value;
    sb.dispatch({ threshold: sb.snap(threshold, info.slider) }, { dragging: true });
  });
  const stop = () => {
    if (!dragging) return;
    dragging = null;
    const view = sb.read("view");
    if (view && view.dragging) sb.dispatch({}, { dragging: false });
  };
  document.addEventListener("pointerup", stop, true);
  document.addEventListener("pointercancel", stop, true);

  document.addEventListener("keydown", (event) => {
    const line = event.target.closest && event.target.closest(".sb-threshold");
    if (!line) return;
    const view = sb.read("view");
    const { slider } = sb.read("info");
    const moves = {
      ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10,
    };
    const sign = line.dataset.line === "lower" ? -1 : 1;
    let threshold;
    if (event.key in moves) {
      threshold = sb.snap(view.threshold + sign * moves[event.key] * slider.step, slider);
    } else if (event.key === "Home") threshold = slider.min;
    else if (event.key === "End") threshold = slider.max;
    else return;
    event.preventDefault();
    event.stopPropagation();
    sb.dispatch({ threshold }, { group: "key-threshold" });
  });
})();
