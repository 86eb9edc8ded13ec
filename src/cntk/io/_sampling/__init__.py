"""In which order sequences are read, and how minibatches are cut from them."""
