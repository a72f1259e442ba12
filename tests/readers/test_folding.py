"""Raw spectra: what the generator put in is found again, within the errors stated.

Pulls are (found − truth) / stated error.  Bounds on a mean of n pulls are ±3.3/√n
(false alarm 1e-3); those on their standard deviation are 1e-3 quantiles of χ² at n.
"""

import time

import numpy as np
import pytest

from specfit.readers import ReaderError, read
from specfit.readers.drive import Drive, period_of
from specfit.readers.folding import dead_channels, fold, mirror_point


def alive(counts):
    return np.zeros(len(counts), dtype=bool)


def spread_is_one(pulls):
    """Pulls have mean 0 and standard deviation 1 (n from 20 to 60)."""
    n = len(pulls)
    assert abs(np.mean(pulls)) < 3.3 / np.sqrt(n)
    assert 0.5 < np.std(pulls) < 1.5


# ------------------------------------------------------------------------ folding


def test_mirror_point_pulls(synthesis):
    generator = np.random.default_rng(11)
    pulls = []
    for seed in range(40):
        truth = 256.5 + generator.uniform(-3, 3)
        machine = synthesis.Machine(mirror=truth)
        counts = machine.measure(synthesis.IRON, 1e5, seed, depth=0.06)
        mirror = mirror_point(counts, dead_channels(counts))
        assert mirror.known
        assert mirror.sd < 0.1
        pulls.append((mirror.point - truth) / mirror.sd)
    spread_is_one(pulls)


@pytest.mark.parametrize("mirror", [230.3, 240.0, 256.75, 280.1])
def test_mirror_point_far_from_the_middle(mirror, synthesis):
    counts = synthesis.Machine(mirror=mirror).measure(synthesis.IRON, 1e6, 5)
    assert mirror_point(counts, dead_channels(counts)).point == pytest.approx(
        mirror, abs=0.05
    )


def test_lines_that_are_half_matched_are_no_mirror_point(synthesis):
    for mirror in (190.3, 330.6):
        counts = synthesis.Machine(mirror=mirror).measure(synthesis.IRON, 1e6, 5)
        assert not mirror_point(counts, dead_channels(counts)).known


def test_a_spectrum_without_lines_has_no_mirror_point():
    generator = np.random.default_rng(12)
    for _ in range(30):
        counts = generator.poisson(1e5, 512).astype(float)
        assert not mirror_point(counts, alive(counts)).known


def test_a_slope_and_a_parabola_do_not_move_the_mirror_point(synthesis):
    machine = synthesis.Machine(mirror=257.3)
    place = np.linspace(-1, 1, machine.n_channels)
    expected = machine.expected(synthesis.IRON, 1e6)
    counts = np.round(expected * (1 + 0.02 * place + 0.02 * place**2))
    point = mirror_point(counts, alive(counts)).point
    assert point == pytest.approx(257.3, abs=0.02)


def test_folded_counts_are_exact_sums(synthesis):
    counts = synthesis.Machine(mirror=257.2).measure(synthesis.IRON, 1e5, 3)
    dead = dead_channels(counts)
    mirror = mirror_point(counts, dead)
    folded = fold(counts, dead, mirror)
    assert mirror.nearest == 514
    first = np.arange(2, 257)
    np.testing.assert_array_equal(
        folded.counts, counts[first - 1] + counts[514 - first - 1]
    )
    np.testing.assert_array_equal(folded.distance, 257 - first)
    assert mirror.offset == abs(2 * mirror.point - 514) / 2


def test_pairs_with_a_dead_member_are_dropped(synthesis):
    counts = synthesis.Machine(mirror=256.5).measure(synthesis.IRON, 1e5, 3, dead=False)
    counts[0] = 0
    counts[100] = 0
    dead = dead_channels(counts)
    assert list(np.flatnonzero(dead)) == [0, 100]
    folded = fold(counts, dead, mirror_point(counts, dead))
    assert folded.dropped == 2
    assert len(folded.counts) == 254
    assert 256.5 - 101 not in folded.distance


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.8])
@pytest.mark.parametrize("channel", [0, 1, -1])
def test_dead_ends(factor, channel, synthesis):
    counts = synthesis.Machine().measure(synthesis.IRON, 1e4, 6, dead=False)
    counts[channel] = np.round(factor * counts[channel])
    assert list(np.flatnonzero(dead_channels(counts))) == [channel % 512]


