"""What a run is told: the recipe, its settings, presets, and how recipes differ."""
