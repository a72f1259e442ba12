"""`posterior.nc`: the draws, in the groups that ArviZ reads (NetCDF 4 on HDF5)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specfit.contracts import FloatArray, Run
from specfit.report.quantities import Findings

if TYPE_CHECKING:
    import xarray as xr

    Dataset = xr.Dataset
else:
    Dataset = Any


def write_posterior(found: Findings, path: Path) -> None:
    """Write all groups; variables carry their qualified names ("B.IS") and units."""
    import xarray as xr

    tree = xr.DataTree.from_dict(
        {f"/{name}": group for name, group in groups(found).items()}
    )
    tree.attrs = _attributes(found.run)
    tree.to_netcdf(path, engine="h5netcdf")


def groups(found: Findings) -> dict[str, Dataset]:
    """The ArviZ groups by name."""
    run, fit = found.run, found.run.fit
    units = {name: q.unit for name, q in {**found.parameters, **found.derived}.items()}
    prior = {name: values[None] for name, values in fit.prior.items()}
    replicated = fit.replicated[None]
    return {
        "posterior": _draws(fit.draws, units, run),
        "sample_stats": _draws(fit.statistics, {}, run),
        "prior": _draws(prior, units, run),
        "posterior_predictive": _spectral(run, replicated, ("chain", "draw")),
        "log_likelihood": _spectral(run, fit.pointwise, ("chain", "draw"), "1"),
        "observed_data": _observed(run),
    }


def _draws(
    values: Mapping[str, FloatArray], units: Mapping[str, str], run: Run
) -> Dataset:
    import xarray as xr

    variables = {
        name: (("chain", "draw"), np.asarray(draws), {"units": units.get(name, "")})
        for name, draws in values.items()
        if np.ndim(draws) == 2
    }
    shapes = {np.shape(draws) for _, draws, _ in variables.values()}
    coordinates = {}
    for chains, draws in shapes:
        coordinates = {"chain": np.arange(chains), "draw": np.arange(draws)}
    return xr.Dataset(variables, coordinates, _attributes(run))


def _spectral(
    run: Run, values: FloatArray, leading: tuple[str, str], unit: str = ""
) -> Dataset:
    """Draws of something by channel: (chain, draw, spectrum, channel)."""
    import xarray as xr

    chains, draws = values.shape[:2]
    total = run.fit.positions.shape[1]
    step = max(1, total // draws) if chains == run.fit.positions.shape[0] else 1
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {
        "chain": np.arange(chains),
        "draw": np.arange(draws) * step,
    }
    for index, (name, size, channel) in enumerate(_spectra(run)):
        attributes = {"units": unit or run.measurements[index].value_unit}
        selected = values[:, :, index, :size]
        variables[name] = ((*leading, channel), selected, attributes)
        coordinates |= _axis(run, index, channel)
    return xr.Dataset(variables, coordinates, _attributes(run))


def _observed(run: Run) -> Dataset:
    import xarray as xr

    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for index, (name, _, channel) in enumerate(_spectra(run)):
        measurement = run.measurements[index]
        attributes = {"units": measurement.value_unit}
        variables[name] = ((channel,), measurement.values, attributes)
        coordinates |= _axis(run, index, channel)
    return xr.Dataset(variables, coordinates, _attributes(run))


def _spectra(run: Run) -> list[tuple[str, int, str]]:
    """Variable name, number of channels and dimension name of each spectrum."""
    found = []
    for spectrum, measurement in zip(run.model.spectra, run.measurements, strict=True):
        label = f"[{spectrum.label}]" if spectrum.label else ""
        name = f"{spectrum.data}{label}.counts".replace("/", "_")
        channel = f"{spectrum.data}{label}.channel".replace("/", "_")
        found.append((name, measurement.values.size, channel))
    return found


def _axis(run: Run, index: int, channel: str) -> dict[str, Any]:
    measurement = run.measurements[index]
    attributes = {"units": measurement.axis_unit, "zero": "α-Fe at room temperature"}
    name = channel.replace(".channel", ".velocity")
    return {
        channel: np.arange(measurement.values.size),
        name: (channel, measurement.axis, attributes),
    }


def _attributes(run: Run) -> dict[str, str]:
    return {
        "inference_library": "specfit",
        "inference_library_version": str(run.versions.get("specfit", "")),
        "created_at": run.started,
        "title": run.document.title or run.model.title,
        "verdict": run.verdict.outcome,
        "model_sha256": run.model.digest(),
        "isomer_shift_zero": "α-Fe at room temperature",
        "field_scale": "; ".join(m.field_scale for m in run.measurements),
    }
