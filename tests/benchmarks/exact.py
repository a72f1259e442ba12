"""The forward models a third time, by other arithmetic, for velocities in mm/s.

Nothing here is imported from specfit or from SYNCmoss: where the two differ, this says
which of them is off.  Line shapes are the Faddeeva function's (scipy), distributions are
sums over their variable, levels come from NumPy in the axes of the field gradient, and
the transmission integral is summed on energies so close that it is exact to 1e-8.

Values are in specfit's conventions: QS is ΔEQ or 2ε, widths are FWHM, spreads standard
deviations, angles degrees.  Slopes are (k16, k25, k34), mm/s/T.
"""

from __future__ import annotations

import numpy as np
from scipy.special import wofz

SIGN = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
SHIFT = np.array([1.0, -1.0, -1.0, -1.0, -1.0, 1.0])
NEUTRAL = {
    "IS": 0.0, "QS": 0.0, "Bint": 0.0, "x": 2.0, "ratio": 1.0, "eQVzz": 0.0, "eta": 0.0,
    "theta": 0.0, "phi": 0.0, "sigma_IS": 0.0, "sigma_Bint": 0.0, "IS_slope": 0.0,
    "QS_slope": 0.0,
    "QS_random": 0.0,
}  # fmt: skip


def voigt(offset, fwhm, sigma):
    """Unit area; the real part of the Faddeeva function, the Lorentzian at sigma 0."""
    if sigma == 0.0:
        return 0.5 * fwhm / np.pi / (offset**2 + 0.25 * fwhm**2)
    scale = sigma * np.sqrt(2.0)
    return wofz((offset + 0.5j * fwhm) / scale).real / (scale * np.sqrt(np.pi))


def summed(at, lines, fwhm, sigma=0.0):
    """Σ weight × profile of lines (position, weight)."""
    return sum(w * voigt(at - v, fwhm, sigma) for v, w in lines)


def profile(kind, values, slopes, at):
    """Absorption of unit area of one site, 1/(mm/s), at velocities or energies `at`."""
    v = NEUTRAL | values
    return KINDS[kind](v, np.asarray(slopes), np.asarray(at, dtype=float))


def _singlet(v, slopes, at):
    return voigt(at - v["IS"], v["width"], v["sigma_IS"])


def _doublet(v, slopes, at):
    ratio, half = v["ratio"], 0.5 * v["QS"]
    lines = [(v["IS"] - half, 1 / (1 + ratio)), (v["IS"] + half, ratio / (1 + ratio))]
    return summed(at, lines, v["width"], v["sigma_IS"])


def _six(v, slopes, field, shift=0.0, splitting=0.0):
    """Lines of a sextet in a field, shifted with it."""
    k = slopes[[0, 1, 2, 2, 1, 0]]
    weight = np.array([3, v["x"], 1, 1, v["x"], 3]) / (8 + 2 * v["x"])
    quadrupole = 0.5 * SHIFT * (v["QS"] + splitting)
    return zip(v["IS"] + shift + SIGN * k * field + quadrupole, weight, strict=True)


def _sextet(v, slopes, at):
    """A field of Gaussian spread, IS and QS moving along with it: a sum over fields."""
    spread = v["sigma_Bint"]
    off = np.linspace(-8.0, 8.0, 161) * spread if spread else np.zeros(1)
    share = np.exp(-0.5 * (off / spread) ** 2) if spread else np.ones(1)
    total = np.zeros_like(at)
    for away, part in zip(off, share / share.sum(), strict=True):
        moved = (v["IS_slope"] * away, v["QS_slope"] * away)
        lines = _six(v, slopes, v["Bint"] + away, *moved)
        total += part * summed(at, lines, v["width"], v["sigma_IS"])
    return total


# ----------------------------------------------------------------- the Hamiltonian


def _spin(twice):
    """I_x, I_y, I_z of spin twice / 2, the largest m first."""
    m = np.arange(twice, -twice - 1, -2) / 2
    j = twice / 2
    up = np.diag(np.sqrt(j * (j + 1) - m[1:] * (m[1:] + 1)), 1)
    return (up + up.T) / 2, (up - up.T) / 2j, np.diag(m)


COUPLING = np.zeros((3, 2, 4))
"""⟨½ m_g; 1 q | 3/2 m_e⟩ for q = +1, 0, −1."""
COUPLING[0, 0, 0] = COUPLING[2, 1, 3] = 1.0
COUPLING[0, 1, 1] = COUPLING[2, 0, 2] = np.sqrt(1 / 3)
COUPLING[1, 0, 1] = COUPLING[1, 1, 2] = np.sqrt(2 / 3)


