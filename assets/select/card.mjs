/* The card of a state: the distribution of its values over the corpus, how often it is on, and its
   strongest places. Which state it shows is not part of the view: a link opens without a card. */
/** @import {StateCard, StateError, StateRequest, ViewStore} from "../wire" */
/** @import {Polarity, Word} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
import { newBrush, stateName } from "../core/axes.mjs";
import { ask, lost, patience, target } from "../core/page.mjs";
import { isOn } from "../core/selection.mjs";
import { clamp, same } from "../core/values.mjs";
import { count, escape, plural, shown, wordRow } from "../core/words.mjs";

const COLUMN = 40; // px a word, at least
const STRONGEST = { high: "highest values", low: "lowest values", magnitude: "largest magnitudes" };

/** @typedef {StateCard["places"][number]["value"]} Value */

/** A value as it is written on the card. @param {Value} value */
function written(value) {
  if (value === null) return "NaN";
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : value.replace("Infinity", "∞");
}

/**
 * Walk along a list of states by up and down; Enter and blank open the one that is reached.
 * @param {KeyboardEvent} event @param {number[]} states @param {number | null} state
 * @param {(state: number) => void} openCard
 * @returns {number | null} The place in the list that is reached; null if it is no key for this.
 */
export function walk(event, states, state, openCard) {
  if (event.ctrlKey || event.metaKey || event.altKey || states.length === 0) return null;
  const at = state === null ? -1 : states.indexOf(state);
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (by === undefined && !(/^(Enter| )$/.test(event.key) && at >= 0)) return null;
  event.preventDefault();
  event.stopPropagation();
  if (by !== undefined) return at < 0 ? 0 : clamp(at + by, 0, states.length - 1);
  openCard(states[at]);
  return null;
}

/** The values as bars, those that are on in colour, with the thresholds. @param {StateCard} card @param {ViewStore} view */
function distribution({ bins, low, high }, view) {
  if (low === null || high === null) return "<p>There is no finite value.</p>";
  const most = Math.max(...bins);
  const share = (/** @type {number} */ value) => (high > low ? (value / 2 - low / 2) / (high / 2 - low / 2)
    : 0.5 + Math.sign(value - low)); // of a single value, only which side is known
  const lines = { high: [view.threshold], low: [-view.threshold], magnitude: [view.threshold, -view.threshold] }[
    /** @type {Polarity} */ (view.polarity)];
  // A bar through which a threshold goes is cut there.
  const cuts = lines.map(share).filter((at) => at > 0 && at < 1);
  const value = (/** @type {number} */ at) => low * (1 - at) + high * at;
  const bars = bins.map((n, i) => {
    if (n === 0) return "";
    const edges = [i, ...cuts.map((at) => at * bins.length).filter((x) => x > i && x < i + 1).sort((a, b) => a - b), i + 1];
    const height = Math.max(2, (100 * n) / most);
    const parts = edges.slice(1).map((end, k) => {
      const middle = high > low ? value((edges[k] + end) / 2 / bins.length) : low;
      const on = isOn(middle, view.threshold, view.polarity);
      return `<rect${on ? ' class="sb-on"' : ""} x="${edges[k]}" y="${100 - height}" width="${end - edges[k]}" height="${height}"/>`;
    });
    const [from, to] = [i, i + 1].map((edge) => written(value(edge / bins.length)));
    const range = high > low ? `${from} to ${to}` : from;
    return `<g>${parts.join("")}<rect class="sb-ground" x="${i}" y="0" width="1" height="100"><title>${range}: ${plural(n, "step")}</title></rect></g>`;
  });
  const marks = lines.map((line, k) => {
    const at = 100 * clamp(share(line), 0, 1);
    const beyond = share(line) < 0 ? "← " : "";
    const after = share(line) > 1 ? " →" : "";
    const sign = view.polarity === "low" || k > 0 ? "−ℓ" : "ℓ";
    return (beyond || after ? "" : `<i style="left:${at}%"></i>`)
      + `<span style="left:${at}%;transform:translateX(-${at}%)">${beyond}${sign} = ${line}${after}</span>`;
  });
  return `<div class="sb-card-marks">${marks.join("")}</div>`
    + `<svg viewBox="0 0 ${bins.length} 100" preserveAspectRatio="none" role="img"`
    + ` aria-label="Distribution of the values from ${written(low)} to ${written(high)}">${bars.join("")}</svg>`
    + `<div class="sb-card-axis"><span>${written(low)}</span><span>${high > low ? written(high) : ""}</span></div>`;
}

/** How often it is on, as HTML. @param {StateCard} card */
function sentence(card) {
  const percent = 100 * card.share;
  const share = card.on === 0 ? "0" : card.on === card.n_steps ? "100"
    : percent < 0.1 ? "&lt; 0.1" : Math.min(percent, 99.9).toFixed(1);
  const apart = /** @type {const} */ ([["nan", "NaN"], ["high_infinities", "∞"], ["low_infinities", "-∞"]])
    .filter(([key]) => card[key]).map(([key, name]) => `${name} at ${plural(card[key], "step")}`);
  return `On at <b>${share} %</b> of all steps: ${count(card.on)} of ${count(card.n_steps)}`
    + (card.runs ? `, in ${plural(card.runs, "run")}` : "")
    + (apart.length ? `. Not in the distribution: ${apart.join(", ")}` : "");
}

