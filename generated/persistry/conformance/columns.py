# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""The columns of the matrix: every persister, what its store is, and what it declares it cannot keep."""

from __future__ import annotations

from .support.column import Column

# The operations that a persister may lack; each is a trait of those that have it.
OPTIONAL: tuple[str, ...] = ("pending_migrations", "list_partition_keys")

COLUMNS: tuple[Column, ...] = (
    Column(
        name="MariaDBPersister",
        colour="sync",
        backend="mariadb",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="AsyncMariaDBPersister",
        colour="async",
        backend="mariadb",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="InMemoryPersister",
        colour="sync",
        backend="memory",
        traits=frozenset(("pending_migrations", "list_partition_keys")),
        gaps={
            "pickle_gives_a_working_persister": "the data lives in one process, and a pickle may be read in another",
            "pickle_outlives_its_original": "the data lives in one process, and a pickle may be read in another",
            "pickle_keeps_the_options": "the data lives in one process, and a pickle may be read in another",
        },
    ),
    Column(
        name="AsyncInMemoryPersister",
        colour="async",
        backend="memory",
        traits=frozenset(("pending_migrations", "list_partition_keys")),
        gaps={
            "pickle_gives_a_working_persister": "the data lives in one process, and a pickle may be read in another",
            "pickle_outlives_its_original": "the data lives in one process, and a pickle may be read in another",
            "pickle_keeps_the_options": "the data lives in one process, and a pickle may be read in another",
        },
    ),
    Column(
        name="MongoDBBasePersister",
        colour="sync",
        backend="mongodb",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
    ),
    Column(
        name="MongoDBBasePersister-adopted",
        colour="sync",
        backend="mongodb",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
        layout="adopted",
    ),
    Column(
        name="AsyncMongoDBBasePersister",
        colour="async",
        backend="mongodb",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
    ),
    Column(
        name="AsyncMongoDBBasePersister-adopted",
        colour="async",
        backend="mongodb",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
        layout="adopted",
    ),
    Column(
        name="PostgreSQLPersister",
        colour="sync",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="PostgreSQLPersister-adopted",
        colour="sync",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={
            "save_takes_the_highest_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "latest_is_exact_above_2_53": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "latest_is_exact_at_the_highest_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "sequence_above_2_53_is_exact": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "sequence_at_the_end_is_found": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "record_keeps_the_number_of_a_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "any_saves_of_large_numbers_answer_as_the_model_does": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
        },
        layout="adopted",
    ),
    Column(
        name="AsyncPostgreSQLPersister",
        colour="async",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="AsyncPostgreSQLPersister-adopted",
        colour="async",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={
            "save_takes_the_highest_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "latest_is_exact_above_2_53": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "latest_is_exact_at_the_highest_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "sequence_above_2_53_is_exact": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "sequence_at_the_end_is_found": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "record_keeps_the_number_of_a_sequence": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
            "any_saves_of_large_numbers_answer_as_the_model_does": "sequence ids end at 2**31 - 1 in Burr's column, until widen() is called",
        },
        layout="adopted",
    ),
    Column(
        name="b_psycopg.PostgreSQLPersister",
        colour="sync",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="b_psycopg.AsyncPostgreSQLPersister",
        colour="async",
        backend="postgresql",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "network",
                "connection",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="RedisBasePersister",
        colour="sync",
        backend="redis",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
    ),
    Column(
        name="AsyncRedisBasePersister",
        colour="async",
        backend="redis",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={},
    ),
    Column(
        name="SQLCipherPersister",
        colour="sync",
        backend="sqlcipher",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "connection",
                "table",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="SQLitePersister",
        colour="sync",
        backend="sqlite",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "connection",
                "table",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="SQLitePersister-adopted",
        colour="sync",
        backend="sqlite",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "connection",
                "table",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
        layout="adopted",
    ),
    Column(
        name="AsyncSQLitePersister",
        colour="async",
        backend="sqlite",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "connection",
                "table",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
    ),
    Column(
        name="AsyncSQLitePersister-adopted",
        colour="async",
        backend="sqlite",
        traits=frozenset(
            (
                "durable",
                "initialize",
                "connection",
                "table",
                "pending_migrations",
                "list_partition_keys",
            )
        ),
        gaps={},
        layout="adopted",
    ),
)
