"""Jobs of NORMOS: conventions against its own formulas, written out here; faults."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit import checking
from specfit.importing import Block, ImportFault, drafted, model_text

MAGNETON, LIGHT, ENERGY = 3.152452e-11, 2.99792458e11, 14.4  # keV/T, mm/s, keV
GROUND, RATIO = 0.090604, -0.5714  # g of the ground state, ratio of the moments
SPINS = 1.5 / 0.5


def slopes():
    """Velocity of lines 1 to 6 per tesla, from the moments that NORMOS has."""
    upper = GROUND * RATIO * SPINS
    moved = [upper - GROUND, upper / 3 - GROUND, -upper / 3 - GROUND]
    return np.array([*moved, *(-m for m in moved[::-1])]) * MAGNETON * LIGHT / ENERGY


FREE = "ISOFIT(1)=.TRUE., QUAFIT(1)=.TRUE., BHFFIT(1)=.TRUE., WIDFIT(1)=.TRUE., "
SEXTET = (
    "NSUB=1, NLINE(1)=6, ISO(1)=0.26, QUA(1)=-0.2, BHF(1)=51.7, WID(1)=.3, "
    "DEP(1)=0.05, DEPFIT(1)=.TRUE., " + FREE
)


def statements(draft, say):
    text = model_text(draft, Block(('file = "x.csv"',)), [], say)
    return [line.strip() for line in text.split("\n")]


def test_a_sextet_stands_where_normos_puts_it(imported, lines, job):
    draft = imported(job(SEXTET + "D23(1)=1.4, D23FIT(1)=.TRUE.,"))
    places, areas, _ = lines(draft, draft.sites[0])
    quadrupole = np.array([1, -1, -1, -1, -1, 1]) * -0.2 / 2
    expected = 0.26 + 0.108 + slopes() * 51.7 + quadrupole
    np.testing.assert_allclose(places, expected, atol=1e-6)
    weights = np.array([3, 1.4, 1, 1, 1.4, 3])
    np.testing.assert_allclose(areas, weights / weights.sum(), rtol=1e-12)
    assert draft.area == pytest.approx(0.05)


@pytest.mark.parametrize(("splitting", "ratio"), [(0.8, 1.5), (-0.8, 1.5)])
def test_a_doublet_keeps_its_taller_line(splitting, ratio, imported, lines, job):
    """Line 2, at ISO + QUA / 2 whatever its sign, has D21 times the area of line 1."""
    text = f"NSUB=1, NLINE=2, ISO=0.3, QUA={splitting}, WID=.3, DEP=.1, D21={ratio},"
    draft = imported(job(text))
    places, areas, _ = lines(draft, draft.sites[0])
    second = 0.3 + 0.108 + splitting / 2
    assert areas[np.argmin(abs(places - second))] == pytest.approx(ratio / (1 + ratio))
    np.testing.assert_allclose(places, [0.408 - 0.4, 0.408 + 0.4], atol=1e-12)


def test_the_full_hamiltonian_at_zero_angle_is_first_order(imported, job):
    """There m = ±3/2 moves by eQVzz / 4, which first order calls QUA / 2."""
    text = (
        SEXTET + "HAMILT=.TRUE., THE(1)=180.0, THEFIT(1)=.F., ETA(1)=0.3, PHI(1)=100,"
    )
    site = imported(job(text)).sites[0]
    assert site.kind == "hamiltonian"
    values = {p.symbol: (p.value, p.free) for p in site.parameters}
    assert values["eQVzz"][0] / 4 == pytest.approx(-0.2 / 2)
    assert values["theta"] == (0.0, False)
    assert values["eta"] == (0.3, True)
    assert values["phi"][0] == pytest.approx(80.0)  # the same crystal in a mirror


def test_statements(imported, job, say):
    found = statements(
        imported(job(SEXTET.replace("QUAFIT(1)=.TRUE.", "QUAFIT(1)=.F."))), say
    )
    for line in (
        'title "a title in two lines"',
        'site S1 "subspectrum 1" : sextet {',
        "IS ~ 0.368 ± 0.1 mm/s",
        "QS = -0.2 mm/s",
        "Bint ~ 51.7 ± 2 T in [0, 70] T",
        "width ~ lognormal(log(0.3), 0.30) mm/s in [0.194, 2] mm/s",
        "area ~ lognormal(log(0.05), 0.50) mm/s",
    ):
        assert line in found


TWO = (
    "NSUB=2, NLINE=2*6, ISO=0.1,0.2, ISOFIT=2*.T., BHF=33.,45., BHFFIT=2*.T., "
    "WID=.25,.3, WIDFIT=2*.T., DEP=.05,.10, DEPFIT=2*.T., QUA=2*0., QUAFIT=2*.F., "
)


def test_constraints_become_ties(imported, job, say):
    """14 + 15 (n − 1) counts WID, then the area, ISO, QUA, BHF of subspectrum n."""
    links = "NDEX(29)=14, FACTOR(29)=1.2, NDEX(30)=15, FACTOR(30)=2., "
    links += "NDEX(31)=16, FACTOR(31)=2., CONST(31)=0.12, NDEX(33)=18, FACTOR(33)=.9,"
    found = statements(imported(job(TWO + links)), say)
    assert "width = 1.2 * S1.width" in found
    # 2 ISO + 0.12 on the scale of the source; 2 (IS − 0.108) + 0.12 + 0.108 on iron's
    assert "IS = 2 * S1.IS + 0.012 mm/s" in found
    assert "Bint = 0.9 * S1.Bint" in found
    assert any(line.startswith("require S2.I == 2 * S1.I because") for line in found)


@pytest.mark.parametrize(
    "links",
    [
        "NDEX(31)=17,",  # ISO follows QUA
        "NDEX(31)=6,",  # a parameter of no subspectrum
        "NDEX(31)=31,",  # itself
        "NDEX(31)=16, NDEX(16)=31,",  # in a circle
        "NDEX(30)=15, CONST(30)=0.1,",  # an area plus an area
        "NDEX(33)=18, FACTOR(33)=-1.,",  # a field below zero
        "NDEX(99)=16,",
    ],
)
def test_what_cannot_be_tied_is_told(links, imported, job):
    draft = imported(job(TWO + links))
    assert "import-tie" in [remark.code for remark in draft.remarks]


def test_fixed_areas_are_fixed_shares(imported, job, say):
    found = statements(imported(job(TWO.replace("DEPFIT=2*.T.", "DEPFIT=2*.F."))), say)
    assert "area = 0.15 mm/s" in found
    assert "S1.I = 0.333333" in found
    assert not any(line.startswith("S2.I") for line in found)


def test_a_transmission_integral_adds_the_source(imported, job):
    draft = imported(job(SEXTET + "IFTRAN=.TRUE., WDS=0.11, TAB=3.0,"))
    width = next(p for p in draft.sites[0].parameters if p.symbol == "width")
    assert width.value == pytest.approx(0.3 + 0.11)
    assert draft.area is None
    told = {remark.code: remark.words for remark in draft.remarks}
    assert told["import-transmission"] == {"width": "0.11"}
    assert told["import-unmapped"] == {"text": "TAB(1) = 3.0"}


@pytest.mark.parametrize(
    ("extra", "code", "word"),
    [
        ("W13(1)=1.3,", "import-widths", "W13(1)"),
        ("D13(1)=2.4,", "import-outer", "2.4"),
        ("BKG(2)=0.1,", "import-baseline", None),
        ("AKS=0.25,", "import-unmapped", "AKS(1) = 0.25"),
        ("POLAR=.TRUE.,", "import-unmapped", "POLAR(1) = .TRUE."),
        ("NLINE(1)=8,", "import-octet", "1"),
    ],
)
def test_what_has_no_counterpart_is_told(extra, code, word, imported, job, say):
    draft = imported(job(SEXTET + extra))
    words = {remark.code: remark.words for remark in draft.remarks}
    assert word is None or word in words[code].values()
    assert all(say(r.code, **r.words) for r in draft.remarks)


def test_what_is_off_is_not_told(imported, job):
    text = SEXTET + "POLAR=.FALSE., AKS=0.0, D13(1)=3., W13(1)=1., BKG(1)=2.0E6,"
    codes = [remark.code for remark in imported(job(text)).remarks]
    assert codes == ["import-zero"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("VMAX=12.0,", ["velocity_max = 12 mm/s", 'direction = "falling"']),
        ("VMAX=-11.966,", ["velocity_max = 11.966 mm/s", 'direction = "rising"']),
        ("VMAX=1.2D1, TRIANG=.FALSE.", ['drive = "sinusoidal"', 'fold = "none"']),
    ],
)
def test_the_drive(data, expected, imported, job):
    axis = imported(job(SEXTET, data)).data.axis
    assert axis[0] == 'source = "57Co(Rh)"'
    assert set(expected) <= set(axis)


def test_where_to_fold_and_how_fast(imported, job):
    draft = imported(job(SEXTET, "PFP=514.4,"))
    codes = [remark.code for remark in draft.remarks]
    assert {"import-fold", "import-no-velocity"} <= set(codes)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("hello\n", "import-unknown", ""),
        (" &PARAM\n NSUB=1, ISO(1)=0.2,\n", "import-truncated", "&PARAM"),
        (" &DATA\n VMAX=1\n &PARAM\n NLINE=6\n", "import-truncated", "&DATA"),
        (" &PARAM\n NLINE=6, ISO(1)=abc,\n &END\n", "import-number", "abc"),
        (" &PARAM\n NLINE=6, ISO(1)=1e99,\n &END\n", "import-number", "1e99"),
        (" &PARAM\n NLINE=6.5,\n &END\n", "import-number", "6.5"),
        (" &PARAM\n NLINE=6, HAMILT=maybe\n &END\n", "import-switch", "maybe"),
        (
            " &PARAM\n some words, NLINE=6\n &END\n",
            "import-syntax",
            "some words, NLINE",
        ),
        (" &PARAM\n NLINE=6, DISTRI(1)=2,\n &END\n", "import-distribution", "2"),
        (" &PARAM\n NLINE=5,\n &END\n", "import-no-site", ""),
        (" &PARAM\n &END\n", "import-no-site", ""),
    ],
)
def test_faults_have_a_place(text, code, place, imported, say):
    with pytest.raises(ImportFault) as caught:
        imported(text)
    fault = caught.value
    assert fault.code == code
    assert text[fault.span.start : fault.span.end] == place.removesuffix(", NLINE")
    assert say(code, **fault.words)


VALUES = st.one_of(
    st.floats(-99, 99).map("{:.3f}".format), st.just(".5"), st.just("1D0")
)
FLAGS = st.sampled_from([".TRUE.", ".FALSE."])
NAMES = ("ISO", "QUA", "BHF", "WID", "DEP", "D13", "D23", "D21", "W13", "ETA", "THE")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("1268"), st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
        ),
        min_size=1,
        max_size=3,
    ),
    FLAGS,
    FLAGS,
)
def test_whatever_a_job_says_the_text_is_a_model(sites, flag, hamilton):
    """No fault in what is written, for values far from any nature."""
    import tempfile
    from pathlib import Path

    parts = [f"NSUB={len(sites)}, HAMILT={hamilton}"]
    for i, (kind, values) in enumerate(sites, start=1):
        parts.append(f"NLINE({i})={kind}")
        parts += [f"{name}({i})={value}" for name, value in values.items()]
        parts += [f"{name}FIT({i})={flag}" for name in values]
    text = " &PARAM\n " + ", ".join(parts) + "\n &END\n"
    draft = drafted(text, "a.JOB", "57Co(Rh)", -0.108)
    block = Block(('file = "x.csv"', "velocity_max = 9 mm/s"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.spec"
        path.write_text(
            model_text(draft, block, [], lambda code, **_: code), encoding="utf-8"
        )
        assert checking.check(path).errors == []
