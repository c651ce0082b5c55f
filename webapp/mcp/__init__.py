"""``nachlese mcp``: the same answers for agents, over the Model Context Protocol. Read only.

- ``marking.py``  rows as an agent gets them: what others wrote apart from what is ours, and never too much of it; pure
- ``tools.py``    what an agent may ask; each tool asks ``webapp.queries`` and answers with an ``Answer``
- ``serving.py``  the server of the package ``mcp``, over standard input and output or over HTTP
"""
