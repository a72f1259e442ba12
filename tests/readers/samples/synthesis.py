"""Synthetic raw spectra with a known truth, and the sample files beside this one.

The generator shares nothing with the readers: lines are thin Lorentzians at positions
written out here, the velocity of a channel is computed from the time of the sweep.
`python tests/readers/samples/synthesis.py` writes the sample files anew.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

IRON = ((-5.3123, 3), (-3.0760, 2), (-0.8397, 1), (0.8397, 1), (3.0760, 2), (5.3123, 3))
MAGNETITE = tuple(
    (shift + slope * field + lift, strength * share)
    for shift, field, share in ((0.28, 49.2, 0.35), (0.66, 46.0, 0.65))
    for slope, lift, strength in (
        (-0.160784, 0.0, 3), (-0.093099, 0.0, 2), (-0.025415, 0.0, 1),
        (0.025415, 0.0, 1), (0.093099, 0.0, 2), (0.160784, 0.0, 3),
    )
)  # fmt: skip
RHODIUM = -0.108


@dataclass(frozen=True)
class Machine:
    """A drive and its counter: the truth that a reader has to find."""

    n_channels: int = 512
    mirror: float = 257.2  # channel from 1
    maximum: float = 12.0  # mm/s
    rising: bool = False
    drive: str = "triangular"
    lost: int = 0  # channels of the period that were not recorded
    source: float = RHODIUM
    first: tuple[float, float] = (0.0, 0.0)  # u² and u³ of the first half, and of
    second: tuple[float, float] = (0.0, 0.0)  # the second, in maximum velocities
    geometry: float = 0.0  # of the count rate, at the far end of the drive's way

    def velocity(self) -> np.ndarray:
        """Velocity of each channel relative to α-Fe, mm/s."""
        channel = np.arange(1, self.n_channels + 1)
        period = self.n_channels + self.lost
        time = np.abs(channel - self.mirror) / period  # periods from the turning point
        time = np.minimum(time, 1 - time)  # and the next turning point
        wave = 1 - 4 * time if self.drive == "triangular" else np.cos(2 * np.pi * time)
        before = channel < self.mirror
        for half, (square, cube) in ((before, self.first), (~before, self.second)):
            wave = np.where(half, wave + square * wave**2 + cube * wave**3, wave)
        sign = 1 if self.rising else -1
        return sign * self.maximum * wave - self.source

    def stands(self) -> np.ndarray:
        """Where the source is, by adding up its velocity; −1 … 1, 0 at the mirror."""
        time = np.linspace(0, 0.5, 20_001)
        wave = 1 - 4 * time if self.drive == "triangular" else np.cos(2 * np.pi * time)
        way = np.concatenate([[0], np.cumsum((wave[1:] + wave[:-1]) / 2)])
        channel = np.arange(1, self.n_channels + 1) - self.mirror
        passed = np.abs(channel) / (self.n_channels + self.lost)
        return np.sign(channel) * np.interp(passed, time, way / way.max())

    def expected(self, lines, counts, depth=0.09, fwhm=0.26) -> np.ndarray:
        """Expected counts by channel."""
        velocity = self.velocity()
        absorbed = np.zeros_like(velocity)
        for place, strength in lines:
            absorbed += strength / 3 / (1 + ((velocity - place) / (fwhm / 2)) ** 2)
        rate = 1 + self.geometry * self.stands() if self.geometry else 1.0
        return counts * (rate - depth * absorbed)

    def measure(self, lines, counts, seed, depth=0.09, dead=True) -> np.ndarray:
        """Poisson counts by channel, the first with half of its own."""
        generator = np.random.default_rng(seed)
        drawn = generator.poisson(self.expected(lines, counts, depth)).astype(float)
        if dead:
            drawn[0] = drawn[0] // 2
        return drawn


def as_lines(counts, ending="\n") -> str:
    """One count a line."""
    return "".join(f"{int(n)}{ending}" for n in counts)


def as_rows(counts, width, numbered=False) -> str:
    """Several counts a line, the number of the first channel before them if wished."""
    lines = []
    for first in range(0, len(counts), width):
        row = " ".join(f"{int(n):8d}" for n in counts[first : first + width])
        lines.append(f"{first:04d} {row}" if numbered else row)
    return "\n".join(lines) + "\n"


def write_samples(folder: Path) -> None:
    """All sample files: a raw calibration, a ws5 sample of the same drive, a table.

    The calibration stands also in the dress of other counters: two times before the
    counts, rows of eight below a header, rows of five after their channel.
    """
    machine = Machine()
    iron = machine.measure(IRON, 4e5, seed=1)
    (folder / "iron.adt").write_text(as_lines(iron, "\r\n"), newline="")
    (folder / "iron.tka").write_text("86012.4\n86400.0\n" + as_lines(iron))
    head = "iron foil                       0.00 T   295 K\n512 009 250 126.92 0.1 8\n"
    (folder / "iron.exp").write_text(head + as_rows(iron, 8))
    head = "IRON FOIL\n 512  256.0000\n   12.00000\n (5X,5F9.0)\n"
    (folder / "iron_rows.dat").write_text(head + as_rows(iron, 5, numbered=True))
    sample = Machine(mirror=257.45).measure(MAGNETITE, 2e5, seed=2, depth=0.05)
    head = '<?xml version="1.0"?>\n<spectrum>\n<device>CMCA</device>\n<data>\n'
    (folder / "magnetite.ws5").write_text(
        head + as_lines(sample) + "</data>\n</spectrum>\n"
    )
    velocity = np.linspace(10, -10, 256)
    folded = np.random.default_rng(3).poisson(1e5, 256)
    rows = [
        f"{v:.5f};{n}".replace(".", ",") for v, n in zip(velocity, folded, strict=True)
    ]
    text = "\r\n".join(["# 磁鉄鉱 室温", "速度;計数", *rows, ""])
    (folder / "table.csv").write_bytes(text.encode("cp932"))


if __name__ == "__main__":
    write_samples(Path(__file__).parent)
