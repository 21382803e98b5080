"""The sample flowers, drawn without torch."""
