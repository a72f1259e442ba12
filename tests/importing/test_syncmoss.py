"""Models of SYNCmoss: conventions against its own formulas, written out here; faults."""

import numpy as np
import pytest

from specfit.importing import Block, ImportFault, model_text

OUTER = 0.1607831  # mm/s per tesla of lines 1 and 6, and the ratios of the others
SLOPES = OUTER * np.array([-1, -0.5789752, -0.1579504, 0.1579504, 0.5789752, 1])
FWHM = 2 * np.sqrt(2 * np.log(2))
TAIL = ("90!", "0!", "0!")  # axis and order of a texture: powder
SEXTET = (
    "1",
    "0.37",
    "-0.105",
    "51.8",
    "0.098!",
    "0.1",
    *TAIL,
    "0!",
    "0!",
    "0!",
    "0!",
    "3!",
)
DOUBLET = ("0.5", "0.3", "0.4", "0.098!", "0!", *TAIL, "1!")


def changed(cells, **by_place):
    """The cells with those of `_3 = "…"` in place of the third (from 0)."""
    cells = list(cells)
    for place, cell in by_place.items():
        cells[int(place[1:])] = cell
    return tuple(cells)


def statements(draft, say):
    text = model_text(draft, Block(('file = "x.csv"',)), [], say)
    return [line.strip() for line in text.split("\n")]


def remarks(draft):
    return {remark.code: remark.words for remark in draft.remarks}


def test_a_sextet_stands_where_syncmoss_puts_it(imported, lines, model):
    cells = changed(SEXTET, _12="1.5")  # GH, a FWHM in tesla
    draft = imported(model(("Sextet", cells)))
    places, areas, sigmas = lines(draft, draft.sites[0])
    shift = np.array([1, -1, -1, -1, -1, 1]) * -0.105
    np.testing.assert_allclose(places, 0.37 + SLOPES * 51.8 + shift, atol=1.1e-3)
    np.testing.assert_allclose(areas * 12, [3, 2, 1, 1, 2, 3], rtol=1e-12)
    gauss = np.hypot(0.1, SLOPES * 1.5) / FWHM
    np.testing.assert_allclose(sigmas, gauss, rtol=2e-4)


def test_a_doublet_is_twice_epsilon_wide(imported, lines, model):
    draft = imported(model(("Doublet", DOUBLET)))
    places, areas, _ = lines(draft, draft.sites[0])
    np.testing.assert_allclose(places, [0.3 - 0.4, 0.3 + 0.4], atol=1e-12)
    np.testing.assert_allclose(areas, [0.5, 0.5])


def test_the_source_is_added_to_the_line_and_no_width_is_fixed(imported, model, say):
    found = statements(imported(model(("Doublet", changed(DOUBLET, _3="0.3!")))), say)
    line = "width ~ lognormal(log(0.398), 0.30) mm/s in [0.194, 2] mm/s"
    assert line in found


@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0])
@pytest.mark.parametrize("order", [-0.4, 0.5, 1.0])
def test_texture_by_averaging_over_directions(angle, order, imported, lines, model):
    """Areas of lines 1, 2, 3 as means over the axes of crystals, their ⟨P2⟩ being A.

    A share A of the crystals lies along the axis and the rest is a powder: the weight of
    a line for a beam at ϑ from the field is (3/2) sin²ϑ or (3/4) (1 + cos²ϑ).
    """
    cosines = np.polynomial.legendre.leggauss(40)[0]
    weights = np.polynomial.legendre.leggauss(40)[1] / 2
    axis = np.cos(np.deg2rad(angle)) ** 2
    powder = weights @ cosines**2
    cos2 = order * axis + (1 - order) * powder
    middle, outer = 4 * (1 - cos2), 3 * (1 + cos2)
    cells = changed(SEXTET, _6=f"{angle}!", _8=f"{order}!")
    draft = imported(model(("Sextet", cells)))
    _, areas, _ = lines(draft, draft.sites[0])
    assert areas[1] / areas[0] == pytest.approx(middle / outer, rel=1e-6, abs=1e-5)
    cells = changed(DOUBLET, _5=f"{angle}!", _7=f"{order}!")
    draft = imported(model(("Doublet", cells)))
    _, areas, _ = lines(draft, draft.sites[0])
    expected = (1 + cos2) / (5 / 3 - cos2)  # m = 3/2, at the higher velocity
    assert areas[1] / areas[0] == pytest.approx(expected, rel=3e-3)


