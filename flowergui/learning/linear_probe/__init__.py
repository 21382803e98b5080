"""Linear classifiers on the features of a frozen network: fitted in closed form or by a convex
solver, cross-validated, compared between networks."""
