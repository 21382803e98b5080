"""The hyperparameters: a form with an editor for each setting, and the estimate."""
