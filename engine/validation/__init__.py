"""Evidence on the method, from a world whose biases are known because they were planted."""
