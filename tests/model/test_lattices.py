"""Lattice constants of the database as priors: spreads, interpolation, provenance."""

import numpy as np
import pytest
from scipy import stats

from specfit.cli import main
from specfit.model import lattices as shelf
from specfit.model import records
from specfit.model.ir import Citation
from specfit.model.lattices import lattices
from specfit.model.predictive import density, quantile
from specfit.model.priors import describe, resolve
from specfit.model.records import RecordError
from specfit.model.shelves import SHELVES, shelf_of

EVERY = [(i, s) for i, lattice in lattices().items() for s in lattice.lattice_A]


def cited(record, symbol, temperature=None, widen=1.0, low=None, high=None):
    at = shelf.temperature(record, symbol) if temperature is None else temperature
    return resolve(
        Citation(
            record=record,
            parameter=symbol,
            temperature=at,
            widen=widen,
            low=low,
            high=high,
        )
    )


@pytest.mark.parametrize(("record", "symbol"), EVERY)
def test_a_prior_is_no_narrower_than_its_record(record, symbol):
    lattice, prior = lattices()[record], cited(record, symbol)
    said = prior.provenance
    value = lattice.lattice_A[symbol]
    stated = lattice.unc_A.get(symbol, 0.0)
    assert said.location == value
    assert said.scale >= stated
    assert said.scale > 0.0
    if "SRM" in lattice.phase:
        assert said.scatter == 0.0
        assert said.scale == stated
    else:
        assert said.scale == pytest.approx(
            np.hypot(stated or 1e-3 * value, 2e-4 * value)
        )
    assert said.observations == (record,)
    assert all(key in records.sources() for key in said.sources)
    text = "\n".join(describe(prior))
    assert records.source(lattice.source).citation in text
    assert ("states no uncertainty" in text) == (symbol not in lattice.unc_A)
    assert "certified material" in text or "assumed, 0.02%" in text


@pytest.mark.parametrize(("record", "symbol"), EVERY)
def test_the_density_is_whole_and_a_tenth_of_it_is_wide(record, symbol):
    prior = cited(record, symbol)
    centre, scale = prior.provenance.location, prior.provenance.scale
    inner = centre + np.linspace(-12, 12, 4001) * scale
    outer = np.linspace(prior.dist.low, prior.dist.high, 20001)
    x = np.unique(np.concatenate([inner, outer]))
    assert np.trapezoid(density(prior.dist, x), x) == pytest.approx(1.0, abs=1e-4)
    narrow = stats.norm(centre, scale).pdf(x) * 0.9
    wide = stats.norm(centre, max(0.01 * centre, scale)).pdf(x) * 0.1
    assert density(prior.dist, x) == pytest.approx(narrow + wide, rel=1e-4, abs=1e-9)


def test_widen_multiplies_the_records_spread_and_is_told():
    one, four = cited("hematite", "c"), cited("hematite", "c", widen=4.0)
    assert four.provenance.scale == one.provenance.scale
    spread = [p.dist.components[0][1].arguments[1].value for p in (one, four)]
    assert spread[1] == pytest.approx(4.0 * spread[0])
    assert any("widened 4 ×" in line for line in describe(four))
    assert quantile(four.dist, 0.05) < quantile(one.dist, 0.05)


def test_between_two_contents_constants_are_linear():
    said = cited("NMC111.x0.55", "c").provenance
    assert said.observations == ("NMC111.x0.5", "NMC111.x0.6")
    assert said.location == pytest.approx(0.5 * (14.49 + 14.43))
    change = 0.2 * (14.49 - 14.43)
    spread = np.sqrt(0.05**2 + change**2 + (2e-4 * said.location) ** 2)
    assert said.scale == pytest.approx(spread)
    assert any(note.startswith("linear between x = 0.5 and 0.6") for note in said.notes)
    assert cited("NMC111.x1", "a").provenance.location == 2.861
    assert cited("NMC111.x1", "a").provenance.scale == pytest.approx(
        cited("NMC111.x1.0", "a").provenance.scale
    )


def test_another_temperature_widens_and_says_so():
    near, far = cited("magnetite", "a", 310.0), cited("magnetite", "a", 800.0)
    assert near.provenance.scale == cited("magnetite", "a").provenance.scale
    growth = 1.5e-5 * 505.0 * 8.396
    assert far.provenance.scale == pytest.approx(
        np.hypot(near.provenance.scale, growth)
    )
    assert any("not carried to 800 K" in note for note in far.provenance.notes)


@pytest.mark.parametrize(
    ("record", "symbol", "code"),
    [
        ("NMC111.x0.05", "a", "db-lattice-range"),
        ("NMC112", "a", "db-unknown-lattice"),
        ("YIG", "c", "db-no-constant"),
    ],
)
def test_what_is_not_recorded_is_refused(record, symbol, code):
    with pytest.raises(RecordError) as caught:
        cited(record, symbol, 295.0)
    assert caught.value.code == code


def test_bounds_that_leave_nothing_are_refused():
    with pytest.raises(RecordError) as caught:
        cited("alphaFe", "a", low=4.0, high=5.0)
    assert caught.value.code == "db-bounds"


def test_no_symbol_is_of_two_shelves_or_of_a_site():
    every = [symbol for one in SHELVES for symbol in one.symbols]
    assert len(set(every)) == len(every)
    assert not set(every) & {"IS", "QS", "Bint", "f", "f_ratio"}
    assert all(shelf_of(symbol) is not None for symbol in every)
    assert shelf_of("IS") is None


def test_the_command_lists_shows_and_finds_lattices(capsys):
    assert main(["db", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(record in printed for record in lattices())
    assert main(["db", "search", "corundum"]) == 0
    printed = capsys.readouterr().out
    assert "Al2O3_676a" in printed
    assert "nothing found" not in printed
    assert main(["db", "show", "Si_640f"]) == 0
    printed = capsys.readouterr().out
    assert "5.43114 ± 0.00008 Å" in printed
    assert "(2 2 0)" in printed
    assert main(["db", "show", "magnetite"]) == 0
    printed = capsys.readouterr().out
    assert "Verwey" in printed
    assert "8.3960 ± 0.0020 Å" in printed
    assert main(["db", "show", "no_such_thing"]) == 2
