"""How large the eigenvalues of noise are that is not even over pixels and channels.

Scaled by the square roots of the means of pixel and channel, counts have even noise where
one component is all; where a rare one has channels of its own their noise is that of few
pixels, and larger by far. What is left of a map beyond K components keeps the size of
each number, and loses all that it has in common, when signs are drawn by chance: so the
noise stays as it is, and in the data's own unit (Hong, Sheng & Dobriban, arXiv:2012.02985).
Instead of counts drawn anew from the K components, which take ten times as long and must
be told the unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specfit.maps.found import Array

DRAWS = 3
ROWS = 4096  # pixels at a time


@dataclass(frozen=True)
class Scaled:
    """A map whose counts are scaled to noise that is even if one component is all.

    `rows` are the pixels and `used` (M,) the channels that are not empty, `area` and
    `scale` what they are divided by, `laws` (B, M) the background so scaled, `square`
    (M, M) the mean square, `most` a bound of the eigenvalues of noise in terms of its level:
    by the largest variance of a pixel and of a channel (Bandeira & van Handel, Ann.
    Probab. 44, 2479, 2016).
    """

    rows: NDArray[np.int64]
    used: NDArray[np.bool_]
    area: Array
    scale: Array
    laws: Array
    square: Array
    most: float

    def divisor(self, own: slice) -> Array:
        """What the counts of those pixels are divided by."""
        return np.asarray(self.area[own, None] * self.scale)

    def pieces(self, counts: Array) -> Iterator[Array]:
        """Scaled counts of some pixels after the other."""
        for i in range(0, self.rows.size, ROWS):
            own = slice(i, i + ROWS)
            piece = counts[self.rows[own]]
            piece = piece if self.used.all() else piece[:, self.used]
            yield piece / self.divisor(own)


def scaled(counts: Array, laws: Array, even: bool = False) -> Scaled:
    """A map (N, M) as scaled for its eigenvalues, a background of `laws` (B, M) with it.

    Of `even` noise nothing is scaled, and no pixel is empty.
    """
    area = counts.sum(axis=1, dtype=np.float64)
    spectrum = counts.sum(axis=0, dtype=np.float64)
    seen, used = area > 0, spectrum > 1e-4 * spectrum.mean()
    if even:
        seen, used = np.ones_like(seen), np.ones_like(used)
        area, spectrum = np.ones_like(area), np.ones_like(spectrum)
    rows = np.flatnonzero(seen)
    scale = np.sqrt(spectrum[used] / spectrum.sum())
    square, channel, most = np.zeros((scale.size, scale.size)), 0.0 * scale, 0.0
    of = Scaled(
        rows, used, np.sqrt(area[rows]), scale, laws[:, used] / scale, square, 1.0
    )
    for i, piece in enumerate(of.pieces(counts)):
        square += piece.T @ piece
        # the variance of counts is as their mean is
        piece /= of.divisor(slice(i * ROWS, (i + 1) * ROWS))
        channel += piece.sum(axis=0)
        most = max(most, float(piece.sum(axis=1).max()))
    square /= rows.size
    most = float(np.sqrt(channel.max() / rows.size) + np.sqrt(most / rows.size)) ** 2
    return replace(of, most=most)


def across(laws: Array) -> Array:
    """An orthonormal basis (M, M − rank) of what is across the rows of `laws`."""
    _, size, axes = np.linalg.svd(laws, full_matrices=True)
    rank = int(np.sum(size > 1e-6 * size.max(initial=0.0)))
    return np.asarray(axes[rank:].T)


def falling(square: Array) -> Array:
    """Eigenvalues (…, M) of matrices (…, M, M), the largest first."""
    return np.asarray(np.linalg.eigvalsh(square)[..., ::-1], np.float64)


def _spared(taken: Array) -> Array:
    """Which share of noise is left, as an amplitude, by what components take of it."""
    return np.asarray(np.sqrt(np.clip(1.0 - taken, 0.1, 1.0)))


def flipped(counts: Array, of: Scaled, components: int) -> Array:
    """Eigenvalues (draws, M), falling, of what so many components leave, signs by chance.

    In terms of their mean: of even noise they have Marchenko & Pastur's law. What is along
    the background is taken off first.
    """
    axes = across(of.laws)
    own = np.linalg.eigh(axes.T @ of.square @ axes)[1][:, ::-1][:, :components]
    kept = np.linalg.qr(np.concatenate([of.laws.T, axes @ own], axis=1))[0]
    level = np.trace(of.square) / of.scale.size
    known = np.linalg.pinv(kept.T @ of.square @ kept) * level / of.rows.size
    channel = (1.0 / _spared(np.sum(kept**2, axis=1))).astype(np.float32)
    single_kept = kept.astype(np.float32)
    square = np.zeros((DRAWS, of.scale.size, of.scale.size))
    generator = np.random.default_rng(0)
    for piece in of.pieces(counts):
        single = (piece / np.sqrt(level)).astype(np.float32)
        along = single @ single_kept
        # a pixel that few are like has drawn a component to its own noise
        pixel = 1.0 / _spared(np.sum((along @ known) * along, axis=1))
        single -= along @ single_kept.T
        single *= pixel.astype(np.float32)[:, None]
        single *= channel
        for one in square:
            bits = np.frombuffer(generator.bytes(-(-single.size // 8)), np.uint8)
            signs = np.unpackbits(bits, count=single.size).astype(np.float32)
            drawn = single * (2.0 * signs - 1.0).reshape(single.shape)
            one += np.asarray(drawn.T @ drawn, np.float64)
    found = falling(square)
    return np.asarray(found / found.mean(axis=1, keepdims=True))
