"""A regression on the features of a table: `normal(a + Σ β x, σ)`.

Columns are standardised over the rows that are not masked, so that a row left out says
nothing of their scale.  Errors of the entries of a table, where they are known, widen the
noise of a row to √(σ² + βᵀ C β), C their covariance in units of the columns': they are
taken as normal, independent from row to row, and the true entries as if spread much
wider than the errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from specfit.contracts import Array, Data, FloatArray, Measurement, Problem
from specfit.density.coordinates import Coordinates
from specfit.density.frames import drawn_only
from specfit.density.given import LOCAL, NOTHING, Given, Intercept
from specfit.density.problem import problem_of
from specfit.density.scope import Both
from specfit.model.expressions import evaluate, references, substitute
from specfit.model.functions import ERRORS, HORSESHOE
from specfit.model.ir import Apply, Const, Dist, Expression, Model, Prior, Ref
from specfit.model.known import arguments_of, data_constants
from specfit.model.row_errors import weighted_sum, widened
from specfit.standardised import entry_errors, errors_of, feature_columns

_SUM = "#sum"


def build(model: Model[Prior], measurements: Sequence[Measurement]) -> Problem:
    """The problem of a model of kind `regression`; call it inside `enable_x64(True)`."""
    (measured,) = measurements
    model = with_errors(model, measured)
    return problem_of(
        model, measurements, _curve_of, lambda parts, draws: None, _given_of
    )


def with_errors(model: Model[Prior], measured: Measurement) -> Model[Prior]:
    """The model, its noise widened by the errors of the features where these have any."""
    assert measured.features is not None
    if entry_errors(measured.features) is None:
        return model
    spectra = tuple(widened(one) for one in model.spectra)
    return model.model_copy(update={"spectra": spectra})


def without(
    model: Model[Prior], measured: Measurement, data: Data, rows: Sequence[int]
) -> tuple[Data, Data]:
    """Data that know nothing of some rows, their scales included; and to look at these.

    The first has them masked; the second has them back, everything else learned without.
    """
    assert measured.features is not None
    keep = np.ones(measured.values.size, dtype=bool)
    keep[list(rows)] = False
    part = replace(
        measured,
        axis=measured.axis[keep],
        values=measured.values[keep],
        columns={name: column[keep] for name, column in measured.columns.items()},
        features=None,
    )
    constants = data_constants(model, (part,))
    name = model.spectra[0].data
    columns = feature_columns(name, measured.features, keep)
    mask = jnp.asarray(keep[None].astype(float))
    learn = {
        **data,
        "constants": {n: jnp.asarray(np.float64(v)) for n, v in constants.items()},
        "columns": {**data["columns"], **jax.tree.map(jnp.asarray, columns)},
        "mask": mask,
        "learned": mask,
    }
    return learn, {**learn, "mask": jnp.ones_like(mask)}


# --------------------------------------------------------------------------- curve


@dataclass(frozen=True)
class RegressionCurve:
    """What is expected of each row; rest: of all but the sum over features.

    rows: places of the coefficients in the vector of values.
    """

    rest: Expression
    column: str
    rows: FloatArray
    where: Coordinates

    def known(self) -> Any:
        """The data alone decide nothing."""
        return []

    def expected(self, values: Array, data: Data) -> Array:
        """What is expected (1, n)."""
        features = jnp.asarray(data["columns"][self.column])
        total = values[self.rows] @ features
        names = references(self.rest) & self.where.index.keys()
        own = {name: values[self.where.index[name]] for name in names}
        known: Mapping[str, Any] = Both(
            {**data["constants"], **data["columns"]}, {**own, _SUM: total}
        )
        row = jnp.asarray(evaluate(self.rest, known, jnp), values.dtype)
        return jnp.broadcast_to(row, total.shape)[None]

    def components(self, values: Array, data: Data) -> Array:
        """No component: the curve is one."""
        del values
        return jnp.zeros((1, 0, jnp.asarray(data["counts"]).shape[1]))


def _curve_of(
    model: Model[Prior], measurements: Sequence[Measurement], where: Coordinates
) -> RegressionCurve:
    del measurements
    (spectrum,) = model.spectra
    mean, total = spectrum.noise.mean, weighted_sum(spectrum.noise.mean)
    assert mean is not None
    names = [n.name for n in total.arguments[1:] if isinstance(n, Ref)] if total else []
    rest = replaced(mean, total, Ref(name=_SUM)) if total else mean
    column = f"{spectrum.data}.feature"
    return RegressionCurve(rest, column, where.rows(names), where)


def replaced(
    expression: Expression, old: Expression | None, new: Expression
) -> Expression:
    """The expression with one of its nodes replaced, wherever it stands."""
    if expression == old:
        return new
    if not isinstance(expression, Apply):
        return expression
    arguments = tuple(replaced(a, old, new) for a in expression.arguments)
    return Apply(function=expression.function, arguments=arguments)


# --------------------------------------------------------------- what is integrated


def _given_of(model: Model[Prior], where: Coordinates) -> Given | None:
    """The linear part, where every coefficient is a horseshoe of its own scale."""
    (spectrum,) = model.spectra
    mean, total = spectrum.noise.mean, weighted_sum(spectrum.noise.mean)
    if mean is None or total is None:
        return None
    values = {d.name: d.value for d in model.definitions}
    names = [n.name for n in total.arguments[1:] if isinstance(n, Ref)]
    found = [values.get(name) for name in names]
    shoes = [v for v in found if isinstance(v, Apply) and v.function == HORSESHOE]
    drawn, local = ([_named(one.arguments[k]) for one in shoes] for k in (0, 1))
    laws = {one.arguments[2:] for one in shoes}
    noise = spectrum.noise.arguments[0]
    errors = isinstance(noise, Apply) and noise.function == ERRORS
    if isinstance(noise, Apply) and errors:
        noise = noise.arguments[0]
    if len(shoes) < len(names) or len(laws) != 1 or not {*drawn} <= {*where.names}:
        return None
    law = laws.pop()
    elsewhere = _known_first(model, (noise, *law))
    if elsewhere & {*names, *drawn}:
        return None
    rest = replaced(mean, total, NOTHING)
    intercept, rest = _intercept(model, rest, where, elsewhere)
    one = Const(value=1.0)
    return Given(
        rows=np.array([where.names.index(name) for name in drawn], dtype=int),
        names=tuple(drawn),
        local=tuple(local),
        scale=Apply(function=HORSESHOE, arguments=(one, Ref(name=LOCAL), *law)),
        intercept=intercept,
        rest=rest,
        noise=noise,
        features=f"{spectrum.data}.feature",
        errors=errors_of(spectrum.data) if errors else (),
    )


def _known_first(model: Model[Prior], others: tuple[Expression, ...]) -> set[str]:
    """The unknowns on which any prior or `others` rest, definitions put in.

    What is drawn given these must not be one of them: a Jacobian would be missing.
    """
    values = {d.name: d.value for d in model.definitions}
    priors = [a for p in model.parameters for a in arguments_of(p.prior.dist)]
    every = [drawn_only(e, values) for e in (*others, *priors)]
    return {name for e in every for name in references(e)}


def _named(node: Expression) -> str:
    return node.name if isinstance(node, Ref) else ""


def _intercept(
    model: Model[Prior], rest: Expression, where: Coordinates, elsewhere: set[str]
) -> tuple[Intercept | None, Expression]:
    """A normal unknown that stands in the mean by itself, and what else stands there.

    elsewhere: those on which something rests that is known before.
    """
    priors = {p.name: p.prior.dist for p in model.parameters}
    terms = rest.arguments if isinstance(rest, Apply) and rest.function == "+" else ()
    for term in terms:
        name = term.name if isinstance(term, Ref) else ""
        free = name in where.names and name not in elsewhere
        if free and _plain_normal(priors.get(name)):
            centre, unit = where.linear(name)
            location, scale = priors[name].arguments
            row = where.names.index(name)
            found = Intercept(row, location, scale, centre, unit)
            return found, substitute(rest, {name: NOTHING})
    return None, rest


def _plain_normal(dist: Dist | None) -> bool:
    """A normal without bounds whose arguments rest on no other unknown."""
    if dist is None or dist.family != "normal" or dist.components:
        return False
    named = [n for a in dist.arguments for n in references(a)]
    own = all("." in name for name in named)  # statistics and conditions of the data
    return dist.low is None and dist.high is None and own