def transitions(v, slopes):
    """Positions (8,) and Cartesian amplitudes (8, 3), in the gradient's axes."""
    ground, excited = slopes[1] + slopes[2], 0.5 * (slopes[0] - slopes[2])
    theta, phi = np.radians(v["theta"]), np.radians(v["phi"])
    n = np.array(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    )
    x, y, z = _spin(3)
    gradient = 3 * z @ z - 3.75 * np.eye(4) + v["eta"] * (x @ x - y @ y)
    upper = excited * v["Bint"] * np.einsum("i,iab->ab", n, np.array([x, y, z]))
    lower = -ground * v["Bint"] * np.einsum("i,iab->ab", n, np.array(_spin(1)))
    e, above = np.linalg.eigh(upper + v["eQVzz"] / 12 * gradient)
    g, below = np.linalg.eigh(lower)
    a = np.einsum("qge,gi,ej->ijq", COUPLING, below, above.conj()).reshape(8, 3)
    cartesian = np.stack(
        [
            (a[:, 2] - a[:, 0]) / np.sqrt(2),
            1j * (a[:, 2] + a[:, 0]) / np.sqrt(2),
            a[:, 1],
        ]
    )
    return v["IS"] + (e[None, :] - g[:, None]).ravel(), cartesian.T


def _powder(v, slopes, at):
    position, amplitude = transitions(v, slopes)
    weight = (np.abs(amplitude) ** 2).sum(axis=1) / 4
    return summed(at, zip(position, weight, strict=True), v["width"], v["sigma_IS"])


def _crystal(v, slopes, at):
    """An unpolarised beam along k: |A|² − |k · A|²; three halves make the powder's sum."""
    position, amplitude = transitions(v, slopes)
    theta, phi = np.radians(v["beam_theta"]), np.radians(v["beam_phi"])
    k = np.array(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    )
    along = np.abs(amplitude @ k) ** 2
    weight = 1.5 * ((np.abs(amplitude) ** 2).sum(axis=1) - along)
    weight = weight / weight.sum()
    return summed(at, zip(position, weight, strict=True), v["width"], v["sigma_IS"])


# ----------------------------------------------------------------------- relaxation

PER_SECOND = 7.3041e7
"""Angular frequency of 1 mm/s at 14.4 keV, 1/s."""


def _relaxing(v, slopes, at):
    """The field jumps between its two signs: a 2 × 2 resolvent, solved for each line.

    The line of state s is e^(−Γt/2 + i(v − v_s)t); states jump at rates w, so that the
    state that is more often occupied is left less often.
    """
    occupied = np.array([1 + v["polarisation"], 1 - v["polarisation"]]) / 2
    rate = 10 ** v["log_rate"] / PER_SECOND
    leave = 2 * rate * occupied[::-1]
    jumps = np.array([[-leave[0], leave[1]], [leave[0], -leave[1]]])
    total = np.zeros_like(at)
    forth, back = (list(_six(v, slopes, s * v["Bint"])) for s in (1.0, -1.0))
    for (one, weight), (other, _) in zip(forth, back, strict=True):
        for i, velocity in enumerate(at):
            turning = np.diag(1j * (velocity - np.array([one, other])))
            resolvent = 0.5 * v["width"] * np.eye(2) + turning - jumps
            found = np.linalg.solve(resolvent, occupied).sum()
            total[i] += weight * found.real / np.pi
    return total


def _distribution(v, slopes, at):
    """The sextet or doublet of each bin, its share beside it."""
    bins, shares = v["bins"]
    each = (
        profile(v["of"], values, slopes, at) * share
        for values, share in zip(bins, shares, strict=True)
    )
    return sum(each)


KINDS = {
    "singlet": _singlet, "doublet": _doublet, "sextet": _sextet, "hamiltonian": _powder,
    "hamiltonian_crystal": _crystal, "relaxing": _relaxing, "distribution": _distribution,
}  # fmt: skip


# ------------------------------------------------------------------- thick absorbers

NATURAL = 0.097
"""Natural FWHM, mm/s, in terms of which a thickness is an optical depth."""


def thick_dip(depth, source, at):
    """∫ L(E − v; source) (1 − e^(−τ(E))) dE for a function τ; steps of 0.005 mm/s."""
    energy = np.arange(-16000, 16001) * 0.005
    taken = -np.expm1(-depth(energy))
    return np.array([voigt(energy - v, source, 0.0) @ taken * 0.005 for v in at])
