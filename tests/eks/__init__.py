"""Tests of accounts, uses, knowledge and findings."""
