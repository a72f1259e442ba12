from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specfit.report.text import clean, clean_lines, file_name, pad, width


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Fe₃O₄ 金属鉄", "Fe₃O₄ 金属鉄"),
        ("a\x1b[31mred", "a[31mred"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("\u2066x\u2069\ufeff\x85\x00", "x"),
        ("\ud800", ""),
        ("नमस्\u200dते", "नमस्\u200dते"),
    ],
)
def test_invisible_characters_are_dropped(text, cleaned):
    assert clean(text) == cleaned


def test_lines_and_tabs_of_a_file_stay():
    assert clean_lines("a\r\n\tb\x07\n") == "a\n\tb\n"


@given(st.text())
def test_no_control_character_survives(text):
    left = {unicodedata.category(c) for c in clean(text)}
    assert not left & {"Cc", "Cs", "Zl", "Zp"}
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_a_file_name_is_one_part_of_a_path(text):
    name = file_name(text)
    assert name
    assert not set(name) & set('/\\:*?"<>|\x00 ')
    assert not name.startswith(".")


def test_columns_of_a_terminal():
    assert width("鉄Fe") == 4
    assert width("e\u0301") == 1
    assert pad("鉄", 4) == "鉄  "
    assert pad("鉄", 4, right=True) == "  鉄"
