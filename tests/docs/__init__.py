"""Tests of the manual and the examples."""
