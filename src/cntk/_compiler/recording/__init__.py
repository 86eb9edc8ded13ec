"""Recorded code: a training step, or a loop's step, as a straight list of torch calls."""
