/* What the server is busy with for this page: told in words, with a bar when it takes longer than a
   moment, cancelled on request, and never waited for in vain. Nothing is asked while nothing is
   under way. */
import * as requesting from "../core/requests.mjs";
import * as stores from "../core/state.mjs";
import * as wording from "../core/words.mjs";

const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Milliseconds: a word in the header, the first question, a card, between two questions, and
    after which an answer is given up. */
export const patience = { word: 250, first: 300, card: 1000, poll: 250, answer: 60_000 };

// -------------------------------------------------------------------- asking, within a bound

const base = () => JSON.parse(byId("_dash-config").textContent).requests_pathname_prefix;

/** The answer of one of the server's `_jobs` addresses; null when none comes. */
async function ask(path, options) {
  try {
    const answer = await fetch(`${base()}_jobs/${path}`,
      { signal: AbortSignal.timeout(patience.answer), ...options });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // gone, restarting or too slow: whoever asks decides how long to go on
  }
}

// Dash only writes to the console when an answer is lost, and waits for ever for one that does not
// come: each of its requests gets a bound, and what stays without an answer gets a sentence.
const matching = new Set(); // the numbers of the match requests that are on their way
const unreached = new Set(); // and of those that did not get there
const fetching = window.fetch;
window.fetch = function (target, options) {
  const url = String(target && target.url ? target.url : target);
  if (!url.includes("_dash-update-component")) return fetching.call(this, target, options);
  const { output, request } = asked(options);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience.answer);
  if (output === "match") matching.add(request.n);
  const answer = fetching.call(this, target, { ...options, signal: stop.signal });
  answer.then(
    (got) => { if (!got.ok) lost(output, request, `failed (${got.status})`); },
    () => {
      if (output === "match" && !stop.signal.aborted) unreached.add(request.n);
      lost(output, request, "did not answer");
    },
  ).finally(() => {
    clearTimeout(timer);
    if (output === "match") matching.delete(request.n);
  });
  return answer;
};

/** Which store a request of Dash's fills first, and the request as we wrote it. */
function asked(options) {
  try {
    const body = JSON.parse(options.body);
    const output = body.output.replace(/^\.\./, "").split(".")[0];
    return { output, request: body.inputs[0].value || {} };
  } catch {
    return { output: null, request: {} };
  }
}

function lost(output, request, how) {
  const sentence = `The server ${how}. What you see is the state before; try again in a moment.`;
  if (output === "match") return; // it may be at work all the same: `followMatch` finds out
  if (output === "window") {
    if (request.n === stores.read("window-request").n) stores.write("window", { n: request.n, error: sentence });
  } else if (output === "search") {
    stores.write("search", { n: request.n, total: 0, results: [], error: sentence });
  } else if (output === "view") {
    fail(sentence);
  } else {
    stores.notify(sentence, "error");
  }
}

/** Nothing could be opened: a banner when nothing is open, a notice otherwise. */
function fail(sentence) {
  stores.write("notices", {
    n: -1, items: [{ text: sentence, level: "error" }], nothing: !stores.read("view"),
  });
}

// ------------------------------------------------------------------------- what is under way

let timer = null;
let told = null;
let followed = 0;
/** A word in the header on what takes longer than a moment. */
export function underWay(windowRequest, win, matchRequest, match) {
  if (win && win.error && told !== win) {
    told = win;
    if (win.preparing) stores.goTo("back", stores.query(stores.read("view")));
    else stores.notify(win.error, "error");
  }
  if (win && !win.error) document.body.dataset.open = "true";
  clearTimeout(timer);
  const reading = windowRequest && (!win || win.n !== windowRequest.n);
  const searching = matchRequest && (!match || match.n !== matchRequest.n);
  document.body.dataset.busy = reading || searching ? "true" : "false";
  if (reading || searching) {
    timer = setTimeout(() => say(reading ? "reading…" : "matching…"), patience.word);
  } else {
    say("");
  }
  if (!searching || matchRequest.n > followed) show("match", null);
  if (searching && matchRequest.n > followed) {
    followed = matchRequest.n;
    followMatch(matchRequest);
  }
}
function say(text, title) {
  byId("busy").textContent = text;
  byId("busy").title = title || "";
}

