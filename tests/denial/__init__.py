"""Tests of denials: reading, deciding, remedies."""
