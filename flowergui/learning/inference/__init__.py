"""What a trained network is used for: predictions, Grad-CAM, evaluation, export."""
