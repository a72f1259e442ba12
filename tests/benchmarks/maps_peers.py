"""Maps beside their peers in one run: error on the four maps, cost, and cost curves.

Run as `python tests/benchmarks/maps_peers.py [four] [ard] [size] [curves PICTURE]`. The
peers run in an interpreter of their own, that of SPECFIT_PEERS (by default this one), so
that none of them is needed here; those that it lacks are told as absent. A method that
does not end in SPECFIT_PEERS_SECONDS (300) is told so. The CPU seconds are of the fit
alone; ours are given with compiling, and again without.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "maps"))
sys.path.insert(0, str(Path(__file__).parent))

import four
from maps_worker import METHODS

from specfit.maps import Factorisation
from specfit.maps.ard_so import separated
from specfit.maps.factorising import factorise

PYTHON = os.environ.get("SPECFIT_PEERS", sys.executable)
SECONDS = float(os.environ.get("SPECFIT_PEERS_SECONDS", "300"))
WORKER = Path(__file__).with_name("maps_worker.py")
SEEDS = 5


def peer(method: str, counts: np.ndarray, rows: int, k: int = 2) -> dict | str:
    """What a peer finds, or why it finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(source, counts=counts, rows=rows, k=k)
        command = [PYTHON, str(WORKER), method, str(source), str(target)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"over {SECONDS:.0f} s"
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["?"]
            return "absent" if done.returncode == 3 else f"failed: {last[0][:60]}"
        with np.load(target) as found:
            return {name: found[name] for name in found.files}


def error(made: four.Map, weights: np.ndarray, spectra: np.ndarray) -> float:
    """Root mean square error of the fraction, whichever component is the first."""
    counts = weights * spectra.sum(axis=1)
    if counts.shape[1] != 2:
        return float("nan")
    share = counts[made.inside] / np.maximum(
        counts[made.inside].sum(axis=1, keepdims=True), 1e-300
    )
    off = share - made.fraction[made.inside, None]
    return float(np.sqrt(np.mean(off**2, axis=0)).min())


def ours(made: four.Map, engine: str = "poisson") -> tuple[float, float]:
    """Error and CPU seconds."""
    library = made.library if engine == "poisson" else None
    overlap = 0.05 if engine == "ard_so" else 0.0
    asked = Factorisation(2, engine=engine, library=library, overlap=overlap)
    began = time.process_time()
    found = factorise(made.counts, made.energy, asked)
    cost = time.process_time() - began
    return error(made, found.maps, found.spectra), cost


def line(name: str, cells: list[str]) -> None:
    print(f"{name:24}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


def shown(found: dict | str, made: four.Map) -> tuple[str, str]:
    """Error and cost as cells of a table."""
    if isinstance(found, str):
        return found[:11], found[:11]
    return (
        f"{error(made, found['weights'], found['spectra']):.4f}",
        f"{float(found['cost']):.2f}",
    )


def table_of_four() -> None:
    print("Error of the map (RMSE of the fraction of Mn2+); peers: one seed")
    line("", list(four.NAMES))
    for engine in ("poisson", "ard_so"):
        rows = [
            [ours(four.simulated(name, seed), engine)[0] for seed in range(SEEDS)]
            for name in four.NAMES
        ]
        label = f"specfit {engine}, {SEEDS} seeds"
        line(label, [f"{np.sqrt(np.mean(np.square(row))):.4f}" for row in rows])
    made = {name: four.simulated(name, 0) for name in four.NAMES}
    for method in METHODS:
        cells = [
            shown(peer(method, made[name].counts, 64), made[name])[0]
            for name in four.NAMES
        ]
        line(method, cells)


def table_of_sizes() -> None:
    print("CPU seconds (and error) of `hi`; specfit first with compiling, then without")
    sizes = ((64, 256), (256, 512))
    line("", [f"{side}²×{channels}" for side, channels in sizes for _ in range(2)])
    made = [four.simulated("hi", 0, *size) for size in sizes]
    for label in ("specfit, compiling", "specfit again"):
        cells = []
        for one in made:
            rmse, cost = ours(one)
            cells += [f"{cost:.2f}", f"{rmse:.4f}"]
        line(label, cells)
    for method in METHODS:
        cells = []
        for one, (side, _) in zip(made, sizes, strict=True):
            rmse, cost = shown(peer(method, one.counts, side), one)
            cells += [cost, rmse]
        line(method, cells)


def ard_so_beside_malspy() -> None:
    """Both from the start that malspy draws, on counts in units of their mean."""
    made = four.simulated("hi", 0)
    x = made.counts / made.counts.mean()
    found = peer("malspy ARD-SO", x, 64)
    if isinstance(found, str):
        print(f"ARD-SO beside malspy: {found}")
        return
    draw = np.random.RandomState(0)
    weights = (draw.rand(len(x), 2) + 1) * np.sqrt(x.mean() / 2)
    spectra = x[draw.choice(len(x), 2)]
    mine = separated(x, weights, spectra, 0.05, 200, tolerance=0.0)
    cosine = np.sum(mine.spectra * found["spectra"], axis=1)
    apart = np.degrees(np.arccos(np.minimum(cosine, 1.0)))
    off = np.abs(mine.weights - found["weights"]).max() / mine.weights.max()
    print(f"ARD-SO beside malspy: angles {apart.round(6)} degrees, maps {off:.1e}")


def cost(side: int, channels: int, k: int) -> float:
    """CPU seconds of a second fit, of nothing but `k` peaks."""
    generator = np.random.default_rng(0)
    energy = np.linspace(0.0, 10.0, channels)
    places = np.linspace(2.0, 8.0, k)[:, None]
    rows = np.exp(-0.5 * ((energy - places) / 0.9) ** 2) + 0.05
    rows = rows / rows.sum(axis=1, keepdims=True)
    share = generator.dirichlet(np.full(k, 0.5), side * side)
    counts = generator.poisson(5000.0 * share @ rows).astype(float)
    asked = Factorisation(k, library=rows)
    factorise(counts, energy, asked)
    began = time.process_time()
    factorise(counts, energy, asked)
    return time.process_time() - began


def curves_of_cost(picture: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    swept = {
        "pixels": [(side, 256, 2) for side in (16, 32, 64, 128, 256)],
        "channels": [(64, channels, 2) for channels in (64, 128, 256, 512, 1024)],
        "components": [(64, 256, k) for k in (2, 3, 4, 5, 6)],
    }
    figure, panels = pyplot.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for panel, (name, points) in zip(panels, swept.items(), strict=True):
        at = {"pixels": 0, "channels": 1, "components": 2}[name]
        places = [one[at] ** 2 if at == 0 else one[at] for one in points]
        seconds = [cost(*one) for one in points]
        print(name, *(f"{p}: {s:.2f} s" for p, s in zip(places, seconds, strict=True)))
        panel.loglog(places, seconds, "o-", color="0.2")
        panel.set(xlabel=name, ylabel="CPU seconds, compiled")
    figure.savefig(picture, dpi=120)


def main(asked: list[str]) -> None:
    whole = not asked
    if whole or "four" in asked:
        table_of_four()
    if whole or "ard" in asked:
        ard_so_beside_malspy()
    if whole or "size" in asked:
        table_of_sizes()
    if "curves" in asked:
        curves_of_cost(asked[asked.index("curves") + 1])


if __name__ == "__main__":
    main(sys.argv[1:])
