"""What a kill tears in the compile cache does not stay torn."""

import os
import subprocess
import sys

from specfit.commands.compiled import LOOKED_AT, compile_cache

COMPILE = """
import warnings
from specfit.commands.run import prepare_device
prepare_device("cpu")
import jax
warnings.simplefilter("error")
jax.jit(lambda x: x * 2.0)(1.0)
"""


def compiled(home):
    """Entries of the cache, after a process of its own compiled; no warning allowed."""
    # a command run within another test may have named JAX's cache
    own = {n: text for n, text in os.environ.items() if not n.startswith("JAX_")}
    environment = {**own, "XDG_CACHE_HOME": str(home)}
    subprocess.run([sys.executable, "-c", COMPILE], env=environment, check=True)
    folder = home / "specfit" / "xla"
    return {path: path.read_bytes() for path in folder.glob("*-cache")}


def test_a_torn_entry_is_written_again(tmp_path):
    whole = compiled(tmp_path)
    assert whole
    for length in (0, 1, 200):
        for path in whole:
            os.truncate(path, length)
        again = compiled(tmp_path)
        assert again.keys() == whole.keys()
        assert all(len(again[path]) > 200 for path in whole)


def test_old_entries_are_not_read_again(tmp_path, monkeypatch):
    compiled(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = compile_cache()
    entry = next(folder.glob("*-cache"))
    entry.write_bytes(b"torn")
    mark = (folder / LOOKED_AT).stat().st_mtime_ns
    os.utime(entry, ns=(mark - 1, mark - 1))
    assert compile_cache() == folder
    assert entry.exists()
    os.utime(entry)
    compile_cache()
    assert not entry.exists()
