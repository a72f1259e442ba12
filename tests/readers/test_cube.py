"""Maps from files: what is read, what is refused, and in what words."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfit.model.ir import DataSource
from specfit.readers import ReaderError, arrays, memory, read
from specfit.readers.curves import on_axis, read_curve

ENERGY = 600.0 + 0.5 * np.arange(20)


def source(file: str, **said: object) -> DataSource:
    options = {"pixel": "y, x", "step": (5.0,), **said.pop("options", {})}  # type: ignore[dict-item]
    columns = {"energy": (said.pop("axis", 3), "eV"), "counts": (0, "counts")}
    if said.pop("intensity", False):
        columns = {"energy": (3, "eV"), "intensity": (0, "")}
    kind = {"data": "cube", "kind": "hyperspectral", "file": file}
    return DataSource.model_validate(
        {**kind, "columns": columns, "options": options, **said}
    )


def cube(shape: tuple[int, ...] = (3, 4, 20)) -> np.ndarray:
    return np.random.default_rng(1).poisson(6.0, shape).astype(np.uint16)


def fault(file: str, root: Path, **said: object) -> ReaderError:
    with pytest.raises(ReaderError) as caught:
        read(source(file, **said), root)
    return caught.value


def test_an_archive_is_read(tmp_path: Path) -> None:
    counts = cube()
    np.savez(tmp_path / "a.npz", counts=counts, energy=ENERGY, note=np.array(["x"]))
    found = read(source("a.npz"), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.cube.counts, counts)
    assert np.array_equal(found.axis, ENERGY)
    assert np.array_equal(found.values, counts.sum(axis=(0, 1)))
    assert found.cube.step == (5.0, 5.0)
    assert dict(found.found)["cube"] == "3 × 4 pixels, 480 bytes of uint16"


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_the_energy_may_be_any_axis(axis: int, tmp_path: Path) -> None:
    counts = cube()
    moved = np.moveaxis(counts, 2, axis - 1)
    np.savez(tmp_path / "a.npz", counts=moved, energy=ENERGY)
    found = read(source("a.npz", axis=axis), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.cube.counts, counts)


def test_falling_energies_are_turned_round(tmp_path: Path) -> None:
    counts = cube()
    np.savez(tmp_path / "a.npz", counts=counts, energy=ENERGY[::-1])
    found = read(source("a.npz"), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.axis, ENERGY)
    assert np.array_equal(found.cube.counts, counts[:, :, ::-1])


def test_a_window_of_a_mapped_file_stays_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cube())
    said = {"axis": 3, "start": 600.0, "step": 0.5, "unit": "eV"}
    side = {"energy": said, "pixel": {"step": 0.4, "unit": "nm"}}
    (tmp_path / "a.json").write_text(json.dumps(side))
    bare = DataSource.model_validate(
        {**source("a.npy").model_dump(), "options": {"pixel": "x, y"}}
    )
    found = read(bare.model_copy(update={"window": (602.0, 609.6)}), tmp_path)
    assert found.cube is not None
    assert isinstance(found.cube.counts, np.memmap)
    assert found.cube.step == pytest.approx((4.0, 4.0))
    assert found.axis[0] == 602.0
    assert found.cube.counts.shape == (3, 4, 16)
    assert found.cube.names == ("x", "y")
    assert found.cube.image(np.arange(12)).shape == (4, 3)


def test_the_axis_may_be_stated(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cube())
    said = {"energy_start": 600.0, "energy_step": 0.5}
    assert np.array_equal(read(source("a.npy", options=said), tmp_path).axis, ENERGY)
    assert fault("a.npy", tmp_path).code == "data-cube-no-energy"


def test_empty_pixels_and_dead_channels_are_told(tmp_path: Path) -> None:
    counts = cube() + 1
    counts[1, 2] = 0
    counts[:, :, 5] = 0
    np.savez(tmp_path / "a.npz", counts=counts, energy=ENERGY)
    found = read(source("a.npz"), tmp_path)
    assert found.cube is not None
    assert found.cube.empty.sum() == 1
    assert found.cube.empty[1, 2]
    assert np.flatnonzero(found.cube.dead).tolist() == [5]
    assert {"empty pixels", "dead channels"} <= dict(found.found).keys()


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("data-cube-not-finite", np.nan),
        ("data-cube-not-finite", np.inf),
        ("data-cube-negative", -1.0),
        ("data-cube-fractional", 2.5),
    ],
)
def test_what_is_no_count_is_named_with_its_pixel(
    code: str, value: float, tmp_path: Path
) -> None:
    counts = cube().astype(float)
    counts[1, 2, 3] = value
    np.savez(tmp_path / "a.npz", counts=counts, energy=ENERGY)
    found = fault("a.npz", tmp_path)
    assert found.code == code
    assert (found.words["pixel"], found.words["channel"]) == ("(2, 3)", "4")
    if code != "data-cube-not-finite":
        assert read(source("a.npz", intensity=True), tmp_path).value_unit == ""


@pytest.mark.parametrize(
    ("code", "held"),
    [
        ("data-cube-flat", {"counts": cube((12, 20)), "energy": ENERGY}),
        ("data-cube-several", {"a": cube(), "b": cube(), "energy": ENERGY}),
        ("data-cube-zero", {"counts": 0 * cube(), "energy": ENERGY}),
        ("data-cube-no-energy", {"counts": cube()}),
        ("data-cube-energy-length", {"counts": cube(), "energy": ENERGY[1:]}),
        ("data-cube-order", {"counts": cube(), "energy": np.roll(ENERGY, 3)}),
        ("data-cube-order", {"counts": cube(), "energy": 0 * ENERGY}),
        ("data-cube-axis", {"counts": cube((20, 4, 3)), "energy": ENERGY}),
        ("data-empty", {"counts": cube((0, 4, 20)), "energy": ENERGY}),
    ],
)
def test_what_is_wrong_with_an_archive(
    code: str, held: dict[str, np.ndarray], tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", **held)
    assert fault("a.npz", tmp_path).code == code


def test_an_array_is_named_where_there_are_several(tmp_path: Path) -> None:
    first, second = cube(), cube() + 1
    np.savez(tmp_path / "a.npz", a=first, b=second, energy=ENERGY)
    found = read(source("a.npz", options={"array": "b"}), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.cube.counts, second)
    asked = fault("a.npz", tmp_path, options={"array": "c"})
    assert asked.code == "data-cube-array"
    assert "`a` (3 × 4 × 20)" in asked.words["known"]


def test_objects_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    assert fault("a.npy", tmp_path).code == "data-cube-objects"
    assert not (tmp_path / "sprung").exists()


def test_a_forged_head_asks_for_no_memory(tmp_path: Path) -> None:
    stream = io.BytesIO()
    head = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6, 100)}
    np.lib.format.write_array_header_1_0(stream, head)
    (tmp_path / "a.npy").write_bytes(stream.getvalue() + bytes(800))
    assert fault("a.npy", tmp_path).code == "data-cube-broken"
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("counts.npy", stream.getvalue() + bytes(800))
    assert fault("b.npz", tmp_path).code == "data-cube-broken"


def test_what_has_no_room_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", counts=cube(), energy=ENERGY)
    monkeypatch.setattr(memory, "free", lambda: 500)
    found = fault("a.npz", tmp_path)
    assert found.code == "data-cube-memory"
    assert found.words["size"] == "480 bytes"
    np.save(tmp_path / "b.npy", cube())
    said = {"energy_start": 600.0, "energy_step": 0.5}
    assert read(source("b.npy", options=said), tmp_path).cube is not None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_crash_the_reader(data: bytes, zipped: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        name = "a.npz" if zipped else "a.npy"
        (Path(folder) / name).write_bytes(b"PK\x03\x04" + data if zipped else data)
        with pytest.raises(ReaderError):
            read(source(name), Path(folder))


def test_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    np.savez(tmp_path / "a.npz", counts=cube(), energy=ENERGY)
    assert fault("../a.npz", inner).code == "data-outside"
    (inner / "a.npz").symlink_to(tmp_path / "a.npz")
    assert fault("a.npz", inner).code == "data-outside"
    assert fault("another_map.npz", inner).code == "data-missing"


def test_sidecars_that_say_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cube())
    for text in (
        "{",
        "[1]",
        '{"energy": {"start": "x"}}',
        '{"energy": {"axis": 7, "start": 1, "step": 1}}',
        '{"energy": {"start": 1, "step": 1, "unit": "nm"}}',
    ):
        (tmp_path / "a.json").write_text(text)
        assert fault("a.npy", tmp_path).code == "data-cube-sidecar"


def test_sizes_are_said_in_words() -> None:
    assert memory.said(999) == "999 bytes"
    assert memory.said(17_200_000_000) == "17.2 GB"
    assert memory.free() > 0
    assert arrays.Stored((2, 3), np.dtype("f4"), lambda: np.zeros(1)).size == 24


MSA = """#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#NPOINTS     : {n}
#XUNITS      : {unit}
#DATATYPE    : Y
#XPERCHAN-X  : 0.5
#OFFSET   -X : 600.0
#SPECTRUM    : here
{body}
#ENDOFDATA   : end
"""


def test_a_standard_file_of_one_spectrum(tmp_path: Path) -> None:
    body = "\n".join(f"{k}, {k + 1}," for k in range(0, 20, 2))
    text = MSA.format(n=20, unit="eV", body=body)
    (tmp_path / "a.msa").write_text(text)
    energy, values = read_curve("a.msa", tmp_path)
    assert np.array_equal(energy, ENERGY)
    assert np.array_equal(values, np.arange(20.0))
    (tmp_path / "a.msa").write_text(MSA.format(n=20, unit="keV", body=body))
    assert read_curve("a.msa", tmp_path)[0][0] == 600e3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (MSA.format(n=21, unit="eV", body="1, 2, 3"), "data-msa"),
        (MSA.format(n=3, unit="nm", body="1, 2, 3"), "data-msa"),
        (MSA.format(n=3, unit="eV", body="1, x, 3"), "data-line"),
        (
            MSA.format(n=3, unit="eV", body="1, 2, 3").replace("#OFFSET", "#O"),
            "data-msa",
        ),
        (MSA.format(n=3, unit="eV", body="1, 2, 3"), "data-too-few"),
        ("1\n2\n3\n", "data-curve-columns"),
    ],
)
def test_what_is_wrong_with_a_curve(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "a.msa").write_text(text)
    with pytest.raises(ReaderError) as caught:
        read_curve("a.msa", tmp_path)
    assert caught.value.code == code


def test_pairs_in_any_order_are_a_curve(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(20)
    rows = [f"{ENERGY[i]}, {i + 3}" for i in order]
    (tmp_path / "a.csv").write_text("energy, intensity\n" + "\n".join(rows))
    energy, values = read_curve("a.csv", tmp_path)
    assert np.array_equal(energy, ENERGY)
    made = on_axis(energy, values, np.linspace(598.0, 612.0, 40), "a.csv")
    assert made.sum() == pytest.approx(1.0)
    assert made[0] == 0.0
    assert made[-1] == made.max()
    with pytest.raises(ReaderError) as caught:
        on_axis(energy, values, np.linspace(700.0, 720.0, 40), "a.csv")
    assert caught.value.code == "data-curve-apart"


def hyperspy(path: Path, counts: np.ndarray) -> None:
    """A file as HyperSpy writes it: navigation first, then the signal."""
    with h5py.File(path, "w") as file:
        signal = file.create_group("Experiments/map")
        signal.create_dataset("data", data=counts, compression="gzip", chunks=True)
        axes = (("y", 0.5, 0.0, "nm"), ("x", 0.4, 0.0, "nm"), ("E", 0.5, 600.0, "eV"))
        for place, (name, scale, offset, units) in enumerate(axes):
            axis = signal.create_group(f"axis-{place}")
            axis.attrs.update(name=name, scale=scale, offset=offset, units=units)


def bare(file: str) -> DataSource:
    said = source(file).model_dump() | {"options": {"pixel": "y, x"}}
    return DataSource.model_validate(said)


def test_a_file_of_hyperspy(tmp_path: Path) -> None:
    counts = cube()
    hyperspy(tmp_path / "a.hspy", counts)
    found = read(bare("a.hspy"), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.cube.counts, counts)
    assert np.array_equal(found.axis, ENERGY)
    assert found.cube.step == pytest.approx((5.0, 4.0))


def test_nothing_outside_a_file_is_followed(tmp_path: Path) -> None:
    hyperspy(tmp_path / "other.hspy", cube())
    with h5py.File(tmp_path / "a.hspy", "w") as file:
        group = file.create_group("Experiments/map")
        group["data"] = h5py.ExternalLink("other.hspy", "/Experiments/map/data")
    assert fault("a.hspy", tmp_path).code == "data-cube-link"
    with h5py.File(tmp_path / "b.hspy", "w") as file:
        file["Experiments"] = h5py.SoftLink("/elsewhere")
    assert fault("b.hspy", tmp_path).code == "data-cube-link"
    (tmp_path / "raw").write_bytes(bytes(480))
    with h5py.File(tmp_path / "c.hspy", "w") as file:
        group = file.create_group("Experiments/map")
        where = [(str(tmp_path / "raw"), 0, 480)]
        group.create_dataset("data", (3, 4, 20), dtype="u2", external=where)
    assert fault("c.hspy", tmp_path).code == "data-cube-link"
    layout = h5py.VirtualLayout(shape=(3, 4, 20), dtype="u2")
    layout[:] = h5py.VirtualSource("other.hspy", "/Experiments/map/data", (3, 4, 20))
    with h5py.File(tmp_path / "d.hspy", "w") as file:
        file.create_group("Experiments/map").create_virtual_dataset("data", layout)
    assert fault("d.hspy", tmp_path).code == "data-cube-link"


def test_what_is_no_file_of_hyperspy(tmp_path: Path) -> None:
    (tmp_path / "a.hspy").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    assert fault("a.hspy", tmp_path).code == "data-cube-broken"
    with h5py.File(tmp_path / "b.hspy", "w") as file:
        file["other"] = 1
    assert fault("b.hspy", tmp_path).code == "data-cube-broken"


def test_a_file_of_digital_micrograph(tmp_path: Path) -> None:
    utils = pytest.importorskip("nionswift_plugin.DM_IO.dm3_image_utils")
    data = pytest.importorskip("nion.data.DataAndMetadata")
    calibration = pytest.importorskip("nion.data.Calibration").Calibration
    counts = cube().astype(np.float32)
    image = data.new_data_and_metadata(
        counts,
        data_descriptor=data.DataDescriptor(False, 2, 1),
        dimensional_calibrations=[
            calibration(0.0, 0.5, "nm"),
            calibration(0.0, 0.4, "nm"),
            calibration(600.0, 0.5, "eV"),
        ],
    )
    with (tmp_path / "a.dm4").open("wb") as stream:
        utils.save_image(image, stream, 4)
    found = read(bare("a.dm4"), tmp_path)
    assert found.cube is not None
    assert np.array_equal(found.cube.counts, counts)
    assert found.axis == pytest.approx(ENERGY)
    assert found.cube.step == pytest.approx((5.0, 4.0), rel=1e-6)
    (tmp_path / "b.dm3").write_bytes(b"DM" + bytes(300))
    assert fault("b.dm3", tmp_path).code == "data-cube-broken"


def test_a_reader_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nionswift_plugin.DM_IO.dm3_image_utils", None)
    (tmp_path / "a.dm3").write_bytes(bytes(100))
    assert fault("a.dm3", tmp_path).code == "data-cube-extra"


def test_other_endings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rpl").write_bytes(b"key value")
    assert fault("a.rpl", tmp_path).code == "data-cube-format"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_told_wherever_it_is_damaged(
    method: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, values in (("counts", cube((8, 9, 20))), ("energy", ENERGY)):
            stream = io.BytesIO()
            np.save(stream, values)
            archive.writestr(f"{name}.npy", stream.getvalue())
    good = path.read_bytes()
    assert read(source("a.npz"), tmp_path).cube is not None
    for place in range(0, len(good), 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        # another fault, as zlib's own, is none of ours and ends the test
        with contextlib.suppress(ReaderError):
            read(source("a.npz"), tmp_path)


def test_sidecars_whose_numbers_are_none(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cube())
    good = '"start": 1, "step": 1'
    for text in (
        f'{{"energy": {{"axis": 3.0, {good}}}}}',
        f'{{"energy": {{"axis": true, {good}}}}}',
        f'{{"energy": {{"axis": [3], {good}}}}}',
        '{"energy": {"start": 1, "step": 0}}',
        f'{{"energy": {{"start": 1{"0" * 400}, "step": 1}}}}',
        '{"pixel": {"step": -0.5}}',
        '{"pixel": {"step": 0}}',
        '{"pixel": {"step": true}}',
    ):
        (tmp_path / "a.json").write_text(text)
        assert fault("a.npy", tmp_path).code == "data-cube-sidecar", text


@pytest.mark.parametrize("said", ["inf", "nan", "1e999"])
@pytest.mark.parametrize("key", ["NPOINTS     : 3", "OFFSET", "XPERCHAN"])
def test_a_standard_file_of_no_number(said: str, key: str, tmp_path: Path) -> None:
    lines = MSA.format(n=3, unit="eV", body="1, 2, 3").splitlines()
    word = key.split(":")[0].strip()
    lines = [f"#{word} : {said}" if word in one else one for one in lines]
    (tmp_path / "a.msa").write_text("\n".join(lines))
    with pytest.raises(ReaderError) as caught:
        read_curve("a.msa", tmp_path)
    assert caught.value.code == "data-msa"


def test_an_axis_of_hyperspy_without_an_even_step(tmp_path: Path) -> None:
    counts, places = cube(), 0.6 + 1e-3 * np.arange(20.0) ** 1.1
    hyperspy(tmp_path / "a.hspy", counts)
    with h5py.File(tmp_path / "a.hspy", "a") as file:
        axis = file["Experiments/map/axis-2"]
        del axis.attrs["scale"], axis.attrs["offset"]
    # an axis that says neither where it starts nor how it goes on is none
    assert fault("a.hspy", tmp_path).code == "data-cube-no-energy"
    with h5py.File(tmp_path / "a.hspy", "a") as file:
        axis = file["Experiments/map/axis-2"]
        axis.attrs["units"] = "keV"
        axis["axis"] = places
    assert read(bare("a.hspy"), tmp_path).axis == pytest.approx(1e3 * places)
    with h5py.File(tmp_path / "a.hspy", "a") as file:
        axis = file["Experiments/map/axis-2"]
        del axis["axis"]
        axis["axis"] = places[:7]
    assert fault("a.hspy", tmp_path).code == "data-cube-broken"


@pytest.mark.parametrize("shape", [(1, 1, 2**40), (2**20, 2**20, 20)])
def test_a_claim_of_unwritten_blocks_takes_no_memory(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "a.hspy", "w") as file:
        signal = file.create_group("Experiments/map")
        signal.create_dataset("data", shape, "u1", chunks=(1, 1, 20))
        axis = signal.create_group("axis-2")
        axis.attrs.update(scale=0.5, offset=600.0, units="eV")
    assert fault("a.hspy", tmp_path).code == "data-cube-memory"


# ------------------------------------------------- what text and file say differently


def test_energies_at_odds_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", counts=cube(), energy=ENERGY)
    other = {"energy_start": 600.0, "energy_step": 5.0}
    found = dict(read(source("a.npz", options=other), tmp_path).found)
    assert found["energies"].startswith("600 to 695 eV in the text, 600 to 609.5 eV in")
    same = {"energy_start": 600.0, "energy_step": 0.5}
    assert "energies" not in dict(read(source("a.npz", options=same), tmp_path).found)


def test_steps_and_axes_of_a_sidecar_at_odds_are_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cube())
    side = tmp_path / "a.toml"
    axis = 'energy = { axis = 3, start = 600.0, step = 0.5, unit = "eV" }\n'
    side.write_text(axis + 'pixel = { step = 2.0, unit = "nm" }\n')
    found = dict(read(source("a.npy"), tmp_path).found)
    told = "0.5 nm in the text, 2 nm in the file: the text counts"
    assert found["pixel step"] == told
    side.write_text(axis.replace("axis = 3", "axis = 1"))
    assert fault("a.npy", tmp_path).code == "data-cube-axis-other"
    side.write_text(axis.replace("energy", "enrgy"))
    assert "`enrgy`" in fault("a.npy", tmp_path).words["why"]


def test_arrays_that_are_no_numbers_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", counts=cube() * 1j, energy=ENERGY)
    told = fault("a.npz", tmp_path)
    assert told.code == "data-cube-flat"
    assert told.words["known"] == "`energy` (20), `counts` (of complex numbers)"


def test_a_window_beside_the_data_is_told_at_the_window(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", counts=cube(), energy=ENERGY)
    told = fault("a.npz", tmp_path, window=(700.0, 720.0))
    assert (told.code, told.key) == ("data-window", "window")
