"""HTTP/1.1 towards upstreams (RFC 9112), as lean as a call through a gateway needs it.

One request at a time on a connection, one write per request, no redirects, cookies, proxies or
upgrades. Everything here runs in one event loop, and nothing makes a task for a call that finds
an idle connection.
"""
