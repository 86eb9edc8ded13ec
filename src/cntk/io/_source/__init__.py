"""Minibatch sources: what programs read minibatches from."""
