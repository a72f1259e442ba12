"""What a map and a request must be before any arithmetic."""

from __future__ import annotations

import numpy as np

from specfit.maps.found import Array, Factorisation, MapError


def checked(counts: Array, energy: Array, request: Factorisation) -> None:
    """Raise `MapError` for a map or a request that cannot be used."""
    if counts.ndim != 2 or energy.shape != counts.shape[1:]:
        raise MapError(
            f"a map is pixels by channels and an axis of its channels, not "
            f"{counts.shape} and {energy.shape}"
        )
    if not np.all(np.diff(energy) > 0):
        raise MapError("the energy axis does not increase")
    total = counts.sum(dtype=np.float64)
    if not np.isfinite(total):
        raise MapError("the map holds values that are not finite")
    if request.engine != "gaussian" and counts.min() < 0:
        raise MapError("the map holds negative counts")
    if total <= 0 and (request.engine != "gaussian" or not counts.any()):
        raise MapError("the map is empty")
    _request(counts, request)


def _request(counts: Array, request: Factorisation) -> None:
    k, most = request.components, min(counts.shape)
    if not 1 <= k <= most:
        raise MapError(f"{k} components of a map that allows 1 to {most}")
    if request.engine == "gaussian" and not (request.noise and request.noise > 0):
        raise MapError("the engine `gaussian` needs the known noise")
    if not 0.0 < request.level < 1.0:
        raise MapError("`level` is a share between 0 and 1")
    if len(request.smooth) not in (0, k) or any(w < 0 for w in request.smooth):
        raise MapError(f"`smooth` is a width for each of {k} components, or of none")
    if not 0.0 <= request.overlap <= 1.0:
        raise MapError("`overlap` is a strength between 0 and 1")
    curves = request.library
    if curves is None:
        return
    if curves.shape != (k, counts.shape[1]):
        raise MapError(f"a library of {curves.shape} for {k} components")
    given = curves[~np.isnan(curves).all(axis=1)]
    if not np.all(np.isfinite(given)) or (given < 0).any():
        raise MapError("a library curve is negative or not finite")
    if given.size and (given.sum(axis=1) <= 0).any():
        raise MapError("a library curve is empty")


def unsupported(request: Factorisation) -> list[str]:
    """What to do instead of each option asked for that its engine does not know."""
    engine, found = request.engine, []
    if engine == "gaussian" and request.drift_sd > 0:
        found.append("`drift_sd` needs the engine `poisson`")
    if engine == "gaussian" and request.levels and request.levels.shape != 1.0:
        found.append("`levels` of a shape need the engine `poisson`")
    if request.drift_sd > 0 and request.roughness > 0:
        found.append("`roughness` needs a map without `drift_sd`")
    if request.drift_sd > 0 and request.levels is not None:
        found.append("`levels` need a map without `drift_sd`")
    if request.relevance and engine != "ard_so":
        found.append("`relevance` needs `ard_so`, or `components` from `how_many`")
    if request.overlap > 0 and engine != "ard_so":
        found.append("`overlap` needs `ard_so`, or 0 and a judgement of the maps found")
    return found + (
        _likelihood_only(request) if engine in ("ard_so", "sklearn") else []
    )


def _likelihood_only(request: Factorisation) -> list[str]:
    """Options that only the engine of counting statistics knows."""
    asked = {
        "library": request.library is not None,
        "background": bool(request.background),
        "shift_sd": request.shift_sd > 0,
        "drift_sd": request.drift_sd > 0,
        "smooth": any(request.smooth),
        "levels": request.levels is not None,
        "roughness": request.roughness > 0,
        "apart": request.apart is not None,
    }
    return [f"`{name}` needs the engine `poisson`" for name, on in asked.items() if on]
