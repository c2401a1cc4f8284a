/* What belongs to the whole page: Dash's properties, requests to the server, notices, colour scheme. */

export const noUpdate = () => window.dash_clientside.no_update;
export const setProps = (/** @type {string} */ id, /** @type {Record<string, unknown>} */ props) =>
  window.dash_clientside.set_props(id, props);

/** The present value of a store; undefined before Dash has laid out the page. @param {string} id */
export function readStore(id) {
  try {
    return window.dash_component_api?.getLayout(id)?.props?.data;
  } catch {
    return undefined; // Dash throws while it has no layout yet
  }
}

/** Milliseconds: after which "reading…" is shown, a job is first asked after, and a card is shown;
    between two questions; and after which an answer is given up. */
export const patience = { word: 250, first: 300, card: 1000, poll: 250, answer: 60_000 };

export const pause = (/** @type {number} */ ms) => new Promise((done) => { setTimeout(done, ms); });

/** The path of one of the server's addresses. @param {string} path */
export const address = (path) =>
  JSON.parse(document.getElementById("_dash-config")?.textContent ?? "{}").requests_pathname_prefix + path;

/** @typedef {{ answer?: any, status?: number, late?: boolean }} Reply */

/**
 * The server's JSON answer; without one, the status it failed with, or whether it was too late. None of
 * these when it cannot be reached.
 * @param {string} path @param {unknown} [body] Sent as JSON by POST. @param {RequestInit} [options]
 * @returns {Promise<Reply>}
 */
export async function ask(path, body, options) {
  const send = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  try {
    const got = await fetch(address(path),
      { signal: AbortSignal.timeout(patience.answer), ...send, ...options });
    return got.ok ? { answer: await got.json() } : { status: got.status };
  } catch (error) {
    return { late: error instanceof DOMException && error.name === "TimeoutError" };
  }
}

/** One sentence on a request without an answer. @param {Reply} reply */
export const lost = ({ status }) => `The server ${status ? `failed (${status})` : "did not answer"}. `
  + "What you see is the state before; try again in a moment.";

let notified = 0;
/** @type {Record<string, unknown>[]} */
let waiting = [];
/**
 * Show a notice; errors stay until they are closed.
 * @param {string} text @param {"info" | "warning" | "error"} level @param {string | null} [title]
 */
export function notify(text, level, title = level === "error" ? "Something is wrong" : null) {
  notified += 1;
  waiting.push({
    action: "show",
    id: `notice-${notified}`,
    title,
    message: text,
    color: level === "error" ? "red" : level === "warning" ? "yellow" : "blue",
    autoClose: level === "error" ? false : 9000,
  });
  // Notices of one moment go together: a second write of the property would replace the first.
  if (waiting.length === 1) {
    setTimeout(() => {
      setProps("notifications", { sendNotifications: waiting });
      waiting = [];
    }, 0);
  }
}

/** Whether a sentence is new in this browser session. @param {string} text */
export function firstTime(text) {
  try {
    const known = JSON.parse(sessionStorage.getItem("statebrush-shown") || "[]");
    if (known.includes(text)) return false;
    sessionStorage.setItem("statebrush-shown", JSON.stringify([...known.slice(-50), text]));
  } catch {
    // no storage: say it again rather than never
  }
  return true;
}

let following = false;
/** Follow the colour scheme: it is the reader's own, kept by Mantine, and not part of a view. */
export function followScheme() {
  if (following) return;
  following = true;
  const root = document.documentElement;
  const write = () => {
    const scheme = root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
    if (readStore("theme") !== scheme && readStore("skeletons")) setProps("theme", { data: scheme });
  };
  new MutationObserver(write).observe(root, {
    attributes: true, attributeFilter: ["data-mantine-color-scheme"],
  });
  write();
}

/** The element that an event is from; null where it is from none, the document itself for example. */
export const target = (/** @type {Event} */ event) =>
  (event.target instanceof Element ? /** @type {HTMLElement} */ (event.target) : null);

/** Menus close on a click elsewhere or on Escape, which then does nothing else. */
export function listen() {
  const open = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(".sb-menu[open]"));
  document.addEventListener("pointerdown", (event) => {
    for (const menu of open()) if (!menu.contains(target(event))) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const [menu] = event.key === "Escape" ? open() : [];
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
    event.preventDefault();
    event.stopPropagation();
  }, true);
  // A menu near the right edge opens to the left.
  document.addEventListener("toggle", (event) => {
    const panel = /** @type {HTMLElement | null | undefined} */ (target(event)?.querySelector(".sb-menu-panel"));
    if (!panel) return;
    panel.style.left = "";
    const over = panel.getBoundingClientRect().right - document.documentElement.clientWidth + 8;
    if (over > 0) panel.style.left = `${-over}px`;
  }, true);
  // The help of a control would cover what one types or chooses.
  for (const name of ["input", "change"]) {
    document.addEventListener(name, () => document.body.classList.add("sb-typing"));
  }
  for (const name of ["focusout", "pointerdown"]) {
    document.addEventListener(name, () => document.body.classList.remove("sb-typing"));
  }
}
