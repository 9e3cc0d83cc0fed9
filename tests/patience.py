"""How long a test waits for what must come: longer on a machine that is busy with other things.

A wait ends as soon as its event comes, so a generous limit costs nothing; it is there only so that a test which has
failed ends, too. What a test is about must never be decided by it.
"""

import os

AT_LEAST = 5.0
"""Load averages follow a sudden load by a minute; this is for that minute."""
PER_WAITING_PROCESS = 3.0
VARIABLE = "TEST_PATIENCE"


def patience(seconds: float) -> float:
    """Return how long to wait for what takes less than so many seconds on a machine that is idle.

    The load of the last minute counts, as processes that wait for each core, and the variable ``TEST_PATIENCE``
    multiplies all of it, for machines whose load cannot be seen from inside.

    >>> patience(2) >= 10
    True
    """
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(AT_LEAST, PER_WAITING_PROCESS * waiting) * max(1.0, float(os.environ.get(VARIABLE, "1")))
