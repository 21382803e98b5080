"""What a run is configured with: the recipe, its settings, presets, and how recipes differ."""