def test_the_whole_hamiltonian(imported, lines, model):
    """Positions by diagonalising SYNCmoss's matrices: Q = eQVzz, its own g factors."""
    powder = ("90", "0!", "0!", "0!", "0!", "0!")  # beam, order
    cells = ("1", "0.1", "0.84", "51.7", "0.098!", "0!", "0.4", "130", "-30", *powder)
    draft = imported(model(("Hamiltonian", cells)))
    places, areas, _ = lines(draft, draft.sites[0])
    magneton = 0.6538514  # mm/s per tesla and unit of g
    theta, phi = np.deg2rad(130), np.deg2rad(-30)
    along = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))

    def spin(size):
        m = np.arange(size - 1, -size, -2) / 2
        up = np.diag(np.sqrt((m[0] - m[1:]) * (m[0] + m[1:] + 1)), 1)
        return (up + up.T) / 2, (up - up.T) / 2j, np.diag(m)

    def zeeman(size, g):
        return (
            -g
            * magneton
            * 51.7
            * sum(a * s for a, s in zip(along, spin(size), strict=True))
        )

    x, y, z = spin(4)
    coupling = 0.84 / 12 * (3 * z @ z - 3.75 * np.eye(4) + 0.4 * (x @ x - y @ y))
    upper = np.linalg.eigvalsh(zeeman(4, -0.10353) + coupling)
    lower = np.linalg.eigvalsh(zeeman(2, 0.18121))
    expected = np.sort(0.1 + (upper[:, None] - lower[None, :]).ravel())
    np.testing.assert_allclose(places, expected, atol=1.5e-3)
    assert areas.sum() == pytest.approx(1)
    single = (*cells[:12], "1!", "0!", "1!")
    told = [r.words for r in imported(model(("Hamiltonian", single))).remarks]
    assert {"text": "site 1: A = 1"} in told
    assert {"text": "site 1: Ah = 1"} in told


def test_links_and_shares(imported, model, say):
    second = changed(SEXTET, _0="=[8,2]", _1="=[9,1]", _3="=[11,0.9]", _4="=[12,1]")
    draft = imported(model(("Sextet", SEXTET), ("Sextet", second)))
    found = statements(draft, say)
    assert "IS = S1.IS" in found
    assert "Bint = 0.9 * S1.Bint" in found
    assert "width = S1.width" in found
    assert any(line.startswith("require S2.I == 2 * S1.I because") for line in found)
    assert "import-tie" not in remarks(draft)


@pytest.mark.parametrize("link", ["=[9,1]", "=[2,1]", "=[22,1]", "=[99,1]"])
def test_a_link_to_something_else_is_told(link, imported, model):
    """T to δ, to the baseline, to itself, to nothing."""
    second = changed(SEXTET, _0=link)
    draft = imported(model(("Sextet", SEXTET), ("Sextet", second)))
    assert "import-tie" in remarks(draft)


def test_a_whole_model(imported, model, say):
    cells = changed(DOUBLET, _1="0.3|0.1|0.6", _2="=(0.4)", _4="0.2")
    head = "#@Chemical composition FeS2\n#@Comment x\n"
    head += "#@Comment   Fe low spin [doublet]: I=1, CS=0.3\n"
    draft = imported(model(("Doublet", cells), head=head))
    found = statements(draft, say)
    for line in (
        'title "FeS2"',
        'site S1 "Fe low spin" : doublet {',
        "IS ~ 0.3 ± 0.1 mm/s in [0.1, 0.6] mm/s",
        "QS ~ 0.8 ± 0.2 mm/s in [0, 4.3] mm/s",
        "sigma_IS ~ halfnormal(0.084932) mm/s",
    ):
        assert line in found
    assert not any(line.startswith(("S1.I", "area")) for line in found)


