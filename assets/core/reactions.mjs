/* What follows from the stores of a panel: each reaction is called when a store that it uses has changed. */
/** @import {Panel} from "./panel.mjs" */
import { noUpdate, readStore, setProps } from "./page.mjs";

const LONG = 50; // ms after which the browser draws what there is, and the rest follows

// Of the page, not of a panel.
const SHARED = ["theme", "skeletons"];

/**
 * @typedef {[name: string, from: string, to?: string]} Reaction
 *   A function, the stores that are its arguments, and what its result is written to: a store or a figure.
 */

/**
 * Return what to call after changes. It calls, in their order, the reactions whose arguments are not
 * those of the last time, with what the stores hold at that moment.
 * @param {Panel} panel @param {readonly Reaction[]} reactions @param {Record<string, unknown>} functions
 */
export function follower(panel, reactions, functions) {
  const value = (/** @type {string} */ name) => readStore(SHARED.includes(name) ? name : panel.prefix + name);
  const steps = reactions.map(([name, from, to]) => ({
    react: /** @type {(...values: any[]) => unknown} */ (functions[name]), from: from.split(" "), to,
    /** @type {unknown[] | null} */ last: null,
  }));
  function follow() {
    const began = performance.now();
    for (const step of steps) {
      const values = step.from.map(value);
      if (step.last && values.every((one, i) => one === step.last?.[i])) continue;
      if (performance.now() - began > LONG) {
        setTimeout(follow);
        return;
      }
      step.last = values;
      try {
        const made = step.react(...values);
        if (!step.to || made === noUpdate()) continue;
        const [id, prop = "data"] = step.to.split(".");
        setProps(panel.prefix + id, { [prop]: made });
      } catch (error) {
        reportError(error); // the others go on
      }
    }
  }
  return follow;
}
