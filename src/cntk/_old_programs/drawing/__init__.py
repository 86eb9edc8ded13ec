"""Old names of Matplotlib and Pillow, and what stands in for them."""
