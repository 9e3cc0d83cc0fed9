"""What alerts were worth: alerts against the truth of a run. ``python -m simulators.scorecard``.

record      what is compared: events that happened, alarms that were raised, times at which the watch was worn
truth       events from a truth file, from labels, from a simulated world
journal     a record from a journal folder
kafka_log   a record from Kafka topics
answers     which rule answers which kind of event, and how far from its onset, with reasons
matching    which alarm answers which event, and what the other alarms are
measures    sensitivity, chance hit rate, false episodes, PPV, lead time, load, each with its interval
page        the figures as tables and sentences
drawing     the figures as pictures
"""
