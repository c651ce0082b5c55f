"""``python -m crawler.cli``: the command line where the ``nachlese`` script is not on the path."""

from crawler.cli import main

main()
