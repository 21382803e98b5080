"""What a right click offers everywhere: copying and saving tables and images, opening them."""