const waits = (stage) => stage === "queued" || stage === "waiting";
const stageWords = (stage, key) => ({
  queued: "Waiting for other searches",
  waiting: "Waiting for other searches",
  packing: `Packing on-bits at ${key.threshold}`,
  writing: "Writing the file",
}[stage] || "Matching");

/** Ask how a match is until it has its answer, is cancelled, or is known to be lost. */
async function followMatch(request) {
  const { n } = request;
  const began = Date.now();
  const waiting = () => stores.read("match-request").n === n && requesting.awaits("match", request);
  let heard = began;
  let missing = 0;
  await pause(patience.first);
  while (waiting()) {
    const state = await ask(`match/${requesting.pageId}/${n}`);
    if (!waiting()) break;
    // Heard twice: between the end of an answer and its place in the store nothing is known of it.
    const nothing = state ? ["lost", "unknown"].includes(state.state) : unreached.has(n);
    missing = nothing && !matching.has(n) ? missing + 1 : 0;
    const gone = missing > 1 || (!state && Date.now() - heard > patience.answer);
    if (state) heard = Date.now();
    if (state && state.state === "done") {
      stores.write("overview", state.answer.overview);
      stores.write("match", state.answer.match);
    } else if (gone) {
      const why = unreached.has(n) ? "The server cannot be reached"
        : !state ? "The server does not answer" : "The server has lost this search (it may have been restarted)";
      endMatch(request, `${why}: press Match or Enter to search again.`);
    } else if (state && state.state === "running") {
      const what = stageWords(state.stage, request.key);
      const share = Math.floor(100 * state.done);
      say({ queued: "waiting…", packing: "packing…" }[state.stage] || "matching…", what);
      if (Date.now() - began >= patience.card) {
        show("match", {
          what, share: waits(state.stage) ? null : share,
          detail: `${waits(state.stage) ? "" : `${share} % · `}${Math.floor((Date.now() - began) / 1000)} s`,
          actions: [["cancel", "Cancel (Esc)"]],
        });
      }
    }
    await pause(Math.min(1000, patience.poll + (Date.now() - began) / 40));
  }
}

function endMatch(request, sentence) {
  stores.write("match", { n: request.n, key: request.key, error: sentence });
}

const runningMatch = () => {
  const request = stores.read("match-request");
  return request && requesting.awaits("match", request) ? request : null;
};

export function cancelMatch() {
  const request = runningMatch();
  if (!request) return;
  ask(`match/${requesting.pageId}/${request.n}/cancel`, { method: "POST" });
  const shown = stores.read("match");
  // What was found before stays, dimmed, with a sentence that says so.
  if (shown && !shown.error) stores.write("match", { ...shown, n: request.n, cancelled: true });
  else endMatch(request, "Cancelled: press Match or Enter to search after all.");
  // The button that was pressed goes away with its card.
  const card = byId("jobs").contains(document.activeElement);
  if (card) byId("match-button").focus({ preventScroll: true });
}

const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB`
  : bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`);

/** What is kept of packed on-bits, for whoever wants to know why a threshold answers at once. */
export function keptWords(match) {
  if (!match || !match.kept || match.kept.thresholds === 0) return "";
  const { thresholds, n_bytes: bytes, most_bytes: most } = match.kept;
  return `The server keeps the on-bits of ${wording.plural(thresholds, "threshold")}, ${size(bytes)} of at most `
    + `${size(most)}: matching at one of them packs nothing.`;
}

// ------------------------------------------------------------------- a file that is prepared

let saving = null; // the address of the file that is being prepared
/** Have the whole list of a match prepared as a file, and save it; one at a time. */
export async function download(form, key) {
  if (saving) {
    stores.notify("A file is being prepared: wait for it, or cancel it first.", "info");
    return;
  }
  const address = saving = `file/${requesting.randomName()}/0`;
  const began = Date.now();
  let heard = began;
  let missing = 0;
  say("preparing the file…");
  let state = await ask(address, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ form, key }),
  });
  while (saving === address) {
    if (state) heard = Date.now();
    // Heard twice: see `followMatch`.
    missing = state && ["lost", "unknown"].includes(state.state) ? missing + 1 : 0;
    if (state && state.state === "done") {
      saved(address, state.answer);
      break;
    }
    if (missing > 1 || Date.now() - heard > patience.answer) {
      stores.notify(missing > 1 ? "The server has lost the file (it may have been restarted): download it again."
        : "The server does not answer: download the file again in a moment.", "error");
      break;
    }
    if (state && state.state === "running" && Date.now() - began >= patience.card) {
      const share = waits(state.stage) ? null : Math.floor(100 * state.done);
      show("file", {
        what: `Preparing the ${form.toUpperCase()} file`,
        detail: `${share === null ? "" : `${share} % · `}${Math.floor((Date.now() - began) / 1000)} s`,
        note: stageWords(state.stage, key), share, actions: [["unsave", "Cancel"]],
      });
    }
    await pause(Math.min(1000, patience.poll + (Date.now() - began) / 40));
    if (saving === address) state = await ask(address);
  }
  if (saving === address) saving = null;
  if (saving === null) {
    show("file", null);
    say("");
  }
}

