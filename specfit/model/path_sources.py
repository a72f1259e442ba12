"""`path NiO : feff from db("NMC111.Ni-O", SOC = 50 %)` → citations of R and σ²."""

from __future__ import annotations

from dataclasses import dataclass

from specfit import units
from specfit.contracts import ParameterSignature, Signature
from specfit.language import tree
from specfit.model import ir
from specfit.model.cited_numbers import WIDEN, CitedNumbers
from specfit.model.faults import Faults
from specfit.model.path_records import PARAMETERS, find
from specfit.model.quantities import Context
from specfit.model.records import RecordError
from specfit.model.typed import Typer

CHARGE = "SOC"


def place_of(citation: ir.Citation | ir.PathCitation) -> float:
    """Where a record is asked for: a temperature, or a state of charge."""
    if isinstance(citation, ir.PathCitation):
        return citation.charge
    return citation.temperature


@dataclass(frozen=True)
class PathReader:
    """Reads what is cited of scattering paths."""

    faults: Faults
    numbers: CitedNumbers

    @classmethod
    def of(cls, typer: Typer, faults: Faults) -> PathReader:
        """The reader of a model's citations."""
        wanted = dict.fromkeys((CHARGE, WIDEN), units.DIMENSIONLESS)
        zero = (CHARGE,)
        return cls(faults, CitedNumbers(typer, faults, wanted, "db-share", zero))

    def whole(
        self, call: tree.Call, signature: Signature, context: Context
    ) -> dict[str, ir.PathCitation] | None:
        """The citations of all that is recorded of a path, by symbol."""
        asked = self._asked(call, context)
        if asked is None:
            return None
        key, charge, widen = asked
        return {
            symbol: _citation(key, symbol, charge, widen, signature.parameter(symbol))
            for symbol in PARAMETERS
        }

    def one(
        self, call: tree.Call, context: Context, signature: ParameterSignature | None
    ) -> ir.PathCitation | None:
        """A prior written `R ~ db("NMC111.Ni-O.R", SOC = 50 %)`."""
        asked = self._asked(call, context, one_parameter=True)
        if asked is None:
            return None
        key, _, symbol = asked[0].rpartition(".")
        if signature is not None and signature.symbol != symbol:
            words = {"name": signature.symbol, "parameter": symbol, "record": key}
            self.faults.say("db-other-parameter", call.arguments[0].span, words)
            return None
        return _citation(key, symbol, asked[1], asked[2], signature)

    def _asked(
        self, call: tree.Call, context: Context, one_parameter: bool = False
    ) -> tuple[str, float, float] | None:
        """The record, the state of charge and by how much it is widened."""
        first = call.arguments[0] if call.arguments else None
        if first is None or first.name or not isinstance(first.value, tree.String):
            self.faults.add("db-path", call.span)
            return None
        given = self.numbers.read(call.arguments[1:], context)
        if given is None:
            return None
        charge = given.get(CHARGE, self.numbers.condition(CHARGE, context))
        if charge is None:
            if not self.faults.excuses(CHARGE):
                self.faults.add("db-charge", call.span)
            return None
        key = first.value.value
        record, _, symbol = key.rpartition(".")
        if one_parameter and symbol not in PARAMETERS:
            self.faults.add("db-path-parameter", first.span, record=key)
            return None
        try:
            find(record if one_parameter else key)
        except RecordError as error:
            self.faults.say(error.code, first.span, error.words)
            return None
        return key, charge, given.get(WIDEN, 1.0)


def _citation(
    key: str,
    symbol: str,
    charge: float,
    widen: float,
    signature: ParameterSignature | None,
) -> ir.PathCitation:
    return ir.PathCitation(
        record=key,
        parameter="R" if symbol == "R" else "sigma2",
        charge=charge,
        widen=widen,
        low=signature.low if signature else None,
        high=signature.high if signature else None,
    )
