"""What the words of a map and of its factorisation mean, for `specfit explain WORD`."""

from __future__ import annotations

from collections.abc import Mapping

from specfit.model.catalog import table
from specfit.model.factorising import MapReport, MapRun
from specfit.model.image_kinds import FACTORISATION, HYPERSPECTRAL

Words = Mapping[str, tuple[str, str]]
"""Word → how it is written, what it is."""

DATA: Words = {
    "file": (
        'file = "map.npz"',
        ".npz, .npy (its axes in map.toml beside it), .hspy; .dm3 and .dm4 by "
        '`pip install "specfit[eels]"`',
    ),
    "pixel": (
        "pixel = grid(y, x, step = 0.5 nm)",
        "the two axes of the image in the order of the array; `[0.5, 0.4] nm` of two steps",
    ),
    "energy": (
        "energy = axis(3) eV",
        'which axis of the array it is, 1 to 3; `axis(3, "E") eV` of the array E of the '
        "file, `axis(3, start = 600 eV, step = 0.25 eV) eV` of none",
    ),
    "counts": (
        "counts = values() counts",
        'the numbers, as counted; `values("data") counts` of one of several arrays',
    ),
    "intensity": (
        "intensity = values()",
        "the same of numbers that are no counts, below 0 or not; then observe `normal`",
    ),
    "window": ("window = [600, 665] eV", "the energies that are used, all unless said"),
    "mask": (
        "mask = [[620, 621], [640, 640.5]] eV",
        "energies that are left out, none unless said; pixels that hold only 0 are left "
        "out, too",
    ),
}
STATEMENTS: Words = {
    "k": (
        "k = 1..2",
        "the components: so many, or so many at most where `λ` is learned",
    ),
    "C": (
        "C[cube.pixel, k] ~ exponential(λ[k])",
        "weights, counts of a component in a pixel; or `gamma(2, λ[k])`, or a known scale "
        "`exponential(1000 counts)`; left out, any weight is as likely",
    ),
    "λ": (
        "λ[k] ~ inverse_gamma(1.5, 0.5 * mean(cube.counts)) counts",
        "levels of the weights, learned; components that the map does not hold are "
        "switched off",
    ),
    "S": ("S[*, k] ~ …, S[1] ~ …", "basis spectra of unit area, of all or of one"),
    "baseline": (
        "baseline pre : powerlaw(fit = [600, 632] eV) per pixel",
        "background of each pixel; `fit` says where there is nothing else",
    ),
    "shift": (
        "shift ~ 0 ± 0.5 eV",
        "offset of the energies of the map from those of the curves, found",
    ),
    "drift": ("drift ~ 0 ± 0.1 eV per pixel", "offset of each pixel's energies, found"),
    "observe": (
        "observe cube.counts ~ poisson(pre + sum(C[*, k] * S[*, k] over k))",
        "which name is what, and the noise: `poisson` of counts, or "
        "`normal(…, 3 counts)` with a standard deviation that is known",
    ),
}
SPECTRA: Words = {
    "dirichlet": (
        "S[*, k] ~ dirichlet(1.0)",
        "every spectrum of unit area is as likely",
    ),
    "smooth": ("S[2] ~ smooth(2 eV)", "no structure is narrower than that full width"),
    "like": (
        'S[1] ~ like file("mno.csv")',
        "a curve, .msa or two columns of text; how much it counts is learned",
    ),
    "db": ('S[1] ~ like db("MnO.L23")', "a curve made of lines on record, approximate"),
}
BASELINES: Words = {
    "powerlaw": ("baseline pre : powerlaw per pixel", "falls as a power of the energy"),
    "constant": ("baseline pre : constant per pixel", "the same at every energy"),
}
RULES: Words = {
    "check": (
        "check FIGURE < NUMBER",
        "one of `match`, `centroid`, `share`, `overlap`, `components` and `chi2` below, "
        "by `<`, `<=`, `>` or `>=`; what fails rejects the answer",
    ),
    "order": (
        'require increasing(centroid(S, along = energy)) because "…"',
        "how components are numbered, unless curves say it; or `decreasing`",
    ),
    "overlap": (
        'expect overlap(C) ~ 0.0 ± 0.1 because "…"',
        "mean cosine of the angle between two maps, 0 where they share no pixel; also a "
        "check: `check overlap(C) < 0.3`",
    ),
    "roughness": (
        'expect roughness(C) ~ 0.0 ± 0.1 because "…"',
        "difference of the weights of neighbours, as a share of those of a mean pixel; "
        "holds neighbours together",
    ),
    "match": (
        'check match(S[1], file("mno.csv")) > 0.95',
        "likeness of a spectrum and a curve, the cosine of the angle between them: 1 where "
        "they are the same",
    ),
    "centroid": ("check centroid(S[1]) < 645 eV", "mean energy of a spectrum"),
    "share": ("check share(C[1]) > 0.2", "part of the counts of all components"),
    "components": ("check components == 2", "how many hold counts"),
    "chi2": ("check chi2 < 1.2", "reduced χ² of pixels, their mean"),
}
RUN: Words = {
    "restarts": (
        "restarts = {restarts}",
        "starts, the best of which is kept; 1 to 1000",
    ),
    "steps": ("steps = {steps}", "after which it has not converged; 10 to 1000000"),
    "seed": ("seed = {seed}", "of the starts"),
    "optimizer": (
        "optimizer = {optimizer}",
        "multiplicative, ard_so or scikit_learn: see below",
    ),
    "then": ("then = {then}", "or none; both errors are found in any case"),
}
OPTIMIZERS: Words = {
    "multiplicative": (
        "optimizer = multiplicative",
        "greatest posterior density, with all that can be said here",
    ),
    "ard_so": (
        "optimizer = ard_so",
        "levels learned and maps kept apart (Shiga 2016); knows no curves, background, "
        "shift or drift",
    ),
    "scikit_learn": (
        "optimizer = scikit_learn",
        "NMF of scikit-learn, spectra and weights alone",
    ),
}
PLOTS: Words = {
    "map": ("map(C)", "weights and fractions"),
    "uncertainty": (
        "uncertainty(C)",
        "errors of the fractions, by counting and spectra",
    ),
    "spectra": ("spectra(S)", "basis spectra with their bands and curves"),
    "relevance": ("relevance", "levels, the criterion of the number, the objective"),
    "residual_image": ("residual_image", "reduced χ² of each pixel"),
    "residual_spectrum": ("residual_spectrum", "what is left of the sum of all pixels"),
    "overlay": ("overlay", "fractions as colours of one image"),
    "windows": ("windows", "counts in windows about the peaks, beside the maps"),
    "drift": ("drift", "offset of each pixel, where there is a drift"),
}
_SECTIONS: Mapping[str, Words] = {
    "statements": STATEMENTS,
    "priors of spectra": SPECTRA,
    "backgrounds": BASELINES,
    "rules and figures for checks": RULES,
    "keys of `run map { … }` as they are unless said": RUN,
    "optimizers": OPTIMIZERS,
    "`plots` of `report maps { … }`, all unless said": PLOTS,
}
_SAVE = 'save = "{save}"'


