"""Parameter set B: other kinetics, devices and climate, to ask what a model that was trained on set A has learnt.

Written from the literature by somebody who had looked at neither set A nor the model, and frozen: see docs/set-b.md.
"""

from simulators.courses import ParameterSet
from simulators.set_b import confounders, decline, drugs, heat, infection, pressure, rhythm, sleep

SET = ParameterSet(
    name="b",
    courses={
        **rhythm.COURSES,
        **pressure.COURSES,
        **infection.COURSES,
        **heat.COURSES,
        **sleep.COURSES,
        **decline.COURSES,
        **drugs.COURSES,
        **confounders.COURSES,
    },
    spans={
        **rhythm.SPANS,
        **pressure.SPANS,
        **infection.SPANS,
        **heat.SPANS,
        **sleep.SPANS,
        **decline.SPANS,
        **drugs.SPANS,
        **confounders.SPANS,
    },
    form_shares={
        **rhythm.FORM_SHARES,
        **pressure.FORM_SHARES,
        **infection.FORM_SHARES,
        **heat.FORM_SHARES,
        **sleep.FORM_SHARES,
        **decline.FORM_SHARES,
        **drugs.FORM_SHARES,
        **confounders.FORM_SHARES,
    },
)
"""Every kind but the two technical ones has a course, a span and the shares of its forms."""
