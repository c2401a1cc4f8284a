/* The controls and the view. `showControls` writes the view into the controls; each control's own
   callback dispatches when a person changed it, which is when it differs from what was shown. */
(function () {
  "use strict";
  const sb = window.statebrush;
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  const shown = {}; // what was last written into each control
  function show(id, prop, value) {
    shown[`${id}.${prop}`] = value;
    return value;
  }
  const echo = (id, prop, value) => sb.same(shown[`${id}.${prop}`], value);

  sb.callbacks.showSource = function (info) {
    if (!info) return;
    set("source", { data: info.sources, value: info.source });
    set("dataset", { value: info.dataset });
    set("track-picker", { data: info.tracks });
    drawAbout(info);
    document.title = `${info.title} · Statebrush`;
    document.getElementById("position-of").textContent =
      `of ${sb.count(info.n_steps)} steps`;
  };

  function drawAbout(info) {
    const kinds = info.tracks.map(({ label, kind }) => `${label} (${kind})`).join(", ");
    const source = info.sources.find((item) => item.value === info.source);
    const facts = [
      ["Size", `${sb.plural(info.n_steps, "step")} in ${sb.plural(info.n_sequences, "sequence")}`],
      ["This source", `${source.label}: ${sb.plural(info.n_states, "state")}`],
      ["All sources", info.sources.map((item) => item.label).join(" · ")],
      ["Annotations", kinds || "none"],
    ];
    document.getElementById("description").innerHTML =
      (info.description ? `<p>${sb.escape(info.description)}</p>` : "")
      + `<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${sb.escape(text)}</dd>`).join("")}</dl>`;
  }

  // An open menu closes when one clicks beside it or presses Escape, which then does nothing else.
  document.addEventListener("pointerdown", (event) => {
    for (const menu of document.querySelectorAll(".sb-menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".sb-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
    event.stopPropagation();
  }, true);

  /** The first step on the screen: near the end of the data the window stands farther left. */
  const shownFirst = (view, info) => sb.firstStep(view.first, info, sb.visibleSteps(view, info));

  function put(id, prop, value) {
    if (!echo(id, prop, value)) set(id, { [prop]: show(id, prop, value) });
  }
  function showSlider(view, { slider }) {
    set("threshold-slider", {
      min: slider.min, max: slider.max, step: slider.step, precision: slider.decimals,
    });
    const at = Math.min(slider.max, Math.max(slider.min, view.threshold));
    if (!sliding) put("threshold-slider", "value", at); // whoever holds it moves it
  }

  sb.callbacks.showControls = function (_, info, viewport) {
    const view = sb.read("view"); // a control that has gone on since is not set back
    if (!view || !info || !viewport || view.source !== info.source) return;
    showSlider(view, info);
    put("threshold-text", "value", String(view.threshold));
    put("polarity", "value", view.polarity);
    put("pinned", "value", view.pinned === null ? "" : String(sb.stateName(view.pinned, info)));
    put("position", "value", sb.count(shownFirst(view, info)));
    put("auto", "checked", view.auto);
    put("min-overlap", "value", view.min_overlap === null ? "" : String(view.min_overlap));
    put("min-length", "value", view.min_length === null ? "" : String(view.min_length));
    put("mask", "checked", view.mask);
    put("runs", "value", String(view.runs));
    put("context", "value", view.before_words === null ? "" : String(view.before_words));
    put("overlapping", "value", view.overlapping ? "all" : "places");
    const tracks = view.tracks.filter((name) => info.tracks.some((t) => t.value === name));
    put("track-picker", "value", tracks);
    const button = document.getElementById("full-range");
    button.dataset.on = view.full_range;
    button.setAttribute("aria-pressed", view.full_range);
  };

  /** A control changed: forget what was shown there, so that it can be written again. */
  function changed(id, prop, value) {
    if (value === undefined || value === null || echo(id, prop, value)) return false;
    shown[`${id}.${prop}`] = value;
    return Boolean(sb.read("view"));
  }

  // Mantine's slider, asked to tell every value while it is dragged, tells those that it was given as
  // well, some frames later: an older view would come back as a person's change. So it tells the last
  // value of a drag and that of a key; where its thumb is meanwhile is read from the thumb.
  let sliding = null;
  let drags = 0;
  function slide() {
    const now = Number(sliding.thumb.getAttribute("aria-valuenow"));
    const threshold = sb.snap(now, sb.read("info").slider);
    sb.dispatch({ threshold }, { dragging: sliding.held, group: sliding.group });
  }
  function letGo(drag) {
    if (sliding !== drag) return;
    drag.watch.disconnect();
    sliding = null;
    showSlider(sb.read("view"), sb.read("info"));
  }
  document.addEventListener("pointerdown", (event) => {
    const slider = event.target.closest && event.target.closest("#threshold-slider");
    if (!slider || !sb.read("view")) return;
    if (sliding) letGo(sliding);
    const thumb = slider.querySelector("[role=slider]");
    drags += 1;
    sliding = { thumb, held: true, group: `drag:slider-${drags}`, watch: new MutationObserver(slide) };
    sliding.watch.observe(thumb, { attributeFilter: ["aria-valuenow"] });
  }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
      if (!sliding) return;
      const drag = sliding;
      drag.held = false;
      // The thumb follows the mouse a frame later, and so does the last that it tells.
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => letGo(drag))));
    }, true);
  }

  sb.callbacks.onThresholdSlider = function (value) {
    if (!changed("threshold-slider", "value", value) || sliding) return;
    const threshold = sb.snap(value, sb.read("info").slider);
    sb.dispatch({ threshold }, { group: "key-threshold" });
  };

  /** Put a box back to what the view says, with a sentence on what was wrong. */
  function refuse(id, text, sentence) {
    shown[`${id}.value`] = undefined;
    rewrite(id, text);
    sb.notify(sentence, "warning");
  }

  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
  sb.callbacks.onThresholdText = function (text) {
    if (!changed("threshold-text", "value", text)) return;
    const view = sb.read("view");
    const clean = text.trim().replace("−", "-");
    const value = Number(clean);
    if (!NUMBER.test(clean) || !Number.isFinite(value)) {
      refuse("threshold-text", String(view.threshold),
        `The threshold must be a finite number such as 0.3 or -1e-3, not “${text}”.`);
      return;
    }
    if (value === view.threshold) rewrite("threshold-text", String(value));
    sb.dispatch({ threshold: value });
  };
  /** Have a box show a text again that it showed before somebody typed. */
  function rewrite(id, text) {
    const before = shown[`${id}.value`];
    // When React has drawn what was typed, not before: it would see no change in the two together.
    requestAnimationFrame(() => setTimeout(() => {
      if (shown[`${id}.value`] === before) set(id, { value: show(id, "value", text) }); // nothing newer
    }));
  }

  sb.callbacks.onPolarity = function (value) {
    if (changed("polarity", "value", value)) sb.dispatch({ polarity: value });
  };

  sb.callbacks.onPinned = function (text) {
    if (!changed("pinned", "value", text)) return;
    const view = sb.read("view");
    const info = sb.read("info");
    const clean = text.trim();
    if (clean === "") {
      sb.dispatch({ pinned: null });
      return;
    }
    let state = info.names ? info.names.indexOf(clean) : -1;
    if (state < 0 && /^\d+$/.test(clean) && Number(clean) < info.n_states) state = Number(clean);
    if (state < 0) {
      refuse("pinned", view.pinned === null ? "" : String(sb.stateName(view.pinned, info)),
        `There is no state “${clean}” here: give a number from 0 to ${info.n_states - 1}`
        + (info.names ? " or a state's name." : "."));
      return;
    }
    sb.dispatch({ pinned: state });
  };

  sb.callbacks.onTracks = function (value) {
    const held = shown["track-picker.value"];
    if (!sb.touched("track-picker")) {
      if (held && !sb.same(value, held)) set("track-picker", { value: held });
    } else if (changed("track-picker", "value", value)) sb.dispatch({ tracks: value });
  };

  sb.callbacks.onPosition = function (text) {
    if (!changed("position", "value", text)) return;
    const view = sb.read("view");
    const info = sb.read("info");
    const clean = text.replace(/[\s,]/g, "");
    if (!/^\d+$/.test(clean)) {
      refuse("position", sb.count(shownFirst(view, info)),
        `A position is a step from 0 to ${sb.count(info.n_steps - 1)}, not “${text}”.`);
      return;
    }
    go(Math.min(Number(clean), info.n_steps - 1), {});
  };

  sb.callbacks.onAuto = function (checked) {
    if (changed("auto", "checked", checked)) sb.dispatch({ auto: checked });
  };
  /**
   * A box for a whole number: `field` of the view, from `low` to `high`; an empty box means `empty`.
   * What is no such number is refused with a sentence, never changed in silence.
   */
  function wholeNumber(callback, id, field, name, { low, high = Infinity, empty = null }) {
    sb.callbacks[callback] = function (text) {
      if (!changed(id, "value", text)) return;
      const clean = text.trim();
      const held = sb.read("view")[field];
      const value = clean === "" ? empty : Number(clean);
      if (clean !== "" && (!/^\d+$/.test(clean) || value < low || value > high)) {
        const range = high === Infinity ? `of ${low} or more` : `from ${low} to ${high}`;
        refuse(id, held === null ? "" : String(held),
          `${name} must be a whole number ${range}, not “${text}”.`);
        return;
      }
      if (value === held) rewrite(id, held === null ? "" : String(held));
      else sb.dispatch({ [field]: value });
    };
    document.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (event.target.id !== id || !by) return;
      event.preventDefault();
      const now = sb.read("view")[field];
      const next = Math.min(high, Math.max(low, now === null ? low : now + by));
      if (next !== now) sb.dispatch({ [field]: next }, { group: `key-${id}` });
    });
  }
  wholeNumber("onMinOverlap", "min-overlap", "min_overlap", "The number of shared states", { low: 1 });
  wholeNumber("onMinLength", "min-length", "min_length", "The least length", { low: 1 });
  wholeNumber("onRuns", "runs", "runs", "The least length of an on-run", { low: 1, high: 999, empty: 1 });
  wholeNumber("onContext", "context", "before_words", "The number of words", { low: 0, high: 30 });
  sb.callbacks.onOverlapping = function (value) {
    if (changed("overlapping", "value", value)) sb.dispatch({ overlapping: value === "all" });
  };
  sb.callbacks.onMask = function (checked) {
    if (changed("mask", "checked", checked)) sb.dispatch({ mask: checked });
  };
  sb.callbacks.onFullRange = function (clicks) {
    if (clicks) sb.dispatch({ full_range: !sb.read("view").full_range });
  };
  sb.callbacks.onMatch = function (clicks) {
    if (clicks) sb.matchNow();
  };

  function go(first, options) {
    const info = sb.read("info");
    const viewport = sb.read("viewport");
    if (!info || !viewport) return;
    const target = sb.firstStep(Math.max(0, first), info, sb.visibleSteps());
    const view = sb.read("view");
    if (target === view.first) {
      shown["position.value"] = undefined;
      set("position", { value: show("position", "value", sb.count(target)) });
    }
    sb.dispatch({ first: target }, options);
  }

  /** Show the steps from `first` on; repeated moves of one `group` are one entry of the history. */
  sb.moveTo = (first, group) => go(first, { group });
  const from = () => shownFirst(sb.read("view"), sb.read("info"));
  sb.page = (by) => go(from() + by * sb.visibleSteps(), { group: "page" });
  sb.step = (by) => go(from() + by, { group: "step" });

  /** The first step that shows [start, stop) in the middle, or its beginning if it is too long. */
  sb.firstFor = function (start, stop) {
    const room = sb.visibleSteps();
    const length = stop - start;
    return Math.max(0, length > room - 4 ? start - 2 : Math.round(start - (room - length) / 2));
  };
  sb.showBrush = function () {
    const view = sb.read("view");
    if (view.start !== null) go(sb.firstFor(view.start, view.stop), {});
  };

  /** Copy the address of the view. Pages without https have no clipboard: the old way serves there. */
  sb.share = async function () {
    const link = window.location.origin + window.location.pathname + sb.search(sb.read("view"));
    let copied = false;
    try {
      await navigator.clipboard.writeText(link);
      copied = true;
    } catch {
      const box = document.createElement("textarea");
      box.value = link;
      document.body.append(box);
      box.select();
      copied = document.execCommand("copy");
      box.remove();
    }
    if (copied) sb.notify("The link is copied: it opens what you see now.", "info");
    else sb.notify("The browser did not let the link be copied; take it from the address bar.", "warning");
  };
  sb.callbacks.onShare = function (clicks) {
    if (clicks && sb.read("view")) sb.share();
  };

  sb.callbacks.onHelp = function (clicks) {
    if (clicks) set("help", { opened: true });
  };
  sb.clearBrush = () => sb.dispatch({ start: null, stop: null, before: 0, after: 0 });
  /** Brush the word in the middle of the view: the keyboard's way to make a brush. */
  sb.brushMiddle = function () {
    const { start, stop } = sb.window(sb.read("window"));
    const middle = Math.floor((start + stop) / 2);
    sb.focusHandle = "stop"; // as soon as it stands there
    sb.dispatch(sb.newBrush(middle, middle + 1));
  };

  sb.callbacks.onNavigate = function () {
    const clicked = (window.dash_clientside.callback_context.triggered[0] || {}).prop_id;
    const actions = {
      "page-back.n_clicks": () => sb.page(-1),
      "step-back.n_clicks": () => sb.step(-1),
      "step-on.n_clicks": () => sb.step(1),
      "page-on.n_clicks": () => sb.page(1),
      "go-to-brush.n_clicks": () => sb.showBrush(),
      "zoom-out.n_clicks": () => sb.zoom(-1),
      "zoom-in.n_clicks": () => sb.zoom(1),
    };
    if (actions[clicked]) actions[clicked]();
  };

  // On the window, so that whatever has the focus comes first.
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest
      && event.target.closest("input, textarea, select, [role=slider], [role=combobox], [role=radio], [role=listbox]");
    if (typing || !sb.read("view") || document.querySelector(".mantine-Modal-content")) return;
    const actions = {
      PageUp: () => sb.page(-1),
      PageDown: () => sb.page(1),
      ArrowLeft: () => sb.step(-1),
      ArrowRight: () => sb.step(1),
      Home: () => sb.showBrush(),
      "+": () => sb.zoom(1),
      "=": () => sb.zoom(1),
      "-": () => sb.zoom(-1),
      b: () => sb.brushMiddle(),
      c: () => sb.share(),
      Escape: () => sb.clearBrush(),
      "?": () => set("help", { opened: true }),
    };
    // What can be scrolled keeps its keys.
    const scrolls = event.target.closest && event.target.closest("#legends, #heat-legend, #coverage, #chips");
    if (scrolls && /^(Arrow|Page|Home)/.test(event.key)) return;
    if (actions[event.key]) {
      actions[event.key]();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.target.closest("button, a")) {
      sb.matchNow();
    }
  });

  // The sentence at a control has been read when one begins to type or opens its list; it would cover
  // the plot, or what there is to choose from.
  const hush = () => document.body.classList.add("sb-typing");
  document.addEventListener("input", hush);
  for (const name of ["click", "keydown"]) {
    document.addEventListener(name, (event) => {
      if (event.target.closest && event.target.closest("[aria-haspopup=listbox]")
          && event.key !== "Tab") hush();
    });
  }
  for (const name of ["focusout", "pointerdown"]) {
    document.addEventListener(name, () => document.body.classList.remove("sb-typing"));
  }
})();
