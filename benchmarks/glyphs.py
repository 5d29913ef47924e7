"""Images of letters and digits, drawn with the fonts of this machine, for ``networks_kinds.py``.

Fonts are those of Debian's packages below /usr/share/fonts (such as fonts-liberation, fonts-lato,
fonts-urw-base35) and those that matplotlib ships. Each image has a size, place, rotation and noise
of its own; training and test images are of different families of fonts.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = string.ascii_uppercase
PLACES = ("/usr/share/fonts", "/usr/local/share/fonts")
NO_LETTERS = re.compile(r"Symbol|STIXSi|NonUni|Display|LastResort|D0500|_K$|Math|^cm(ex|sy|mi)")
STYLES = re.compile(
    r"(Semi|Extra|Demi)?(bold|Bold|Bol|Ita|Light|Medium|Italic|Oblique|Condensed|Cond|Narrow|Sans)*"
    r"(_[A-Z]+|\d+)?$"
)


@cache
def fonts() -> dict[str, list[str]]:
    """Return the files of every family of fonts that has letters."""
    import matplotlib

    folders = [Path(place) for place in PLACES] + [Path(matplotlib.get_data_path()) / "fonts/ttf"]
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted([*folder.rglob("*.ttf"), *folder.rglob("*.otf")]):
            if not NO_LETTERS.search(path.stem):
                files.setdefault(path.stem, path)
    families = defaultdict(list)
    for name, path in files.items():
        family = STYLES.sub("", name.split("-")[0].replace(" ", ""), count=1)
        families[family or name].append(str(path))
    return dict(sorted(families.items()))


@cache
def _mask(path: str, letter: str, size: int) -> Image.Image:
    """Return one letter, white on black, on a canvas of twice its side, centred."""
    font = ImageFont.truetype(path, size)
    left, top, right, bottom = font.getbbox(letter)
    canvas = Image.new("L", (2 * size, 2 * size))
    place = (size - (left + right) / 2, size - (top + bottom) / 2)
    ImageDraw.Draw(canvas).text(place, letter, fill=255, font=font)
    return canvas


def _drawn(path: str, letter: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return one image in [0, 1] without noise, drawn large and made smaller."""
    size = int(rng.integers(8, 13)) * 6
    mask = _mask(path, letter, size)
    angle, shift = rng.uniform(-10, 10), rng.uniform(-0.07, 0.07, 2) * size * 2
    turned = mask.rotate(angle, Image.Resampling.BILINEAR, translate=tuple(shift.tolist()))
    whole = 108  # side of the window that is cut out
    low = (2 * size - whole) // 2
    cut = turned.crop((low, low, low + whole, low + whole))
    return np.asarray(cut.resize((side, side), Image.Resampling.BOX), "float32") / 255


def glyphs(
    letters: str, n_train: int, n_test: int, *, side: int = 28, colour: bool = False, split: int = 0
) -> tuple[np.ndarray, ...]:
    """Return X_train, X_test, y_train, y_test; two fifths of the families are for testing only."""
    rng = np.random.default_rng(split)
    families = list(fonts())
    rng.shuffle(families)
    held_out = families[: round(0.4 * len(families))]
    parts = []
    for chosen, n in ((families[len(held_out) :], n_train), (held_out, n_test)):
        y = np.array([letters[i % len(letters)] for i in rng.permutation(n)])
        X = np.empty((n, side, side, 3 if colour else 1), "float32")
        for i, letter in enumerate(y):
            files = fonts()[chosen[rng.integers(len(chosen))]]
            ink = _drawn(files[rng.integers(len(files))], str(letter), side, rng)[..., None]
            if colour:
                front, back, far = rng.uniform(0, 1, (3, 3))
                slope = np.linspace(0, 1, side)[:, None, None]
                paper = back * slope + far * (1 - slope)
                front = np.where(np.abs(front - paper.mean((0, 1))).max() < 0.4, 1 - front, front)
                ink = ink * front + (1 - ink) * paper
            noise = rng.normal(0, rng.uniform(0, 0.15), ink.shape)
            X[i] = np.clip(ink + noise, 0, 1)
        parts.append((X, y))
    (X, y), (X_test, y_test) = parts
    return X, X_test, y, y_test
