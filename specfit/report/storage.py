"""`posterior.nc`: the draws, in the groups that ArviZ reads (NetCDF 4 on HDF5).

Written through h5netcdf itself: xarray would cost a second to import and to say the
same.  ArviZ, xarray and any other NetCDF reader open the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from specfit.contracts import FloatArray, Run
from specfit.report.quantities import Findings
from specfit.report.text import clean

NUMBERS = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions; coordinates are named like one."""

    dimensions: tuple[str, ...]
    values: NUMBERS
    attributes: Mapping[str, str] = field(default_factory=dict)


Group = Mapping[str, Variable]


def write_posterior(found: Findings, path: Path) -> None:
    """Write all groups; variables carry their qualified names ("B.IS") and units.

    Made in memory first: HDF5 notices a full disk only on closing, as a fault of its own.
    """
    import h5netcdf

    attributes, whole = _attributes(found.run), BytesIO()
    with h5netcdf.File(whole, "w") as file:
        file.attrs.update(attributes)
        for name, variables in groups(found).items():
            group = file.create_group(name)
            group.attrs.update(attributes)
            _fill(group, variables)
    path.write_bytes(whole.getbuffer())


def _fill(group: Any, variables: Group) -> None:
    for variable in variables.values():
        sizes = zip(variable.dimensions, variable.values.shape, strict=True)
        for dimension, size in sizes:
            if dimension not in group.dimensions:
                group.dimensions[dimension] = size
    for name, variable in variables.items():
        values, attributes = variable.values, dict(variable.attributes)
        if values.dtype == bool:  # NetCDF has none; the attribute is xarray's custom
            values, attributes = values.astype("i1"), {**attributes, "dtype": "bool"}
        created = group.create_variable(name, variable.dimensions, data=values)
        created.attrs.update(attributes)


def groups(found: Findings) -> dict[str, Group]:
    """The ArviZ groups by name."""
    run, fit = found.run, found.run.fit
    units = {name: q.unit for name, q in {**found.parameters, **found.derived}.items()}
    prior = {name: values[None] for name, values in fit.prior.items()}
    counts = fit.replicated[None].astype("f4")
    return {
        "posterior": _draws(fit.draws, units),
        "sample_stats": _draws(fit.statistics, {}),
        "prior": _draws(prior, units),
        "posterior_predictive": _spectral(run, counts, run.measurements[0].value_unit),
        "log_likelihood": _spectral(run, fit.pointwise.astype("f4"), "1"),
        "observed_data": _observed(run),
    }


def _draws(values: Mapping[str, FloatArray], units: Mapping[str, str]) -> Group:
    variables = {
        _name(name): Variable(
            ("chain", "draw"), np.asarray(draws), {"units": units.get(name, "")}
        )
        for name, draws in values.items()
        if np.ndim(draws) == 2
    }
    if not variables:
        return {}
    chains, draws = next(iter(variables.values())).values.shape
    return _counted(chains, draws) | variables


def _counted(chains: int, draws: int, step: int = 1) -> dict[str, Variable]:
    return {
        "chain": Variable(("chain",), np.arange(chains)),
        "draw": Variable(("draw",), np.arange(draws) * step),
    }


def _spectral(run: Run, values: NUMBERS, unit: str) -> Group:
    """Draws of something by channel: (chain, draw, spectrum, channel)."""
    chains, draws = values.shape[:2]
    all_chains, all_draws = run.fit.positions.shape[:2]
    step = max(1, all_draws // draws) if chains == all_chains else 1
    variables = _counted(chains, draws, step)
    for index, name in enumerate(_spectra(run)):
        size = run.measurements[index].values.size
        variables |= _axis(run, index, name)
        variables[f"{name}.counts"] = Variable(
            ("chain", "draw", f"{name}.channel"),
            values[:, :, index, :size],
            {"units": unit, **_along(run, index, name)},
        )
    return variables


def _observed(run: Run) -> Group:
    variables: dict[str, Variable] = {}
    for index, name in enumerate(_spectra(run)):
        measurement = run.measurements[index]
        variables |= _axis(run, index, name)
        variables[f"{name}.counts"] = Variable(
            (f"{name}.channel",),
            measurement.values,
            {"units": measurement.value_unit, **_along(run, index, name)},
        )
    return variables


def _spectra(run: Run) -> list[str]:
    """How each spectrum is called: `spectrum`, `spectrum[77]`."""
    return [
        _name(f"{s.data}[{s.label}]" if s.label else s.data) for s in run.model.spectra
    ]


def _name(name: str) -> str:
    """A name that NetCDF allows: a slash would open a group."""
    return clean(name).replace("/", "_")


def _axis(run: Run, index: int, name: str) -> dict[str, Variable]:
    measurement = run.measurements[index]
    channel = f"{name}.channel"
    attributes = {"units": measurement.axis_unit, "zero": "α-Fe at room temperature"}
    return {
        channel: Variable((channel,), np.arange(measurement.values.size)),
        _axis_name(run, index, name): Variable(
            (channel,), measurement.axis, attributes
        ),
    }


def _axis_name(run: Run, index: int, name: str) -> str:
    unit = run.measurements[index].axis_unit
    return f"{name}.velocity" if unit == "mm/s" else f"{name}.axis"


def _along(run: Run, index: int, name: str) -> dict[str, str]:
    """The attribute that makes the axis a coordinate; it lists names by blanks."""
    axis = _axis_name(run, index, name)
    return {} if " " in axis else {"coordinates": axis}


def _attributes(run: Run) -> dict[str, str]:
    return {
        "inference_library": "specfit",
        "inference_library_version": str(run.versions.get("specfit", "")),
        "created_at": run.started,
        "title": clean(run.document.title or run.model.title),
        "verdict": run.verdict.outcome,
        "model_sha256": run.model.digest(),
        "isomer_shift_zero": "α-Fe at room temperature",
        "field_scale": "; ".join(clean(m.field_scale) for m in run.measurements),
    }
