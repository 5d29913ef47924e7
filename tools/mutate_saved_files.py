"""Damage saved files in many ways and check that `skopt_wrap.load` survives each of them.

``python tools/mutate_saved_files.py 20000`` makes that many mutants of a small pipeline and prints
what became of them. The mutations know the structure of the file: they change the manifest, the
description of the estimator, the description of the network, headers of arrays and the zip
directory, and most of them set the checksums right afterwards.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import io
import json
import random
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Parts = dict[str, bytes]
VALUES: list[Any] = [
    None, True, -1, 0, 2**40, 1.5, "", "x" * 500, "os", "system", "builtins", "eval", "__main__",
    "keras.layers", "Lambda", "../../etc/passwd", "nan", [], {}, [[]], {"is": "seen", "number": 0},
    {"is": "name", "module": "os", "name": "system"},
    {"is": "object", "module": "subprocess", "name": "Popen", "state": None},
    {"class_name": "function", "config": "eval", "module": "builtins", "registered_name": "eval"},
    {"class_name": "Lambda", "module": "keras.layers", "config": {}, "registered_name": None},
]  # fmt: skip


def parts_of(content: bytes) -> Parts:
    """Return the parts of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(parts: Parts) -> bytes:
    """Return a zip file of parts, each stored as it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def with_checksums(parts: Parts) -> Parts:
    """Return parts whose manifest states their sizes and checksums."""
    try:
        manifest = json.loads(parts["manifest.json"])
        manifest["entries"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in parts.items()
            if name != "manifest.json"
        }
    except (KeyError, RecursionError, TypeError, ValueError):
        return parts
    return {**parts, "manifest.json": json.dumps(manifest).encode()}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) inside a JSON value."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        keys: Any = ()
        if isinstance(item, dict):
            keys = list(item)
        elif isinstance(item, list):
            keys = range(len(item))
        for key in keys:
            found.append((item, key))
            waiting.append(item[key])
    return found


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """Change, remove or double one value of a JSON text."""
    value = json.loads(content)
    found = places(value)
    container, key = found[rng.randrange(len(found))]
    action = rng.randrange(4)
    if action == 0 and isinstance(container, dict):
        del container[key]
    elif action == 1:
        other, name = found[rng.randrange(len(found))]
        container[key] = json.loads(json.dumps(other[name]))
    else:
        container[key] = rng.choice(VALUES)
    return json.dumps(value).encode()


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip bytes, cut, or insert some."""
    data = bytearray(content)
    action = rng.randrange(3)
    if action == 0:
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif action == 1:
        del data[rng.randrange(len(data)) :]
    else:
        at = rng.randrange(len(data))
        data[at:at] = rng.randbytes(rng.randint(1, 40))
    return bytes(data)


def mutate_header(content: bytes, rng: random.Random) -> bytes:
    """Change the header of a `.npy` file."""
    end = 10 + int.from_bytes(content[8:10], "little")
    swaps = [
        (b"<f8", b"|O8"), (b"<f4", b"<f8"), (b"False", b"True "), (b"(", b"(9999999999,"),
        (b"'shape'", b"'shaqe'"), (b"}", b")"), (b"<i8", b"<c16"),
    ]  # fmt: skip
    old, new = rng.choice(swaps)
    header = content[:end].replace(old, new, 1)
    return header + content[end:] if rng.random() < 0.8 else mutate_bytes(content, rng)


def mutant(original: Parts, rng: random.Random) -> bytes:
    """Return one damaged file."""
    parts = dict(original)
    kinds: dict[str, Callable[[bytes, random.Random], bytes]] = {
        ".json": mutate_json, ".npy": mutate_header, ".keras": mutate_network,
        ".skops": mutate_nested, ".tflite": mutate_bytes, ".bin": mutate_bytes,
    }  # fmt: skip
    way = rng.random()
    if way < 0.15:
        return mutate_bytes(zip_of(parts), rng)
    name = rng.choice(list(parts))
    if way < 0.2:
        del parts[name]
    elif way < 0.25:
        parts[rng.choice(["../x", "/tmp/x", "arrays/0.exe", "arrays/9.npy"])] = parts.pop(name)
    else:
        parts[name] = kinds[Path(name).suffix](parts[name], rng)
    return zip_of(with_checksums(parts) if rng.random() < 0.8 else parts)


def mutate_nested(content: bytes, rng: random.Random) -> bytes:
    """Change one part of a zip file inside the file."""
    parts = parts_of(content)
    name = rng.choice(list(parts))
    kinds = {".json": mutate_json, ".npy": mutate_header}
    parts[name] = kinds.get(Path(name).suffix, mutate_bytes)(parts[name], rng)
    return zip_of(parts)


def mutate_network(content: bytes, rng: random.Random) -> bytes:
    """Change the description of a network; its weights are the business of HDF5."""
    parts = parts_of(content)
    name = "config.json" if rng.random() < 0.9 else "metadata.json"
    parts[name] = mutate_json(parts[name], rng)
    return zip_of(parts)


def try_mutants(original: bytes, count: int, seed: int, seconds: float = 5.0) -> dict[str, int]:
    """Load many damaged files.

    Parameters
    ----------
    original : bytes
        A saved file.
    count : int
        How many mutants.
    seed : int
        Of the mutations.
    seconds : float, default=5.0
        The longest time that a load may take.

    Returns
    -------
    outcomes : dict of str to int
        How many were loaded and how many refused.

    Raises
    ------
    AssertionError
        A load raised anything but LoadError, wrote a file, took too long or too much memory.
    """
    import skopt_wrap
    from skopt_wrap.exceptions import LoadError

    rng = random.Random(seed)
    parts = parts_of(original)
    outcomes: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.skw")
        for number in range(count):
            content = mutant(parts, rng)
            path.write_bytes(content)
            begin = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    skopt_wrap.load(path)
                outcomes["loaded"] += 1
            except LoadError:
                outcomes["refused"] += 1
            except Exception as error:
                raise AssertionError(f"mutant {number} of seed {seed}: {error!r}") from error
            assert time.perf_counter() - begin < seconds, f"mutant {number} of seed {seed}: slow"
            assert [item.name for item in Path(folder).iterdir()] == [path.name]
    return dict(outcomes)


def small_file(folder: Path) -> bytes:
    """Save a small fitted pipeline and return its bytes."""
    from sklearn.datasets import load_iris
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import skopt_wrap

    X, y = load_iris(return_X_y=True)
    network = skopt_wrap.KerasClassifier("dense", model__units=4, epochs=1, random_state=0)
    flow = make_pipeline(StandardScaler(), network).fit(X, y)
    return skopt_wrap.save(flow, folder / "small.skw").read_bytes()


def main() -> None:
    """Make the mutants that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        content = small_file(Path(folder))
    tracemalloc.start()
    outcomes = try_mutants(content, options.count, options.seed)
    print(outcomes, f"peak of Python's memory {tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
