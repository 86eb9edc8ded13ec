"""Floor 1: data as it runs. Layouts, jagged batches, plans, recurrent loops, the training step."""
