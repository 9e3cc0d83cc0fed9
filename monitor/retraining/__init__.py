"""`python -m monitor trainer`: train the risk model again from what was gathered, and promote it only if it is better.

==================  =====================================================================
module              what it does
==================  =====================================================================
schedule            when: APScheduler's cron, or now; each training is a process of its own
job                 what: labels, train, evaluate, compare, promote or refuse
labels              ``labels.v1`` into the journal's labels table
switch              tell every worker, through every partition of ``control.v1``
==================  =====================================================================
"""
