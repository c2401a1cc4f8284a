/* Reading along the words with the keyboard: what the pointer learns by hovering over a word, its bar
   and its tracks is said for the step that the arrow keys have reached. */
import * as extents from "../core/axes.mjs";
import * as s1 from "../core/selection.mjs";
import * as stores from "../core/state.mjs";
import * as tracking from "../core/tracks.mjs";
import * as wording from "../core/words.mjs";
import * as navigate from "./controls.mjs";

const byId = (id) => document.getElementById(id);

let step = null; // the step being read while the words have the focus

function valueAt(track, tracks, at) {
  if (track.kind !== "interval") return tracking.trackCell(track, track.cells[at - tracks.start]).text;
  const span = track.spans.find(([start, stop]) => start <= at && at < stop);
  return span ? track.categories[span[2]].label : "none";
}

function tell() {
  const tip = byId("step-tip");
  const mark = byId("step-mark");
  const view = stores.read("view");
  const win = s1.decodedWindow(stores.read("window"));
  const shown = step !== null && win && step >= win.start && step < win.stop;
  tip.hidden = mark.hidden = !shown;
  if (!shown) return;
  const { states } = s1.selection(view, win);
  const parts = [
    `step ${wording.count(step)}`, `“${wording.shown(win.tokens[step - win.start]).text}”`,
  ];
  if (states.length) {
    const share = s1.shares(view, win, states)[step - win.start];
    parts.push(`${Math.round(share * states.length)} of ${states.length} on`);
  }
  const tracks = stores.read("tracks");
  if (tracks && tracks.dataset === view.dataset && tracks.start === win.start) {
    for (const track of tracks.tracks) parts.push(`${track.name}: ${valueAt(track, tracks, step)}`);
  }
  tip.textContent = parts.join(" · ");
  mark.style.left = `${extents.percent(step, win)}%`;
  mark.style.width = `${extents.percent(step + 1, win) - extents.percent(step, win)}%`;
  const middle = (win.start + win.stop) / 2;
  const inner = byId("words");
  const at = (inner.clientWidth * (step - win.start)) / (win.stop - win.start);
  tip.style.left = step < middle ? `${inner.offsetLeft + at}px` : "";
  tip.style.right = step < middle ? ""
    : `${inner.parentElement.clientWidth - inner.offsetLeft - at - inner.clientWidth / (win.stop - win.start)}px`;
}

function leave() {
  step = null;
  if (byId("step-tip")) byId("step-tip").hidden = byId("step-mark").hidden = true;
}

// The window follows the step when it leaves the view; the values come with the answer.
export function drawReading() {
  if (step !== null) tell();
}

/** Shift and an arrow: the brush grows from the step that was read to the next one, or shrinks. */
function brushTo(next, view, win) {
  const sequence = s1.sequenceOf(win, step);
  if (!sequence || next < sequence.start || next >= sequence.stop) return;
  const { start, stop } = view;
  let patch = extents.newBrush(Math.min(step, next), Math.max(step, next) + 1);
  if (start !== null && step === stop - 1 && next >= start) patch = { start, stop: next + 1 };
  else if (start !== null && step === start && next < stop) patch = { start: next, stop };
  stores.dispatch(patch, { group: "key-brush" });
}

/** Listen to the page; once, in the order that main.mjs gives. */
export function listen() {
  document.addEventListener("focusin", (event) => {
    if (event.target.id !== "words" || !event.target.matches(":focus-visible")) return;
    const view = stores.read("view");
    const win = s1.decodedWindow(stores.read("window"));
    if (!view || !win) return;
    const start = view.start;
    step = start !== null && start >= win.start && start < win.stop ? start : win.start;
    tell();
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.id === "words") leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "words" || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const view = stores.read("view");
    const info = stores.read("info");
    const win = s1.decodedWindow(stores.read("window"));
    if (step === null || !view || !win) return;
    if (by !== undefined) {
      const next = Math.min(info.n_steps - 1, Math.max(0, step + by));
      if (event.shiftKey) brushTo(next, view, win);
      step = next;
      const steps = extents.visibleSteps();
      if (next < view.first || next >= view.first + steps) {
        navigate.moveTo(next - Math.floor(steps / 2), "reading");
      }
      tell();
    } else if (event.key === " " || event.key === "Enter") {
      stores.dispatch(extents.newBrush(step, step + 1));
      tell();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
