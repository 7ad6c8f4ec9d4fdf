"""Tests of LocalStack's host: `python -m unittest discover -s tests -t .` in its virtual environment."""
