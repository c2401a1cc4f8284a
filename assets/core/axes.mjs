/* Where steps and values are on the axes, and which steps fit into the window. */
/** @import {Info, ViewStore, Viewport} from "../wire" */
/** @import {Skeletons} from "../types" */

/** The lowest and the highest value on the value axis. @param {ViewStore} view @param {Info} info */
export function axisRange(view, info) {
  const [low, high] = view.full_range ? info.full : info.range;
  const pad = (high - low) * 0.03 || 0.5;
  return [low - pad, high + pad];
}

/** Where a step is in a window, in percent. @param {number} step @param {{ start: number, stop: number }} win */
export const percent = (step, win) => (100 * (step - win.start)) / (win.stop - win.start);

export const scheme = (/** @type {string} */ theme) => (theme === "dark" ? "dark" : "light");

/**
 * A figure of components/figures.py with its numbers.
 * @param {Skeletons} skeletons @param {string} theme @param {"faint" | "bands" | "lines" | "histogram"} name
 * @param {object[]} data @param {{ x: object, y: object }} ranges
 */
export function figure(skeletons, theme, name, data, ranges) {
  const base = skeletons[scheme(theme)][name];
  return {
    data: base.data.map((trace, i) => ({ ...trace, ...data[i] })),
    layout: {
      ...base.layout,
      xaxis: { ...base.layout.xaxis, ...ranges.x },
      yaxis: { ...base.layout.yaxis, ...ranges.y },
    },
  };
}

/** @param {number} state @param {Info} info */
export const stateName = (state, info) => (info.names ? info.names[state] : String(state));

/** A new brush: it does not take over the limits of the one before. @param {number} start @param {number} stop */
export const newBrush = (start, stop) => ({ start, stop, before: 0, after: 0 });

/** @param {number} first @param {Info} info @param {number} steps */
export const firstStep = (first, info, steps) => Math.max(0, Math.min(first, info.n_steps - steps));

/**
 * How many steps a view shows: as many as fit at its step width, and as the server sends.
 * @param {ViewStore} view @param {Info} info @param {Viewport} viewport
 */
export function visibleSteps(view, info, viewport) {
  const fitting = Math.max(8, Math.floor(viewport.width / view.zoom));
  return Math.min(fitting, info.n_steps, info.most_steps);
}

/**
 * The first step that shows [start, stop) in the middle, or its beginning if it is too long.
 * @param {number} start @param {number} stop @param {number} room Steps
 */
export function firstFor(start, stop, room) {
  const length = stop - start;
  return Math.max(0, length > room - 4 ? start - 2 : Math.round(start - (room - length) / 2));
}
