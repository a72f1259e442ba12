"""The truth behind the synthetic study of a layered oxide that is charged in 16 stages.

LiNi1/3Mn1/3Co1/3O2 from discharged to overcharged: nickel gives nearly all the charge,
cobalt little and late, manganese none.  The potential follows the valence of nickel, with
a knee where it comes near Ni⁴⁺.  Each technique met a state of its own: absorption of
nickel within 1.5 % of the potential's, diffraction and the other edges within 3 and 4 %,
as parts of an electrode differ.  Values are plausible and nobody's data.

    python tests/gallery/battery_study.py models/data/battery TRUTH.toml
    python -m specfit.exafs.synthetic models/data/paths
    specfit simulate models/battery_study.spec --truth TRUTH.toml --out models/data/battery

The first writes the spectra that absorption is compared with, the table of potentials and
the truth; the second the scattering paths; the third all spectra.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

STAGES = 16
BASES = dict.fromkeys(("ni", "co", "mn"), (0, 20, 40, 80, 130))
"""States of charge, in %, of the spectra that each edge is compared with."""
SOC = np.linspace(0.0, 130.0, STAGES)
SEED = 20261129


# ---------------------------------------------------------------- what charging does


def given(soc):
    """Electrons that nickel and cobalt give per formula unit, at a state of charge in %."""
    whole = 0.60 * np.asarray(soc) / 100.0
    nickel = 0.62 * np.tanh(0.92 * whole / 0.62)
    return nickel, 0.45 * (whole - nickel)


def nickel_valence(soc):
    return 2.0 + 3.0 * given(soc)[0]


def cobalt_valence(soc):
    return 3.0 + 3.0 * given(soc)[1]


def potential(valence):
    """Of the cell against lithium, V."""
    knee = np.maximum(valence - 3.2, 0.0) ** 1.5
    edges = np.log((valence - 1.97) / (4.03 - valence))
    return 3.55 + 0.30 * (valence - 2.0) + 0.10 * edges + 0.525 * knee


def lattice(soc):
    """a and c, Å: a shrinks with the valence, c opens and then collapses."""
    x = np.asarray(soc) / 100.0
    a = 2.861 - 0.048 * np.minimum(x, 0.9) / 0.9 + 0.004 * np.maximum(x - 0.9, 0.0)
    c = 14.235 + 0.30 * np.sin(np.pi * np.minimum(x / 1.25, 1.2))
    return a, c


# ---------------------------------------------------------------- spectra at an edge


@dataclass(frozen=True)
class Edge:
    """How an edge looks at the beginning, and what becomes of it at full change.

    start: of the edge, eV; moved: of it, eV; white, broad: height and width of the white
    line; thinner: loss of its height; oxygen, metal: distances, Å, and what they lose.
    """

    name: str
    start: float
    moved: float
    white: float
    broad: float
    thinner: float
    oxygen: tuple[float, float]
    metal: tuple[float, float]
    valence: object
    full: float  # valence at full change, less that at the beginning


NICKEL = Edge("ni", 8344.0, 2.6, 0.80, 3.0, 0.16, (2.05, 0.16), (2.87, 0.04),
              nickel_valence, 1.55)  # fmt: skip
COBALT = Edge("co", 7720.5, 1.1, 0.75, 3.4, 0.06, (1.92, 0.025), (2.86, 0.04),
              cobalt_valence, 0.35)  # fmt: skip
MANGANESE = Edge("mn", 6552.0, 0.0, 0.70, 4.0, 0.01, (1.91, 0.005), (2.87, 0.04),
                 lambda soc: 4.0 + 0.0 * np.asarray(soc), 1.0)  # fmt: skip
EDGES = (NICKEL, COBALT, MANGANESE)


def changed(edge, soc):
    """How far the metal of an edge is on its way, 0 to about 1.

    Manganese keeps its valence; its surroundings breathe with the lattice alone.
    """
    if edge is MANGANESE:
        return np.asarray(soc) / 130.0
    return (edge.valence(soc) - edge.valence(0.0)) / edge.full


def absorption(energy, edge, soc):
    """Normalised absorption (n,) at a state of charge in %."""
    x = float(changed(edge, soc))
    start = edge.start + edge.moved * x
    step = 0.5 + np.arctan((energy - start) / 1.5) / np.pi
    height = edge.white - edge.thinner * x
    white = height / (1.0 + ((energy - start - 6.3) / edge.broad) ** 2)
    before = 0.03 * np.exp(-0.5 * ((energy - start + 11.5) / 1.1) ** 2)
    return step * (1.0 + wiggles(energy, start, edge, x)) + white * step + before


def wiggles(energy, start, edge, x):
    """χ of an oxygen and a metal shell, from 12 eV above the edge."""
    above = np.maximum(energy - start - 2.0, 1e-3)
    k = np.sqrt(0.262468 * above)
    total = np.zeros_like(energy)
    for (far, loss), phase, strength in (
        (edge.oxygen, 1.2, 0.30),
        (edge.metal, 2.6, 0.45),
    ):
        distance = far - loss * x
        fall = np.exp(-0.012 * k**2) * k / (1.0 + (k / 3.5) ** 3)
        total += strength * 6 / distance**2 * fall * np.sin(2 * k * distance + phase)
    return 0.1 * total / (1.0 + np.exp(-(energy - start - 12.0) / 2.0))


def weights(edge, soc):
    """Shares (16, n) of the compared spectra: of the two neighbours in valence."""
    bases = np.array(BASES[edge.name])
    nodes, here = changed(edge, bases), changed(edge, soc)
    shares = np.array([np.interp(here, nodes, row) for row in np.eye(len(bases))]).T
    return 0.985 * shares + 0.015 / len(bases)


# ---------------------------------------------------------------- distances


def paths(edge, soc):
    """R (Å) and σ² (Å²) of four shells by name, (16,) each."""
    x = changed(edge, soc)
    a = lattice(soc)[0]
    mixed = np.sin(np.pi * np.clip(x, 0.0, 1.0)) if edge is NICKEL else 0.0 * x
    near = edge.oxygen[0] - edge.oxygen[1] * x
    return {
        "O": (near, 0.0050 + 0.0035 * mixed),
        "M": (a + 0.004, 0.0050 + 0.0006 * x),
        "O2": (near + 1.52 - 0.02 * x, 0.0100 + 0.0010 * x),
        "M2": (np.sqrt(3.0) * a, 0.0080 + 0.0010 * x),
    }


# ---------------------------------------------------------------- files


def said(name, values, digits=6):
    return f'"{name}" = {[round(float(v), digits) for v in values]}'


def states(generator):
    """The state that each technique met: potential, then each edge, then diffraction."""
    met = {"potential": SOC}
    for name, spread in (("ni", 1.5), ("co", 4.0), ("mn", 4.0), ("xrd", 3.0)):
        met[name] = np.clip(SOC + generator.normal(0.0, spread, STAGES), 0.0, 130.0)
    return met


def write_bases(folder):
    for edge in EDGES:
        energy = np.arange(edge.start - 40.0, edge.start + 100.25, 0.5)
        for soc in BASES[edge.name]:
            mu = absorption(energy, edge, soc)
            lines = [
                f"# SYNTHETIC: {edge.name} K-edge at {soc} % state of charge, normalised",
                "# made by tests/gallery/battery_study.py; energy (eV), mu",
            ]
            lines += [f"{e:.1f} {m:.5f}" for e, m in zip(energy, mu, strict=True)]
            path = folder / f"{edge.name}_basis_{soc}.xmu"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_potentials(folder, generator):
    volts = potential(nickel_valence(SOC)) + generator.normal(0.0, 0.006, STAGES)
    charge = np.maximum(SOC + generator.normal(0.0, 2.0, STAGES), 0.0)
    lines = ["# SYNTHETIC: made by tests/gallery/battery_study.py"]
    lines += ["stage,potential,soc"]
    lines += [f"{i + 1},{volts[i]:.4f},{charge[i]:.1f}" for i in range(STAGES)]
    (folder / "cell.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def truth_of_edge(edge, soc, generator):
    low, high = edge.start - 28.0, edge.start + 80.0
    shares = np.round(weights(edge, soc), 6)
    shares[:, -1] = 1.0 - shares[:, :-1].sum(axis=1)
    lines = [f"[{edge.name}.axis]", f"low = {low}", f"high = {high}", "channels = 145"]
    lines += [f"[{edge.name}.values]"]
    lines += [said(f"w[{b}]", shares[:, j]) for j, b in enumerate(BASES[edge.name])]
    for name, sd, digits in (("dE", 0.02, 4), ("level", 4e-3, 5), ("slope", 4e-5, 7),
                             ("post", 4e-5, 7)):  # fmt: skip
        lines.append(said(name, generator.normal(0.0, sd, STAGES), digits))
    lines.append(said("step", np.exp(generator.normal(0.0, 0.01, STAGES)), 5))
    return [*lines, f'"s" = {[0.0015] * STAGES}']


def truth_of_shells(edge, soc, generator):
    name = f"{edge.name}_shells"
    lines = [f"[{name}.axis]", "low = 2.5", "high = 13.5", "channels = 221"]
    lines += [f"[{name}.values]"]
    for shell, (distance, spread) in paths(edge, soc).items():
        lines.append(said(f"{shell}.R", distance, 5))
        lines.append(said(f"{shell}.sigma2", spread, 6))
    lines.append(said("dE0", generator.normal(0.0, 0.5, STAGES), 4))
    return [*lines, f'"{edge.name}_chi.sd" = {[0.002] * STAGES}']


def truth_of_lattice(soc, generator):
    """Diffraction: constants, and peaks that broaden where the lattice is mixed."""
    a, c = lattice(soc)
    mixed = np.sin(np.pi * np.asarray(soc) / 130.0)
    lines = ["[lattice.axis]", "low = 17.5", "high = 45.6", "channels = 703"]
    lines += ["[lattice.values]", said("a", a, 5), said("c", c, 4)]
    for peak, area, wide in (("P003", 900.0, 0.06), ("P101", 300.0, 0.03),
                             ("P104", 600.0, 0.05)):  # fmt: skip
        lines.append(
            said(f"{peak}.A", area * np.exp(generator.normal(0, 0.05, STAGES)), 2)
        )
        lines.append(said(f"{peak}.wG", [0.10] * STAGES, 4))
        lines.append(said(f"{peak}.wL", 0.06 + wide * mixed, 4))
    level, slope = [900.0] * STAGES, [-250.0] * STAGES
    return [*lines, said("c0", level, 1), said("c1", slope, 1)]


if __name__ == "__main__":
    folder, target = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(SEED)
    met = states(generator)
    write_bases(folder)
    write_potentials(folder, generator)
    lines = [f"seed = {SEED}"]
    for edge in EDGES:
        lines += truth_of_edge(edge, met[edge.name], generator)
    lines += truth_of_lattice(met["xrd"], generator)
    for edge in EDGES:
        lines += truth_of_shells(edge, met[edge.name], generator)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
