/* Words in columns that are narrower than they are: a long word first takes the room that short
   neighbours leave over, then smaller letters, then it is squeezed, and cut only at the last. */

/** @import {Word} from "../types" */

const english = new Intl.NumberFormat("en");
/** A whole number as it is written everywhere on the page: 1,284. @param {number} number */
export const count = (number) => english.format(number);
/** @param {number} number @param {string} one @param {string} [many] */
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many || one + "s"}`;
/** @param {[number, number]} range */
export const rangeText = ([low, high]) => (low === high ? `${low}` : `${low}–${high}`);

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** @param {string | number} text */
export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);

/** A token as it is shown: blanks and line ends get a visible sign. @param {string} token */
export function shown(token) {
  if (token === "") return { text: "∅", sign: true };
  if (/^[\u200b-\u200f\u2060\ufeff]+$/.test(token)) return { text: "◌", sign: true }; // no width
  if (/^\s+$/.test(token)) {
    return { text: token.replace(/\r?\n/g, "⏎").replace(/\t/g, "⇥").replace(/\s/g, "␣"), sign: true };
  }
  // Direction marks would turn the word around, unseen.
  const text = token.replace(/[\r\n\t]+/g, " ").replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "◌");
  return { text, sign: false };
}

/** @type {CanvasRenderingContext2D | null} */
let measure = null;
/** @type {Map<string, number>} */
const widths = new Map();
/** Width of a word in px at 13 px; remembered. @param {string} text @param {boolean} bold */
export function textWidth(text, bold) {
  const key = (bold ? "b" : "n") + text;
  if (!widths.has(key)) {
    if (widths.size > 20000) widths.clear();
    measure ??= /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    measure.font = `${bold ? 700 : 400} 13px ${getComputedStyle(document.body).fontFamily}`;
    widths.set(key, measure.measureText(text).width);
  }
  return /** @type {number} */ (widths.get(key));
}

/** A name in `room` px, cut in its middle: names often differ at their ends. @param {string} name @param {number} room */
export function cutMiddle(name, room) {
  const letters = Array.from(name);
  let keep = letters.length;
  const cut = () => letters.slice(0, Math.ceil(keep / 2)).join("") + "…" + letters.slice(letters.length - Math.floor(keep / 2)).join("");
  if (textWidth(name, false) <= room) return name;
  while (keep > 2 && textWidth(cut(), false) > room) keep -= 1;
  return cut();
}

const SMALLEST = 0.85; // of 13 px: 11 px
const NARROWEST = 0.5; // narrower than this, squeezed letters can no longer be read

/**
 * What of a word is shown in `room` px, how wide that is unscaled, and by how much it is scaled.
 * @param {string} text @param {number} room @param {boolean} bold
 */
function fit(text, room, bold) {
  let shown = text;
  let width = textWidth(text, bold);
  if (width * NARROWEST > room && room < 12) return { shown: "", width: 0, x: 1, y: 1 }; // one letter says less than nothing
  if (width * NARROWEST > room) {
    const letters = Array.from(text);
    let keep = Math.max(1, Math.floor((letters.length * room) / (width * NARROWEST)));
    do {
      shown = letters.slice(0, keep).join("") + (room > 14 ? "…" : "");
      width = textWidth(shown, bold);
      keep -= 1;
    } while (keep > 0 && width * NARROWEST > room);
  }
  const x = Math.min(1, Math.max(0.3, room / width));
  return { shown, width, x, y: Math.max(SMALLEST, x) };
}

/** A word as an element that fits into `room` px. @param {string} tag @param {string} text @param {number} room @param {boolean} bold */
export function fitted(tag, text, room, bold) {
  const { shown, width, x, y } = fit(text, room, bold);
  const style = x === 1 ? ""
    : ` style="transform:scale(${x.toFixed(3)},${y.toFixed(3)});margin:0 ${((room - width) / 2).toFixed(1)}px"`;
  return `<${tag}${style}>${escape(shown)}</${tag}>`;
}

/**
 * How far each word of a row reaches over the edges of its own column, in px: [left, right] for
 * each. Negative where it makes way for a neighbour; it stays in its column then.
 *
 * @param {Word[]} words @param {number} room
 */
function reaches(words, room) {
  const over = words.map(({ text, bold }) => textWidth(text, bold) - room);
  const wants = (/** @type {number} */ i, /** @type {number | string} */ group) =>
    (i >= 0 && i < words.length && words[i].group === group ? Math.max(0, over[i]) : 0);
  const reach = words.map(() => [0, 0]);
  words.forEach(({ group }, i) => {
    if (over[i] >= 0) return;
    // What a short word leaves over goes to the neighbours that want it, to equal parts at first.
    const rest = -over[i];
    const left = wants(i - 1, group);
    const right = wants(i + 1, group);
    const toLeft = Math.min(left, Math.max(rest / 2, rest - right));
    const toRight = Math.min(right, Math.max(rest / 2, rest - left));
    if (left) reach[i - 1][1] = toLeft;
    if (right) reach[i + 1][0] = toRight;
  });
  words.forEach((_, i) => {
    const given = reach[i][0] + reach[i][1];
    if (over[i] > 0 && given > over[i]) reach[i] = reach[i].map((part) => (part * over[i]) / given);
  });
  words.forEach((_, i) => {
    if (over[i] >= 0) return;
    const taken = (/** @type {number} */ j, /** @type {number} */ side) => (j >= 0 && j < words.length && over[j] > 0 ? reach[j][side] : 0);
    reach[i] = [-taken(i - 1, 1), -taken(i + 1, 0)];
  });
  return reach;
}

/**
 * Words that are upright in columns of `width` px too narrow for them, at most `height` px high.
 * @param {Word[]} words @param {number} width @param {number} height
 */
export function uprightRow(words, width, height) {
  const size = Math.max(8, Math.min(11, width - 1));
  return words.map(({ text }) => {
    const { shown, width: length, x } = fit(text, ((height - 6) * 13) / size, false);
    const scale = x === 1 ? "" : ` scaleY(${x.toFixed(3)})`; // along the letters, which are turned
    const top = 2 - (length * size * (1 - x)) / 26; // squeezed about its middle
    return `<span class="sb-upright" style="top:${top.toFixed(1)}px;font-size:${size}px;line-height:${width.toFixed(2)}px;`
      + `transform:rotate(180deg)${scale}">${escape(shown)}</span>`;
  });
}

/**
 * Elements `tag`, one a word, for columns of `width` px whose words may reach into the room that
 * their neighbours leave: they are placed absolutely in their column.
 * @param {string} tag @param {Word[]} words @param {number} width
 */
export function wordRow(tag, words, width) {
  const room = width - 6; // the ends of the brush are 3 px wide
  const reach = reaches(words, room);
  return words.map(({ text, bold }, i) => {
    const [left, right] = reach[i];
    const { shown, x, y } = fit(text, room + Math.max(0, left + right), bold);
    const scale = x === 1 ? "" : ` scale(${x.toFixed(3)},${y.toFixed(3)})`;
    const middle = (width + right - left) / 2;
    return `<${tag} style="inset-inline-start:${middle.toFixed(1)}px;transform:translateX(var(--to-middle, -50%))${scale}">${escape(shown)}</${tag}>`;
  });
}
