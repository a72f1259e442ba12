"""Bases from a series of spectra itself: k-means or NMF, by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfit.contracts import FloatArray

STARTS = 20
TAIL = 5
"""A component of NMF has the scale of the series over this last share of the axis."""


def clustered(
    spectra: FloatArray, count: int, method: str
) -> tuple[FloatArray, FloatArray]:
    """Bases (count, n_channels) of spectra (n, n_channels), and what each is made of.

    The second (n, count) is which group a spectrum is in (k-means), or how much of each
    component it has (NMF).  Bases come in the order of the spectra they are about.

    Source: S. Lloyd, IEEE Trans. Inf. Theory 28, 129 (1982); D. D. Lee, H. S. Seung,
    Nature 401, 788 (1999); as in scikit-learn.
    """
    found, shares = (_kmeans if method == "kmeans" else _nmf)(spectra, count)
    place = np.arange(len(spectra)) @ shares / np.maximum(shares.sum(axis=0), 1e-12)
    order = np.argsort(place, kind="stable")
    return found[order], shares[:, order]


def _kmeans(spectra: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    from sklearn.cluster import KMeans

    made: Any = KMeans(count, n_init=STARTS, random_state=0).fit(spectra)
    return made.cluster_centers_, np.eye(count)[made.labels_]


def _nmf(spectra: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """What is below zero before the edge is taken for zero."""
    from sklearn.decomposition import NMF

    seen = np.maximum(spectra, 0.0)
    made: Any = NMF(count, init="nndsvda", max_iter=20_000, tol=1e-8, random_state=0)
    shares = made.fit_transform(seen)
    tail = slice(-max(1, spectra.shape[1] // TAIL), None)
    level = made.components_[:, tail].mean(axis=1)
    scale = float(seen[:, tail].mean()) / np.maximum(level, 1e-12)
    return made.components_ * scale[:, None], shares / scale
