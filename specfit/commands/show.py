"""`specfit show`: the value after each step of the way, in readable form."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from specfit import exits, pipeline
from specfit.commands.common import say, show_diagnostics
from specfit.commands.run import prepare_device
from specfit.language.printer import print_spec
from specfit.model import map_glossary


def show(arguments: argparse.Namespace) -> int:
    """Print the tree, the typed model, the priors or the density of a file."""
    checked = pipeline.check(arguments.file, arguments.allow_outside)
    show_diagnostics(checked.diagnostics, checked.texts)
    if checked.errors:
        return exits.FAULT
    shown: dict[str, Callable[[pipeline.Checked], None]] = {
        "tree": _tree,
        "model": _model,
        "priors": _priors,
        "density": _density,
    }
    shown[arguments.stage](checked)
    return exits.ACCEPTED


def _tree(checked: pipeline.Checked) -> None:
    if checked.spec is not None:
        print(print_spec(checked.spec), end="")


def _model(checked: pipeline.Checked) -> None:
    assert checked.document is not None
    for model in checked.document.models:
        print(json.dumps(json.loads(model.canonical()), indent=1, ensure_ascii=False))
        print(f"digest {model.digest()}")
    for asked in checked.document.maps:
        print(json.dumps(json.loads(asked.canonical()), indent=1, ensure_ascii=False))
        print(f"digest {asked.digest()}")


def _priors(checked: pipeline.Checked) -> None:
    from specfit.model.wording import prior_text

    for model in checked.require().models:
        for parameter in model.parameters:
            text = prior_text(parameter.prior.dist, parameter.unit)
            print(f"{parameter.name} ~ {text}")
        for joint in model.joints:
            print(f"({', '.join(joint.names)}) ~ dirichlet{joint.concentrations}")
    for asked in checked.require().maps:
        for _, lines in map_glossary.blocks(asked):
            print("\n".join(lines))


def _density(checked: pipeline.Checked) -> None:
    """The log-density term by term at the centre of the unconstrained space."""
    if checked.require().maps:
        print(say("map-no-density"))
        return
    prepare_device("cpu")
    import jax.numpy as jnp
    import numpy as np

    for model in checked.require().models:
        measured = pipeline.measure(model, checked)
        with pipeline.float64():
            problem = pipeline.build(model, measured)
            position = {"z": jnp.zeros(problem.dimension)}
            print(f"{problem.dimension} unknowns: {', '.join(problem.names)}")
            print("log-density at the centre of the unconstrained space, by term:")
            for name, term in problem.terms(position, problem.data).items():
                value = float(np.sum(np.asarray(term)))
                if np.isfinite(value):
                    print(f"  {name}: {value:.6f}")
                else:  # the density bends such a curve and stays finite
                    print(f"  at this point: {name}")
            total = float(problem.logdensity(position, problem.data))
            print(f"  total, with the change of variables: {total:.6f}")
