"""Which files may be read: below the root, regular, not too large, never unpacked."""

import os

import pytest

from specfit.readers import ReaderError, detect_raw, files, read, write_columns
from specfit.readers.files import load

TEXT = "".join(f"{i},{1000 + i}\n" for i in range(32))


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data" / "good.csv").write_text(TEXT)
    (tmp_path / "secret.csv").write_text(TEXT)
    (root / "leak.csv").symlink_to(tmp_path / "secret.csv")
    (root / "out").symlink_to(tmp_path)
    (root / "inner.csv").symlink_to(root / "data" / "good.csv")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    (root / "null").symlink_to("/dev/zero")
    return root


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../secret.csv", "data-outside"),
        ("data/../../secret.csv", "data-outside"),
        ("leak.csv", "data-outside"),
        ("out/secret.csv", "data-outside"),
        ("/etc/passwd", "data-outside"),
        ("null", "data-outside"),
        ("loop", "data-path"),
        ("data/good.csv/x", "data-path"),
        ("a\0b", "data-path"),
        ("", "data-path"),
        ("pipe", "data-not-regular"),
        ("data", "data-is-folder"),
        ("http://example.org/x", "data-missing"),
        ("data/god.csv", "data-misspelt"),
        ("../secrets.csv", "data-missing"),
    ],
)
def test_refused(name, code, tree, told):
    with pytest.raises(ReaderError) as caught:
        load(name, tree)
    assert caught.value.code == code
    assert all(told(caught.value))


@pytest.mark.parametrize("name", ["data/good.csv", "inner.csv", "data/../inner.csv"])
def test_taken(name, tree):
    assert load(name, tree).data == TEXT.encode()


def test_outside_only_when_allowed(tree, source, two_columns):
    block = source("../secret.csv", two_columns)
    with pytest.raises(ReaderError, match="data-outside"):
        read(block, tree)
    assert len(read(block, tree, allow_outside=True).axis) == 32


def test_devices_stay_refused_when_outside_is_allowed(tree):
    with pytest.raises(ReaderError, match="data-not-regular"):
        load("null", tree, allow_outside=True)


def test_the_calibration_is_guarded_too(tree, source):
    (tree / "raw.adt").write_text("1000\n" * 512)
    with pytest.raises(ReaderError, match="data-outside"):
        read(source("raw.adt", calibration="../secret.csv"), tree)


def test_size_is_capped_before_reading(tree, monkeypatch):
    monkeypatch.setattr(files, "MAXIMUM_BYTES", 100)
    with pytest.raises(ReaderError) as caught:
        load("data/good.csv", tree)
    assert caught.value.code == "data-too-large"


def test_channels_are_capped(tree, source, two_columns, monkeypatch):
    monkeypatch.setattr("specfit.readers.tables.MAXIMUM_CHANNELS", 20)
    with pytest.raises(ReaderError, match="data-too-many"):
        read(source("data/good.csv", two_columns), tree)


def test_entities_are_not_expanded(tree, source):
    bomb = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "1\n">]>\n<data>\n&a;\n</data>'
    (tree / "bomb.ws5").write_text(bomb)
    with pytest.raises(ReaderError, match="data-no-numbers"):
        read(source("bomb.ws5", velocity_max=10.0), tree)


def test_what_is_written_reads_back_exactly(tmp_path, source, two_columns):
    import numpy as np

    generator = np.random.default_rng(4)
    velocity = np.sort(generator.normal(0, 5, 64))
    counts = generator.poisson(1e5, 64).astype(float)
    path = tmp_path / "made.csv"
    write_columns(path, velocity, counts, ["velocity mm/s, counts", "two\nlines"])
    found = read(source("made.csv", two_columns), tmp_path)
    np.testing.assert_array_equal(found.axis, velocity)
    np.testing.assert_array_equal(found.values, counts)
    assert found.size == path.stat().st_size
    assert not detect_raw(path)
    assert [p.name for p in tmp_path.iterdir()] == ["made.csv"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    import numpy as np

    path = tmp_path / "made.csv"
    path.write_text("old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("specfit.readers.writing.os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_columns(path, np.arange(3.0), np.arange(3.0))
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["made.csv"]


def test_arrays_that_are_not_one_spectrum_are_refused(tmp_path):
    import numpy as np

    with pytest.raises(ValueError, match="not one spectrum"):
        write_columns(tmp_path / "x", np.arange(3.0), np.arange(4.0))
