"""The only clock: interleaved rounds, warm-up, evidence, numerics."""
