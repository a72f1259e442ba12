import json

import pytest


@pytest.fixture
def result_of():
    def read(folder):
        return json.loads((folder / "result.json").read_text(encoding="utf-8"))

    return read
