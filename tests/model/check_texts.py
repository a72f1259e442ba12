"""Texts to check, and what their models say, for the tests of the checker."""

from __future__ import annotations

import json
from typing import Any

from specfit.diagnostics import Diagnostic
from specfit.language.parse import parse
from specfit.model import ir
from specfit.model.check import check

DATA = """data s : transmission {
  file = "data/s.csv"
  velocity = column(1) mm/s
  counts = column(2) counts
  T = 295 K
}
"""

BODY = (
    "N0 ~ 1.00e6 ± 2.0e4 counts",
    "Γ ~ 0.26 ± 0.03 mm/s in [0.194, 0.60] mm/s",
    'site A "α" : sextet from db("magnetite.A") { width = Γ; QS ~ 0.00(5) mm/s }',
    'site B : sextet from db("magnetite.B", T = s.T, widen = 4) { width = Γ }',
    "site P : doublet { width = hwhm(w) }",
    "(A.I, B.I, P.I) ~ dirichlet(1, 2, 1)",
    'require A.Bint > B.Bint because "ferrimagnet"',
    'expect B.I / A.I ~ 1.88 ± 0.10 because "two B for each A"',
    "check prob(A.QS in [-0.15, 0.15] mm/s) > 0.95",
    "w = Γ / 2",
    "baseline b : linear",
    "slope ~ 0.000 ± 0.001",
    "observe s.counts ~ negative_binomial(excess = halfnormal(0.02))",
)


def spec_of(
    body: tuple[str, ...] | list[str], before: str = "", after: str = ""
) -> str:
    """A whole file: `before`, the data, one model with these statements, `after`."""
    inside = "\n".join(f"  {line}" for line in body)
    model = f"model m : mossbauer57Fe on s {{\n{inside}\n}}\n"
    return f"specfit 1\n{before}\n{DATA}\n{model}{after}\n"


def diagnosed(
    text: str,
) -> tuple[ir.Document[ir.Declared] | None, list[Diagnostic]]:
    """The document of a text that uses no other file, and its faults."""
    spec, faults = parse(text, "f.spec")
    found = check(spec, "f.spec", lambda path: (None, path), {"f.spec": text}, faults)
    return found.document, found.diagnostics


def codes_of(text: str) -> list[str]:
    """The codes of the faults of a text, in the order of the text."""
    return [fault.code for fault in diagnosed(text)[1]]


def model_of(text: str) -> ir.Model[ir.Declared]:
    """The one model of a text without fault."""
    document, faults = diagnosed(text)
    assert document is not None, faults
    (model,) = document.models
    return model


def inlined(model: ir.Model[Any]) -> Any:
    """What a model says with every definition put in place of its name.

    Names of definitions vanish, so that a tie and its substitution are the same.
    """
    said = json.loads(model.canonical())
    values = {entry["name"]: entry["value"] for entry in said.pop("definitions")}

    def put(node: Any) -> Any:
        if isinstance(node, list):
            return [put(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.get("op") == "ref" and node["name"] in values:
            return put(values[node["name"]])
        return {key: put(item) for key, item in node.items()}

    for spectrum in said["spectra"]:
        where = [site["parameters"] for site in spectrum["sites"]]
        for names in (*where, spectrum["scalars"]):
            for key, name in names.items():
                names[key] = put(values[name]) if name in values else name
    said["rules"].sort(key=lambda rule: json.dumps(put(rule), sort_keys=True))
    return put(said)
