/* The dashed line of the threshold. The value is always parsed from decimal text and never the product
   of a multiplication (docs/matching.md). */
/** @import {Info, Slider, ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
import { axisRange } from "../core/axes.mjs";
import { decodedWindow, shows } from "../core/selection.mjs";
import { clamp } from "../core/values.mjs";

/** The nearest point of the slider's grid, through its decimal text. @param {number} value @param {Slider} slider */
export function snap(value, slider) {
  return Number((Math.round(value / slider.step) * slider.step).toFixed(slider.decimals)) + 0;
}

/** @param {Panel} panel */
export function threshold(panel) {
  const { part } = panel;

  /** @param {ViewStore} view @param {Info} info @param {WindowPayload} payload */
  function drawThresholds(view, info, payload) {
    const win = decodedWindow(payload);
    if (!win || !shows(win, view, info)) return;
    const host = part("thresholds");
    if (!host.firstChild) {
      host.innerHTML = ["upper", "lower"].map((which) =>
        `<div class="sb-threshold" data-line="${which}" role="slider" tabindex="0"`
        + ` aria-orientation="vertical"><span></span></div>`).join("");
    }
    const [low, high] = axisRange(view, info);
    for (const which of ["upper", "lower"]) {
      const value = which === "lower" ? -view.threshold : view.threshold;
      const line = /** @type {HTMLElement} */ (host.querySelector(`[data-line="${which}"]`));
      line.hidden = view.polarity === (which === "upper" ? "low" : "high");
      line.style.display = line.hidden ? "none" : "";
      const at = (100 * (high - value)) / (high - low);
      const clipped = clamp(at, 0, 100);
      line.style.top = `${clipped}%`;
      line.classList.toggle("sb-below", clipped < 12);
      const beyond = at < 0 ? " ↑" : at > 100 ? " ↓" : "";
      const sign = which === "lower" ? "−ℓ" : "ℓ";
      /** @type {HTMLElement} */ (line.firstElementChild).textContent = `${sign} = ${String(value).replace("-", "−")}${beyond}`;
      line.setAttribute("aria-label", which === "lower" ? "Threshold, lower line" : "Threshold");
      line.setAttribute("aria-valuemin", String(info.slider.min));
      line.setAttribute("aria-valuemax", String(info.slider.max));
      line.setAttribute("aria-valuenow", String(value));
    }
  }

  /** @type {{ lower: boolean, moved: boolean, origin: number, pointer: number } | null} */
  let drag = null;
  panel.on("pointerdown", ".sb-threshold", (event, line) => {
    if (event.button !== 0) return;
    drag = { lower: line.dataset.line === "lower", moved: false, origin: event.clientY, pointer: event.pointerId };
    line.setPointerCapture(event.pointerId);
    line.focus({ preventScroll: true });
    event.preventDefault();
  });
  panel.root.addEventListener("pointermove", (event) => {
    const open = panel.open();
    if (!drag || !open || (!drag.moved && Math.abs(event.clientY - drag.origin) < 2)) return;
    drag.moved = true;
    const [low, high] = axisRange(open.view, open.info);
    const box = part("thresholds").getBoundingClientRect();
    const value = high - clamp((event.clientY - box.top) / box.height, 0, 1) * (high - low);
    panel.dispatch({ threshold: snap(drag.lower ? -value : value, open.info.slider) }, { dragging: true });
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    panel.root.addEventListener(name, (event) => {
      if (drag?.pointer !== event.pointerId) return;
      drag = null;
      if (panel.read("view")?.dragging) panel.dispatch({}, { dragging: false });
    }, true);
  }
  panel.on("keydown", ".sb-threshold", (event, line) => {
    const open = panel.open();
    if (!open) return;
    const { slider } = open.info;
    /** @type {Record<string, number>} */
    const moves = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const sign = line.dataset.line === "lower" ? -1 : 1;
    const value = event.key === "Home" ? slider.min : event.key === "End" ? slider.max
      : event.key in moves ? snap(open.view.threshold + sign * moves[event.key] * slider.step, slider) : null;
    if (value === null) return;
    event.preventDefault();
    event.stopPropagation();
    panel.dispatch({ threshold: value }, { group: "key-threshold" });
  });

  return { drawThresholds };
}
