"""A Redis Cluster of three nodes: a partition is one slot, so every operation works there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import redis.asyncio

from persistry import (
    AsyncRedisBasePersister,
    PersisterUnavailableError,
    RedisBasePersister,
    State,
    StateConflictError,
    StoreVersionError,
)
from tests.redis_cluster import SLOTS, ClusterNode, started_cluster, wait_until_ready
from tests.servers import LOOPBACK

PARTITIONS = ["", "p", "{", "}{", "a:b", "ü", *(f"tenant {n}" for n in range(20))]


@pytest.fixture(scope="module")
def cluster() -> Iterator[int]:
    with started_cluster() as port:
        yield port


def test_every_operation(cluster: int) -> None:
    large = "x" * 200_000  # does not pass through a script
    with redis.RedisCluster(LOOPBACK, cluster) as client:
        persister = RedisBasePersister(client, namespace="sync")
        persister.initialize()
        for partition in PARTITIONS:
            persister.save(partition, "a", 1, "x", State({"of": partition}), "completed")
            persister.save(partition, "a:b", 0, "x", State({"large": large}), "completed")
            persister.save(partition, "a:b", 0, "y", State({"large": large}), "failed")
            persister.save(partition, "a", 1, "x", State({"of": partition}), "completed")
            other = State({"large": "y" * 90_000})
            with pytest.raises(StateConflictError):
                persister.save(partition, "a:b", 0, "x", other, "completed")
            assert persister.list_app_ids(partition) == ["a:b", "a"]
            for asked in ((partition, "a:b"), (partition, "a:b", 0), (partition, None)):
                found = persister.load(*asked)
                assert found is not None
                assert (found["position"], found["state"]["large"]) == ("y", large)
            found = persister.load(partition, "a")
            assert found is not None
            assert found["state"]["of"] == partition
        assert persister.list_partition_keys() == sorted(PARTITIONS)
        assert persister.list_partition_keys(limit=3) == sorted(PARTITIONS)[:3]
        client.delete("{sync:}:p")
        persister.initialize()
        assert persister.list_partition_keys() == sorted(PARTITIONS)
        assert client.get("{sync:}:g") == b"1"
        slots = {client.keyslot(persister.create_key("a", it, 1)) for it in PARTITIONS}
        assert len(slots) > 10, "partitions spread over the nodes"


def test_cluster_that_is_gone() -> None:
    with ClusterNode() as node:
        with node.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
            wait_until_ready([node])
        with redis.RedisCluster(*node.address) as client:
            persister = RedisBasePersister(client)
            persister.save("p", "a", 0, "x", State({}), "completed")
            node.kill()
            with pytest.raises(PersisterUnavailableError):
                persister.save("p", "a", 1, "x", State({}), "completed")
            node.start()
            wait_until_ready([node])
            persister.save("p", "a", 1, "x", State({}), "completed")
            found = persister.load("p", "a")
            assert found is not None
            assert found["sequence_id"] == 1


async def test_every_operation_async(cluster: int) -> None:
    async with redis.asyncio.RedisCluster(LOOPBACK, cluster) as client:
        persister = AsyncRedisBasePersister(client, namespace="async")
        await persister.initialize()
        for partition in PARTITIONS:
            for n, text in enumerate(("small", "x" * 200_000)):
                await persister.save(partition, "a", n, "x", State({"t": text}), "completed")
                await persister.save(partition, "a", n, "x", State({"t": text}), "completed")
                found = await persister.load(partition, None)
                assert found is not None
                assert found["state"]["t"] == text
            assert await persister.list_app_ids(partition) == ["a"]
        assert await persister.list_partition_keys() == sorted(PARTITIONS)
        assert await client.get("{async:}:g") == b"1"
        await client.delete("{async:}:p")
        await persister.initialize()
        assert await persister.list_partition_keys() == sorted(PARTITIONS)


async def test_a_newer_store_is_refused(cluster: int) -> None:
    """Whatever node has the partition; the generation is in the default partition's slot."""
    with redis.RedisCluster(LOOPBACK, cluster) as client:
        client.set("{new:}:g", 2)
        before = client.dbsize(target_nodes=redis.RedisCluster.PRIMARIES)
        for partition in PARTITIONS:
            persister = RedisBasePersister(client, namespace="new")
            with pytest.raises(StoreVersionError, match="generation 2"):
                persister.save(partition, "a", 1, "x", State({}), "completed")
            with pytest.raises(StoreVersionError, match="generation 2"):
                persister.load(partition, "a")
        async with redis.asyncio.RedisCluster(LOOPBACK, cluster) as another:
            with pytest.raises(StoreVersionError, match="generation 2"):
                await AsyncRedisBasePersister(another, namespace="new").list_app_ids("p")
        assert client.dbsize(target_nodes=redis.RedisCluster.PRIMARIES) == before
