/* A dataset whose copy is being prepared before it can open, and the notices of an opening. */
/** @import {Notices, PreparationStatus} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Cards} from "./cards.mjs" */
import { address, ask, firstTime, notify, patience, pause } from "../core/page.mjs";

/** @typedef {Required<Pick<Notices, "preparing" | "goto">> & Notices} Waiting */

/** @param {number} bytes */
const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB`
  : bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`);

/** @param {number} seconds */
const span = (seconds) => (seconds < 7 ? "a few seconds left"
  : seconds < 50 ? `about ${Math.max(5, 5 * Math.round(seconds / 5))} s left`
    : `about ${Math.round(seconds / 60) || 1} min left`);

/** @param {Panel} panel @param {Cards} cards @param {(view: null) => void} showPickers */
export function preparation(panel, cards, showPickers) {
  const { part } = panel;
  /** @type {Waiting | null} */
  let waitedFor = null;
  /** @type {Promise<unknown> | null} */
  let asking = null; // the question on its way

  /** @param {string} what @param {Waiting} notices */
  const path = (what, { preparing }) => `_jobs/copy${what}?${new URLSearchParams({
    dataset: preparing.dataset, source: preparing.source, page: panel.page,
  })}`;
  const stay = () => {
    waitedFor = null;
    cards.show("copy", null);
  };

  /** @param {Waiting} notices */
  async function follow(notices) {
    const { preparing, goto } = notices;
    const shown = () => JSON.stringify(panel.read("view") ?? null);
    const before = shown();
    const still = () => waitedFor === notices && panel.read("goto")?.n === goto.n;
    waitedFor = notices;
    let heard = Date.now();
    while (still()) {
      const question = ask(path("", notices));
      asking = question;
      const state = /** @type {PreparationStatus | undefined} */ ((await question).answer);
      if (!still()) break;
      if (state) heard = Date.now();
      const silent = Date.now() - heard > patience.answer;
      if (silent || state?.state === "failed") {
        stay();
        fail(silent ? "The server does not answer; load the page again in a moment." : state?.sentence ?? "");
      } else if (state?.state === "ready") {
        // A person who went on working here is asked first.
        if (shown() === before) open();
        else {
          cards.show("copy", {
            what: `“${preparing.name}” is ready`, detail: "", share: 100,
            actions: [["open", "Open it"], ["stay", "Stay here"]],
          });
          return;
        }
      } else if (state) {
        const { total, done = 0, left = null } = state;
        const share = total ? Math.floor((100 * done) / total) : null;
        cards.show("copy", {
          what: `Preparing “${preparing.name}”, ${preparing.title}`,
          detail: share === null ? "starting"
            : `${share} % of ${size(total ?? 0)}${left === null ? "" : ` · ${span(left)}`}`,
          share, actions: [["drop", "Cancel"]],
          note: `This is done once.${panel.read("view") ? " You can go on meanwhile." : ""}`,
        });
      }
      await pause(2 * patience.poll);
    }
    leave(notices);
    if (waitedFor === null || waitedFor === notices) cards.show("copy", null);
  }

  function open() {
    const goto = waitedFor?.goto;
    stay();
    if (goto) panel.goTo(goto.kind, goto.search);
  }

  /** The cancel of another page need not heed one that does not wait any more. @param {Waiting} notices */
  function leave(notices) {
    navigator.sendBeacon(address(path("/leave", notices)));
  }

  async function drop() {
    const notices = waitedFor;
    if (!notices) return;
    const { name } = notices.preparing;
    stay();
    part("dataset").focus({ preventScroll: true }); // the button that was pressed is removed
    await asking; // asking is waiting: it would take the cancel back
    const answer = /** @type {PreparationStatus | undefined} */ ((await ask(path("/cancel", notices), {})).answer);
    const view = panel.read("view");
    const text = !answer ? "The server does not answer: the dataset may still be being prepared."
      : answer.state === "failed" ? answer.sentence ?? ""
        : answer.state === "wanted" ? `“${name}” is still being prepared: another user is waiting for it.`
          : `Preparing “${name}” was cancelled. Choose it again to prepare it after all.`;
    if (!view) showPickers(null); // only what was not chosen before can be chosen
    const level = answer && answer.state !== "failed" ? "info" : "error";
    panel.write("notices", { n: -1, items: [{ text, level }], nothing: !view });
  }

  /** Nothing could be opened: a banner when nothing is open, a notice otherwise. @param {string} text */
  function fail(text) {
    panel.write("notices", { n: -1, items: [{ text, level: "error" }], nothing: !panel.read("view") });
  }

  cards.on("open", open);
  cards.on("drop", drop);
  cards.on("stay", stay);
  window.addEventListener("pagehide", () => {
    if (waitedFor) leave(waitedFor);
  });

  return {
    /** Show the notices of an opening, or follow what must be prepared first. @param {Notices} [notices] */
    showNotices(notices) {
      if (!notices || !notices.items) return;
      if (notices.preparing && notices.goto) follow(/** @type {Waiting} */ (notices));
      const banner = part("banner");
      banner.hidden = !notices.nothing;
      if (notices.nothing) {
        // Nothing could be opened at all: that stays on the page, it is not a passing notice.
        banner.textContent = notices.items.map((item) => item.text).join(" ");
        part("plot-empty").textContent = "No dataset is open.";
        return;
      }
      for (const item of notices.items) {
        if (!item.once || firstTime(item.text)) notify(item.text, item.level);
      }
    },
  };
}
