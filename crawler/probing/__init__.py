"""From the address of a site to its source file: what it lists, how its pages read, what the file says, saved pages."""
