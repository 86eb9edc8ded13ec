"""The order in which sequences are read, and how they are divided into minibatches."""
