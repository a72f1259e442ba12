"""lmfit's side of `diffraction`, run by the Python that has lmfit; JSON in, JSON out.

Three Voigt lines on a cubic baseline, wG of the second tied to that of the first, weights
of the counts, starts found by the program itself in one of three ways:

- `guess`: `VoigtModel.guess` of all data, three times, centres then spread evenly;
- `thirds`: `VoigtModel.guess` of each third of the axis;
- `peaks`: `scipy.signal.find_peaks` for the three most prominent maxima, and
  `VoigtModel.guess` of what is within half a degree: what a user does who takes care.
"""

import json
import sys
import time
import warnings

import lmfit
import numpy as np
from lmfit.models import PolynomialModel, VoigtModel
from scipy.signal import find_peaks

NAMES = ("p003", "p101", "p104")
EVALUATIONS = 4000  # what converges takes a few hundred; its default is 30 000
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


def starts(way, x, y):
    """Parameters of three `VoigtModel`s by a way of starting."""
    level = np.percentile(y, 20.0)
    if way == "thirds":
        parts = np.array_split(np.arange(x.size), 3)
    elif way == "peaks":
        tops, found = find_peaks(y, prominence=0.0)
        best = np.sort(tops[np.argsort(-found["prominences"])[:3]])
        parts = [np.flatnonzero(np.abs(x - x[top]) < 0.5) for top in best]
    else:
        parts = [np.arange(x.size)] * 3
    models = [VoigtModel(prefix=f"{name}_") for name in NAMES]
    given = [m.guess(y[p] - level, x=x[p]) for m, p in zip(models, parts, strict=True)]
    if way == "guess":
        for k, (name, one) in enumerate(zip(NAMES, given, strict=True)):
            centre = x[0] + (k + 0.5) / 3.0 * (x[-1] - x[0])
            one[f"{name}_center"].set(value=centre)
    return models, given


def fitted(way, x, y):
    """One pattern: values and covariance sds by our names, and whether it says success."""
    models, given = starts(way, x, y)
    baseline = PolynomialModel(degree=3, prefix="b_")
    u = (x - x.mean()) / np.ptp(x)
    parameters = baseline.make_params(c0=np.percentile(y, 20.0), c1=0, c2=0, c3=0)
    for name, one in zip(NAMES, given, strict=True):
        parameters.update(one)
        start = parameters[f"{name}_sigma"].value
        parameters[f"{name}_gamma"].set(value=start, vary=True, expr="", min=0.0)
    parameters["p101_sigma"].set(expr="p003_sigma")
    weight = 1.0 / np.sqrt(np.maximum(y, 1.0))

    def residual(p):
        v = p.valuesdict()
        total = baseline.eval(p, x=u)
        for name, model in zip(NAMES, models, strict=True):
            keys = ("amplitude", "center", "sigma", "gamma")
            total = total + model.func(x, *(v[f"{name}_{k}"] for k in keys))
        return (total - y) * weight

    found = lmfit.minimize(residual, parameters, max_nfev=EVALUATIONS)
    values, sds = {}, {}
    for name in NAMES:
        for ours, theirs, factor in (
            ("xc", "center", 1.0),
            ("A", "amplitude", 1.0),
            ("wG", "sigma", FWHM),
            ("wL", "gamma", 2.0),
        ):
            one = found.params[f"{name}_{theirs}"]
            values[f"{name}.{ours}"] = factor * one.value
            sds[f"{name}.{ours}"] = None if one.stderr is None else factor * one.stderr
    return {"values": values, "sd": sds, "success": bool(found.success)}


def main():
    asked = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    answer = {"version": lmfit.__version__, "ways": {}}
    patterns = [(np.array(x), np.array(y)) for x, y in asked["patterns"]]
    for way in asked["ways"]:
        wall, cpu = time.perf_counter(), time.process_time()
        fits = []
        for x, y in patterns:
            try:
                fits.append(fitted(way, x, y))
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                fits.append({"error": str(error)})
        answer["ways"][way] = {
            "fits": fits,
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
