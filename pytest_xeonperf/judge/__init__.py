"""Pure functions from samples to verdicts: no input, no output, no clock."""