def test_live_ends_stay_alive(synthesis):
    for level, depth in ((100, 0.1), (1e4, 0.2), (1e6, 0.25)):
        for maximum in (4.0, 5.5, 12.0):  # at 5.5 mm/s a line stands at the edge
            for seed in range(5):
                machine = synthesis.Machine(maximum=maximum)
                counts = machine.measure(
                    synthesis.IRON, level, seed, depth=depth, dead=False
                )
                assert not dead_channels(counts).any()


def test_periods_with_lost_channels():
    assert [period_of(n) for n in (512, 511, 1023, 1020, 400)] == [
        512, 512, 1024, 1024, 400,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["triangular", "sinusoidal"])
def test_slope_of_the_sweep(name):
    drive = Drive(name, 512)
    distance = np.linspace(1, 255, 9)
    numeric = (drive.sweep(distance + 1e-4) - drive.sweep(distance - 1e-4)) / 2e-4
    np.testing.assert_allclose(drive.slope(distance), numeric, rtol=1e-6)
    np.testing.assert_allclose(drive.sweep(np.array([0.0, 128.0, 256.0])), [1, 0, -1],
                               atol=1e-12)  # fmt: skip


# ---------------------------------------------------------------------- velocities


def measured(folder, synthesis, machine, other=None, counts=4e5, seed=0, **more):
    """An α-Fe and a magnetite file of one machine."""
    iron = machine.measure(synthesis.IRON, counts, seed, **more)
    (folder / "iron.adt").write_text(synthesis.as_lines(iron))
    sample = (other or machine).measure(synthesis.MAGNETITE, counts, seed + 1000, 0.05)
    (folder / "sample.adt").write_text(synthesis.as_lines(sample))


