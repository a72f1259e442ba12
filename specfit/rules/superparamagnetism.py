"""A doublet at room temperature that may be a magnetic phase in small particles."""

from __future__ import annotations

from collections.abc import Sequence

from specfit.contracts import Finding, Fit, Measurement, PhysicsRule
from specfit.model.ir import Model, Prior
from specfit.rules.draws import IronSite, iron_sites, passed, symbol_draws
from specfit.rules.magnetic_order import ordering

NAME = "superparamagnetism"
SOURCE = (
    "Fock & Mørup 2018: the sextet to doublet ratio of small particles depends on "
    "temperature; blocking at relaxation times of 1e-8 to 1e-9 s"
)
ROOM = (270.0, 320.0)  # K
SHIFT = (0.3, 0.4)  # mm/s, Fe3+ in octahedral oxygen
SPLITTING = (0.5, 0.9)  # mm/s, ferrihydrite and fine hematite


def judge(
    model: Model[Prior], measurements: Sequence[Measurement], fit: Fit
) -> Sequence[Finding]:
    """Warn of doublets that only a cold spectrum can name."""
    doublets = list(iron_sites(model, "doublet"))
    found = [finding for item in doublets if (finding := _judge_one(model, fit, item))]
    if found or not doublets:
        return found
    text = "no doublet looks like a superparamagnetic oxide at room temperature"
    return [passed(NAME, text, SOURCE)]


def _judge_one(model: Model[Prior], fit: Fit, item: IronSite) -> Finding | None:
    reason = _ordered_phase(model, item) or _fine_oxide(model, fit, item)
    if reason is None:
        return None
    return Finding(
        NAME,
        "physics",
        "warned",
        f"the doublet `{item.name}` {reason}: it may be a superparamagnetic oxide "
        "rather than a paramagnetic phase",
        detail="measure at 77 K and at 4.2 K: a superparamagnetic phase splits into a "
        "sextet there",
        source=SOURCE,
    )


def _ordered_phase(model: Model[Prior], item: IronSite) -> str | None:
    known = ordering(model, item)
    if known is None or item.temperature is None or item.temperature >= known[1]:
        return None
    phase, orders_at = known
    return f"is called {phase}, which in bulk orders below {orders_at:g} K"


def _fine_oxide(model: Model[Prior], fit: Fit, item: IronSite) -> str | None:
    cold = item.temperature is None or not ROOM[0] <= item.temperature <= ROOM[1]
    if cold or item.site.record is not None:
        return None
    shift = symbol_draws(fit, model, item, "IS")
    splitting = symbol_draws(fit, model, item, "QS")
    if shift is None or splitting is None:
        return None
    centre, split = float(shift.mean()), abs(float(splitting.mean()))
    if not (SHIFT[0] <= centre <= SHIFT[1] and SPLITTING[0] <= split <= SPLITTING[1]):
        return None
    return f"has IS {centre:.2f} and QS {split:.2f} mm/s at {item.temperature:g} K"


RULE = PhysicsRule(NAME, SOURCE, judge)
