"""One dress for all figures: fonts, colours, sizes; and text that cannot break one.

Titles are the user's.  They are never read as mathematics (`parse_math=False`), and a
title with a character that no font here has is replaced by the site's name: a figure
with empty boxes is worse than a short legend.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from specfit.report.text import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#7A5195", "#8C8C2E", "#A65628", "#4D4D4D"),
)
"""After M. Okabe and K. Ito: told apart by readers with any colour vision."""
INK, FAINT, DATA, CURVE = "#222222", "#9a9a9a", "#3a3a3a", "#111111"
_EAST_ASIAN = (
    *("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic"),
    *("IPAGothic", "IPAPGothic", "VL Gothic", "TakaoGothic", "Hiragino Sans"),
    *("Yu Gothic", "Meiryo", "MS Gothic", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
)


def ready() -> None:
    """Load what figures are drawn with; takes a second, which others can use."""
    import scipy.special  # noqa: F401  (conflicts are measured with it)

    with dress():
        figure = new(1.0, 1.0)
        figure.add_subplot().plot([0.0, 1.0], label="first")
        figure.legend()
        png(figure)


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """The families figures are set in: DejaVu Sans, then a CJK one if installed."""
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    east_asian = [name for name in _EAST_ASIAN if name in installed][:1]
    return ("DejaVu Sans", *east_asian)


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Every character that one of the fonts has."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    known: set[int] = set()
    for family in fonts():
        known.update(FT2Font(font_manager.findfont(family)).get_charmap())
    return frozenset(known)


def drawable(text: str) -> bool:
    """Whether the fonts have every character of `text`."""
    return all(ord(character) in _characters() for character in text)


def label(title: str, name: str, index: int = 0) -> str:
    """What a figure calls something: its title, else its name, else its number."""
    for text in (clean(title), clean(name)):
        if text and drawable(text):
            return text if len(text) <= 48 else f"{text[:47]}…"
    return f"no. {index + 1}"


def colour(index: int) -> str:
    """The colour of the site at `index`."""
    return PALETTE[index % len(PALETTE)]


@contextmanager
def dress() -> Iterator[None]:
    """The settings of a figure, for the time it is drawn; nothing global remains."""
    import matplotlib as mpl

    settings: Any = {
        "font.family": list(fonts()),
        "font.size": 9.0,
        "axes.labelsize": 9.5,
        "axes.titlesize": 9.5,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "axes.linewidth": 0.8,
        "axes.edgecolor": "#555555",
        "axes.labelcolor": INK,
        "text.color": INK,
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "xtick.color": "#444444",
        "ytick.color": "#444444",
        "xtick.direction": "in",
        "ytick.direction": "in",
        "xtick.major.size": 3.5,
        "ytick.major.size": 3.5,
        "xtick.minor.size": 2.0,
        "ytick.minor.size": 2.0,
        "axes.formatter.useoffset": False,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "path.simplify": True,
    }
    with mpl.rc_context(settings):
        yield


def new(width: float, height: float) -> Figure:
    """An empty figure, in inches; no window system is ever asked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as PNG, without a date or the name of a program in it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def open_axes(axes: Axes) -> None:
    """Take away the upper and right edge."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
