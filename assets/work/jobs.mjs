/* What the server is doing for a panel: shown in words, with a bar when it takes longer than a moment,
   cancelled on request, and given up after a time. Nothing is asked while nothing is in progress. */
/** @import {FileAnswer, FileRequest, MatchAnswer, MatchError, MatchKey, MatchRequest, Window as WindowPayload, WindowError, WindowRequest} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Reply} from "../core/page.mjs" */
/** @import {Requests} from "../core/requests.mjs" */
/** @import {Cards} from "./cards.mjs" */
import { address, ask, notify, patience, pause, target } from "../core/page.mjs";
import { randomName } from "../core/values.mjs";

const waits = (/** @type {string} */ stage) => stage === "queued" || stage === "waiting";
/** @param {string} stage @param {MatchKey} key */
const stageWords = (stage, key) => ({
  queued: "Waiting for other searches",
  waiting: "Waiting for other searches",
  packing: `Packing on-bits at ${key.threshold}`,
  writing: "Writing the file",
}[stage] || "Matching");

/** @typedef {{ stage: string, share: number | null, seconds: number }} Progress */

/**
 * Start a job and ask after it until it has ended.
 * @param {string} path @param {unknown} body @param {() => boolean} wanted Whether to go on
 * @param {(progress: Progress) => void} progress Called after each question
 * @returns {Promise<{ answer?: any, why?: "unreached" | "silent" | "lost", status?: number }>}
 *   The answer; or why there is none; or neither when it is no longer wanted.
 */
async function follow(path, body, wanted, progress) {
  const began = Date.now();
  /** @type {Reply} */
  let reply = await ask(path, body);
  let heard = Date.now();
  let missing = 0;
  if (!reply.answer) {
    // It may be running all the same: the server is asked once.
    await pause(patience.first);
    const again = await ask(path);
    if (!again.answer) return { why: reply.late ? "silent" : "unreached", status: reply.status };
    reply = again;
  }
  while (wanted()) {
    const state = reply.answer;
    if (state) heard = Date.now();
    if (state?.state === "done") return { answer: state.answer };
    missing = state && ["lost", "unknown"].includes(state.state) ? missing + 1 : 0;
    if (missing > 1) return { why: "lost" }; // twice: an answer may be on its way into its place
    if (!state && Date.now() - heard > patience.answer) return { why: "silent" };
    if (state?.state === "running") {
      const share = waits(state.stage) ? null : Math.floor(100 * state.done);
      progress({ stage: state.stage, share, seconds: (Date.now() - began) / 1000 });
    }
    await pause(Math.min(1000, patience.poll + (Date.now() - began) / 40));
    if (wanted()) reply = await ask(path);
  }
  return {};
}

