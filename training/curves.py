"""How well answered questions stand above others: the figures that several measurements share."""

from collections.abc import Sequence

import numpy as np


def area(there: Sequence[float], absent: Sequence[float]) -> float:
    """The area under the ROC curve: how often one that is there scores above one that is not."""
    above = np.asarray(there)[:, None] > np.asarray(absent)[None]
    return round(float(above.mean()), 3)


def refused(there: Sequence[float], absent: Sequence[float], over: float) -> float:
    """The share of the absent below a threshold that refuses the share `over` of those there."""
    below = np.asarray(absent) < np.quantile(there, over)
    return round(float(below.mean()), 3)
