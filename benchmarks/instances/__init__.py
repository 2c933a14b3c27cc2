"""Readers and float verifiers of the public instances: one module a family.

Each has `read(path) -> instance` (the file as it is, in its own units and node numbers),
`to_problem(instance, ...) -> RoutingProblem` and `verify(instance, routes, ...) -> float`, which knows
nothing of `RoutingProblem` and recomputes the objective from the family's definition.
"""
