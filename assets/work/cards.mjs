/* The cards of a panel's work in progress. */
/** @import {Card} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { escape } from "../core/words.mjs";

/** @typedef {ReturnType<typeof cards>} Cards */

/** @param {Panel} panel */
export function cards(panel) {
  /** @type {Map<string, () => void>} */
  const actions = new Map();
  panel.on("click", "[data-job-action]", (_, { dataset }) => actions.get(dataset.jobAction ?? "")?.());

  /** Draw the card of a kind of work; null takes it away. @param {string} kind @param {Card | null} job */
  function show(kind, job) {
    const host = panel.part("jobs");
    let card = /** @type {HTMLElement | null} */ (host.querySelector(`[data-job=${kind}]`));
    if (!job) {
      card?.remove();
      return;
    }
    host.classList.toggle("sb-jobs-first", !panel.read("view"));
    if (!card) {
      card = document.createElement("div");
      card.className = "sb-job";
      card.dataset.job = kind;
      card.innerHTML = '<div class="sb-job-line"><span class="sb-job-what" role="status"></span>'
        + '<span class="sb-job-detail"></span><span class="sb-job-actions"></span></div>'
        + '<div class="sb-job-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div>'
        + '<div class="sb-job-note"></div>';
      host.append(card);
    }
    const inside = (/** @type {string} */ name) =>
      /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (card).querySelector(`.sb-job-${name}`));
    // Only what is done is read out, not every percent of it.
    if (inside("what").textContent !== job.what) inside("what").textContent = job.what;
    inside("note").textContent = job.note || "";
    inside("detail").textContent = job.detail;
    const buttons = job.actions.map(([name, label]) =>
      `<button type="button" data-job-action="${name}">${escape(label)}</button>`).join("");
    const slot = inside("actions");
    if (slot.dataset.shown !== buttons) slot.innerHTML = slot.dataset.shown = buttons;
    const bar = inside("bar");
    bar.setAttribute("aria-label", job.what);
    bar.classList.toggle("sb-job-unknown", job.share === null);
    if (job.share === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(job.share));
    /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${job.share ?? 100}%`;
  }

  return {
    show,
    /** Call `act` when the button of an action is pressed. @param {string} action @param {() => void} act */
    on(action, act) { actions.set(action, act); },
  };
}
