"""CP-SAT over yes-or-no variables, without the Python layer of OR-Tools, which brings pandas.

The models are those that the layer would build: variables of a row in their order, those that cancel out left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Answer", "Model", "load"]

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


def load() -> Any:
    """Return the library; of an OR-Tools whose layer holds the models itself (before 9.13) that layer."""
    from ortools.sat.python import cp_model_helper  # noqa: PLC0415 - a solver loads when it is used

    if hasattr(cp_model_helper, "CpModelProto") and hasattr(cp_model_helper, "SatParameters"):
        return cp_model_helper
    from ortools.sat.python import cp_model  # noqa: PLC0415 - brings pandas

    return cp_model


class Answer:
    """What the solver found.

    Parameters
    ----------
    values : sequence of int
        By variable.
    proven : bool
    """

    def __init__(self, values: Sequence[int], *, proven: bool) -> None:
        self.values, self.proven = [bool(x) for x in values], proven

    def __getitem__(self, variable: int) -> bool:
        return self.values[variable]


class Model:
    """Rows over variables that are 0 or 1; a variable is known by its number."""

    def __init__(self) -> None:
        self._library = load()
        self._layer: Any = None
        if hasattr(self._library, "CpModel"):
            self._layer = self._library.CpModel()
            self._proto = self._layer.proto
        else:
            self._proto = self._library.CpModelProto()
        self._count = 0

    def variable(self) -> int:
        """Return a new variable."""
        self._proto.variables.add().domain.extend([0, 1])
        self._count += 1
        return self._count - 1

    def exactly_one(self, variables: Iterable[int]) -> None:
        """Let one of them be 1."""
        self._proto.constraints.add().exactly_one.literals.extend(list(variables))

    def at_most_one(self, variables: Iterable[int]) -> None:
        """Let no two of them be 1."""
        self._proto.constraints.add().at_most_one.literals.extend(list(variables))

    def at_most(self, variables: Sequence[int], count: int) -> None:
        """Let so many of them be 1, or fewer."""
        self._row([(x, 1) for x in variables], _LEAST, count)

    def as_many(self, some: Sequence[int], others: Sequence[int]) -> None:
        """Let as many of the ones be 1 as of the others."""
        if not some:
            some, others = others, some
        self._row([*((x, 1) for x in some), *((x, -1) for x in others)], 0, 0)

    def no_more(self, some: Sequence[int], others: Sequence[int]) -> None:
        """Let no more of the ones be 1 than of the others."""
        self._row([*((x, 1) for x in some), *((x, -1) for x in others)], _LEAST, 0)

    def minimize(self, costs: Iterable[tuple[int, int]]) -> None:
        """Let the sum of variables times costs be least."""
        objective = self._proto.objective
        variables, factors = _flat(costs)
        objective.vars.extend(variables)
        objective.coeffs.extend(factors)
        objective.scaling_factor = 1.0

    def begin_with(self, values: Iterable[tuple[int, bool]]) -> None:
        """Let the search begin there."""
        hint = self._proto.solution_hint
        for variable, value in values:
            hint.vars.append(variable)
            hint.values.append(int(value))

    def _row(self, terms: Iterable[tuple[int, int]], low: int, high: int) -> None:
        variables, factors = _flat(terms)
        row = self._proto.constraints.add().linear
        row.vars.extend(variables)
        row.coeffs.extend(factors)
        row.domain.extend([low, high])

    def solve(self, *, time_limit_s: float | None, work_limit: float | None, rng: int, n_jobs: int) -> Answer | None:
        """Return the best answer found; None: none.

        Parameters
        ----------
        time_limit_s : float, optional
        work_limit : float, optional
            In the solver's deterministic seconds.
        rng : int
            Seed.
        n_jobs : int
            Threads.
        """
        library = self._library
        solver = library.SolveWrapper() if self._layer is None else library.CpSolver()
        parameters = library.SatParameters() if self._layer is None else solver.parameters
        parameters.num_workers = n_jobs
        parameters.random_seed = rng % (1 << 31)
        if time_limit_s is not None:
            parameters.max_time_in_seconds = max(time_limit_s, 1e-3)
        if work_limit is not None:
            parameters.max_deterministic_time = work_limit
        if self._layer is None:
            solver.set_parameters(parameters)
            response = solver.solve(self._proto)
            status, named = response.status, library.CpSolverStatus
        else:
            status, named = solver.solve(self._layer), library
            response = solver.response_proto
        if status not in (named.OPTIMAL, named.FEASIBLE):
            return None
        return Answer(response.solution, proven=status == named.OPTIMAL)


def _flat(terms: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    factors: dict[int, int] = {}
    for variable, factor in terms:
        factors[variable] = factors.get(variable, 0) + factor
    kept = sorted(x for x, factor in factors.items() if factor)
    return kept, [factors[x] for x in kept]
