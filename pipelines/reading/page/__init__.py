"""What the page says: bytes to text, one tree, what is stated for machines, what a reader sees. Nothing is judged."""
