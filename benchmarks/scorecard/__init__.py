"""docs/scorecard.md: what the alerts are worth, on recordings with episodes laid over them and on simulated people.

variants    the episodes that are laid over recordings
minutes     minute recordings (Fitabase, Welltory) through the real engine
days        daily recordings (LifeSnaps) through the detectors as functions
thin        a simulated world as few messages: a sample a minute, told every half an hour
sets        simulated people of parameter sets A and B through the real engine, quality gate on and off
compared    with and without the episode: figures side by side
page        docs/scorecard.md
"""
