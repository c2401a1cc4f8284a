/* The controls of a panel: native elements, made here where the page has room for them, so that what a
   person does is an event of the browser's and what is shown is never mistaken for it.

   `showControls` writes the view into the controls, except into a box that is being edited. */
/** @import {Info, ViewStore, Viewport} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Navigation} from "./navigation.mjs" */
import { stateName } from "../core/axes.mjs";
import { notify } from "../core/page.mjs";
import { encode } from "../core/url.mjs";
import { clamp } from "../core/values.mjs";
import { count, escape, plural } from "../core/words.mjs";
import { snap } from "./threshold.mjs";

/**
 * A text box: what it shows, what its text means (a patch of the view, or a sentence on what is wrong),
 * and what an arrow up or down makes of it.
 * @typedef {object} Box
 * @property {string} wrong The title of that sentence
 * @property {(view: ViewStore, info: Info) => string} show
 * @property {(text: string, view: ViewStore, info: Info) => Partial<ViewStore> | string} parse
 * @property {(view: ViewStore, info: Info, by: number) => Partial<ViewStore>} [step]
 */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * A box for a whole number from `low` to `high`; an empty box means `empty`.
 * @param {"min_overlap" | "min_length" | "runs" | "before_words"} field @param {string} name
 * @param {number} low @param {(info: Info) => number} [high] @param {number | null} [empty] @returns {Box}
 */
function wholeNumber(field, name, low, high = () => Infinity, empty = null) {
  return {
    wrong: "Invalid number",
    show: (view) => (view[field] === null ? "" : String(view[field])),
    parse(text, _, info) {
      const value = text === "" ? empty : Number(text);
      const most = high(info);
      if (text === "" || (/^\d+$/.test(text) && value !== null && value >= low && value <= most)) {
        return { [field]: value };
      }
      const range = most === Infinity ? `of ${low} or more` : `from ${low} to ${most}`;
      return `${name} must be a whole number ${range}, not “${text}”.`;
    },
    step(view, info, by) {
      const now = view[field];
      return { [field]: clamp(now === null ? low : now + by, low, high(info)) };
    },
  };
}

/** @type {Record<string, Box>} */
const BOXES = {
  "threshold-text": {
    wrong: "Invalid threshold",
    show: (view) => String(view.threshold),
    parse(text) {
      const clean = text.replace("−", "-");
      const value = Number(clean);
      return NUMBER.test(clean) && Number.isFinite(value) ? { threshold: value }
        : `The threshold must be a finite number such as 0.3 or -1e-3, not “${text}”.`;
    },
  },
  pinned: {
    wrong: "No such state",
    show: (view, info) => (view.pinned === null ? "" : String(stateName(view.pinned, info))),
    parse(text, _, info) {
      if (text === "") return { pinned: null };
      const named = info.names ? info.names.indexOf(text) : -1;
      if (named >= 0) return { pinned: named };
      if (/^\d+$/.test(text) && Number(text) < info.n_states) return { pinned: Number(text) };
      return `There is no state “${text}” here: give a number from 0 to ${info.n_states - 1}`
        + (info.names ? " or a state's name." : ".");
    },
  },
  "min-overlap": wholeNumber("min_overlap", "The number of shared states", 1),
  "min-length": wholeNumber("min_length", "The least length", 1),
  runs: wholeNumber("runs", "The least length of an on-run", 1, (info) => info.bounds.most_runs, 1),
  context: wholeNumber("before_words", "The number of words", 0, (info) => info.bounds.most_context),
};

/** The element of a control, as HTML, from the data of its place (components/fields.py). @param {DOMStringMap} data */
function markup({ control = "", kind, name = "", text = "", hint = "", options = "[]" }) {
  const id = `id="${escape(control)}"`;
  const label = `aria-label="${escape(name)}"`;
  const choices = /** @type {[string, string][]} */ (JSON.parse(options));
  if (kind === "select") return `<select ${id} ${label}>${optionsOf(choices)}</select>`;
  if (kind === "range") return `<input ${id} ${label} type="range">`;
  if (kind === "switch") return `<label><input ${id} type="checkbox" role="switch">${escape(text)}</label>`;
  if (kind === "choice") {
    return `<span ${id} ${label} role="radiogroup">${choices.map(([value, shown]) =>
      `<label><input type="radio" name="${escape(control)}" value="${value}"><span>${escape(shown)}</span></label>`).join("")}</span>`;
  }
  return `<input ${id} ${label} type="${kind}" placeholder="${escape(hint)}" autocomplete="off" spellcheck="false">`;
}
/** @param {[string, string][]} choices */
const optionsOf = (choices) =>
  choices.map(([value, shown]) => `<option value="${escape(value)}">${escape(shown)}</option>`).join("");

