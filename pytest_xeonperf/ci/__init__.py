"""The code under test: git identity."""
