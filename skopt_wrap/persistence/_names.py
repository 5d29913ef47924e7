"""Which classes and functions a saved file may name, and which the user has to trust first.

A file names classes and functions and never holds their code. Names on the lists below are looked
up in the installed libraries. Any other name is looked up only when the user gave it in `trusted`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Iterable
from typing import Any

from ..exceptions import LoadError, ParameterError, SaveError

# Our private classes that may stand in a fitted estimator, by the module that defines them now.
_PRIVATE_PARTS: dict[str, tuple[str, ...]] = {
    "_keras._tables._columns": ("Columns",),
    "_keras._structure": ("OutputForm",),
    "_texts": ("TextEncoder",),
    "estimators._tables._encoder": ("TableEncoder",),
    "estimators._tables._preparation": ("Preparation",),
    "estimators._targets._scaling": ("QuantileScaling", "StandardScaling"),
    "monitoring._batch": ("Batch", "Projection"),
    "monitoring._columns": ("Column",),
    "monitoring._outputs": ("NetworkEmbedding",),
    "monitoring._reference": ("Reference", "Rows"),
    "monitoring._retraining._buffer": ("Buffer", "Pool", "Waiting"),
    "monitoring._retraining._duel": ("Duel",),
    "monitoring._state": ("StreamState",),
    "monitoring._statistics._betting": ("Wealth",),
    "monitoring._statistics._performance": ("AccuracyEstimate",),
    "monitoring._statistics._sketch": ("Sketch",),
    "monitoring._stream": ("Clock", "RecentRows", "Track"),
    "quality._cleaning_report": ("ReportRow",),
    "quality._operations._base": ("Step",),
    "quality._operations._categories": ("_Spell",),
    "quality._operations._constants": ("_Presence",),
    "quality._operations._date_parts": ("_Encode", "_Parts"),
    "quality._operations._infinities": ("_Finite",),
    "quality._operations._missing": ("_Fill",),
    "quality._operations._outliers": ("_Fence",),
    "estimators._targets._one_hot": ("OneHotTarget",),
    "estimators._targets._several": ("SeveralClasses", "SeveralValues"),
    "quality._operations._sentinels": ("_Numbers", "_Words"),
    "quality._operations._text_types": ("_ReadBooleans", "_ReadDates", "_ReadNumbers"),
    "quality._plan": ("ColumnPlan",),
    "quality._text._dates": ("DateFormat",),
    "quality._text._numbers": ("NumberFormat",),
    "scoring._metrics._custom": ("CustomMetric",),
    "scoring._tuned_threshold": ("TunedThresholdClassifier",),
}
# Package and class -> module. A file holds the short name, such as "quality.ColumnPlan", so that it
# can still be read after the class has moved.
PRIVATE_CLASSES = {
    f"{module.partition('.')[0]}.{name}": f"skopt_wrap.{module}"
    for module, names in _PRIVATE_PARTS.items()
    for name in names
}
# Public packages of ours whose classes and functions a file may name.
OWN_PACKAGES = (
    "architectures",
    "compression",
    "diagnostics",
    "distillation",
    "estimators",
    "factorization",
    "losses",
    "model_selection",
    "monitoring",
    "quality",
    "sampling",
    "scoring",
    "training",
    "tuning",
)
# Packages whose functions are parameters of estimators: builders, losses and metrics.
_OWN_FUNCTIONS = ("architectures", "losses", "scoring")
# Callbacks that write to a place which they hold, or send data there, when the network is fitted.
_WRITING_CALLBACKS = {
    "BackupAndRestore",
    "CSVLogger",
    "ModelCheckpoint",
    "RemoteMonitor",
    "TensorBoard",
}
# Methods of texts that reach other objects.
_TEXT_METHODS = {name for name in dir(str) if not name.startswith("_")} - {"format", "format_map"}
_BUILTIN_TYPES = (
    "bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set",
    "slice", "str", "tuple",
)  # fmt: skip
# Classes of these libraries may be created when they are plain Python classes.
_ESTIMATOR_LIBRARIES = ("sklearn", "imblearn")
_LEFT_OUT = ("datasets", "externals", "tests", "utils._testing", "utils.fixes")


class Trust:
    """The names that the user trusts.

    Parameters
    ----------
    trusted : iterable of str, classes or functions
        Full names such as ``"mymodule.MyLayer"``, or the objects themselves.
    """

    def __init__(self, trusted: Iterable[Any] = ()) -> None:
        if isinstance(trusted, str | bytes) or not isinstance(trusted, Iterable):
            raise ParameterError(
                f"trusted must be a sequence of names, classes or functions, got {trusted!r}. "
                "`skopt_wrap.inspect(path)` lists the names that a file needs."
            )
        self.objects: dict[str, Any] = {}
        self.names: set[str] = set()
        for item in trusted:
            if isinstance(item, str):
                self.names.add(item)
            elif callable(item) and hasattr(item, "__qualname__"):
                self.objects[full_name(item)] = item
                self.names.add(full_name(item))
            else:
                raise ParameterError(
                    f"trusted must hold names, classes or functions, got {item!r}."
                )

    def lacks(self, module: str, qualname: str) -> bool:
        """Whether the user did not trust a name; a function of Keras has no module."""
        return self._full_name(module, qualname) is None

    def _full_name(self, module: str, qualname: str) -> str | None:
        wanted = joined(module, qualname)
        if wanted in self.names:
            return wanted
        if module:
            return None
        return next((n for n in sorted(self.names) if n.rpartition(".")[2] == qualname), None)

    def resolve(self, module: str, qualname: str) -> Any:
        """Return what a trusted name stands for; the module is imported."""
        name = self._full_name(module, qualname)
        if name is None:
            raise untrusted([joined(module, qualname)])
        if name in self.objects:
            return self.objects[name]
        if not module:
            module = name.rpartition(".")[0]
        try:
            found: Any = importlib.import_module(module)
            for part in qualname.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError) as error:
            raise LoadError(
                f"{name!r} is trusted, but cannot be found: {error}. Import its module first, or "
                "give the object itself in `trusted`."
            ) from error
        return found


def joined(module: str, qualname: str) -> str:
    """Return a full name; Keras names functions without their module."""
    return f"{module}.{qualname}" if module else qualname


def untrusted(names: Iterable[str]) -> LoadError:
    """Return the error for names that the user did not trust."""
    listed = sorted(set(names))
    return LoadError(
        f"the file names {', '.join(listed)}, which is code that skopt_wrap does not know. If you "
        f"know where the file comes from, load it with trusted={listed!r}."
    )


def full_name(item: Any) -> str:
    """Return module and qualified name of a class or function, joined by a dot."""
    return f"{item.__module__}.{item.__qualname__}"


def name_of(item: Any, path: str) -> dict[str, str]:
    """Return how a file names a class or function.

    Parameters
    ----------
    item : class or function
        The object.
    path : str
        Where it stands in the estimator, for errors.

    Returns
    -------
    name : dict of str
        ``module`` and ``name``; ours are named by their public package.

    Raises
    ------
    SaveError
        It cannot be found again by a name.
    """
    module, qualname = getattr(item, "__module__", None), getattr(item, "__qualname__", None)
    if isinstance(module, str) and isinstance(qualname, str):
        if module.startswith("skopt_wrap."):
            return _own_name(item, path)
        if "<" not in qualname and _found(module, qualname) is item:
            return {"module": module, "name": qualname}
    if isinstance(item, types.MethodDescriptorType):  # such as str.lower
        return {"module": item.__objclass__.__module__, "name": item.__qualname__}
    if type(item).__module__ == "numpy" and hasattr(item, "__name__"):  # a universal function
        return {"module": "numpy", "name": item.__name__}
    raise SaveError(
        f"{path}: {item!r} cannot be saved, because a file names functions and classes and never "
        "holds their code. Define it at the top level of a module that can be imported; a lambda "
        "or a function inside a function has no name that could be found again."
    )


def _found(module: str, qualname: str) -> Any:
    """Return what a name stands for in the modules that are loaded, or None."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _own_name(item: Any, path: str) -> dict[str, str]:
    """Return how a file names a class or function of ours."""
    package = item.__module__.split(".")[1]
    if package in OWN_PACKAGES:
        public = importlib.import_module(f"skopt_wrap.{package}")
        if item.__qualname__ in public.__all__:
            return {"module": f"skopt_wrap.{package}", "name": item.__qualname__}
    short = f"{package}.{item.__qualname__}"
    if PRIVATE_CLASSES.get(short) == item.__module__:
        return {"module": "skopt_wrap", "name": short}
    raise SaveError(f"{path}: {full_name(item)} cannot be saved: it is not a class of the format.")