@pytest.mark.parametrize(
    ("rows", "code", "word"),
    [
        ([("Sextet", changed(SEXTET, _10="0.02!"))], "import-unmapped", "a+ = 0.02"),
        ([("Sextet", changed(SEXTET, _13="2.5!"))], "import-unmapped", "I1/I3 = 2.5"),
        ([("Doublet", changed(DOUBLET, _8="1.2"))], "import-unmapped", "G2/G1 = 1.2"),
        ([("Doublet", DOUBLET), ("Relax_2S", ["1"] * 14)], "import-kind", "Relax_2S"),
        ([("Doublet", DOUBLET), ("Distr", ["1"] * 5)], "import-no-component", "Distr"),
    ],
)
def test_what_has_no_counterpart_is_told(rows, code, word, imported, model, say):
    draft = imported(model(*rows))
    assert any(word in value for value in remarks(draft)[code].values())
    assert all(say(r.code, **r.words) for r in draft.remarks)


def test_rows_that_are_no_component_count_for_links(imported, model):
    """A distribution between two doublets takes five numbers."""
    second = changed(DOUBLET, _1=f"=[{8 + 1},1]", _2=f"=[{8 + 9 + 5 + 1},1]")
    rows = [("Doublet", DOUBLET), ("Distr", ["1", "0", "1", "9", "X"])]
    draft = imported(model(*rows, ("Doublet", second)))
    shift, split = (p for p in draft.sites[1].parameters if p.symbol in ("IS", "QS"))
    assert shift.tie is not None
    assert split.tie is None  # follows its own shift: told, not kept


def test_older_files(imported, model):
    """Without colours, without angles, with the asymmetry of lines that was there."""
    old = ("1", "0.37", "-0.1", "51.8", "0.098!", "0.1", "0.7!", "0!", "0!", "0!", "3!")
    draft = imported(model(("Sextet_(thick)", old), colours=False))
    assert draft.sites[0].kind == "sextet"
    assert "asymmetry = 0.7" in remarks(draft)["import-unmapped"]["text"]


@pytest.mark.parametrize(
    ("baseline", "shape"),
    [
        (("1e4", *["0!"] * 7), "constant"),
        (("1e4", "0!", "0!", "0.1", *["0!"] * 4), "linear"),
        (("1e4", "0!", "0.2!", "0!", *["0!"] * 4), "parabola"),
    ],
)
def test_baselines(baseline, shape, imported, model):
    draft = imported(model(("Doublet", DOUBLET), baseline=baseline))
    assert draft.baseline == shape
    assert ("import-baseline" in remarks(draft)) == (shape != "constant")


@pytest.mark.parametrize(
    ("rows", "code", "place"),
    [
        ([("Doublet", changed(DOUBLET, _1="x"))], "import-cell", "x"),
        ([("Doublet", changed(DOUBLET, _1="=[a,1]"))], "import-cell", "=[a,1]"),
        ([("Doublet", changed(DOUBLET, _1="=[9,]"))], "import-cell", "=[9,]"),
        ([("Doublet", changed(DOUBLET, _1="1e300"))], "import-cell", "1e300"),
        ([("Doublet", DOUBLET[:6])], "import-row", None),
        ([("Variables", ["1", "2"])], "import-no-site", ""),
    ],
)
def test_faults_have_a_place(rows, code, place, imported, model, say):
    text = model(*rows)
    with pytest.raises(ImportFault) as caught:
        imported(text)
    fault = caught.value
    assert fault.code == code
    assert place is None or text[fault.span.start : fault.span.end] == place
    assert say(code, **fault.words)


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_a_file_that_broke_off(keep, imported, model):
    lines = model(("Doublet", DOUBLET), ("Doublet", DOUBLET)).split("\n")
    with pytest.raises(ImportFault) as caught:
        imported("\n".join(lines[:keep]))
    assert caught.value.code == "import-rows"
    cut = lines[-2].split("\t")[:23]
    with pytest.raises(ImportFault) as caught:
        imported("\n".join([*lines[:-2], "\t".join(cut)]))
    assert caught.value.code == "import-row"
