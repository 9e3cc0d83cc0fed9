"""What recordings of real people say of detectors and simulator: ``python -m benchmarks.real_data``.

Begin at `studies.STUDIES`. Nothing is fitted to the recordings but what is said to be; no recording is kept here.

    results         what a study returns: sentences, tables, targets, pictures
    people_minutes  people as minutes of heart rate and steps: Fitabase, and the simulated ones
    people_days     people as days, and the trailing windows that daily detectors take
    day_detectors   the daily detectors, one line each
    episodes        counting episodes as the alert policy does; rates with their Poisson intervals
    fitabase, lifesnaps, welltory, quality_gate, rhythm, resemblance   one study each
    two_sample      can a classifier tell two groups of people apart?
    drawing, page   the pictures and docs/real-data.md
"""
