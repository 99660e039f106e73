"""Real database servers for tests: found on this machine, started on loopback, broken on purpose.

A server is a child process with its data in a temporary directory. It dies with the test run, even
when that is killed. A new kind of server is a subclass of `Server` that says how to find its
program, with which command it starts, and when it is ready.
"""

from .base import LOOPBACK, Server, ServerFailed
from .finding import ServerMissing
from .mariadb import MariaDBServer
from .mongodb import MongoServer
from .postgresql import PostgreSQLServer
from .redis import RedisServer
from .tls import Authority

__all__ = [
    "LOOPBACK",
    "Authority",
    "MariaDBServer",
    "MongoServer",
    "PostgreSQLServer",
    "RedisServer",
    "Server",
    "ServerFailed",
    "ServerMissing",
]
