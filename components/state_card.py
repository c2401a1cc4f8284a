"""The card of a state: a small window with its values over the whole corpus."""

from __future__ import annotations

from dash import html

from components import ids
from components.ids import Panel


def _button(component_id: str, name: str, icon: str) -> html.Button:
    return html.Button(
        html.Span(className=f"sb-icon sb-icon-{icon}"),
        id=component_id,
        type="button",
        title=name,
        **{"aria-label": name},
    )


def state_card(panel: Panel) -> html.Section:
    """Build the card, closed; ``assets/select/card.mjs`` opens and fills it."""
    return html.Section(
        id=panel(ids.CARD),
        className="sb-card",
        role="dialog",
        tabIndex=-1,
        hidden=True,
        **{"aria-labelledby": panel(ids.CARD_TITLE)},
        children=[
            html.Div(
                className="sb-card-head",
                children=[
                    _button(panel(ids.CARD_BACK), "Previous state", "step-back"),
                    html.H2(id=panel(ids.CARD_TITLE)),
                    _button(panel(ids.CARD_ON), "Next state", "step-on"),
                    html.Button(
                        "Select only this state",
                        id=panel(ids.CARD_ONLY),
                        type="button",
                        className="sb-text-button",
                    ),
                    html.Span(className="sb-spacer"),
                    _button(panel(ids.CARD_CLOSE), "Close (Esc)", "close"),
                ],
            ),
            html.Div(id=panel(ids.CARD_SHARE), className="sb-card-share", role="status"),
            html.Div(id=panel(ids.CARD_VALUES), className="sb-card-values"),
            html.Div(id=panel(ids.CARD_HEADING), className="sb-card-heading"),
            html.Div(
                id=panel(ids.CARD_ROWS),
                className="sb-card-rows",
                role="list",
                **{"aria-label": "Strongest places"},
            ),
        ],
    )
