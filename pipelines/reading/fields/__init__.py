"""What is believed: for every field the places that a page has for it, in their order of trust."""