def explain(word: str) -> list[str]:
    """What a word is in a map or its factorisation; empty for another."""
    if word == HYPERSPECTRAL.name:
        head = f"{word}: data with a spectrum at every pixel of an image"
        return [head, *_rows(DATA), f"  a model of it: {FACTORISATION}"]
    if word == FACTORISATION:
        return _whole()
    for words in (DATA, *_SECTIONS.values()):
        if word in words:
            written, meaning = _filled(words)[word]
            return [f"{word}: of a map, {meaning}", f"    {written}"]
    return []


def _whole() -> list[str]:
    lines = [
        f"{FACTORISATION}: a map as a background and a sum of weights times basis "
        "spectra, none negative"
    ]
    for title, words in _SECTIONS.items():
        lines += [f"  {title}", *_rows(_filled(words))]
    save = _SAVE.format(save=MapReport().save)
    lines.append(f"  {save}: arrays, below RUN/tables, as .npz and .h5")
    return [*lines, f"  data: {HYPERSPECTRAL.name}"]


def _filled(words: Words) -> Words:
    """With what is usual in place of the names of settings."""
    usual = MapRun().model_dump()
    if words is not RUN:
        return words
    return {key: (text.format(**usual), said) for key, (text, said) in words.items()}


def _rows(words: Words) -> list[str]:
    """How each is written, and what it is."""
    return [f"    {line}" for line in table([[*one] for one in words.values()])]
