"""A Redis Cluster of three nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import redis

from tests.servers import LOOPBACK, RedisServer

SLOTS = 16384


class ClusterNode(RedisServer):
    """A server that is one of a cluster's."""

    def command(self) -> list[str]:
        return [*super().command(), "--cluster-enabled", "yes"]

    def client(self) -> redis.Redis:
        return redis.Redis(*self.address)


@contextmanager
def started_cluster() -> Iterator[int]:
    """The port of one of the nodes, all of which know each other and their slots."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(ClusterNode()) for _ in range(3)]
        for number, node in enumerate(nodes):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            with node.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER", "MEET", LOOPBACK, nodes[0].port)
        wait_until_ready(nodes)
        yield nodes[0].port


def wait_until_ready(nodes: list[ClusterNode]) -> None:
    deadline = time.monotonic() + 30
    while not all(is_ready(node, len(nodes)) for node in nodes):
        assert time.monotonic() < deadline, "the cluster did not come up"
        time.sleep(0.05)


def is_ready(node: ClusterNode, nodes: int) -> bool:
    with node.client() as client:
        told = str(client.execute_command("CLUSTER", "INFO"))
        return "cluster_state:ok" in told and f"cluster_known_nodes:{nodes}" in told
