"""What to do where a spectrum shows only a combination of several quantities."""

from __future__ import annotations

from collections.abc import Sequence

_KNOWN: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"texture", "f_anisotropy", "ratio"}),
        "unequal lines show only how the directions are weighed: texture is gone with "
        "the sample at 54.7° to the ray or ground with a filler, an anisotropic "
        "recoil-free fraction grows with the temperature; fix one, or leave it out",
    ),
    (
        frozenset({"eQVzz", "theta", "eta", "phi"}),
        "in a strong field the lines show only 2ε = eQVzz / 4 · (3 cos²θ − 1 + η sin²θ "
        "cos 2φ), and without a field only ΔEQ: fix what a structure or a spectrum above "
        "the ordering temperature gives, or write `sextet`, or `doublet`, with QS",
    ),
    (
        frozenset({"f_source", "background"}),
        "only f_source · (1 − background) is seen: measure the background, or fix one",
    ),
    (
        frozenset(
            {"thickness", "background", "f_source", "source_width", "width", "x"}
        ),
        "depth and width of lines say little of thickness as long as it is small: weigh "
        "the absorber, take width and background from a calibration, or fix x",
    ),
    (
        frozenset({"width", "sigma_IS", "sigma_QS", "sigma_Bint", "sigma_eQVzz"}),
        "the wings alone tell a Lorentzian from a Gaussian width: fix the width from a "
        "calibration with α-Fe, or leave the spread out",
    ),
)
_GENERAL = "report it as what the prior says, or state what is known from elsewhere"
_OF_IRON = "; another temperature, a field or a thinner sample may decide it"
_OF_OTHERS = "; a wider range of the axis or less noise may decide it"


def remedy(roles: Sequence[str], kind: str) -> str:
    """The advice for the first kind of confusion that all of these belong to."""
    if not kind.startswith("mossbauer"):
        return _GENERAL + _OF_OTHERS
    asked = set(roles)
    return next((text for group, text in _KNOWN if asked <= group), _GENERAL + _OF_IRON)
