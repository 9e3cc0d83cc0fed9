"""Grow: carry a log over to a new one with more partitions, with every wearer's state and every open alert.

Begin at `growing.grow`; below it, in the order of the flow::

    request     which log becomes which, and why it may not
    new_log     the new topics, which keep old stamps until all is there
    replayed    the state of an old partition behind its last cut
    copying     records into the new partitions, and which offset each of them has there
    dividing    the state of an old partition as that of each new one
    open_alerts the newest version of each open alert
    beginning   the claim and the first cut of each new partition
    command     says what was done
"""

from monitor.growing.growing import Grown, grow
from monitor.growing.request import NotGrown, Request, request

__all__ = ["Grown", "NotGrown", "Request", "grow", "request"]
