"""Tests of the launcher; they need the requirements, and run with `python -m unittest discover -s tests -t .`."""
