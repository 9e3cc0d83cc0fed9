"""The doctor's checks, by what they look at; `monitor.doctor` runs them and prints what they find."""
