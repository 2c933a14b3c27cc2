"""What a check finds: violations, and the report that holds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import Problem, SolverError
from territory.model.frames import to_native

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CheckReport", "Violation"]

#: How many violations of one code a printed report shows.
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule at one place.

    Attributes
    ----------
    code : str
        Stable, hyphenated name of the rule; a key of `territory.check.CODES`.
    message : str
        A full sentence with ids, times on the wall clock and amounts.
    customer_id, rep_id, territory_id : str, optional
    day : datetime64[D], optional
        The rep's calendar day.
    amount : float, optional
        How far off, always positive: seconds for times, metres for distances, days for intervals,
        a count for counts, the measure's own unit for balance, square metres for an objective.
    """

    code: str
    message: str
    customer_id: str | None = None
    rep_id: str | None = None
    territory_id: str | None = None
    day: np.datetime64 | None = None
    amount: float | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CheckReport:
    """The violations that a check has found; none: everything holds.

    A report has no truth value, because ``if report:`` could be read both ways: ask `ok`.

    Attributes
    ----------
    violations : tuple of Violation
    subject : str
        What was checked: ``"plan"`` or ``"alignment"``.

    Examples
    --------
    >>> report = CheckReport((Violation("on-leave", "Rep R1 is on leave on 2026-01-05.", rep_id="R1"),), "plan")
    >>> report.ok, len(report), report.codes["on-leave"]
    (False, 1, 1)
    >>> print(report)
    plan: 1 violation of 1 rule
      on-leave (1)
        Rep R1 is on leave on 2026-01-05.
    """

    violations: tuple[Violation, ...] = ()
    subject: str = "plan"

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.violations

    @property
    def codes(self) -> Counter[str]:
        """How often each rule is broken."""
        return Counter(v.code for v in self.violations)

    def __len__(self) -> int:
        return len(self.violations)

    def __bool__(self) -> bool:
        msg = "the truth value of a report is ambiguous: use report.ok, or len(report)"
        raise TypeError(msg)

    def __iter__(self) -> Iterator[Violation]:
        return iter(self.violations)

    def to_dict(self) -> dict[str, Any]:
        """Return the violations as arrays: text blank, day NaT and amount NaN where there is none."""

        def text(name: str) -> Any:
            cells = np.empty(len(self.violations), dtype=object)
            cells[:] = [getattr(v, name) or "" for v in self.violations]
            return cells

        nothing = np.datetime64("NaT", "D")
        columns = {name: text(name) for name in ("code", "message", "customer_id", "rep_id", "territory_id")}
        columns["day"] = np.array([nothing if v.day is None else v.day for v in self.violations], "datetime64[D]")
        columns["amount"] = np.array([np.nan if v.amount is None else v.amount for v in self.violations], np.float64)
        return columns

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the violations as a dataframe of "pandas", "polars" or "pyarrow", one a row."""
        return to_native(self.to_dict(), backend)

    def problems(self) -> tuple[Problem, ...]:
        """Return one `Problem` a code, the most frequent first, with its first violation as the example."""
        found: dict[str, list[Violation]] = {}
        for violation in self.violations:
            found.setdefault(violation.code, []).append(violation)
        ranked = sorted(found.items(), key=lambda item: -len(item[1]))
        return tuple(
            Problem(
                code,
                some[0].message if len(some) == 1 else f"{len(some)} violations, the first: {some[0].message}",
                count=len(some),
            )
            for code, some in ranked
        )

    def raise_if_any(self, what: str) -> None:
        """Raise `SolverError` if there are violations; for functions that are about to return an answer.

        Parameters
        ----------
        what : str
            What failed, e.g. ``"schedule_visits"``.

        Raises
        ------
        SolverError
            With one problem a code.
        """
        if self.violations:
            n = len(self.violations)
            msg = f"{what}: the independent check found {n} violation{'s' * (n != 1)} in the {self.subject}"
            raise SolverError(msg, self.problems())

    def __str__(self) -> str:
        if self.ok:
            return f"{self.subject}: no violations"
        n, rules = len(self.violations), self.codes
        lines = [f"{self.subject}: {n} violation{'s' * (n != 1)} of {len(rules)} rule{'s' * (len(rules) != 1)}"]
        for code, count in rules.most_common():
            lines.append(f"  {code} ({count})")
            some = [v.message for v in self.violations if v.code == code][:_SHOWN]
            lines += [f"    {message}" for message in some]
            if count > _SHOWN:
                lines.append(f"    ... and {count - _SHOWN} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        found = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        return f"<CheckReport of the {self.subject}: {found or 'no violations'}>"