def truth_of(machine, found):
    """Velocities of the same pairs by the generator's own sweep: (n_pairs,) mm/s."""
    total = round(2 * float(dict(found.found)["mirror point"].split()[1]))
    velocity = machine.velocity()
    first = np.arange(max(1, total - machine.n_channels), (total - 1) // 2 + 1)
    mean = (velocity[first - 1] + velocity[total - first - 1]) / 2
    mean = mean[first > 1] if total - 1 <= machine.n_channels else mean
    return np.sort(mean)


@pytest.mark.parametrize("rising", [True, False])
def test_velocity_pulls(rising, synthesis, source, tmp_path):
    scale, zero = [], []
    for seed in range(20):
        iron = synthesis.Machine(rising=rising, maximum=11.4, mirror=257.2)
        sample = synthesis.Machine(rising=rising, maximum=11.4, mirror=257.45)
        measured(tmp_path, synthesis, iron, sample, counts=1e5, seed=seed)
        found = read(source("sample.adt", calibration="iron.adt"), tmp_path)
        word = "rising" if rising else "falling"
        direction = dict(found.found)["direction"]
        assert direction.startswith(word)
        assert "assumed" not in direction
        truth = truth_of(sample, found)
        assert len(truth) == len(found.axis)
        slope, shift = np.polyfit(truth, found.axis, 1)
        jacobian = found.axis_jacobian
        per_velocity = np.polyfit(truth, jacobian, 1)[0]
        middle = int(np.argmin(np.abs(truth)))
        scale.append((slope - 1) / np.linalg.norm(per_velocity))
        zero.append(shift / np.linalg.norm(jacobian[middle]))
        assert found.nuisance_names == ("velocity_scale", "velocity_zero")
    spread_is_one(scale)
    spread_is_one(zero)


def test_half_offset_is_where_the_members_were_measured(synthesis, source, tmp_path):
    machine = synthesis.Machine(mirror=257.2)
    measured(tmp_path, synthesis, machine, counts=1e6)
    found = read(source("sample.adt", calibration="iron.adt"), tmp_path)
    velocity = machine.velocity()
    apart = abs(velocity[99] - velocity[514 - 100 - 1]) / 2
    assert found.half_offset == pytest.approx(apart, rel=0.15)
    assert apart == pytest.approx(0.2 * 4 * 12 / 512, rel=1e-6)


def test_unfolded_channels_have_their_own_velocities(synthesis, source, tmp_path):
    machine = synthesis.Machine(mirror=257.2)
    measured(tmp_path, synthesis, machine, counts=1e6)
    block = source("sample.adt", calibration="iron.adt", fold="none")
    found = read(block, tmp_path)
    truth = np.sort(machine.velocity()[1:])
    assert found.half_offset == 0
    assert len(found.axis) == 511
    within = np.abs(truth) < 6  # where α-Fe has lines
    np.testing.assert_allclose(found.axis[within], truth[within], atol=0.01)


def test_a_sinusoidal_drive(synthesis, source, tmp_path):
    for rising in (True, False):
        machine = synthesis.Machine(drive="sinusoidal", rising=rising, mirror=256.4)
        measured(tmp_path, synthesis, machine, counts=1e6)
        block = source("sample.adt", calibration="iron.adt", drive="sinusoidal")
        found = read(block, tmp_path)
        np.testing.assert_allclose(found.axis, truth_of(machine, found), atol=0.01)
        assert np.all(np.diff(found.axis) > 0)


def test_a_wrong_drive_is_noticed(synthesis, source, tmp_path):
    machine = synthesis.Machine(drive="sinusoidal")
    measured(tmp_path, synthesis, machine, counts=1e6)
    with pytest.raises(ReaderError, match="calibration-lines"):
        read(source("sample.adt", calibration="iron.adt"), tmp_path)


@pytest.mark.parametrize("maximum", [4.0, 6.0, 8.0, 15.0, 20.0])
def test_any_velocity_range(maximum, synthesis, source, tmp_path):
    machine = synthesis.Machine(maximum=maximum)
    measured(tmp_path, synthesis, machine, counts=1e6)
    found = read(source("iron.adt", calibration="iron.adt"), tmp_path)
    np.testing.assert_allclose(found.axis, truth_of(machine, found), atol=0.02)


def test_calibrations_of_few_counts_or_channels_are_still_found(
    synthesis, source, tmp_path
):
    few = {"counts": 1e4}
    coarse = {"counts": 1e5, "depth": 0.12}
    for more, channels in ((few, 512), (coarse, 256)):
        for seed in range(10):
            machine = synthesis.Machine(n_channels=channels, mirror=channels / 2 + 1.2)
            measured(tmp_path, synthesis, machine, seed=seed, **more)
            found = read(source("iron.adt", calibration="iron.adt"), tmp_path)
            truth = truth_of(machine, found)
            error = np.linalg.norm(found.axis_jacobian, axis=1)
            assert np.all(np.abs(found.axis - truth) < 5 * error)


def test_lost_channels(synthesis, source, tmp_path):
    machine = synthesis.Machine(n_channels=1023, lost=1, mirror=511.7)
    measured(tmp_path, synthesis, machine)
    found = read(source("sample.adt", calibration="iron.adt"), tmp_path)
    np.testing.assert_allclose(found.axis, truth_of(machine, found), atol=0.01)
    assert "period 1024" in dict(found.found)["drive"]


def test_direction_by_option_and_assumption(synthesis, source, tmp_path):
    machine = synthesis.Machine(rising=True, source=0.0)
    measured(tmp_path, synthesis, machine)
    common = {"calibration": "iron.adt", "source": "57Co(Rh)"}
    free = read(source("sample.adt", **common), tmp_path)
    assert "assumed" in dict(free.found)["direction"]
    assert "direction = " in dict(free.found)["direction"]
    up = read(source("sample.adt", direction="rising", **common), tmp_path)
    down = read(source("sample.adt", direction="falling", **common), tmp_path)
    np.testing.assert_allclose(up.axis, -down.axis[::-1], atol=1e-12)
    np.testing.assert_array_equal(up.values, down.values[::-1])
    np.testing.assert_allclose(up.axis, truth_of(machine, up), atol=0.01)
    covariance = [m.axis_jacobian @ m.axis_jacobian.T for m in (up, down)]
    np.testing.assert_allclose(covariance[0], covariance[1][::-1, ::-1], atol=1e-15)


def test_a_nonlinear_drive_is_said_and_widens(synthesis, source, tmp_path):
    bent = tuple((v + 0.004 * (-1) ** i, s) for i, (v, s) in enumerate(synthesis.IRON))
    machine = synthesis.Machine()
    measured(tmp_path, synthesis, machine, counts=1e6)
    straight = read(source("sample.adt", calibration="iron.adt"), tmp_path)
    iron = machine.measure(bent, 1e6, 0)
    (tmp_path / "iron.adt").write_text(synthesis.as_lines(iron))
    curved = read(source("sample.adt", calibration="iron.adt"), tmp_path)
    assert "none seen" in dict(straight.found)["drive non-linearity"]
    assert "widened" in dict(curved.found)["drive non-linearity"]
    assert np.all(
        np.linalg.norm(curved.axis_jacobian, axis=1)
        > 1.5 * np.linalg.norm(straight.axis_jacobian, axis=1)
    )


def test_maximum_velocity(synthesis, source, tmp_path):
    machine = synthesis.Machine(maximum=10.0)
    measured(tmp_path, synthesis, machine, counts=1e6)
    options = {"velocity_max": 10.0, "velocity_max_sd": 0.05, "direction": "falling"}
    found = read(source("sample.adt", source="57Co(Rh)", **options), tmp_path)
    np.testing.assert_allclose(found.axis, truth_of(machine, found), atol=1e-9)
    spread = np.linalg.norm(found.axis_jacobian, axis=1)
    assert spread[0] == pytest.approx(0.05 * 12 / 12, rel=0.1)
    assert spread[np.argmin(np.abs(found.axis))] < 0.02
    assumed = read(source("sample.adt", velocity_max=10.0), tmp_path)
    assert "assumed" in dict(assumed.found)["direction"]
    assert "assumed" in dict(assumed.found)["velocity zero from"]


def test_a_weak_sample_is_folded_where_its_calibration_is(synthesis, source, tmp_path):
    machine = synthesis.Machine()
    measured(tmp_path, synthesis, machine)
    flat = np.random.default_rng(7).poisson(1e5, 512)
    (tmp_path / "sample.adt").write_text(synthesis.as_lines(flat))
    found = read(source("sample.adt", calibration="iron.adt"), tmp_path)
    assert "calibration's mirror point" in dict(found.found)["folded at"]
    with pytest.raises(ReaderError, match="fold-no-mirror"):
        read(source("sample.adt", velocity_max=12.0), tmp_path)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "velocity-unknown"),
        ({"calibration": "sample.adt"}, "calibration-lines"),
        ({"calibration": "short.adt"}, "calibration-channels"),
        ({"calibration": "table.csv"}, "calibration-columns"),
        ({"calibration": "none.csv"}, "data-missing"),
        ({"velocity_max": -3.0}, "velocity-max"),
        ({"velocity_max": 3.0, "velocity_max_sd": 4.0}, "velocity-max"),
        ({"calibration": "iron.adt", "direction": "up"}, "data-option"),
        ({"calibration": "iron.adt", "drive": "square"}, "data-option"),
        ({"calibration": "iron.adt", "source": "57Co(X)"}, "reference-unknown"),
    ],
)
def test_faults_of_raw_blocks(options, code, synthesis, source, tmp_path, told):
    measured(tmp_path, synthesis, synthesis.Machine())
    short = synthesis.Machine(n_channels=256, mirror=128.6)
    counts = short.measure(synthesis.IRON, 1e5, 0)
    (tmp_path / "short.adt").write_text(synthesis.as_lines(counts))
    rows = (f"{i * 0.1},{n}" for i, n in enumerate(counts))
    (tmp_path / "table.csv").write_text("\n".join(rows))
    with pytest.raises(ReaderError) as caught:
        read(source("sample.adt", **options), tmp_path)
    assert caught.value.code == code
    assert all(told(caught.value))


def test_samples_of_the_folder(samples, source):
    found = read(source("magnetite.ws5", calibration="iron.adt"), samples)
    assert dict(found.found)["dead channels"] == "1"
    assert len(found.sha256) == 64
    assert found.field_slopes[0] == pytest.approx(5.3123 / 33.04)


def test_counts_beside_channel_numbers(synthesis, source, tmp_path):
    counts = synthesis.Machine().measure(synthesis.IRON, 1e5, 0)
    rows = (f"{i} {int(n)}" for i, n in enumerate(counts))
    (tmp_path / "numbered.dat").write_text("\n".join(rows))
    block = source("numbered.dat", calibration="numbered.dat")
    assert len(read(block, tmp_path).axis) == 255


def test_reading_is_quick(samples, source, two_columns):
    raw = source("magnetite.ws5", calibration="iron.adt")
    table = source("table.csv", two_columns)
    for block, limit in ((raw, 0.3), (table, 0.02)):
        read(block, samples)
        spent = []
        for _ in range(5):
            start = time.process_time()
            read(block, samples)
            spent.append(time.process_time() - start)
        assert min(spent) < limit
