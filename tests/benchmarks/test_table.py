"""The README's figures are those of the results file; nothing is timed here."""

import importlib.util
from pathlib import Path

HERE = Path(__file__).parent


def _table():
    found = importlib.util.spec_from_file_location("benchmark_table", HERE / "table.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_readme_shows_the_results_that_are_kept():
    table = _table()
    page = table.README.read_text("utf-8")
    assert table.placed(page, table.render(table.kept())) == page


def test_a_changed_result_would_change_the_readme():
    table = _table()
    results, page = table.kept(), table.README.read_text("utf-8")
    assert results
    for part in results.values():
        part["machine"]["date"] = "1999-12-31"
        assert table.placed(page, table.render(results)) != page
