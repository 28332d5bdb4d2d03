"""An LCM on a real socket to develop and test against, with faults to order."""
