"""Channels that are not folded: the drive of both halves, and the calibration it is from.

Pulls are (found − truth) / stated error, with false alarms of 1e-3 as in `test_folding`.
"""

import numpy as np
import pytest
from scipy.optimize import least_squares

from specfit.readers import read
from specfit.readers.waveform import MIRROR_SD, TERMS

BENT = {"first": (0.008, 0.012), "second": (-0.014, 0.004), "geometry": 0.002}
"""A drive as crooked as real ones: two thirds of a channel at the outer lines of α-Fe."""


@pytest.fixture
def unfolded(synthesis, source, tmp_path):
    """Reads α-Fe and magnetite of two machines, unfolded."""

    def build(iron, sample=None, counts=4e5, seed=0, **options):
        made = iron.measure(synthesis.IRON, counts, seed)
        (tmp_path / "iron.adt").write_text(synthesis.as_lines(made))
        made = (sample or iron).measure(synthesis.MAGNETITE, 2e5, seed + 1000, 0.05)
        (tmp_path / "sample.adt").write_text(synthesis.as_lines(made))
        options = {"calibration": "iron.adt", "fold": "none"} | options
        options = {key: value for key, value in options.items() if value is not None}
        return read(source("sample.adt", **options), tmp_path)

    return build


def covariance(found):
    return found.axis_jacobian @ found.axis_jacobian.T


def shapes_of(machine):
    """The truth of each reading: mirror, then bend and cubic of each half, channels."""
    u = 5.3123 / machine.maximum
    quarter = machine.n_channels / 4
    found = [machine.mirror]
    for half, (square, cube) in ((-1, machine.first), (1, machine.second)):
        late = half * quarter * square * u**2  # velocity falls or rises by the half
        found += [late, quarter * cube * u**3]
    return np.array(found)


def test_pulls_of_the_drive(synthesis, unfolded):
    """Of every reading, and of the velocities of the channels that α-Fe reaches."""
    pulls, far = [], []
    for seed in range(12):
        machine = synthesis.Machine(rising=bool(seed % 2), mirror=257.2, **BENT)
        found = unfolded(machine, seed=seed, direction=("falling", "rising")[seed % 2])
        value = np.array([r.value for r in found.readings])
        weights = np.stack([r.weights for r in found.readings])
        spread = weights @ weights.T
        spread[0, 0] -= MIRROR_SD**2  # of the sample, beyond the calibration's
        pulls.append((value - shapes_of(machine)) / np.sqrt(np.diag(spread)))
        truth = np.sort(machine.velocity()[1:])
        axis = np.sort(found.axis)
        lines = np.abs(axis) < 5.5
        error = np.sqrt(np.diag(covariance(found)))[lines]
        far.append(np.max(np.abs(axis - truth)[lines] / error))
    pulls = np.array(pulls)
    assert np.all(np.abs(pulls.mean(axis=0)) < 3.3 / np.sqrt(12))
    assert np.all(pulls.std(axis=0) < 1.8)
    assert np.all(pulls.std(axis=0) > 0.35)
    assert max(far) < 4.5


# -------------------------------------------- carried as a normal, or fitted together


class Sample:
    """A sextet on the baseline of both halves, fitted by least squares in NumPy."""

    names = ("IS", "QS", "Bint")
    start = (0.3, 0.0, 48.0, np.log(0.26), 0.25, 1.0, 0.0, 0.0, 0.0)
    k = np.array([5.3123, 3.0760, 0.8397]) / 33.04

    def __init__(self, counts):
        self.level = np.quantile(counts, 0.8)
        self.counts = counts

    def misfit(self, theta, velocity, stands):
        shift, splitting, field, width, area, level, slope, curvature, tilt = theta
        half = np.concatenate([-self.k, self.k[::-1]]) * field
        lines = shift + half + splitting / 2 * np.array([1, -1, -1, -1, -1, 1])
        hwhm = np.exp(width) / 2
        share = np.array([3, 2, 1, 1, 2, 3]) / 12
        dips = share / (1 + ((velocity[:, None] - lines) / hwhm) ** 2) / np.pi / hwhm
        u = velocity / 12
        rate = level + slope * u + curvature * u**2 + tilt * stands
        expected = self.level * (rate - area * dips.sum(1))
        left = (self.counts - expected) / np.sqrt(self.counts)
        return np.append(left, tilt / 0.01)


