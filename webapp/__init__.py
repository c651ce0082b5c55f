"""``nachlese web``: everything in schema ``news`` as pages, feeds, data and an API. Read only.

The way of a request, and the file of each step:

- ``settings.py``     what the operator chose: host, port, allowed hosts, password or token; pure
- ``security.py``     what every request passes: hosts, methods, password, headers of every answer
- ``application.py``  the Starlette application: routes, errors as pages, what lives as long as the process
- ``pages/``          a file per page: reads its parameters, asks ``queries``, answers with a ``View``
- ``parameters.py``   parameters of an address, checked; a wrong one is a 400 that names it
- ``queries/``        every SELECT, over schema ``news`` only; pages, API and agents ask the same functions
- ``reader.py``       connections: role nachlese_reader where it exists, read-only transactions, five seconds each;
                      the only door to psycopg
- ``formats.py``      one ``View`` as HTML, Atom, JSON Feed, CSV or JSON, by ``?format=`` or Accept; ETag and 304
- ``rendering.py``    Jinja, ``templates/``, compiled by ``compiling.py``; ``i18n.py`` and ``locale/`` for German and
                      English; ``moments.py`` for times
- ``charts.py``       figures as SVG; ``wording.py`` word differences; ``markup.py`` the Markdown of a stored text
- ``api/``            REST under ``/api/v1`` with its OpenAPI document, and changes as server-sent events
- ``mcp/``            the same for agents, over the Model Context Protocol

It imports nothing of ``crawler`` and of ``pipelines`` only what is pure. A program that wants the same answers without
HTTP opens a ``Reader`` and calls ``queries``:

    async with Reader(dsn) as reader, reader.session() as news:
        rows = await queries.articles.latest(news, ArticleFilter(language="de"), limit=20)
"""
