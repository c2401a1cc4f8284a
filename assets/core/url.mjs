/* The query string of a view; app/web/view/url.py writes and reads the same. */
/** @import {ViewStore} from "../wire" */

export const encode = (/** @type {string} */ text) =>
  encodeURIComponent(text).replace(/%3A/g, ":").replace(/%2C/g, ",");

/**
 * Ascending integers as "3,7-9", or as "~" and the base64url of one bit a number when shorter.
 * @param {number[]} numbers
 */
export function compact(numbers) {
  const listed = ranges(numbers);
  const bytes = new Uint8Array(Math.floor((numbers.at(-1) ?? -1) / 8) + 1);
  const marked = 1 + Math.ceil((4 * bytes.length) / 3);
  if (marked >= listed.length) return listed;
  for (const number of numbers) bytes[number >> 3] |= 1 << (number & 7);
  let raw = "";
  for (const byte of bytes) raw += String.fromCharCode(byte);
  return "~" + btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function ranges(/** @type {number[]} */ numbers) {
  const parts = [];
  for (let i = 0; i < numbers.length; ) {
    let j = i;
    while (j + 1 < numbers.length && numbers[j + 1] === numbers[j] + 1) j++;
    parts.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`);
    i = j + 1;
  }
  return parts.join(",");
}

/** The query string of a view, which leaves out what is as usual. @param {ViewStore} view @param {number} usualZoom */
export function query(view, usualZoom) {
  /** @type {string[]} */
  const parts = [];
  const add = (/** @type {string} */ key, /** @type {string | number} */ value) =>
    parts.push(`${key}=${encode(String(value))}`);
  add("v", view.v);
  add("dataset", view.dataset);
  add("fp", view.fp);
  add("source", view.source);
  add("first", view.first);
  if (view.start !== null) add("sel", `${view.start}:${view.stop}`);
  if (view.before || view.after) add("off", `${view.before}:${view.after}`);
  add("threshold", view.threshold);
  if (view.polarity !== "high") add("polarity", view.polarity);
  if (view.excluded.length) add("exclude", compact(view.excluded));
  if (view.pinned !== null) add("state", view.pinned);
  for (const track of view.tracks) add("track", track);
  if (view.min_overlap !== null) add("overlap", view.min_overlap);
  if (view.min_length !== null) add("minlength", view.min_length);
  if (view.overlapping) add("list", "all");
  if (view.length !== null) add("length", `${view.length[0]}:${view.length[1]}`);
  if (view.full_range) add("range", "all");
  if (view.zoom !== usualZoom) add("width", view.zoom);
  if (view.runs !== 1) add("runs", view.runs);
  if (view.mask) add("mask", 1);
  if (view.colour !== "match") add("colour", view.colour);
  if (view.sort !== "rank") add("sort", view.sort);
  if (view.page) add("page", view.page + 1);
  if (view.before_words !== null) add("context", view.before_words);
  if (!view.auto) add("auto", 0);
  return "?" + parts.join("&");
}

/** @type {string | null} */
let pending = null;
let timer = 0;
function flush() {
  timer = 0;
  if (pending !== null && pending !== window.location.search) window.history.replaceState(null, "", pending);
  pending = null;
}

/**
 * Write a view to the address, as a new entry of the history or in place of the present one. Browsers
 * limit how often an address may change: while dragging it follows four times a second.
 * @param {string} search @param {ViewStore} view
 */
export function writeAddress(search, view) {
  if (view.history === "push") {
    pending = null;
    if (search !== window.location.search) window.history.pushState(null, "", search);
  } else {
    pending = search;
    if (!view.dragging) flush();
    else if (!timer) timer = setTimeout(flush, 250);
  }
}