def wave(machine, mirror):
    """u, half and what the terms of a crooked drive are, from the time of the sweep."""
    channel = np.arange(2.0, machine.n_channels + 1)
    time = np.abs(channel - mirror) / machine.n_channels
    u = 1 - 4 * np.minimum(time, 1 - time)
    half = np.where(channel < mirror, -1.0, 1.0)
    return np.stack([u, u**0, u**2, u**3, half * u, half * u**2, half * u**3], 1), half


def fitted(residual, start):
    fit = least_squares(residual, start, x_scale="jac", method="lm")
    return fit.x, np.linalg.inv(fit.jac.T @ fit.jac)


SEXTET = tuple(
    (0.3 + s * k * 49.0, w)
    for s in (-1, 1)
    for k, w in zip(Sample.k, (3, 2, 1), strict=True)
)


def joint_fit(machine, iron, sample):
    """Both spectra in one likelihood: the drive of seven terms is shared.

    The sample's mirror point is its own, within `MIRROR_SD` of the calibration's.
    """
    lines = np.array([s * 33.04 * k for s in (-1, 1) for k in Sample.k])
    foil = Sample(iron)
    stands = machine.stands()[1:]

    def residual(theta):
        shapes, mirror, drift = theta[:7], theta[7], theta[8]
        own, rest = theta[9:18], theta[18:]
        velocity, moved = (
            machine.maximum * wave(machine, at)[0] @ shapes
            for at in (mirror, mirror + drift)
        )
        depth, width, base = rest[:6], np.exp(rest[6:9])[[0, 1, 2] * 2], rest[9:]
        dips = depth / (1 + (2 * (velocity[:, None] - lines) / width) ** 2)
        u = velocity / 12
        rate = base[0] + base[1] * u + base[2] * u**2 + base[3] * stands
        expected = foil.level * (rate - dips.sum(1))
        return np.concatenate([
            (iron - expected) / np.sqrt(iron),
            sample.misfit(own, -moved, stands),
            shapes[2:] / 0.015, [drift / MIRROR_SD],
        ])  # fmt: skip

    begin = [1, -0.009, 0, 0, 0, 0, 0, 257.2, 0.0, *Sample.start]
    begin += [0.09, 0.06, 0.03] * 2 + [np.log(0.26)] * 3 + [1, 0, 0, 0]
    found, spread = fitted(residual, begin)
    return found[9:12], np.sqrt(np.diag(spread))[9:12]


def carried_fit(found, sample):
    """The sample alone, its velocities moved by the standard normals of the reader."""
    stands = found.position if found.position.size else np.zeros(len(found.axis))

    def residual(theta):
        moved = found.axis + found.axis_jacobian @ theta[9:]
        return np.concatenate([sample.misfit(theta[:9], moved, stands), theta[9:]])

    begin = [*Sample.start, *np.zeros(len(found.nuisance_names))]
    best, spread = fitted(residual, begin)
    return best[:3], np.sqrt(np.diag(spread))[:3]


@pytest.fixture
def bent(synthesis, source, tmp_path):
    """Raw α-Fe and sextet of a bent drive, and how to read the sextet."""
    machine = synthesis.Machine(mirror=257.2, **BENT)
    iron = machine.measure(synthesis.IRON, 4e5, 3)
    counts = machine.measure(SEXTET, 2e5, 4, depth=0.12)
    for name, values in (("iron.adt", iron), ("sample.adt", counts)):
        (tmp_path / name).write_text(synthesis.as_lines(values))

    def reading(fold):
        return read(source("sample.adt", calibration="iron.adt", fold=fold), tmp_path)

    return machine, iron, counts, reading


def test_a_carried_calibration_says_what_a_joint_fit_says(bent):
    """Means within a twentieth of their errors, errors within three percent."""
    machine, iron, counts, reading = bent
    found = reading("none")
    mean, sd = joint_fit(machine, iron[1:], Sample(counts[1:]))
    again, error = carried_fit(found, Sample(found.values))
    np.testing.assert_allclose((again - mean) / sd, 0.0, atol=0.05)
    np.testing.assert_allclose(error, sd, rtol=0.03)


