/* Reading along the words with the keyboard: what the pointer learns by hovering over a word, its bar
   and its tracks is shown for the step that the arrow keys have reached. */
/** @import {Tracks, ViewStore} from "../wire" */
/** @import {Win} from "../types" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Navigation} from "./navigation.mjs" */
import { newBrush, percent } from "../core/axes.mjs";
import { range, sequenceOf, shares as sharesOn } from "../core/selection.mjs";
import { trackCell } from "../core/tracks.mjs";
import { clamp } from "../core/values.mjs";
import { count, shown } from "../core/words.mjs";

/** @param {Panel} panel @param {Navigation} navigation */
export function reading(panel, navigation) {
  const { part } = panel;
  const words = panel.at("words");

  /** @type {number | null} */
  let step = null; // the step that is read while the words have the focus

  /** @param {Tracks["tracks"][number]} track @param {Tracks} tracks @param {number} at */
  function valueAt(track, tracks, at) {
    if (track.kind !== "interval") return trackCell(track, track.cells[at - tracks.start]).text;
    const span = track.spans?.find(([start, stop]) => start <= at && at < stop);
    return span ? track.categories?.[span[2]].label : "none";
  }

  function showStep() {
    const tip = part("step-tip");
    const mark = part("step-mark");
    const view = panel.read("view");
    const win = panel.win();
    const here = step !== null && view && win && step >= win.start && step < win.stop;
    tip.hidden = mark.hidden = !here;
    if (!here) return;
    const at = step ?? 0;
    const { states } = panel.selection(view, win);
    const parts = [`step ${count(at)}`, `“${shown(win.tokens[at - win.start]).text}”`];
    if (states.length) {
      const share = sharesOn(view, win, states)[at - win.start];
      parts.push(`${Math.round(share * states.length)} of ${states.length} on`);
    }
    const tracks = panel.read("tracks");
    if (tracks && !("error" in tracks) && tracks.dataset === view.dataset && tracks.start === win.start) {
      for (const track of tracks.tracks) parts.push(`${track.name}: ${valueAt(track, tracks, at)}`);
    }
    tip.textContent = parts.join(" · ");
    mark.style.insetInlineStart = `${percent(at, win)}%`;
    mark.style.width = `${percent(at + 1, win) - percent(at, win)}%`;
    const left = at < (win.start + win.stop) / 2;
    const inner = part("words");
    const room = /** @type {HTMLElement} */ (inner.parentElement).clientWidth;
    const share = (/** @type {number} */ edge) => (edge - win.start) / (win.stop - win.start);
    // From the edge of the strip at which time begins, or ends.
    const begins = panel.rtl() ? room - inner.offsetLeft - inner.clientWidth : inner.offsetLeft;
    const ends = room - begins - inner.clientWidth;
    tip.style.insetInlineStart = left ? `${begins + inner.clientWidth * share(at)}px` : "";
    tip.style.insetInlineEnd = left ? "" : `${ends + inner.clientWidth * (1 - share(at + 1))}px`;
  }

  /** Shift and an arrow: the brush grows from the step that was read to the next one, or shrinks. @param {number} from @param {number} next @param {ViewStore} view @param {Win} win */
  function brushTo(from, next, view, win) {
    const sequence = sequenceOf(win, from);
    if (!sequence || next < sequence.start || next >= sequence.stop) return;
    const [start, stop] = range(view);
    let patch = newBrush(Math.min(from, next), Math.max(from, next) + 1);
    if (view.start !== null && from === stop - 1 && next >= start) patch = { ...view, start, stop: next + 1 };
    else if (view.start !== null && from === start && next < stop) patch = { ...view, start: next, stop };
    const { before, after } = patch;
    panel.dispatch({ start: patch.start, stop: patch.stop, before, after }, { group: "key-brush" });
  }

  panel.on("focusin", words, (event, element) => {
    const view = panel.read("view");
    const win = panel.win();
    if (event.target !== element || !element.matches(":focus-visible") || !view || !win) return;
    const { start } = view;
    step = start !== null && start >= win.start && start < win.stop ? start : win.start;
    showStep();
  });
  panel.on("focusout", words, (event, element) => {
    if (event.target !== element) return;
    step = null;
    part("step-tip").hidden = part("step-mark").hidden = true;
  });
  panel.on("keydown", words, (event, element) => {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[panel.along(event.key)];
    const open = panel.open();
    const win = panel.win();
    if (step === null || !open || !win) return;
    if (by !== undefined) {
      const next = clamp(step + by, 0, open.info.n_steps - 1);
      if (event.shiftKey) brushTo(step, next, open.view, win);
      step = next;
      const steps = panel.steps();
      if (next < open.view.first || next >= open.view.first + steps) {
        navigation.moveTo(next - Math.floor(steps / 2), "reading");
      }
      showStep();
    } else if (event.key === " " || event.key === "Enter") {
      panel.dispatch(newBrush(step, step + 1));
      showStep();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    /** The window follows the step when it leaves the view; the values come with the answer. */
    drawReading() {
      if (step !== null) showStep();
    },
  };
}
