"""SettleOutcome: what became of a call whose answer was lost, by reads alone."""
