"""The generators, one file each. A generator is chosen by its file's name; nothing else lists them."""
