/* One value, three handles: the dashed line, the slider, the number box. The value is always parsed
   from decimal text and never the product of a multiplication (docs/matching.md). */
import * as extents from "../core/axes.mjs";
import * as stores from "../core/state.mjs";

const byId = (id) => document.getElementById(id);

/** The nearest point of the slider's grid, through its decimal text. */
export function snap(value, slider) {
  return Number((Math.round(value / slider.step) * slider.step).toFixed(slider.decimals)) + 0;
}

let dragging = null;
const stop = () => {
  if (!dragging) return;
  dragging = null;
  const view = stores.read("view");
  if (view && view.dragging) stores.dispatch({}, { dragging: false });
};

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
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
    const view = stores.read("view");
    const info = stores.read("info");
    const [low, high] = extents.axisRange(view, info);
    const box = byId("thresholds").getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
    const value = high - share * (high - low);
    const threshold = dragging.line.dataset.line === "lower" ? -value : value;
    stores.dispatch({ threshold: snap(threshold, info.slider) }, { dragging: true });
  });
  document.addEventListener("pointerup", stop, true);
  document.addEventListener("pointercancel", stop, true);
  document.addEventListener("keydown", (event) => {
    const line = event.target.closest && event.target.closest(".sb-threshold");
    if (!line) return;
    const view = stores.read("view");
    const { slider } = stores.read("info");
    const moves = {
      ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10,
    };
    const sign = line.dataset.line === "lower" ? -1 : 1;
    let threshold;
    if (event.key in moves) {
      threshold = snap(view.threshold + sign * moves[event.key] * slider.step, slider);
    } else if (event.key === "Home") threshold = slider.min;
    else if (event.key === "End") threshold = slider.max;
    else return;
    event.preventDefault();
    event.stopPropagation();
    stores.dispatch({ threshold }, { group: "key-threshold" });
  });
}
