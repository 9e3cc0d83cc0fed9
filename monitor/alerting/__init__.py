"""From signals to alerts: limits, rules on arrays, and the policy that decides what a care team sees."""