def test_a_bent_drive_pulls_what_is_folded_and_not_what_is_unfolded(bent):
    """Folded, the field is off by more than its error says; unfolded all is found."""
    reading, truth = bent[3], np.array([0.3, 0.0, 49.0])
    pulls = {}
    for fold in ("auto", "none"):
        found = reading(fold)
        mean, error = carried_fit(found, Sample(found.values))
        pulls[fold] = (mean - truth) / error
    assert np.all(np.abs(pulls["none"]) < 3.3)
    assert abs(pulls["auto"][2]) > 4


# ------------------------------------------------------------------ other instruments


@pytest.mark.parametrize(
    "changes",
    [
        {"drive": "sinusoidal", "mirror": 256.4},
        {"maximum": 4.0},
        {"n_channels": 1023, "lost": 1, "mirror": 511.7},
        {"mirror": 240.3},
    ],
    ids=["sinusoidal", "inner lines", "lost channel", "far mirror"],
)
def test_other_drives(changes, synthesis, unfolded):
    machine = synthesis.Machine(**{"mirror": 257.2} | BENT | changes)
    options = {"drive": "sinusoidal"} if "drive" in changes else {}
    found = unfolded(machine, counts=1e6, **options)
    truth = np.sort(machine.velocity()[1:])
    reached = np.abs(truth) < (5.4 if machine.maximum > 5.4 else 3.2)
    np.testing.assert_allclose(np.sort(found.axis)[reached], truth[reached], atol=0.015)


def test_the_way_of_the_drive(synthesis, unfolded):
    """Its position is the sum of its velocities, whatever the wave."""
    for drive in ("triangular", "sinusoidal"):
        machine = synthesis.Machine(drive=drive, mirror=257.2)
        found = unfolded(machine, counts=1e6, drive=drive)
        order = np.argsort(machine.velocity()[1:], kind="stable")
        stands = machine.stands()[1:][order]
        alike = np.abs(np.sort(found.axis)) < 11
        np.testing.assert_allclose(
            np.abs(found.position[alike]), np.abs(stands[alike]), atol=0.02
        )
        assert np.mean(found.position > 0) == pytest.approx(0.5, abs=0.01)


def test_a_sample_measured_elsewhere_has_its_own_mirror_point(synthesis, unfolded):
    iron, sample = synthesis.Machine(mirror=257.2), synthesis.Machine(mirror=262.4)
    found = unfolded(iron, sample)
    assert found.readings[0].value == pytest.approx(262.4, abs=0.3)
    assert "the sample's own" in dict(found.found)["mirror point of the fit"]


def test_a_stated_maximum_velocity(synthesis, unfolded):
    """Without α-Fe the drive is straight as far as drives are."""
    machine = synthesis.Machine(maximum=10.0, mirror=257.2)
    options = {"velocity_max": 10.0, "velocity_max_sd": 0.05, "direction": "falling"}
    found = unfolded(machine, source="57Co(Rh)", calibration=None, **options)
    truth = np.sort(machine.velocity()[1:])
    np.testing.assert_allclose(np.sort(found.axis), truth, atol=0.02)
    scale = found.axis_jacobian[:, TERMS.index("velocity_scale")]
    np.testing.assert_allclose(np.abs(scale).max(), 0.05, rtol=0.05)
    bend = found.axis_jacobian[:, TERMS.index("velocity_bend")]
    assert np.abs(bend).max() == pytest.approx(0.15, rel=0.05)


def test_window_and_mask_keep_the_drive(synthesis, source, tmp_path):
    machine = synthesis.Machine(mirror=257.2)
    made = machine.measure(synthesis.IRON, 4e5, 0)
    (tmp_path / "iron.adt").write_text(synthesis.as_lines(made))
    options = {"calibration": "iron.adt", "fold": "none"}
    whole = read(source("iron.adt", **options), tmp_path)
    part = read(source("iron.adt", window=(-7.0, 8.0), **options), tmp_path)
    kept = (whole.axis >= -7) & (whole.axis <= 8)
    np.testing.assert_array_equal(part.position, whole.position[kept])
    assert part.readings[0].weights.shape == (len(TERMS),)
