"""`python -m monitor journal`: what the journal holds, in all and of one wearer, for people."""
