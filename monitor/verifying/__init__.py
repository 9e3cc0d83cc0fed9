"""Verify: replay what Kafka holds in a process that took no part, and compare it with what the workers sent.

Begin at `checking.verify`; below it, in the order of the flow::

    spans       where the replay of each partition begins and ends
    held        the records of the inputs, read in windows
    following   the recorded cuts, step by step, each checked against the digest that it carries
    recutting   other cuts of the same records, drawn at random
    sent        what the alert topics and dead-letter.v1 hold, as hashes
    judging     every output that the log gives at least once, and none other
    report      the findings, and wording says them
"""

from monitor.verifying.checking import NothingToVerify, verify
from monitor.verifying.report import Report

__all__ = ["NothingToVerify", "Report", "verify"]
