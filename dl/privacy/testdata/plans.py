"""Writes plans.json: the ε of twenty plans by dp-accounting (RDP and PLD) and by Opacus.

    python plans.py > plans.json   # dp-accounting 0.6.0, opacus 1.6.0
"""

import json

import dp_accounting as dp
from dp_accounting import pld, rdp
from opacus.accountants import RDPAccountant

PLANS = [
    # sample rate, noise multiplier, steps, delta
    (0.01, 1.0, 1000, 1e-5), (0.01, 1.1, 6000, 1e-5), (0.004, 0.8, 15000, 1e-5), (0.01, 2.0, 2000, 1e-6),
    (0.02, 1.5, 500, 1e-5), (0.05, 3.0, 400, 1e-5), (0.1, 5.0, 1000, 1e-5), (0.001, 0.6, 10000, 1e-7),
    (1.0, 10.0, 50, 1e-5), (1.0, 4.0, 1, 1e-5), (0.25, 8.0, 200, 1e-4), (0.5, 6.0, 100, 1e-5),
    (0.0042, 1.1, 14000, 1e-5), (0.03, 0.9, 100, 1e-3), (0.01, 4.0, 10000, 1e-6), (0.001, 1.0, 100000, 1e-6),
    (0.002, 0.7, 500, 1e-5), (0.2, 2.5, 10, 1e-5), (0.015, 1.3, 1, 1e-5), (0.008, 0.5, 300, 1e-4),
]


def epsilon(accountant, q, sigma, steps, delta):
    event = dp.GaussianDpEvent(sigma)
    if q < 1:
        event = dp.PoissonSampledDpEvent(q, event)
    accountant.compose(dp.SelfComposedDpEvent(event, steps))
    return accountant.get_epsilon(delta)


def opacus(q, sigma, steps, delta):
    accountant = RDPAccountant()
    accountant.history = [(sigma, q, steps)]
    return accountant.get_epsilon(delta)


print(json.dumps([
    {
        "sample_rate": q, "noise_multiplier": sigma, "steps": steps, "delta": delta,
        "rdp": epsilon(rdp.RdpAccountant(), q, sigma, steps, delta),
        "pld": epsilon(pld.PLDAccountant(), q, sigma, steps, delta),
        "opacus": opacus(q, sigma, steps, delta),
    } for q, sigma, steps, delta in PLANS
], indent=1))