/** @param {Panel} panel @param {Navigation} navigation */
export function controls(panel, navigation) {
  const { at, box, part } = panel;
  /** @type {Record<string, Box>} */
  const boxes = {
    ...BOXES,
    position: {
      wrong: "Invalid position",
      show: () => count(navigation.from()),
      parse(text, _, info) {
        const clean = text.replace(/[\s,]/g, "");
        return /^\d+$/.test(clean) && Number(clean) < info.n_steps ? { first: panel.clipped(Number(clean)) }
          : `A position is a step from 0 to ${count(info.n_steps - 1)}, not “${text}”.`;
      },
    },
  };

  for (const place of /** @type {NodeListOf<HTMLElement>} */ (panel.root.querySelectorAll("[data-control]"))) {
    place.innerHTML = markup(place.dataset);
  }
  showPickers(null);

  /** What the pickers show is what is open. @param {{ dataset: string, source: string } | null} view */
  function showPickers(view) {
    for (const name of /** @type {const} */ (["dataset", "source"])) {
      const picker = /** @type {HTMLSelectElement} */ (panel.find(name));
      picker.value = view?.[name] ?? "";
      picker.title = picker.selectedOptions[0]?.text ?? "";
    }
  }

  let dataset = ""; // that is shown
  /** @param {Info} info */
  function showSource(info) {
    if (!info) return;
    if (dataset && dataset !== info.dataset) box("search-box").value = ""; // its places are not here
    dataset = info.dataset;
    part("source").innerHTML = optionsOf(info.sources.map(({ value, label }) => [value, label]));
    part("track-picker").innerHTML = info.tracks.map(({ value, label, kind }) =>
      `<label><input type="checkbox" value="${escape(value)}">${escape(label)} <small>${kind}</small></label>`).join("")
      || "<span>This dataset has none.</span>";
    showPickers(info);
    panel.root.classList.toggle("sb-rtl", info.rtl);
    drawAbout(info);
    part("position-of").textContent = `of ${count(info.n_steps)} steps`;
  }

  /** @param {Info} info */
  function drawAbout(info) {
    const kinds = info.tracks.map(({ label, kind }) => `${label} (${kind})`).join(", ");
    const source = info.sources.find((item) => item.value === info.source);
    const facts = [
      ["Size", `${plural(info.n_steps, "step")} in ${plural(info.n_sequences, "sequence")}`],
      ["This source", `${source?.label}: ${plural(info.n_states, "state")}`],
      ["All sources", info.sources.map((item) => item.label).join(" · ")],
      ["Annotations", kinds || "none"],
    ];
    part("description").innerHTML = (info.description ? `<p>${escape(info.description)}</p>` : "")
      + `<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${escape(text)}</dd>`).join("")}</dl>`;
  }

  /** @type {Set<string>} */
  const edited = new Set(); // boxes with text that has not been taken over yet
  let held = ""; // the group of changes while the slider is held, else empty
  let drags = 0;

  /** @param {ViewStore | undefined} _ @param {Info} info @param {Viewport} viewport */
  function showControls(_, info, viewport) {
    const view = panel.read("view"); // the present one: what a control has changed since is not set back
    if (!view || !info || !viewport || view.source !== info.source) return;
    for (const [name, { show }] of Object.entries(boxes)) {
      if (!edited.has(name)) box(name).value = show(view, info);
    }
    const slider = box("threshold-slider");
    const { min, max, step } = info.slider;
    Object.assign(slider, { min: String(min), max: String(max), step: String(step) });
    if (!held) slider.value = String(clamp(view.threshold, min, max));
    for (const [name, value] of [["polarity", view.polarity], ["overlapping", view.overlapping ? "all" : "places"]]) {
      for (const radio of part(name).querySelectorAll("input")) radio.checked = radio.value === value;
    }
    box("auto").checked = view.auto;
    part("match-button").classList.toggle("sb-quiet", view.auto);
    showSuggestion(view, info);
    box("mask").checked = view.mask;
    const tracks = part("track-picker").querySelectorAll("input");
    for (const check of tracks) check.checked = view.tracks.includes(check.value);
    part("track-count").textContent = view.tracks.length ? ` (${view.tracks.length})` : "";
    part("full-range").dataset.on = String(view.full_range);
    part("full-range").setAttribute("aria-pressed", String(view.full_range));
  }

  /** Offer the threshold with the share of values on that the source before had. @param {ViewStore} view @param {Info} info */
  function showSuggestion(view, info) {
    const host = part("suggestion");
    const { suggested: offer } = info;
    const shown = offer && view.threshold === offer.was && view.source === info.source && !dismissed.has(info.source);
    host.hidden = !shown;
    if (!shown) return;
    const share = (/** @type {number} */ part) => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;
    const html = `At ${offer.was}, ${share(offer.share_now)} of this source's values are on; in the one before, ${share(offer.share_before)} were.`
      + ` <button type="button" class="sb-text-button" data-suggest="${offer.threshold}">use ${offer.threshold}</button>`
      + ` <button type="button" class="sb-text-button" data-suggest="" aria-label="Keep the threshold">keep ${offer.was}</button>`;
    if (host.innerHTML !== html) host.innerHTML = html;
  }
  /** @type {Set<string>} */
  const dismissed = new Set();
  panel.on("click", "[data-suggest]", (_, { dataset }) => {
    const source = panel.read("info")?.source;
    if (dataset.suggest) panel.dispatch({ threshold: Number(dataset.suggest) });
    else if (source) {
      dismissed.add(source);
      part("suggestion").hidden = true;
    }
  });

  /** Take over what was typed into a box, or refuse it with a sentence; the box then shows the view. @param {string} name */
  function commit(name) {
    const open = panel.open();
    if (!edited.delete(name) || !open) return;
    const text = box(name).value.trim();
    const found = boxes[name].parse(text, open.view, open.info);
    if (typeof found === "string") notify(found, "warning", boxes[name].wrong);
    else panel.dispatch(found);
    show(name);
  }
  function show(/** @type {string} */ name) {
    const open = panel.open();
    if (open) box(name).value = boxes[name].show(open.view, open.info);
  }

  for (const [name, { step }] of Object.entries(boxes)) {
    panel.on("input", at(name), () => edited.add(name));
    panel.on("focusout change", at(name), () => commit(name));
    panel.on("keydown", at(name), (event) => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[/** @type {string} */ (event.key)];
      if (event.key === "Enter") commit(name);
      else if (event.key === "Escape") {
        edited.delete(name);
        show(name);
        box(name).blur();
      } else if (by && step) {
        commit(name);
        const open = panel.open();
        if (open) panel.dispatch(step(open.view, open.info, by), { group: `key-${name}` });
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  panel.on("pointerdown", at("threshold-slider"), () => {
    drags += 1;
    held = `drag:slider-${drags}`;
  });
  panel.on("input", at("threshold-slider"), () => {
    const slider = panel.read("info")?.slider;
    if (!slider) return;
    const threshold = snap(Number(box("threshold-slider").value), slider);
    panel.dispatch({ threshold }, { dragging: held !== "", group: held || "key-threshold" });
  });
  panel.on("pointerup pointercancel change", at("threshold-slider"), () => {
    held = "";
    if (panel.read("view")?.dragging) panel.dispatch({}, { dragging: false });
  });

  /** @type {Record<string, (input: HTMLInputElement) => void>} */
  const choices = {
    polarity: ({ value }) => panel.dispatch({ polarity: value }),
    overlapping: ({ value }) => panel.dispatch({ overlapping: value === "all" }),
    auto: ({ checked }) => panel.dispatch({ auto: checked }),
    mask: ({ checked }) => panel.dispatch({ mask: checked }),
    "track-picker": ({ value, checked }) => {
      const others = (panel.read("view")?.tracks ?? []).filter((name) => name !== value);
      panel.dispatch({ tracks: checked ? [...others, value] : others });
    },
    dataset: ({ value }) => panel.goTo("dataset", "?dataset=" + encode(value)),
    source: ({ value }) => {
      const view = panel.read("view");
      if (view) panel.goTo("source", panel.query({ ...view, source: value }), view.source);
    },
  };
  for (const [name, act] of Object.entries(choices)) {
    panel.on("change", at(name), (event) => {
      act(event.target);
      if (byPointer && event.target instanceof HTMLSelectElement) event.target.blur(); // its keys are free again
    });
  }
  let byPointer = false;
  panel.root.addEventListener("pointerdown", () => { byPointer = true; }, true);
  panel.root.addEventListener("keydown", () => { byPointer = false; }, true);

  return {
    showSource, showControls, showPickers,
    /** Show what an empty box means. @param {"min-overlap" | "min-length"} name @param {number} value */
    showDefault(name, value) { box(name).placeholder = `auto: ${value}`; },
  };
}