async function saved(address, answer) {
  if (answer.error) {
    stores.notify(answer.error, "error");
    return;
  }
  const link = document.createElement("a");
  link.href = `${base()}_jobs/${address}/${encodeURIComponent(answer.name)}`;
  // Asked first: of a file that is refused the browser only says that it could not be saved.
  const limit = AbortSignal.timeout(patience.answer);
  const first = await fetch(link.href, { method: "HEAD", signal: limit }).catch(() => null);
  if (first && first.status === 503) {
    stores.notify("The server is sending too many files already; download yours again in a moment.", "error");
    return;
  }
  link.download = answer.name;
  link.click();
  for (const sentence of answer.caps) stores.notify(sentence, "info");
}

function cancelFile() {
  ask(`${saving}/cancel`, { method: "POST" });
  saving = null;
  show("file", null);
  say("");
  byId("download-menu").querySelector("summary").focus({ preventScroll: true });
  stores.notify("The download was cancelled.", "info");
}

// ------------------------------------------------------------- a dataset that is being prepared

const span = (seconds) => (seconds < 7 ? "a few seconds left" : seconds < 50 ? `about ${Math.max(5, 5 * Math.round(seconds / 5))} s left`
  : `about ${Math.round(seconds / 60) || 1} min left`);

let waitedFor = null; // the notices that named it
let asking = null; // the question on its way
const copyAddress = (what, { preparing }) => `copy${what}?${new URLSearchParams({
  dataset: preparing.dataset, source: preparing.source, page: requesting.pageId,
})}`;
export async function followCopy(notices) {
  const { preparing, goto } = notices;
  const before = JSON.stringify(stores.read("view") || null);
  const still = () => waitedFor === notices && stores.read("goto").n === goto.n;
  waitedFor = notices;
  let heard = Date.now();
  while (still()) {
    asking = ask(copyAddress("", notices));
    const state = await asking;
    if (!still()) break;
    if (state) heard = Date.now();
    const silent = Date.now() - heard > patience.answer;
    if (silent || (state && state.state === "failed")) {
      actions.stay();
      fail(silent ? "The server does not answer; load the page again in a moment." : state.sentence);
    } else if (state && state.state === "ready") {
      // Whoever went on working here is asked first.
      if (JSON.stringify(stores.read("view") || null) === before) openCopy();
      else {
        show("copy", {
          what: `“${preparing.name}” is ready`, detail: "", share: 100,
          actions: [["open", "Open it"], ["stay", "Stay here"]],
        });
        return;
      }
    } else if (state) {
      const share = state.total ? Math.floor((100 * state.done) / state.total) : null;
      const left = state.left === null ? "" : ` · ${span(state.left)}`;
      show("copy", {
        what: `Preparing “${preparing.name}”, ${preparing.title}`,
        detail: share === null ? "starting" : `${share} % of ${size(state.total)}${left}`,
        share, actions: [["drop", "Cancel"]],
        note: `This is done once.${stores.read("view") ? " You can go on meanwhile." : ""}`,
      });
    }
    await pause(2 * patience.poll);
  }
  leaveCopy(notices);
  if (waitedFor === null || waitedFor === notices) show("copy", null);
}

function openCopy() {
  const { goto } = waitedFor;
  actions.stay();
  stores.goTo(goto.kind, goto.search);
}

/** Somebody else's cancel need not heed a page that does not wait any more. */
function leaveCopy(notices) {
  navigator.sendBeacon(`${base()}_jobs/${copyAddress("/leave", notices)}`);
}