/** @param {Panel} panel @param {Requests} requests @param {Cards} cards */
export function jobs(panel, requests, cards) {
  const { find, part } = panel;

  // ------------------------------------------------------------------------- what is under way

  let timer = 0;
  /** @type {unknown} */
  let reported = null;
  /** @param {WindowRequest | undefined} windowRequest @param {WindowPayload | WindowError | undefined} window @param {MatchRequest | undefined} matchRequest */
  function underWay(windowRequest, window, matchRequest) {
    if (window && "error" in window && reported !== window) {
      reported = window;
      const view = panel.read("view");
      if (window.preparing && view) panel.goTo("back", panel.query(view));
      else notify(window.error, "error");
    }
    if (window && !("error" in window)) panel.root.dataset.open = "true";
    clearTimeout(timer);
    const reading = requests.awaits("window", windowRequest);
    const searching = requests.awaits("match", matchRequest);
    panel.root.dataset.busy = String(reading || searching);
    if (reading || searching) {
      timer = setTimeout(() => say(reading ? "reading…" : "matching…"), patience.word);
    } else {
      say("");
    }
  }
  /** A word in the header on what takes longer than a moment. @param {string} text @param {string} [title] */
  function say(text, title = "") {
    part("busy").textContent = text;
    part("busy").title = title;
  }

  /** Ask for a match; its answer is written to the stores. @param {MatchRequest} [request] */
  async function runMatch(request) {
    cards.show("match", null);
    if (!request) return;
    const { key, n } = request;
    const path = `_jobs/match/${request.page}/${n}`;
    const wanted = () => panel.read("match-request")?.n === n && requests.awaits("match", request);
    const { answer, why, status } = await follow(path, request, wanted, ({ stage, share, seconds }) => {
      const what = stageWords(stage, key);
      say({ queued: "waiting…", packing: "packing…" }[stage] || "matching…", what);
      if (1000 * seconds < patience.card) return;
      cards.show("match", {
        what, share, detail: `${share === null ? "" : `${share} % · `}${Math.floor(seconds)} s`,
        actions: [["cancel", "Cancel (Esc)"]],
      });
    });
    if (!wanted()) return;
    cards.show("match", null);
    const found = /** @type {MatchAnswer | undefined} */ (answer);
    if (found) {
      panel.write("overview", found.overview);
      panel.write("match", found.match);
      return;
    }
    const sentence = why === "lost" ? "The server has lost this search (it may have been restarted)"
      : status ? `The server failed (${status})`
        : why === "unreached" ? "The server cannot be reached" : "The server does not answer";
    panel.write("match", failed(request, `${sentence}: press Match or Enter to search again.`));
  }
  /** @param {MatchRequest} request @param {string} error @returns {MatchError} */
  const failed = ({ n, key }, error) => ({ n, key, error });

  const runningMatch = () => {
    const request = panel.read("match-request");
    return request && requests.awaits("match", request) ? request : null;
  };

  function cancelMatch() {
    const request = runningMatch();
    if (!request) return;
    ask(`_jobs/match/${request.page}/${request.n}/cancel`, {});
    const shown = panel.read("match");
    // What was found before stays, dimmed, with a sentence that says so.
    const held = part("jobs").contains(document.activeElement);
    panel.write("match", shown && !("error" in shown) ? { ...shown, n: request.n, cancelled: true }
      : failed(request, "Cancelled: press Match or Enter to search after all."));
    cards.show("match", null);
    // The button that was pressed goes away with its card.
    if (held) part("match-button").focus({ preventScroll: true });
  }

  // ------------------------------------------------------------------- a file that is prepared

  let saving = ""; // the address of the file that is being prepared
  /**
   * Have the whole list of a match prepared as a file, and save it; one at a time.
   * @param {FileRequest} body What to save
   */
  async function download(body) {
    if (saving) {
      notify("A file is being prepared: wait for it, or cancel it first.", "info");
      return;
    }
    const path = saving = `_jobs/file/${randomName()}/0`;
    say("preparing the file…");
    const { form, key } = body;
    const { answer, why } = await follow(path, body, () => saving === path, ({ stage, share, seconds }) => {
      if (1000 * seconds < patience.card) return;
      cards.show("file", {
        what: `Preparing the ${form === "spreadsheet" ? "CSV" : form.toUpperCase()} file`,
        detail: `${share === null ? "" : `${share} % · `}${Math.floor(seconds)} s`,
        note: stageWords(stage, key), share, actions: [["unsave", "Cancel"]],
      });
    });
    if (saving !== path) return; // cancelled
    if (answer) await save(path, answer);
    else {
      notify(why === "lost" ? "The server has lost the file (it may have been restarted): download it again."
        : "The server does not answer: download the file again in a moment.", "error");
    }
    endFile();
  }
  function endFile() {
    saving = "";
    cards.show("file", null);
    say("");
  }

  /** @param {string} path @param {FileAnswer & { error?: string }} answer */
  async function save(path, answer) {
    if (answer.error) {
      notify(answer.error, "error");
      return;
    }
    const link = document.createElement("a");
    link.href = address(`${path}/${encodeURIComponent(answer.name)}`);
    // Asked first: of a file that is refused the browser only says that it could not be saved.
    const limit = AbortSignal.timeout(patience.answer);
    const first = await fetch(link.href, { method: "HEAD", signal: limit }).catch(() => null);
    if (first && first.status === 503) {
      notify("The server is sending too many files already; download yours again in a moment.", "error");
      return;
    }
    link.download = answer.name;
    link.click();
    for (const sentence of answer.caps) notify(sentence, "info");
  }

  function cancelFile() {
    ask(`${saving}/cancel`, {});
    endFile();
    part("download-menu").querySelector("summary")?.focus({ preventScroll: true });
    notify("The download was cancelled.", "info");
  }

  cards.on("cancel", cancelMatch);
  cards.on("unsave", cancelFile);
  window.addEventListener("pagehide", () => {
    const request = runningMatch();
    if (request) navigator.sendBeacon(address(`_jobs/match/${request.page}/${request.n}/cancel`));
    if (saving) navigator.sendBeacon(address(`${saving}/cancel`));
  });
  // Before the other keys: while a search can be cancelled, that is what Escape is for.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !find("jobs")?.querySelector("[data-job=match]") || !panel.hears(event)) return;
    const elsewhere = target(event)?.closest("input, textarea, select, .sb-search-panel");
    if (elsewhere || document.querySelector(".mantine-Modal-content")) return;
    cancelMatch();
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  return { underWay, runMatch, download };
}
