"""How the setting `validation_fraction` divides a class into training and validation images."""


def validation_count(images: int, fraction: float) -> int:
    """How many of a class's `images` validate where `fraction` of them should: at least one, but
    never all of them; 0 of a single image."""
    return min(max(round(images * fraction), 1), max(images - 1, 0))
