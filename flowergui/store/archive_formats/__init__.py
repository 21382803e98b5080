"""What is in .tar and .zip files, and where: headers, directories, and the index of them."""
