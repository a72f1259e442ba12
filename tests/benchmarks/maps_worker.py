"""One peer's factorisation of one map, in an interpreter of its own; needs NumPy alone.

Run as `python maps_worker.py METHOD IN.npz OUT.npz`: IN holds `counts` (n, M), `rows`
(of pixels) and `k`; OUT weights (n, k) and spectra (k, M), and the CPU seconds of the fit
alone, without importing. Ends with 3 where the peer is not installed.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np

Parts = tuple[np.ndarray, np.ndarray]


def sklearn_cd(x, rows, k):
    from sklearn.decomposition import NMF

    model = NMF(k, init="nndsvda", max_iter=500)
    return lambda: (model.fit_transform(x), model.components_)


def sklearn_kl(x, rows, k):
    from sklearn.decomposition import NMF

    model = NMF(
        k, init="nndsvda", solver="mu", beta_loss="kullback-leibler", max_iter=300
    )
    return lambda: (model.fit_transform(x), model.components_)


def hyperspy(x, rows, k):
    import hyperspy.api as hs

    signal = hs.signals.Signal1D(x.reshape(rows, -1, x.shape[1]))

    def fit():
        signal.decomposition(
            normalize_poissonian_noise=True,
            algorithm="NMF",
            output_dimension=k,
            print_info=False,
        )
        found = signal.learning_results
        return np.asarray(found.loadings), np.asarray(found.factors).T

    return fit


def pymcr(x, rows, k):
    from pymcr.mcr import McrAR
    from pymcr.regressors import NNLS

    model = McrAR(max_iter=50, c_regr=NNLS(), st_regr=NNLS(), tol_increase=10)
    start = x[np.argsort(x.sum(axis=1))[-k:]]

    def fit():
        model.fit(x, ST=start + 1e-3 * x.mean())
        return model.C_opt_, model.ST_opt_

    return fit


def malspy(x, rows, k):
    from malspy import NMF_ARD_SO

    # its thresholds are absolute: counts as they are would need another one
    unit = x.mean()
    model = NMF_ARD_SO(k, wo=0.05, reps=1, max_itr=200)

    def fit():
        model.fit((x / unit).reshape(rows, -1, x.shape[1]))
        return model.C_ * unit, model.S_.T

    return fit


METHODS = {
    "scikit-learn CD": sklearn_cd,
    "scikit-learn KL": sklearn_kl,
    "HyperSpy Poisson": hyperspy,
    "pyMCR NNLS": pymcr,
    "malspy ARD-SO": malspy,
}


def main(method: str, source: str, target: str) -> int:
    warnings.simplefilter("ignore")
    with np.load(source) as given:
        x, rows, k = given["counts"], int(given["rows"]), int(given["k"])
    try:
        fit = METHODS[method](x, rows, k)
    except ImportError as missing:
        print(missing, file=sys.stderr)
        return 3
    np.random.seed(0)
    began = time.process_time()
    weights, spectra = fit()
    cost = time.process_time() - began
    np.savez(target, weights=weights, spectra=spectra, cost=cost)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
