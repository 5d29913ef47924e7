"""Files made to do harm are refused with their reason, and nothing in them runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest

import skopt_wrap
from skopt_wrap.exceptions import LoadError, SaveError
from tools.mutate_saved_files import parts_of, try_mutants, with_checksums, zip_of


def changed(saved: bytes, **parts: bytes) -> bytes:
    """The saved file with other parts, checksums set right."""
    renamed = {name.replace("__", "/").replace("_dot_", "."): c for name, c in parts.items()}
    return zip_of(with_checksums({**parts_of(saved), **renamed}))


def with_graph(saved: bytes, node: object) -> bytes:
    return changed(saved, estimator_dot_json=json.dumps(node).encode())


def with_network(saved: bytes, change) -> bytes:
    """The saved file whose network's description was changed."""
    parts = parts_of(saved)
    name = next(name for name in parts if name.endswith(".keras"))
    inner = parts_of(parts[name])
    config = json.loads(inner["config.json"])
    change(config)
    inner["config.json"] = json.dumps(config).encode()
    return zip_of(with_checksums({**parts, name: zip_of(inner)}))


class Marker:
    """A pickle that would make a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def raw_zip(*entries: tuple[str, bytes], **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", options.get("compression", zipfile.ZIP_STORED)) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = options.get("compression", zipfile.ZIP_STORED)
            info.external_attr = options.get("attributes", 0o644 << 16)
            archive.writestr(info, content)
    return buffer.getvalue()


def overlapping(saved: bytes) -> bytes:
    """Two entries of the table of contents that share the same bytes."""
    data = bytearray(saved)
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        first, second = archive.infolist()[:2]
        start = archive.start_dir  # networks in the file have tables of contents of their own
    at = data.find(b"PK\x01\x02", start + 1)
    data[at + 42 : at + 46] = first.header_offset.to_bytes(4, "little")
    assert second.filename != first.filename
    return bytes(data)


def lying_about_sizes(saved: bytes) -> bytes:
    """A table of contents that states more bytes than there are."""
    data = bytearray(saved)
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        at = archive.start_dir
    for offset in (20, 24):
        data[at + offset : at + offset + 4] = (2**31).to_bytes(4, "little")
    return bytes(data)


def replaced_manifest(saved: bytes, **values: object) -> bytes:
    parts = parts_of(saved)
    manifest = {**json.loads(parts["manifest.json"]), **values}
    return zip_of({**parts, "manifest.json": json.dumps(manifest).encode()})


def array_with(saved: bytes, old: bytes, new: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0))
    parts = parts_of(saved)
    graph = {"is": "array", "part": "arrays/7.npy"}
    content = buffer.getvalue().replace(old, new)
    parts = {**parts, "arrays/7.npy": content, "estimator.json": json.dumps(graph).encode()}
    return zip_of(with_checksums(parts))


def lambda_layer(config):
    config["config"]["layers"].append(
        {
            "class_name": "Lambda",
            "module": "keras.layers",
            "config": {"function": {"class_name": "__lambda__", "config": {"code": "x"}}},
            "registered_name": None,
        }
    )


def file_reading_layer(config):
    config["config"]["layers"].append(
        {
            "class_name": "StringLookup",
            "module": "keras.layers",
            "config": {"vocabulary": "/etc/passwd"},
            "registered_name": None,
        }
    )


def gadget(module, name):
    def change(config):
        config["config"]["layers"][1]["module"] = module
        config["config"]["layers"][1]["class_name"] = name

    return change


def function_gadget(config):
    function = {
        "class_name": "function",
        "config": "get_file",
        "module": "keras.utils",
        "registered_name": "get_file",
    }
    config["config"]["layers"][1]["config"]["activation"] = function


NAME = {"is": "name", "module": "os", "name": "system"}
HOSTILE = {
    "empty file": (lambda s: b"", "no|not a zip|end is missing"),
    "no zip file": (lambda s: b"hello" * 100, "not a zip file"),
    "pickle": (lambda s: pickle.dumps(Marker("hacked")), "not a zip file"),
    "truncated": (lambda s: s[: len(s) // 2], "not a zip file"),
    "cut off behind a network": (
        lambda s: s[: s.rindex(b"PK\x05\x06", 0, s.rindex(b"PK\x05\x06")) + 22],
        "cut off, or holds bytes",
    ),
    "bytes before the first entry": (lambda s: b"#!/bin/sh\n" + s, "cut off, or holds bytes"),
    "bytes behind the end": (lambda s: s + b"x", "its end is missing"),
    "zip of another program": (lambda s: raw_zip(("a.txt", b"x")), "which `save` never writes"),
    "zip without manifest": (lambda s: raw_zip(("estimator.json", b"1")), "no manifest.json"),
    "path traversal": (
        lambda s: raw_zip(("../evil.json", b"x"), ("manifest.json", b"{}")),
        "points outside",
    ),
    "absolute path": (lambda s: raw_zip(("/etc/evil", b"x")), "points outside"),
    "link": (lambda s: raw_zip(("files/0.bin", b"x"), attributes=0o120777 << 16), "is a link"),
    "compressed bomb": (
        lambda s: raw_zip(("files/0.bin", b"0" * 10**7), compression=zipfile.ZIP_DEFLATED),
        "is compressed",
    ),
    "overlapping entries": (overlapping, "overlaps"),
    "oversized entry": (lying_about_sizes, "larger than the file|overlaps"),
    "duplicate names": (
        lambda s: raw_zip(("manifest.json", b"{}"), ("manifest.json", b"{}")),
        "stands twice",
    ),
    "wrong checksum": (
        lambda s: zip_of({**parts_of(s), "estimator.json": b"null"}),
        "another checksum",
    ),
    "part without checksum": (lambda s: replaced_manifest(s, entries={}), "not in it"),
    "format of the future": (lambda s: replaced_manifest(s, format_version=99), "format 99"),
    "foreign manifest": (lambda s: replaced_manifest(s, format="other"), "not that of a file"),
    "manifest that is no JSON": (lambda s: changed(s, manifest_dot_json=b"{"), "no valid JSON"),
    "manifest nested deeply": (
        lambda s: changed(s, manifest_dot_json=b"[" * 100_000),
        "nested too deeply",
    ),
    "manifest of many items": (
        lambda s: changed(s, manifest_dot_json=b"[" + b"0," * 3_000_000 + b"0]"),
        "too large",
    ),
    "number of a million digits": (
        lambda s: changed(s, estimator_dot_json=b"9" * 1_000_000),
        "no valid JSON",
    ),
    "function of another module": (lambda s: with_graph(s, NAME), "names os.system"),
    "built-in function": (
        lambda s: with_graph(s, {"is": "name", "module": "builtins", "name": "eval"}),
        "names builtins.eval",
    ),
    "function of ours": (
        lambda s: with_graph(s, {"is": "name", "module": "skopt_wrap.persistence", "name": "load"}),
        "names skopt_wrap.persistence.load",
    ),
    "module inside a package of ours": (
        lambda s: with_graph(
            s, {"is": "name", "module": "skopt_wrap.compression", "name": "get_child"}
        ),
        "cannot be found",
    ),
    "function of scikit-learn": (
        lambda s: with_graph(s, {"is": "name", "module": "sklearn.utils", "name": "check_array"}),
        "names sklearn.utils.check_array",
    ),
    "download of scikit-learn": (
        lambda s: with_graph(
            s, {"is": "name", "module": "sklearn.datasets", "name": "fetch_openml"}
        ),
        "names sklearn.datasets.fetch_openml",
    ),
    "module through numpy": (
        lambda s: with_graph(s, {"is": "name", "module": "numpy", "name": "load"}),
        "names numpy.load",
    ),
    "attribute of an attribute": (
        lambda s: with_graph(s, {"is": "name", "module": "sklearn.base", "name": "warnings.sys"}),
        "names sklearn.base.warnings.sys",
    ),
    "class of another module": (
        lambda s: with_graph(
            s, {"is": "object", "module": "subprocess", "name": "Popen", "state": None}
        ),
        "names subprocess.Popen",
    ),
    "unknown kind": (lambda s: with_graph(s, {"is": "pickle", "part": "x"}), "does not know"),
    "missing part": (
        lambda s: with_graph(s, {"is": "bytes", "part": "files/9.bin"}),
        "not in it",
    ),
    "graph nested deeply": (
        lambda s: changed(
            s, estimator_dot_json=b'{"is":"list","items":[' * 2000 + b"1" + b"]}" * 2000
        ),
        "nested too deeply",
    ),
    "reference to nothing": (
        lambda s: with_graph(s, {"is": "seen", "number": 12345}),
        "that is missing",
    ),
    "array of objects": (lambda s: array_with(s, b"<f8", b"|O "), "no array that can be read"),
    "array of another size": (lambda s: array_with(s, b"(3,)", b"(9,)"), "states 72 bytes"),
    "array of petabytes": (
        lambda s: array_with(s, b"(3,), }   ", b"(10**15,),}"),
        "no array|states",
    ),
    "Lambda layer": (lambda s: with_network(s, lambda_layer), "carries or loads code"),
    "layer that reads a file": (lambda s: with_network(s, file_reading_layer), "/etc/passwd"),
    "layer of another module": (lambda s: with_network(s, gadget("os", "system")), "os.system"),
    "layer through Keras' utilities": (
        lambda s: with_network(s, gadget("keras.utils", "get_file")),
        "keras.utils.get_file",
    ),
    "layer through Keras' private modules": (
        lambda s: with_network(s, gadget("keras.src.utils.file_utils", "get_file")),
        "get_file",
    ),
    "function through Keras' utilities": (
        lambda s: with_network(s, function_gadget),
        "keras.utils.get_file",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file_is_refused_with_its_reason(kind, saved, tmp_path, monkeypatch):
    make, reason = HOSTILE[kind]
    content = make(saved)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.skw"
    path.write_bytes(content)
    begin = time.perf_counter()
    with pytest.raises(LoadError, match=reason):
        skopt_wrap.load(path)
    assert time.perf_counter() - begin < 5
    assert [item.name for item in tmp_path.iterdir()] == ["hostile.skw"]


def test_files_of_joblib_and_keras_are_told_apart(tmp_path):
    joblib.dump({"a": 1}, tmp_path / "a.joblib")
    with pytest.raises(LoadError, match="not a zip file"):
        skopt_wrap.load(tmp_path / "a.joblib")
    network = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    network.save(tmp_path / "a.keras")
    with pytest.raises(LoadError, match="which `save` never writes"):
        skopt_wrap.load(tmp_path / "a.keras")


def test_networks_that_hold_code_are_not_saved(iris, tmp_path):
    network = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(3)]
    )
    fitted = skopt_wrap.KerasClassifier(network, epochs=1).fit(*iris)
    with pytest.raises(SaveError, match=r"kerasclassifier\.model.*carries or loads code"):
        skopt_wrap.save(fitted, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_inspecting_imports_nothing_that_a_file_names(saved, tmp_path):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    node = {"is": "object", "module": "evil_module", "name": "Evil", "state": None}
    path = tmp_path / "file.skw"
    path.write_bytes(with_graph(saved, node))
    code = "import sys, skopt_wrap; print(skopt_wrap.inspect(sys.argv[1]).trust)"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(skopt_wrap.__file__).parents[1]}"}
    run = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, env=environment
    )
    assert run.stdout.strip() == "('evil_module.Evil',)", run.stderr


@pytest.mark.slow
@pytest.mark.keras
def test_damaged_files_are_refused_or_loaded_but_never_crash(saved):
    outcomes = try_mutants(saved, 500, seed=1)
    assert sum(outcomes.values()) == 500
    assert outcomes["refused"] > 250


def test_full_disk_leaves_the_earlier_file(flow, file, monkeypatch):
    before = file.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left on device"):
        skopt_wrap.save(flow, file)
    assert file.read_bytes() == before
    assert [item.name for item in file.parent.iterdir()] == [file.name]


@pytest.mark.slow
@pytest.mark.keras
def test_kill_during_save_leaves_the_earlier_file(file):
    """The process is killed when the new file is complete but not yet in its place."""
    before = file.read_bytes()
    code = (
        "import os, signal, sys, skopt_wrap\n"
        "os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "skopt_wrap.save(skopt_wrap.KerasClassifier(), sys.argv[1])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(skopt_wrap.__file__).parents[1])}
    run = subprocess.run([sys.executable, "-c", code, file], env=environment, capture_output=True)
    assert run.returncode == -signal.SIGKILL
    assert file.read_bytes() == before
    assert skopt_wrap.load(file).predict([[5, 3, 1, 0]]).shape == (1,)