def is_known(module: str, name: str) -> bool:
    """Whether a file may name something that the user did not trust.

    Parameters
    ----------
    module, name : str
        As in the file.

    Returns
    -------
    known : bool
        Whether it is on the lists of this module; nothing is imported to find out.
    """
    top, _, rest = module.partition(".")
    if module == "builtins":
        return name in _BUILTIN_TYPES or _is_text_method(name)
    if module == "skopt_wrap":
        return name in PRIVATE_CLASSES
    if "." in name:
        return False
    if top == "skopt_wrap":
        return rest in OWN_PACKAGES and not name.startswith("_")
    if module == "numpy":
        return True  # only universal functions and types of numbers; `resolve` looks
    if top in _ESTIMATOR_LIBRARIES:
        return not any(rest == part or rest.startswith(f"{part}.") for part in _LEFT_OUT)
    return top == "keras" and rest.startswith("src.callbacks.")


def _is_text_method(name: str) -> bool:
    """Whether a name is that of a method such as ``str.lower``."""
    holder, _, method = name.partition(".")
    return holder == "str" and method in _TEXT_METHODS


def has_to_be_trusted(module: str, name: str) -> bool:
    """Whether `load` refuses a name that the user did not trust.

    Parameters
    ----------
    module, name : str
        As in the file. Only modules of known libraries are imported to find out.

    Returns
    -------
    needed : bool
        Also for names of known libraries that stand for something else than a harmless kind of
        thing, or for nothing.
    """
    if not is_known(module, name):
        return True
    try:
        resolve(module, name, Trust())
    except LoadError:
        return True
    return False


