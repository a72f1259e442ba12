"""Random small models that use everything the density knows."""

from __future__ import annotations

import numpy as np
from density_models import (
    definition,
    dist,
    expect,
    expr,
    joint,
    make_model,
    measurement,
    mixture,
    parameter,
    require,
    site,
)
from hypothesis import strategies as st

from specfit.contracts import Measurement
from specfit.model.ir import Model, Noise, Prior

KINDS = ("singlet", "doublet", "sextet")


@st.composite
def models(draw) -> tuple[Model[Prior], list[Measurement]]:
    """A model of one or two spectra and measurements that fit it in shape."""
    n_spectra = draw(st.integers(1, 2))
    n_sites = draw(st.integers(1, 3))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(n_sites)]
    names = ["A", "B", "C"][:n_sites]
    voigt = [draw(st.booleans()) for _ in names]
    baseline = draw(st.sampled_from(["constant", "linear", "parabola"]))
    nuisance, halves = draw(st.booleans()), draw(st.booleans())
    parameters = [
        parameter("width", dist("normal", 0.28, 0.05, low=0.194, high=0.6)),
        parameter("spread", dist("halfnormal", 0.05)),
    ]
    definitions, groups, joints = [], [], []
    for s in range(n_spectra):
        parameters.append(
            parameter(
                f"N0[{s}]",
                dist("lognormal", ("log", ("max", "spectrum.counts")), 0.1),
            )
        )
        parameters.append(parameter(f"area[{s}]", dist("gamma", 4.0, 0.05)))
        fractions = [f"{name}.I[{s}]" for name in names]
        if n_sites == 1:
            definitions.append(definition(fractions[0], 1.0))
        else:
            powers = [draw(st.sampled_from([0.7, 1.0, 2.5])) for _ in names]
            joints.append(joint(*fractions, concentrations=powers))
        groups.append([])
        for name, kind, wide, fraction in zip(
            names, kinds, voigt, fractions, strict=True
        ):
            own = {"width": "width"} if draw(st.booleans()) or s else {}
            if not own:
                definitions.append(definition(f"{name}.width", ("*", 1.2, "width")))
            spread = {"sigma_IS": "spread"} if wide else {}
            groups[s].append(site(name, kind, I=fraction, **own, **spread))
    for name, kind in zip(names, kinds, strict=True):
        parameters += _site(name, kind, draw)
    for name in ("slope", "curvature", "geometry", "half_slope"):
        parameters.append(parameter(name, dist("normal", 0.0, 0.02)))
    if nuisance:
        for name in ("velocity_scale", "velocity_zero"):
            parameters.append(parameter(f"spectrum.{name}", dist("normal", 0.0, 1.0)))
    noise = Noise(family="poisson")
    if draw(st.booleans()):
        parameters.append(parameter("excess", dist("exponential", 0.01)))
        noise = Noise(family="negative_binomial", arguments=(expr("excess"),))
    definitions.append(definition("shift", ("-", f"{names[-1]}.IS", "A.IS"), True))
    scalars = [_scalars(s, baseline, nuisance, halves) for s in range(n_spectra)]
    model = make_model(
        groups,
        parameters,
        definitions,
        joints,
        _rules(draw, names, kinds, joints),
        baseline,
        noise,
        scalars,
    )
    folded = draw(st.sampled_from([0.0, 0.03]))
    data = [_data(12 + 5 * s, nuisance, folded, halves, s) for s in range(n_spectra)]
    return model, data


def _site(name, kind, draw):
    shift = draw(
        st.sampled_from(
            [
                dist("uniform", -0.5, 1.5),
                dist("student_t", 5.0, 0.3, 0.1, low=-0.2, high=0.9),
                mixture(
                    (0.9, dist("student_t", 4.0, 0.35, 0.05)),
                    (0.1, dist("normal", 0.4, 0.4)),
                    low=-0.4,
                    high=1.4,
                ),
                dist("normal", 0.3, ("+", 0.05, "spread")),
            ]
        )
    )
    found = [parameter(f"{name}.IS", shift)]
    if kind != "singlet":
        found.append(parameter(f"{name}.QS", dist("normal", 0.4, 0.3)))
    if kind == "sextet":
        found.append(parameter(f"{name}.Bint", dist("uniform", 12.0, 60.0)))
        found.append(
            parameter(f"{name}.x", dist("normal", 2.0, 0.5, low=0.0, high=4.0))
        )
    return found


def _scalars(s, baseline, nuisance, halves):
    found = {"N0": f"N0[{s}]", "area": f"area[{s}]"}
    if baseline != "constant":
        found["slope"] = "slope"
    if baseline == "parabola":
        found["curvature"] = "curvature"
    if halves:
        found["geometry"] = "geometry"
    if halves and baseline != "constant":
        found["half_slope"] = "half_slope"
    if nuisance:
        for name in ("velocity_scale", "velocity_zero"):
            found[name] = f"spectrum.{name}"
    return found


def _rules(draw, names, kinds, joints):
    """Rules of every strategy, as far as the model has what they speak of."""
    found = []
    if len(names) > 1 and draw(st.booleans()):
        found.append(require((">", "B.IS", ("-", "A.IS", 0.1)), 11))
    if len(names) > 2 and draw(st.booleans()):
        found.append(require(("and", ("<", "A.IS", "B.IS"), ("<", "B.IS", "C.IS")), 12))
    magnetic = [n for n, kind in zip(names, kinds, strict=True) if kind == "sextet"]
    if len(magnetic) > 1 and draw(st.booleans()):
        first, second = magnetic[:2]
        rule = draw(
            st.sampled_from(
                [
                    (">", f"{first}.Bint", f"{second}.Bint"),
                    ("==", f"{first}.Bint", ("+", f"{second}.Bint", 1.5)),
                    ("==", f"{first}.x", f"{second}.x"),
                ]
            )
        )
        found.append(require(rule, 13))
    if joints and draw(st.booleans()):
        first, second = joints[0].names[:2]
        rule = draw(
            st.sampled_from(
                [
                    require((">", first, ("*", 0.5, second)), 14),
                    expect(("/", first, second), dist("lognormal", 0.5, 0.2), 14),
                    expect(first, dist("normal", 0.5, 0.1), 14),
                ]
            )
        )
        found.append(rule)
    if draw(st.booleans()):
        found.append(require((">", ("*", "width", "area[0]"), 0.01), 15))
    if draw(st.booleans()):
        found.append(require(("or", (">", "A.IS", 0.2), ("<", "width", 0.3)), 16))
    return found


def _data(n_channels, nuisance, folded, halves, seed):
    generator = np.random.default_rng(seed)
    changes = {}
    if halves:
        changes["position"] = np.sin(np.arange(n_channels) + 0.5)
    if nuisance:
        axis = np.linspace(-10.0, 10.0, n_channels)
        changes["axis_jacobian"] = np.stack([1e-3 * axis, np.full_like(axis, 2e-3)], 1)
        changes["nuisance_names"] = ("velocity_scale", "velocity_zero")
    counts = generator.poisson(9e3, n_channels).astype(float)
    return measurement(counts, n_channels, half_offset=folded, **changes)
