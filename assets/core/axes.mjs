/* Where steps and values are on the axes, and which steps fit into the window. */
import * as stores from "./state.mjs";

export function axisRange(view, info) {
  const [low, high] = view.full_range ? info.full : info.range;
  const pad = (high - low) * 0.03 || 0.5;
  return [low - pad, high + pad];
}

export const percent = (step, win) => (100 * (step - win.start)) / (win.stop - win.start);

export function figure(skeletons, theme, name, data, ranges) {
  const base = skeletons[theme === "dark" ? "dark" : "light"][name];
  return {
    data: base.data.map((trace, i) => ({ ...trace, ...data[i] })),
    layout: {
      ...base.layout,
      xaxis: { ...base.layout.xaxis, ...ranges.x },
      yaxis: { ...base.layout.yaxis, ...ranges.y },
    },
  };
}

export const stateName = (state, info) => (info.names ? info.names[state] : String(state));

/** A new brush: what the limits of the one before demanded is not asked of other words. */
export const newBrush = (start, stop) => ({ start, stop, before: 0, after: 0 });

export function firstStep(first, info, steps) {
  return Math.max(0, Math.min(first, info.n_steps - steps));
}

/** How many steps the view shows: as many as fit at its step width, and as the server sends. */
export function visibleSteps(view = stores.read("view"), info = stores.read("info"), viewport = stores.read("viewport")) {
  const fitting = Math.max(8, Math.floor(viewport.width / view.zoom));
  return Math.min(fitting, info.n_steps, info.most_steps);
}

/** The first step that shows [start, stop) in the middle, or its beginning if it is too long. */
export function firstFor(start, stop) {
  const room = visibleSteps();
  const length = stop - start;
  return Math.max(0, length > room - 4 ? start - 2 : Math.round(start - (room - length) / 2));
}
