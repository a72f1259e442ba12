"""Several models of the same data side by side: evidence and predictive accuracy.

The evidence weighs a model with its priors: what it said before it saw the data.  PSIS-LOO
says how well each channel is predicted from all the others, and hardly depends on the
priors.  Both mean something only between models of the same data with the same
likelihood, so anything else is refused.
"""

from specfit.comparison.contenders import Contender, contenders
from specfit.comparison.predicting import compared
from specfit.comparison.ranking import (
    Comparison,
    Entry,
    compare,
    numbered,
)

__all__ = [
    "Comparison",
    "Contender",
    "Entry",
    "compare",
    "compared",
    "contenders",
    "numbered",
]
