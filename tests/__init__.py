"""The tests; their folders mirror those of the code."""

from pathlib import Path

#: The top of the checkout.
ROOT = Path(__file__).resolve().parents[1]
