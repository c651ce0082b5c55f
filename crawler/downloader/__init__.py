"""One request, one hop: the host's turn, the guard at the socket, bounds, decompression."""
