"""Units of measurement: which ones can be turned into each other."""

from __future__ import annotations

# Dimension -> unit -> factor to the unit of factor 1. Units are compared without regard to case
# first as they are written, then in lower case.
_DIMENSIONS: dict[str, dict[str, float]] = {
    "mass": {
        "mg": 1e-6, "g": 1e-3, "gr": 1e-3, "gram": 1e-3, "grams": 1e-3, "kg": 1.0, "kgs": 1.0,
        "kilo": 1.0, "kilos": 1.0, "kilogram": 1.0, "kilograms": 1.0, "t": 1e3, "lb": 0.45359237,
        "lbs": 0.45359237, "pound": 0.45359237, "pounds": 0.45359237, "oz": 0.028349523125,
    },
    "length": {
        "mm": 1e-3, "cm": 1e-2, "dm": 0.1, "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0,
        "metres": 1.0, "km": 1e3, "in": 0.0254, "inch": 0.0254, "inches": 0.0254, "ft": 0.3048,
        "feet": 0.3048, "foot": 0.3048, "yd": 0.9144, "mi": 1609.344, "mile": 1609.344,
        "miles": 1609.344,
    },
    "time": {
        "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0,
        "mins": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0,
        "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0,
        "week": 604800.0, "weeks": 604800.0,
    },
    "volume": {
        "ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l": 1.0, "liter": 1.0, "liters": 1.0, "litre": 1.0,
        "litres": 1.0,
    },
    "data": {
        "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2.0**10, "mib": 2.0**20,
        "gib": 2.0**30,
    },
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704},
    "count": {"st": 1.0, "nd": 1.0, "rd": 1.0, "th": 1.0},
    "age": {"year": 12.0, "years": 12.0, "yr": 12.0, "yrs": 12.0, "yo": 12.0, "month": 1.0,
            "months": 1.0, "mo": 1.0, "mos": 1.0},
    "multiple": {"k": 1e3, "thousand": 1e3, "mio": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9,
                 "billion": 1e9},
}  # fmt: skip
_LOOKUP = {
    unit: (dimension, factor)
    for dimension, units in _DIMENSIONS.items()
    for unit, factor in units.items()
}
CURRENCIES = {
    "$": "USD", "us$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP",
    "¥": "JPY", "jpy": "JPY", "₹": "INR", "inr": "INR", "chf": "CHF", "₽": "RUB", "cad": "CAD",
    "aud": "AUD", "cny": "CNY", "sek": "SEK", "kr": "SEK", "zł": "PLN", "pln": "PLN",
}  # fmt: skip
# Words behind a number that scale it, whatever else is in the column: 3k beside 500.
MULTIPLES = frozenset(_DIMENSIONS["multiple"])


def normal_unit(unit: str) -> str:
    """Return one spelling of a unit: currencies by their code, others in lower case.

    Examples
    --------
    >>> from skopt_wrap.quality._text._units import normal_unit
    >>> normal_unit(" KG."), normal_unit("€")
    ('kg', 'EUR')
    """
    bare = unit.strip().rstrip(".").casefold()
    return CURRENCIES.get(bare, bare)


def factors(units: set[str], main: str) -> dict[str, float] | None:
    """Return by what to multiply numbers in each unit to have them in the main one.

    Parameters
    ----------
    units : set of str
        Normal units that occur; "" for numbers without one, which are taken to be in `main`.
    main : str
        The unit wanted.

    Returns
    -------
    factors : dict of str to float or None
        None where some unit cannot be turned into the main one.

    Examples
    --------
    >>> from skopt_wrap.quality._text._units import factors
    >>> factors({"kg", "g", ""}, "kg") == {"kg": 1.0, "g": 0.001, "": 1.0}
    True
    >>> factors({"kg", "cm"}, "kg") is None
    True
    """
    if (units - {""}) and units - {""} <= MULTIPLES:
        return {unit: _LOOKUP[unit][1] if unit else 1.0 for unit in units}
    out = {}
    for unit in units:
        if unit in ("", main):
            out[unit] = 1.0
        elif unit in _LOOKUP and main in _LOOKUP and _LOOKUP[unit][0] == _LOOKUP[main][0]:
            out[unit] = _LOOKUP[unit][1] / _LOOKUP[main][1]
        else:
            return None
    return out
