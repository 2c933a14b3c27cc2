"""Other solvers on the same problems: each states a `RoutingProblem` as well as it can, or says that it cannot."""
