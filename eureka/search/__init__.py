"""Search: the loop, what a method sees and decides, and the methods, one file each in `methods/`."""
