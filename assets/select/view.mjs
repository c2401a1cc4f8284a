/* The Select View of a panel: its parts, wired to each other. */
/** @import {Info, ViewStore, Window as WindowPayload} from "../wire" */
/** @import {Panel} from "../core/panel.mjs" */
/** @import {Requests} from "../core/requests.mjs" */
import { decodedWindow, shows } from "../core/selection.mjs";
import { brush } from "./brush.mjs";
import { card } from "./card.mjs";
import { chips } from "./chips.mjs";
import { controls } from "./controls.mjs";
import { coverage } from "./coverage.mjs";
import { draw } from "./draw.mjs";
import { layout } from "./layout.mjs";
import { navigation } from "./navigation.mjs";
import { overview } from "./overview.mjs";
import { reading } from "./reading.mjs";
import { search } from "./search.mjs";
import { threshold } from "./threshold.mjs";
import { tracks } from "./tracks.mjs";

/** @param {Panel} panel @param {Requests} requests */
export function selectView(panel, requests) {
  const { openCard, drawCard } = card(panel);
  const { setHover, focusNext, drawBrush } = brush(panel, openCard);
  const moves = navigation(panel, requests, focusNext);
  const chipList = chips(panel, setHover, openCard);
  const { drawCoverage } = coverage(panel, setHover, openCard);
  layout(panel);
  const { drawBars, drawSelectionText, ...plots } = draw(panel);

  // Bars, chips and the text in one: Dash identifies callbacks without outputs by their inputs.
  /** @param {ViewStore} view @param {WindowPayload} payload @param {Info} info */
  function drawSelection(view, payload, info) {
    const win = decodedWindow(payload);
    if (!win || !shows(win, view, info)) return;
    drawBars(view, win);
    drawCoverage(view, win, info);
    chipList.drawChips(view, win, info);
    chipList.drawHover(panel.read("hover"));
    drawSelectionText(view, win, info);
  }

  /** Follow the width of the time axis and of the page. */
  function followWidth() {
    const inner = part("words");
    let timer = 0;
    const write = () => {
      const width = inner.clientWidth;
      if (width > 0 && panel.read("viewport")?.width !== width) {
        panel.write("viewport", { width, page: part("match-view").clientWidth });
      }
    };
    new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(write, 120);
    }).observe(inner);
    write();
  }
  const { part } = panel;

  return {
    drawBrush, drawCard, drawSelection, followWidth, hearKeys: moves.hearKeys, drawHover: chipList.drawHover,
    ...plots,
    ...controls(panel, moves), ...threshold(panel), ...tracks(panel), ...overview(panel, moves),
    ...reading(panel, moves), ...search(panel),
  };
}