async function dropCopy() {
  const notices = waitedFor;
  const { name } = notices.preparing;
  actions.stay();
  byId("dataset").focus({ preventScroll: true }); // the button that was pressed has gone
  await asking; // asking is waiting: it would take the cancel back
  const answer = await ask(copyAddress("/cancel", notices), { method: "POST" });
  const view = stores.read("view");
  const text = !answer ? "The server does not answer: the dataset may still be being prepared."
    : answer.state === "failed" ? answer.sentence
      : answer.state === "wanted" ? `“${name}” goes on being prepared: somebody else waits for it, too.`
        : `Preparing “${name}” was cancelled. Choose it again to prepare it after all.`;
  // Chosen again is only what was not chosen before.
  if (!view) window.dash_clientside.set_props("dataset", { value: null });
  const level = answer && answer.state !== "failed" ? "info" : "error";
  stores.write("notices", { n: -1, items: [{ text, level }], nothing: !view });
}

export function showNotices(notices) {
  if (!notices || !notices.items) return;
  if (notices.preparing) followCopy(notices);
  const banner = document.getElementById("banner");
  banner.hidden = !notices.nothing;
  if (notices.nothing) {
    // Nothing could be opened at all: that stays on the page, it is not a passing notice.
    banner.textContent = notices.items.map((item) => item.text).join(" ");
    document.getElementById("plot-empty").textContent = "No dataset is open.";
    return;
  }
  for (const item of notices.items) {
    if (!item.once || firstTime(item.text)) stores.notify(item.text, item.level);
  }
  // What could not be opened is not what the pickers show.
  const view = stores.read("view");
  if (view) {
    window.dash_clientside.set_props("dataset", { value: view.dataset });
    window.dash_clientside.set_props("source", { value: view.source });
  }
}

/** Whether this browser session has not been told a sentence yet. */
function firstTime(text) {
  try {
    const told = JSON.parse(sessionStorage.getItem("statebrush-told") || "[]");
    if (told.includes(text)) return false;
    sessionStorage.setItem("statebrush-told", JSON.stringify([...told.slice(-50), text]));
  } catch {
    // no storage: tell it again rather than never
  }
  return true;
}

// ------------------------------------------------------------------------------------ the cards

const actions = {
  cancel: () => cancelMatch(),
  open: openCopy,
  drop: dropCopy,
  unsave: cancelFile,
  stay: () => { waitedFor = null; show("copy", null); },
};

/** Draw the card of a kind of work, anew or for the first time; null takes it away. */
function show(kind, job) {
  const host = byId("jobs");
  let card = host.querySelector(`[data-job=${kind}]`);
  if (!job) {
    if (card) card.remove();
    return;
  }
  host.classList.toggle("sb-jobs-first", !stores.read("view"));
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
  // Only what is done is read out, not every percent of it.
  const what = card.querySelector(".sb-job-what");
  if (what.textContent !== job.what) what.textContent = job.what;
  card.querySelector(".sb-job-note").textContent = job.note || "";
  card.querySelector(".sb-job-detail").textContent = job.detail;
  const buttons = job.actions.map(([name, label]) =>
    `<button type="button" data-job-action="${name}">${wording.escape(label)}</button>`).join("");
  const place = card.querySelector(".sb-job-actions");
  if (place.dataset.shown !== buttons) place.innerHTML = place.dataset.shown = buttons;
  const bar = card.querySelector(".sb-job-bar");
  bar.setAttribute("aria-label", job.what);
  bar.classList.toggle("sb-job-unknown", job.share === null);
  if (job.share === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", job.share);
  bar.firstChild.style.width = `${job.share === null ? 100 : job.share}%`;
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  window.addEventListener("pagehide", () => {
    const request = runningMatch();
    if (request) navigator.sendBeacon(`${base()}_jobs/match/${requesting.pageId}/${request.n}/cancel`);
    if (saving) navigator.sendBeacon(`${base()}_jobs/${saving}/cancel`);
    if (waitedFor) leaveCopy(waitedFor);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-job-action]");
    if (button) actions[button.dataset.jobAction]();
  });
  // Before the other keys: while a search can be cancelled, that is what Escape is for.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !byId("jobs") || !byId("jobs").querySelector("[data-job=match]")) return;
    const elsewhere = event.target.closest
      && event.target.closest("input, textarea, select, [role=combobox], [role=listbox], .sb-search-panel");
    if (elsewhere || document.querySelector(".mantine-Modal-content")) return;
    cancelMatch();
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