/** @param {Panel} panel */
export function card(panel) {
  const { at, part } = panel;
  /** @type {number | null} */
  let state = null;
  /** @type {HTMLElement | null} */
  let opener = null;
  /** @type {StateCard | null} */
  let drawn = null;
  /** @type {StateRequest | null} */
  let asked = null;
  let requests = 0;
  let place = ""; // the dataset and the source that it was opened in
  const host = part("card");
  const isOpen = () => state !== null && !host.hidden;
  const button = (/** @type {string} */ name) => /** @type {HTMLButtonElement} */ (part(name));

  /** @param {number} next */
  function openCard(next) {
    const open = panel.open();
    if (!open) return;
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!host.contains(active)) opener = active;
    if (!isOpen()) {
      drawn = asked = null;
      place = placeOf(open.view);
    }
    state = next;
    host.hidden = false;
    follow();
    if (!host.contains(active)) host.focus({ preventScroll: true });
    mark(state);
  }

  function close() {
    if (!isOpen()) return;
    const held = host.contains(document.activeElement);
    // The chip may have been drawn again since.
    const chip = /** @type {HTMLElement | null} */ (panel.root.querySelector(`${at("chips")} [data-open="${state}"]`));
    state = null;
    host.hidden = true;
    mark(null);
    if (held) (opener?.isConnected && opener !== document.body ? opener : chip ?? part("words")).focus({ preventScroll: true });
  }

  const placeOf = (/** @type {ViewStore} */ view) => JSON.stringify([view.dataset, view.source]);

  /** Follow the view; the numbers of states mean others in another dataset or source. */
  function drawCard() {
    const open = panel.open();
    if (!isOpen() || !open) return;
    if (placeOf(open.view) !== place) close();
    else if (open.info.source === open.view.source) follow();
  }

  function follow() {
    const open = panel.open();
    if (state === null || !open) return;
    const { view, info } = open;
    part("card-title").textContent = `State ${stateName(state, info)}`;
    const { raw } = panel.selection(view, panel.win());
    const only = button("card-only");
    only.disabled = !raw.includes(state);
    only.title = only.disabled ? "It is not on at the selected words: open one of its places first" : "Exclude all others";
    if (drawn?.state === state) draw(view); // its thresholds follow a drag
    if (!view.dragging) read(view);
  }

  /** @param {ViewStore} view */
  async function read(view) {
    const next = {
      dataset: view.dataset, fp: view.fp, source: view.source, state: Number(state),
      threshold: view.threshold, polarity: /** @type {Polarity} */ (view.polarity),
    };
    if (asked && same({ ...asked, n: 0 }, { ...next, n: 0 })) return;
    requests += 1;
    const request = asked = { n: requests, ...next };
    const late = setTimeout(() => {
      host.classList.add("sb-reading");
      if (!drawn) part("card-share").textContent = "Reading the values…";
    }, patience.word);
    const reply = await ask("_view/state", request);
    clearTimeout(late);
    if (request !== asked || !isOpen()) return;
    host.classList.remove("sb-reading");
    const answer = /** @type {StateCard | StateError} */ (reply.answer ?? { n: 0, error: lost(reply) });
    if ("error" in answer) {
      drawn = asked = null;
      part("card-share").textContent = answer.error;
      for (const name of ["card-values", "card-heading", "card-rows"]) part(name).innerHTML = "";
      return;
    }
    drawn = answer;
    drawnRows = "";
    const now = panel.read("view");
    if (now) draw(now);
  }

  /** @param {ViewStore} view */
  function draw(view) {
    if (!drawn) return;
    host.dataset.n = String(drawn.n);
    part("card-share").innerHTML = sentence(drawn);
    part("card-values").innerHTML = distribution(drawn, view);
    drawRows(drawn, view);
  }

  let drawnRows = "";
  /** @param {StateCard} shownCard @param {ViewStore} view */
  function drawRows(shownCard, view) {
    const rows = part("card-rows");
    const width = rows.clientWidth - 164;
    const key = `${shownCard.n} ${width} ${view.start} ${view.stop}`;
    if (key === drawnRows) return;
    drawnRows = key;
    const { places, polarity } = shownCard;
    part("card-heading").innerHTML = "<span>value</span><span>step</span>"
      + `<span>${places.length ? `${plural(places.length, "place")}, ${STRONGEST[polarity]} first` : "It has no place: every value is NaN."}</span>`;
    const columns = Math.max(5, Math.min(15, Math.floor(width / COLUMN)));
    const before = Math.floor((columns - 1) / 2);
    const strength = (/** @type {Value} */ value) => (polarity === "high" ? Number(value)
      : polarity === "low" ? -Number(value) : Math.abs(Number(value)));
    // What is on is coloured from the threshold to the strongest finite value.
    const bottom = shownCard.threshold;
    const top = Math.max(...places.map(({ value }) => strength(value)).filter(Number.isFinite), bottom);
    const made = places.map((place) => {
      const steps = Array.from({ length: columns }, (_, k) => place.step - before + k);
      /** @type {(Word & { sign: boolean })[]} */
      const words = steps.map((step) => {
        const token = place.tokens[step - place.from];
        const inside = step >= place.start && step < place.stop;
        return { ...shown(token ?? " "), ...(token === undefined ? { text: "" } : {}), bold: inside || step === place.step, group: inside ? 1 : 0 };
      });
      const cells = wordRow("i", words, width / columns).map((word, k) => {
        const step = steps[k];
        const value = place.values[step - place.from];
        if (value === undefined) return "<span></span>";
        const on = value !== null && isOn(Number(value), shownCard.threshold, polarity);
        const share = top > bottom ? (strength(value) / 2 - bottom / 2) / (top / 2 - bottom / 2) : 1;
        const look = [words[k].bold && "sb-in", words[k].sign && "sb-sign", step === place.step && "sb-best"].filter(Boolean).join(" ");
        return `<span class="${look}"${on ? ` style="background:rgba(var(--selected-rgb),${(0.1 + 0.4 * clamp(share, 0, 1)).toFixed(3)})"` : ""}`
          + ` title="${escape(place.tokens[step - place.from])} · ${written(value)} at step ${count(step)}">${word}</span>`;
      });
      const sequence = place.sequence === null ? "" : `, sequence ${place.sequence}`;
      const here = view.start === place.step && view.stop === place.step + 1;
      const link = panel.query({ ...view, ...newBrush(place.step, place.step + 1), first: around(place.step), length: null });
      return `<div role="listitem"><a class="sb-card-row" href="${escape(link)}" data-step="${place.step}"${here ? ' aria-current="true"' : ""}`
        + ` aria-label="${escape(`${written(place.value)} at step ${count(place.step)}${sequence}: ${place.tokens[place.step - place.from]}. Open this place.`)}">`
        + `<span>${written(place.value)}</span><span>${count(place.step)}</span>`
        + `<span class="sb-match-words" style="grid-template-columns:repeat(${columns},minmax(0,1fr))">${cells.join("")}</span></a></div>`;
    });
    panel.keepFocus(rows, () => { rows.innerHTML = made.join(""); });
  }

  /** The first step that shows a place, beside the card where that covers the words. @param {number} step */
  function around(step) {
    const words = part("words").getBoundingClientRect();
    const box = host.getBoundingClientRect();
    if (box.top >= words.bottom) return panel.around(step, step + 1);
    const free = clamp((box.left - words.left) / words.width, 0.1, 1);
    return panel.clipped(Math.round(step - (free * panel.steps()) / 2));
  }

  /** Show another state: after the last one comes the first. @param {number} by */
  function go(by) {
    const n = panel.open()?.info.n_states;
    if (state !== null && n) openCard((state + by + n) % n);
  }

  panel.on("click", at("card-back"), () => go(-1));
  panel.on("click", at("card-on"), () => go(1));
  panel.on("click", at("card-close"), close);
  panel.on("click", at("card-only"), () => {
    const view = panel.read("view");
    if (view) panel.dispatch({ excluded: panel.selection(view, panel.win()).raw.filter((c) => c !== state) });
  });
  panel.on("click", ".sb-card-row", (event, { dataset }) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const step = Number(dataset.step);
    panel.dispatch({ ...newBrush(step, step + 1), first: around(step) });
  });
  panel.on("keydown", ".sb-card-row", (event, row) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[/** @type {string} */ (event.key)];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [.../** @type {NodeListOf<HTMLElement>} */ (host.querySelectorAll(".sb-card-row"))];
    all[all.indexOf(row) + by]?.focus();
  });
  // The card's state is red in the plot while the card is pointed at or has the focus.
  /** @param {number | null} next */
  const mark = (next) => {
    if ((panel.read("hover")?.state ?? null) !== next) panel.write("hover", { state: next, from: "card" });
  };
  panel.on("mouseover focusin", at("card"), () => mark(state));
  panel.on("mouseout focusout", at("card"), (event) => {
    if (!host.contains(event.relatedTarget)) mark(null);
  });
  // After the boxes and menus, before the other keys of the page: Escape closes what is on top. On the
  // panel for what is in it, on the body where nothing has the focus.
  for (const scope of [panel.root, document.body]) {
    scope.addEventListener("keydown", (event) => {
      if (!(event instanceof KeyboardEvent) || event.key !== "Escape" || event.defaultPrevented) return;
      if (!isOpen() || !panel.hears(event) || document.querySelector(".mantine-Modal-content")) return;
      if (target(event)?.closest("input[type=text], input[type=search], textarea")) return;
      event.preventDefault();
      event.stopPropagation();
      close();
    });
  }

  return { openCard, drawCard };
}
