"""Running a plan: evaluation, gradients, the training step."""
