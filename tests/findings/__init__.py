"""The paper's findings, measured on the demo datasets: `python -m tests.findings` prints them all.

The tests in tests/test_findings_*.py and the pages in docs/tutorial use the same measures.
"""
