"""The page and its figures: complete, self-contained, and deaf to what titles say."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from specfit import rules
from specfit.model import ir
from specfit.report.blocks import Page
from specfit.report.figures import correlations, priors, spectrum, style
from specfit.report.figures.gallery import figures
from specfit.report.page import prose, render
from specfit.report.quantities import Findings
from specfit.report.sections import SECTIONS
from specfit.report.terminal import terminal

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "`</code><script>alert(1)</script>`",
    r"$\badmacro$ $x_{",
    "\u202eevil\u202c\x00\x1b[31m",
    "<!--",
    "&lt;script&gt;",
)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


NAMES = ("spectrum", "prior_vs_posterior", "correlations")
STUB = dict.fromkeys(NAMES, b"\x89PNG")


def page_of(run, drawn=STUB) -> str:
    return render(Page(Findings(run), drawn))


def example(build, **changes):
    written, strategies = build.standard_rules()
    return build.Scene(rules=written, strategies=strategies, **changes).run()


@pytest.fixture(scope="module")
def pictures(build):
    return figures(Findings(example(build)))


@pytest.fixture(scope="module")
def html(build, pictures):
    return page_of(example(build), pictures)


def test_the_page_is_one_file_without_script(html):
    reader = read(html)
    assert not {"script", "iframe", "object", "link", "form", "base"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    sources = [value for name, value in reader.attributes if name == "src"]
    assert len(sources) == 3
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    links = [value for name, value in reader.attributes if name == "href"]
    assert all(value.startswith("#") for value in links)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert ("content", policy) in reader.attributes
    assert "url(" not in html


def test_every_section_is_on_the_page(html):
    """But those on several answers, bases and features: this run has one, and none."""
    shown = [section.name for section in SECTIONS]
    absent = ("answers", "made_of", "regression")
    shown = [name for name in shown if name not in absent]
    for name in shown:
        assert f'<section id="{name}">' in html
    for name in ("answers", "made_of"):
        assert f'<section id="{name}">' not in html


@pytest.mark.parametrize(
    "said",
    [
        "Accepted",
        "44.40(5)",
        "α-Fe 金属鉄",
        "because “ferrimagnetic spinel: A field exceeds B field at 295 K”",
        "B.Bint: the posterior 44.4 T lies 1.6 T below the literature&#39;s 46.0 T",
        "the prior was widened ×4",
        "R. M. Cornell, U. Schwertmann, The Iron Oxides",
        "33.04 T @ 5.3123 mm/s",
        "kept by construction: ordered, keeps 0.83 of the prior",
        "No starting value was given",
        "The residuals are those of counting statistics",
        "cubic site: no electric field gradient",
        "site B &#34;Fe₃O₄ Fe2.5+&#34; : sextet",
        "-1480.20 ± 0.30",
        "prior database abc",
    ],
)
def test_what_a_reader_must_find(html, said):
    assert said in html


def test_a_rejected_run_says_why_at_the_head(build):
    site = build.SiteScene(
        "S",
        "siderite",
        "sextet",
        {"IS": (1.23, 0.01), "QS": 0.0, "Bint": (18.0, 0.1), "I": 1.0},
    )
    scene = build.Scene(sites=(site,), records={"S.IS": (1.23, 0.02, 1)}, orders=38.0)
    scene.reports = ()
    html = page_of(scene.run())
    assert html.index("Rejected") < html.index("orders at 38 K") < html.index("<img")


def test_numbers_without_convergence_are_marked(build):
    html = page_of(example(build, converged=False))
    assert "Not converged" in html
    assert "they are not a result" in html


def interrupted(build, cut=True):
    """A run stopped while it sampled; or, not `cut`, while its rules were judged."""
    run = example(build)
    gates = (*run.fit.gates, ("interrupted", 1.0, 0.0, False)) if cut else run.fit.gates
    fit = replace(run.fit, gates=gates, settings={"interrupted": True})
    verdict = rules.judge(run.model, run.measurements, fit, run.strategies)
    return replace(run, fit=fit, verdict=verdict)


def test_an_interrupted_run_says_so_in_words(build):
    run = interrupted(build)
    assert run.verdict.outcome == "not_converged"
    assert run.verdict.reasons == ("interrupted after 250 draws of each chain",)
    for said in (page_of(run), terminal(run).replace("\n", " ")):
        assert "interrupted after 250 draws of each of 4 chains" in said
        assert "provisional" in said
        assert "--resume" in said
        assert "did not converge" not in said
        assert "chains that disagree" not in said
    assert "verdict: INTERRUPTED" in terminal(run)


def test_an_interruption_after_the_draws_leaves_the_verdict(build):
    run = interrupted(build, cut=False)
    for said in (page_of(run), terminal(run).replace("\n", " ")):
        assert "interrupted after all draws were made" in said
        assert "--resume" in said
        assert "provisional" not in said
    assert "verdict: ACCEPTED" in terminal(run)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_titles_reasons_and_text_are_only_text(build, payload):
    sites = tuple(
        build.SiteScene(s.name, payload, s.kind, s.values, s.record)
        for s in build.DEFAULT_SITES
    )
    rule = ir.Rule(
        kind="require",
        expression=build.apply(">", build.ref("A.Bint"), build.ref("B.Bint")),
        because=payload,
        place=ir.Place(line=1, text=payload),
    )
    run = build.Scene(
        sites=sites, title=payload, rules=(rule,), text=payload * 3, seed=3
    ).run()
    html = page_of(run)
    reader = read(html)
    assert not {"script", "svg"} & set(reader.tags)
    assert reader.tags.count("img") == 3
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u2066-\u2069]", html)
    if "`" not in payload and payload.isprintable():
        assert payload in "".join(reader.text)


def test_no_title_can_break_a_figure(build):
    for start in range(0, len(PAYLOADS), 3):
        titles = (*PAYLOADS[start : start + 3], "", "")
        sites = tuple(
            build.SiteScene(s.name, title, s.kind, s.values, s.record)
            for s, title in zip(build.DEFAULT_SITES, titles, strict=False)
        )
        found = Findings(build.Scene(sites=sites).run())
        assert spectrum.draw(found, 0).startswith(b"\x89PNG")


def test_code_between_backticks_is_escaped_too():
    assert str(prose("a `<b>` c")) == "a <code>&lt;b&gt;</code> c"
    assert str(prose("odd ` <b>")) == "odd ` &lt;b&gt;"


def test_two_sections_of_one_name_are_refused():
    from specfit.report.sections import _table

    with pytest.raises(ValueError, match="one name"):
        _table(SECTIONS[0], SECTIONS[0])


# ---------------------------------------------------------------------- figures


def test_figures_are_pictures(pictures):
    assert set(pictures) == set(NAMES)
    for content in pictures.values():
        assert content.startswith(b"\x89PNG")
        assert b"tEXtSoftware" not in content
        assert len(content) > 20_000


def test_drawing_is_repeatable_and_leaves_nothing_behind(build, pictures):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    assert spectrum.draw(Findings(example(build)), 0) == pictures["spectrum"]
    assert dict(mpl.rcParams) == before


def test_a_title_without_a_font_falls_back_to_the_name():
    assert style.label("Fe₃O₄ α", "B") == "Fe₃O₄ α"
    assert style.label("\U0001f9f2 \u1a20", "B") == "B"
    assert style.label("\u1a20", "\u1a20", 2) == "no. 3"
    assert style.label("x" * 90, "B") == "x" * 47 + "…"


def test_lines_are_found_between_channels():
    axis = np.linspace(-5, 5, 201)
    depth = sum(1 / (1 + ((axis - c) / 0.2) ** 2) for c in (-3.013, 0.27, 2.5))
    found = spectrum.line_positions(axis, depth)
    np.testing.assert_allclose(found, [-3.013, 0.27, 2.5], atol=0.02)


def test_densities_are_those_of_the_draws():
    draws = np.random.default_rng(1).normal(2, 0.5, 20000)
    grid = np.linspace(0, 4, 300)
    found = priors.density(draws, grid)
    found = found / found.sum() / (grid[1] - grid[0])
    exact = np.exp(-0.5 * ((grid - 2) / 0.5) ** 2) / (0.5 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(found, exact, atol=0.04)
    assert np.all(priors.density(np.full(50, 9.0), grid) > 0)


def test_a_density_ends_at_a_hard_bound():
    """Half a normal, cut at its middle: as high there as nowhere else, and no further."""
    draws = abs(np.random.default_rng(1).normal(0, 0.5, 20000))
    grid = np.linspace(-1, 3, 401)
    found = priors.density(draws, grid, (0.0, np.inf))
    assert found[grid < -0.01].max() < 1e-200
    exact = np.exp(-0.5 * (grid / 0.5) ** 2)
    there = grid > 0.005
    np.testing.assert_allclose(found[there] / found.max(), exact[there], atol=0.08)


def test_a_panel_keeps_within_the_prior(build):
    flat = build.uniform(0.0, 5.0)
    scene = build.Scene(priors={"area": flat})
    found = Findings(scene.run())
    every = found.parameters
    assert priors.bounds(found, every["area"]) == (0.0, 5.0)
    assert priors.bounds(found, every["B.I"]) == (0.0, 1.0)
    assert priors.bounds(found, every["N0"]) == (-np.inf, np.inf)


@pytest.mark.parametrize("name", ["B.IS", "spectrum.velocity_zero_of_it"])
def test_margins_of_correlations_follow_the_longest_name(build, name):
    from matplotlib.figure import Figure

    found = Findings(example(build))
    items = [replace(item, name=name) for item in correlations.chosen(found)]
    with style.dress():
        axes = style.new(8.6, 7.4).add_axes((0.0, 0.0, 1.0, 1.0))
        correlations._frame(axes, items)
        correlations._make_room(axes)
        figure = axes.get_figure()
        assert isinstance(figure, Figure)
        whole, around = figure.bbox, axes.get_tightbbox()
    assert axes.get_yticklabels()[0].get_text() == name
    assert 0 <= around.x0 < 0.02 * whole.width
    assert 0 <= around.y0 < 0.03 * whole.height


def test_many_unknowns_are_thinned_to_the_entangled_ones(build):
    found = Findings(example(build))
    items = correlations.chosen(found)
    assert len(items) == correlations.MOST
    assert {"B.I", "A.I", "Fe.I"} <= {item.name for item in items}
