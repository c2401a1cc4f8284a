/* Comparing, bounding and naming values. */

export const clamp = (/** @type {number} */ x, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, x));

/**
 * Whether two JSON values are equal; the order of keys does not count, a missing one is undefined.
 * @param {any} a @param {any} b @returns {boolean}
 */
export function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const known = (/** @type {any} */ value) => Object.keys(value).filter((key) => value[key] !== undefined);
  const keys = known(a);
  return keys.length === known(b).length && keys.every((key) => same(a[key], b[key]));
}

/** A name that cannot be guessed: 32 hexadecimal digits. */
export const randomName = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
