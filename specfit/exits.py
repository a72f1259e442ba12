"""Exit codes: part of the contract with scripts outside the project."""

ACCEPTED = 0
"""The verdict is accepted, or the command did what it was asked."""
REJECTED = 1
"""A rule or check rejected the answer."""
FAULT = 2
"""A fault in the input: file, data or command line."""
NOT_CONVERGED = 3
"""The sampler did not converge, or no adequate model was found."""
EXHAUSTED = 4
"""Out of memory or disk; what was done is kept."""
BUG = 70
"""Our fault."""
INTERRUPTED = 130
"""Stopped by the user; partial draws are kept."""

VERDICTS = {
    "accepted": ACCEPTED,
    "rejected": REJECTED,
    "not_converged": NOT_CONVERGED,
}
