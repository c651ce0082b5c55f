"""Which part of a page is the article: container, embedded blocks, boilerplate, lead, paging."""
