"""Texts that stand for numbers, booleans and dates; spellings of one category."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skopt_wrap.quality._text import _dates, _numbers
from skopt_wrap.quality._text._booleans import are_booleans, parse_booleans
from skopt_wrap.quality._text._spelling import edit_distance, near_duplicates, spelling_key, tidy

NUMBERS = [
    (["1", "2.5", "-3"], [1, 2.5, -3]),
    ([" 1 ", "+2", "1e3"], [1, 2, 1000]),
    (["1,234.5", "7", "12,345,678"], [1234.5, 7, 12345678]),
    (["1.234,5", "7", "12.345.678"], [1234.5, 7, 12345678]),
    (["1,5", "2,25", "0,125"], [1.5, 2.25, 0.125]),
    (["1,500", "2,000", "950"], [1500, 2000, 950]),
    (["1 234", "12 345 678", "1\u00a0000,5"], [1234, 12345678, 1000.5]),
    (["1'234.5", "10"], [1234.5, 10]),
    (["(12.5)", "3"], [-12.5, 3]),
    (["\u22125", "5"], [-5, 5]),
    (["$1,200", "-$3.50", "$ 7"], [1200, -3.5, 7]),
    (["12 €", "3,5 €"], [12, 3.5]),
    (["12%", "7.5 %"], [12, 7.5]),
    (["12 kg", "800 g", "1.5KG"], [12, 0.8, 1.5]),
    (["180cm", "1.75 m", "170 cm", "165"], [180, 175, 170, 165]),
    (["90 min", "2 h", "45 min"], [90, 120, 45]),
    (["3k", "500", "1.2k"], [3000, 500, 1200]),
    (["21.5°C", "-3 °C"], [21.5, -3]),
    (["1st", "2nd", "3rd", "4th"], [1, 2, 3, 4]),
    ([".5", "1."], [0.5, 1]),
]


@pytest.mark.parametrize(("texts", "values"), NUMBERS)
def test_numbers_are_read(texts, values):
    style, _ = _numbers.find_format(texts, [1] * len(texts), 0.95)
    assert style is not None
    np.testing.assert_allclose(_numbers.parse_numbers(texts, style), values)


@pytest.mark.parametrize(
    "texts",
    [
        ["red", "blue"],
        ["01234", "98765"],  # codes
        ["A12", "B7"],
        ["12:30", "14:45"],
        ["555-1234", "555-9876"],
        ["10-20", "20-30"],
        ["2020-01-01", "2021-02-03"],
        ["12 kg", "3 cm"],  # units that do not fit together
        ["$5", "€7"],
        ["1.2.3", "4.5.6"],
        ["12345678901234567890", "12345678901234567891"],
        ["5 apples", "3 pears"],
        ["1 2", "3 4"],
    ],
)
def test_what_is_no_number_stays_text(texts):
    assert _numbers.find_format(texts, [10] * len(texts), 0.95)[0] is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 2)), min_size=3, max_size=20, unique=True),
    st.sampled_from(["plain", "english", "german", "unit"]),
)
def test_numbers_come_back_as_they_were_written(values, style):
    values = [*values, 1234567.25]  # tells the separators apart
    write = {
        "plain": lambda v: f"{v:.2f}",
        "english": lambda v: f"{v:,.2f}",
        "german": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
        "unit": lambda v: f"{v:.2f} kg",
    }[style]
    texts = [write(v) for v in values]
    found, _ = _numbers.find_format(texts, [1] * len(texts), 0.95)
    assert found is not None
    np.testing.assert_allclose(_numbers.parse_numbers(texts, found), values, atol=1e-9)


def test_a_few_other_words_do_not_hide_numbers():
    texts = [str(v) for v in range(99)] + ["see note"]
    style, _ = _numbers.find_format(texts, [1] * 100, 0.95)
    assert style is not None
    assert np.isnan(_numbers.parse_numbers(texts, style)).sum() == 1
    assert _numbers.find_format(texts, [1] * 99 + [20], 0.95)[0] is None


MARCH = datetime.datetime(2020, 3, 4)
DATES = [
    (["2020-03-04", "2021-12-31"], MARCH),
    (["2020/03/04"], MARCH),
    (["2020-03-04T00:00:00Z"], MARCH),
    (["04.03.2020", "31.12.2020"], MARCH),
    (["04/03/2020", "31/12/2020"], MARCH),
    (["03/04/2020", "12/31/2020"], MARCH),
    (["4.3.20"], MARCH),
    (["4 Mar 2020"], MARCH),
    (["Mar 4, 2020"], MARCH),
    (["March 4th, 2020"], MARCH),
    (["Wed, 4 March 2020"], MARCH),
    (["4. März 2020"], MARCH),
    (["20200304"], MARCH),
    (["2020-03-04 18:30"], MARCH.replace(hour=18, minute=30)),
    (["03/04/2020 6:30 PM", "12/31/2020 1:00 am"], MARCH.replace(hour=18, minute=30)),
    (["2020-03-04T20:30:00+02:00"], MARCH.replace(hour=18, minute=30)),
    (["2020-03-04T18:30:15.5"], MARCH.replace(hour=18, minute=30, second=15, microsecond=500000)),
]


@pytest.mark.parametrize(("texts", "first"), DATES)
def test_dates_are_read(texts, first):
    style, _ = _dates.find_format(texts, [1] * len(texts), 0.95)
    assert style is not None
    values = _dates.parse_dates(texts, style)
    assert values[0].item() == first
    assert not np.isnat(values).any()


def test_an_order_that_is_not_told_is_assumed_and_said():
    style, note = _dates.find_format(["03/04/2020"], [1], 0.95, day_first=False)
    assert not style.day_first
    assert "month/day/year" in note


@pytest.mark.parametrize("text", ["2020-02-30", "2020-13-01", "31.04.2020", "monday", "", "12:30"])
def test_what_is_no_date_is_missing(text):
    assert np.isnat(_dates.parse_dates([text], _dates.DateFormat()))[0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2049, 1, 1)),
             min_size=1, max_size=10),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y", "%Y%m%d"]),
)  # fmt: skip
def test_dates_come_back_as_they_were_written(moments, pattern):
    texts = [moment.strftime(pattern) for moment in moments]
    style, _ = _dates.find_format(texts, [1] * len(texts), 0.95)
    assert style is not None
    days = [moment.date() for moment in moments]
    assert _dates.parse_dates(texts, style).astype("datetime64[D]").tolist() == days


@pytest.mark.parametrize(
    ("texts", "are"),
    [
        (["yes", "no"], True), (["Y", "n"], True), (["TRUE", "False "], True),
        (["on", "off"], True),
        (["ja", "Nein"], True), (["f", "m"], False), (["yes"], False), (["0", "1"], False),
        (["yes", "no", "maybe"], False),
    ],
)  # fmt: skip
def test_booleans_are_pairs_of_words(texts, are):
    assert are_booleans(texts) is are
    if are:
        assert sorted(parse_booleans(texts)) == [0.0, 1.0]


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "New York",
            "new york",
            " NEW  YORK ",
            "New\u00a0York",
            "new-york",
            "New_York",
            "New York.",
        ],
        ["Zürich", "Zu\u0308rich", "ZÜRICH", "Zurich"],
        ["ﬁne", "fine"],
        ["O'Brien", "O\u2019Brien"],
    ],
)
def test_spellings_of_one_category_share_a_key(spellings):
    assert len({spelling_key(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    ("a", "b"), [("A+", "A-"), ("type 1", "type 2"), ("C", "C++"), ("1-2", "12"), ("1.5", "15")]
)
def test_signs_with_a_meaning_tell_categories_apart(a, b):
    assert spelling_key(a) != spelling_key(b)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ab", 1),
     ("kitten", "sitting", 3), ("ca", "abc", 3)],
)  # fmt: skip
def test_edit_distance_by_hand(a, b, distance):
    assert edit_distance(a, b, 5) == edit_distance(b, a, 5) == distance
    assert edit_distance(a, b, 1) == min(distance, 2)


@pytest.mark.parametrize(
    ("slip", "right"),
    [("germny", "germany"), ("gemrany", "germany"), ("engineerring", "engineering")],
)
def test_slips_are_joined_with_the_frequent_spelling(slip, right):
    found = near_duplicates([slip, right], [1, 50], max_distance=2, rare=0.1)
    assert found == {slip: right}
    assert near_duplicates([slip, right], [40, 50], max_distance=2, rare=0.1) == {}
    assert near_duplicates([slip, right], [1, 50], max_distance=0, rare=0.1) == {}


@pytest.mark.parametrize(
    ("a", "b"),
    [("type 1", "type 2"), ("group a", "group b"), ("gambia", "zambia"), ("iran", "iraq"),
     ("north korea", "south korea"), ("male", "female"), ("stage ii", "stage iii"),
     ("austria", "australia"), ("active", "inactive")],
)  # fmt: skip
def test_near_names_of_different_things_are_not_joined(a, b):
    assert near_duplicates([a, b], [1, 50], max_distance=2, rare=0.1) == {}


@given(st.text(max_size=20))
def test_tidying_twice_changes_nothing_more(text):
    assert tidy(tidy(text)) == tidy(text)
