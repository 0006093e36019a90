"""Tests of comparisons, timelines and holders."""
