"""docs/columns.md lists exactly the columns that the tables declare."""

from __future__ import annotations

from pathlib import Path

from territory import BasicUnits, Customers, Hotels, Reps, Visits
from territory.model.columns import Kind, columns_of
from territory.model.names import required_columns

DOC = Path(__file__).parents[2] / "docs" / "columns.md"

HEAD = """# The columns of the tables

Every table is read by `from_frame`, `from_records` or its constructor, and from CSV and Parquet files. All columns
but those in **bold** may be absent. A column that is there has no blank rows, unless the table below says what a
blank means. What breaks a rule is refused, with the column, the number of rows and the first of them.

How values are written in files:

| kind | written as |
|---|---|
| text | as it is; ids keep leading zeros, and `7` beside `"7"` is refused |
| number, whole number | with a decimal point |
| true or false | `true`, `false` (also `yes`, `no`, `1`, `0`); blank: `false` |
| date | `2026-04-03`, or of any form with `date_format=` |
| one of a few words | the word, in any case |
| weekdays | `Mo`, `Tu,Th`, `Mo-Fr` |
| weekly hours | `Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00`, `24/7`, `off`: a subset of OSM's opening_hours |
| date ranges | `2026-12-24..2026-12-31; 2027-01-06`, both ends included |
| hours by date | `2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off; 2026-01-31 10:00-16:00,17:00-19:00` |
| set of words | `crane; welding` |

**Which hours a day has.** Hours by date replace all hours of the week of that calendar day, from midnight to
midnight, so that they do not run over midnight: the next day has a part of its own. No day stands twice. A customer
is closed on days of a call block whatever its hours. For a rep, leave wins over all; then the `shift_exceptions` of
that very day, also on holidays and on days that are off otherwise; then holidays, everybody's and those of the rep's
`country` and `region`; then the week. Of a day with visits, the first `prep_s` are before leaving, and `admin_s` come
after being back, both within the shift and its overtime (`max_overtime_s`). `office_days` are days without visits in
the field, and without both.

Money is in one currency, whichever it is. Customers may have any number of further numeric columns to balance
territories by (`measures=["potential"]`): numbers of at least 0, none blank.
"""


def bounds(spec):
    low = "" if spec.low is None else f"{'>' if spec.low_open else '>='} {spec.low:g}"
    high = "" if spec.high is None else f"<= {spec.high:g}"
    words = "" if spec.words is None else ", ".join(f"`{w.name.lower()}`" for w in spec.words)
    return ", ".join(t for t in (low, high, words) if t)


def blank(spec):
    if spec.unique:
        return "no"
    days = "none" if spec.missing else "any"
    own = {Kind.HOURS: "always", Kind.DATES: "none", Kind.EXCEPTIONS: "none", Kind.SETS: "none", Kind.WEEKDAYS: days}
    return own.get(spec.kind, "yes" if spec.missing else "no")


def page():
    parts = [HEAD]
    for cls in (Customers, BasicUnits, Reps, Visits, Hotels):
        head = ("column", "kind", "unit", "range", "blank", "what it says")
        parts.append(f"\n## {cls.__name__}\n\n| {' | '.join(head)} |\n{'|---' * len(head)}|\n")
        for name, spec in columns_of(cls).items():
            shown = f"**{name}**" if name in required_columns(cls) else name
            cells = (shown, spec.kind.value, spec.unit, bounds(spec), blank(spec), spec.doc)
            parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts)


def test_the_page_is_what_the_tables_declare():
    assert DOC.read_text(encoding="utf-8") == page()


def test_every_column_says_what_it_is():
    for cls in (Customers, BasicUnits, Reps, Visits, Hotels):
        for name, spec in columns_of(cls).items():
            assert spec.doc, name
            assert "|" not in spec.doc
            number = spec.kind in (Kind.FLOAT, Kind.INT)
            assert not number or name in ("lon", "lat", "end_lon", "end_lat") or spec.low is not None, name
            assert not name.endswith("_s") or spec.unit == "s", name
