"""What the columns of the results are is said for the isotope and the kinds at hand."""

from types import SimpleNamespace

import pytest

from specfit.model import ir
from specfit.report.sections.parameters import _meanings
from specfit.report.stopped import maximum_alone


def model(kind, site, symbols):
    names = {symbol: f"A.{symbol}" for symbol in symbols}
    one = ir.Site(name="A", kind=site, parameters=names)
    noise = ir.Noise(family="poisson")
    spectrum = ir.Spectrum(data="s", sites=(one,), scalars={}, noise=noise)
    return ir.Model(name="m", kind=kind, parameters=(), spectra=(spectrum,), sources=())


@pytest.mark.parametrize(
    ("kind", "site", "symbols", "said"),
    [
        ("mossbauer57Fe", "sextet", ("IS", "QS"), ["α-Fe", "2ε"]),
        ("mossbauer119Sn", "doublet 119Sn", ("IS", "QS"), ["CaSnO3", "ΔEQ"]),
        ("mossbauer57Fe", "relaxing", ("log_rate",), ["jumps per second"]),
        (
            "mossbauer57Fe",
            "hamiltonian_crystal",
            ("beam_theta",),
            ["between the gamma ray and the main axis"],
        ),
    ],
)
def test_columns_are_explained(kind, site, symbols, said):
    found = SimpleNamespace(run=SimpleNamespace(model=model(kind, site, symbols)))
    table = SimpleNamespace(columns=[(symbol, "mm/s") for symbol in symbols])
    (text,) = _meanings(found, table)
    for word in said:
        assert word in text
    assert ("α-Fe" in text) == ("α-Fe" in said)
    assert text.startswith(f"{symbols[0]}: ")


def test_a_maximum_alone_is_no_failure_to_converge():
    gate = ("no_uncertainty", 1.0, 0.0, False)
    fit = SimpleNamespace(gates=(("curvature", 0.1, 1e-10, True), gate))
    assert maximum_alone(fit)
    assert not maximum_alone(SimpleNamespace(gates=(*fit.gates, ("rhat", 2, 1, False))))
    assert not maximum_alone(SimpleNamespace(gates=fit.gates[:1]))
