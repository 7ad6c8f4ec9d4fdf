"""Tests of the scripts that package, check and measure what ships."""