def resolve(module: str, name: str, trust: Trust) -> Any:
    """Return the class or function that a file names.

    Parameters
    ----------
    module, name : str
        As in the file.
    trust : Trust
        What the user trusts besides.

    Returns
    -------
    found : class or function
        What the name stands for.

    Raises
    ------
    LoadError
        The name is neither known nor trusted, or cannot be found.
    """
    if not (isinstance(module, str) and isinstance(name, str)):
        raise LoadError(f"the file names {module!r}.{name!r}, which is no name.")
    if not is_known(module, name):
        return trust.resolve(module, name)
    where = module
    if module == "skopt_wrap":
        where, name = PRIVATE_CLASSES[name], name.partition(".")[2]
    try:
        holder = importlib.import_module(where)
        if module.startswith("skopt_wrap.") and name not in holder.__all__:
            raise AttributeError(f"{module} exports no {name}")
        found = functools.reduce(getattr, name.split("."), holder)
    except (ImportError, AttributeError) as error:
        raise LoadError(
            f"{module}.{name} cannot be found in the installed libraries: {error}. The file may "
            "need another version of them; its manifest states which."
        ) from error
    if not _is_harmless(module, found):
        return trust.resolve(module, name)
    return found


def _is_harmless(module: str, found: Any) -> bool:
    """Whether something that a known module holds is of a kind that may be named freely."""
    top = module.partition(".")[0]
    if module == "numpy":
        import numpy as np

        return isinstance(found, np.ufunc) or (
            isinstance(found, type) and issubclass(found, np.generic)
        )
    if top in _ESTIMATOR_LIBRARIES:
        if inspect.isclass(found):
            return found.__module__ == module
        own = str(getattr(found, "__module__", "")).startswith("sklearn.metrics.")
        return callable(found) and own and module.startswith("sklearn.metrics.")
    if top == "keras":
        plain = inspect.isclass(found) and found.__module__ == module
        return plain and found.__name__ not in _WRITING_CALLBACKS
    if module == "builtins":
        return inspect.isclass(found) or _is_text_method(str(getattr(found, "__qualname__", "")))
    package = module.partition(".")[2]
    return inspect.isclass(found) or (callable(found) and package in _OWN_FUNCTIONS)
