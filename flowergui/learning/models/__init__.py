"""Networks: the catalogue, how they are built and described, pretrained weights."""
