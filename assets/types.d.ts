/* Types of the browser's own; those that the server shares are in wire.d.ts. */
import type { BrushSummary, MatchKey, Stores, Tracks, MatchStore, Window as WindowPayload } from "./wire";

/** A window with its numbers decoded: row by row, steps [rows_start, rows_stop). */
export interface Win extends Omit<WindowPayload, "values" | "brush"> {
  values: Float32Array | Float64Array;
  brush: (Omit<BrushSummary, "values"> & { values: Float32Array | Float64Array }) | null;
}

/** S1 before and after exclusions; not `fresh` while the rows that decide it are missing. */
export interface Selection {
  raw: number[];
  states: number[];
  fresh: boolean;
}

export type Span = [start: number, stop: number];
export type Polarity = MatchKey["polarity"];
export type AnyTrack = Tracks["tracks"][number] | MatchStore["tracks"][number];
export type Cell = Tracks["tracks"][number]["cells"][number] | undefined;

/** A word to be fitted; only words of one group make way for each other. */
export interface Word {
  text: string;
  bold: boolean;
  group: number | string;
}

/** How a view is changed: `dragging` is open until a change without it; see core/panel.mjs. */
export interface Change {
  history?: "push" | "replace";
  dragging?: boolean;
  group?: string | null;
}

/** A card of work in progress; a `share` in percent, null while it is not known. */
export interface Card {
  what: string;
  detail: string;
  share: number | null;
  note?: string;
  actions: [name: string, label: string][];
}

interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, Record<string, unknown>>;
}

/** The figures of components/figures.py without their numbers, for each theme. */
export type Skeletons = Record<"light" | "dark", {
  faint: Figure;
  bands: Figure;
  lines: Figure;
  histogram: Figure;
  colours: { selected: string; selected_soft: string };
  histogram_margin: { l: number; r: number; t: number; b: number };
  most_lines: number;
}>;

declare global {
  interface Window {
    dash_clientside: {
      no_update: never;
      set_props(id: string, props: Record<string, unknown>): void;
      callback_context: { triggered: { prop_id: string }[] };
      statebrush: Record<string, unknown>;
    };
    dash_component_api?: { getLayout(id: string): { props?: { data?: unknown } } | undefined };
  }
}
