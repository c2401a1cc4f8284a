"""The tests; the folders mirror those of what they test."""

from pathlib import Path

#: The top of the checkout.
ROOT = Path(__file__).resolve().parents[1]
