"""Noise as shared machines make it: multiplicative, with a seed, of about one percent.

Each model gives the factors of consecutive calls in time, around one.
"""

import numpy as np

SIGMA = 0.01


def iid(rng, calls):
    """Independent, log-normal."""
    return np.exp(rng.normal(0, SIGMA, calls))


def ar1(rng, calls, correlation=0.7):
    """First-order autocorrelation: what disturbs one call disturbs the next."""
    shocks = rng.normal(0, SIGMA * np.sqrt(1 - correlation**2), calls)
    logs = np.empty(calls)
    logs[0] = rng.normal(0, SIGMA)
    for at in range(1, calls):
        logs[at] = correlation * logs[at - 1] + shocks[at]
    return np.exp(logs)


def drift(rng, calls):
    """A machine that becomes 5 % slower from the first call to the last."""
    return np.exp(np.linspace(0, 0.05, calls) + rng.normal(0, SIGMA, calls))


def bimodal(rng, calls):
    """Three calls in ten land on a slower mode, 4 % away."""
    return np.exp(0.04 * (rng.random(calls) < 0.3) + rng.normal(0, SIGMA / 2, calls))


def bursty(rng, calls):
    """A neighbour that comes every thirty calls for about four, and costs 10 %."""
    logs = rng.normal(0, SIGMA, calls)
    at = int(rng.geometric(1 / 30))
    while at < calls:
        length = int(rng.geometric(1 / 4))
        logs[at : at + length] += 0.10
        at += length + int(rng.geometric(1 / 30))
    return np.exp(logs)


MODELS = {"iid log-normal": iid, "AR(1) 0.7": ar1, "drift": drift, "bimodal": bimodal, "bursty": bursty}


def rounds(model, rng, pairs, slowdown=0.0):
    """Base and head in so many rounds, who comes first drawn in each: two arrays of nanoseconds."""
    factors = MODELS[model](rng, 2 * pairs).reshape(pairs, 2)
    base_first = rng.random(pairs) < 0.5
    base = np.where(base_first, factors[:, 0], factors[:, 1])
    head = np.where(base_first, factors[:, 1], factors[:, 0]) * (1 + slowdown)
    return np.round(base * 1e8).astype(int), np.round(head * 1e8).astype(int)


def series(model, rng, length, changes):
    """A series with changes of level: (index, factor) pairs."""
    levels = np.ones(length)
    for index, factor in changes:
        levels[index:] *= factor
    return levels * MODELS[model](rng, length) * 1e8
