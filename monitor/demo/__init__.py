"""`python -m monitor demo`: all parts at once on simulated wearers, and an honest count at the end.

==================  =====================================================================
module              what it does
==================  =====================================================================
demonstration       the whole run, top to bottom
children            worker, projector and simulator as leashed processes
screen              the live view, or plain lines
truth               what the simulator says it published and what really happened
alert_log           every alert in Kafka
episodes            which alert belongs to which episode
live                a short section at real speed: from broker stamp to readable in Redis
report              the figures, and what is wrong with them
==================  =====================================================================
"""

from monitor.demo.demonstration import run

__all__ = ["run"]
