"""What is seen: Qt, and never torch."""
