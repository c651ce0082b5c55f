"""What the page is: an article, or why it is none."""
