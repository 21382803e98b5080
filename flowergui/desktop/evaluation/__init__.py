"""How well a network does: accuracy, the confusion matrix and its photos."""
