"""What a kind of data and a kind of model are, as the language sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from specfit import units
from specfit.constants import NATURAL_FWHM
from specfit.contracts import ParameterSignature, Signature
from specfit.isotopes import IRON, isotopes

FROM_FILE = "= of its file"
"""The default of a parameter that the file of a component states."""


@dataclass(frozen=True)
class DataKind:
    """A kind of data block: its columns, conditions and options.

    `columns`: name → dimension; `conditions`: name → dimension; `texts`: options that
    take quoted text, with the words allowed (empty: any); `quantities`: options that
    take a number, name → dimension; `axes`: the columns of which one is the axis;
    `readings`: those of which one is what was measured; `free`: columns have any names
    and dimensions; `clusters`: they may be made of the spectra of another block;
    `image`: there is a spectrum at every pixel.
    """

    name: str
    columns: Mapping[str, str]
    conditions: Mapping[str, str]
    texts: Mapping[str, tuple[str, ...]]
    quantities: Mapping[str, str]
    axes: tuple[str, ...]
    readings: tuple[str, ...]
    free: bool = False
    clusters: bool = False
    image: bool = False


@dataclass(frozen=True)
class ModelKind:
    """A kind of model made of components on a baseline.

    `component`: the keyword of its blocks; `scalars`: its own parameters; `baselines`:
    name → parameters; `halves`: those that they have besides where the two halves of a
    sweep are not folded; `settings`: name → words allowed; `fraction`: the component
    parameter that shares out the total, a simplex unless the user says otherwise;
    `amounts`: the parameters that say how much is absorbed, by the word of `absorber`;
    `defaults`: what the defaults of component parameters are then, where others;
    `seen`: computed parameters that components have then besides, by their kinds;
    `states`: whether a component may state the class of iron it is; `fraction` is empty
    where each component has an amount of its own; `instead`: of each kind of component,
    what may be stated in place of another parameter, and what that is then; `files`: the
    texts of a component that name what it is read from; `numbers`: settings that are
    numbers, with what is allowed; `ranges`: those that are intervals, with what they are
    of; `axes`: those that the data may have, where not any; `basis`:
    whether it stands on a second data block, of which the first is made.

    Where axis and signal are whatever the data have, dimensions of parameters are the
    words "axis", "signal" and "area", their product, and defaults hold `{x}`, `{y}` for
    the columns and `{ux}`, `{uy}`, `{ua}` for the units: `joined_to` puts them in.
    """

    name: str
    data: str
    component: str
    components: Mapping[str, Signature]
    scalars: tuple[ParameterSignature, ...]
    baselines: Mapping[str, tuple[ParameterSignature, ...]]
    halves: Mapping[str, tuple[ParameterSignature, ...]]
    settings: Mapping[str, tuple[str, ...]]
    noises: tuple[str, ...]
    fraction: str
    amounts: Mapping[str, tuple[ParameterSignature, ...]]
    defaults: Mapping[str, Mapping[str, str]]
    seen: Mapping[str, Mapping[str, tuple[ParameterSignature, ...]]]
    conventions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    states: bool = False
    isotope: str = ""
    title: str = ""
    instead: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ranges: Mapping[str, str] = field(default_factory=dict)
    axes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The settings, of whatever sort."""
        return (*self.settings, *self.numbers, *self.ranges)

    basis: bool = False

    @property
    def natural_fwhm(self) -> float:
        """Of the transition, mm/s; of iron as programs for it have it."""
        iron = self.isotope == IRON
        return NATURAL_FWHM if iron else isotopes()[self.isotope].natural_fwhm

    def joined_to(self, x: str, y: str, axis: str, signal: str) -> ModelKind:
        """The kind on data with these columns and their dimensions, by name.

        x, y: the columns as expressions know them ("xrd.theta2", "xrd.counts").
        """
        words = {"axis": axis, "signal": signal, "area": f"{signal}*{axis}"}
        words["per_axis"] = f"1/{axis}"
        unit = {k: units.canonical_unit(units.dimension(d)) for k, d in words.items()}
        names = {"{counts}": y, "{x}": x, "{y}": y, "{ux}": unit["axis"]}
        names |= {"{uy}": unit["signal"], "{ua}": unit["area"]}
        names["{uper}"] = unit["per_axis"]

        def own(given: ParameterSignature) -> ParameterSignature:
            default = given.default
            for mark, text in names.items():
                default = default.replace(mark, text) if default else default
            if given.dimension not in words:
                return replace(given, default=default)
            word = given.dimension
            return replace(
                given, dimension=words[word], unit=unit[word], default=default
            )

        def every(
            given: tuple[ParameterSignature, ...],
        ) -> tuple[ParameterSignature, ...]:
            return tuple(own(p) for p in given)

        return replace(
            self,
            scalars=every(self.scalars),
            baselines={word: every(ps) for word, ps in self.baselines.items()},
            components={
                word: replace(one, parameters=every(one.parameters))
                for word, one in self.components.items()
            },
        )
