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
        name="BurrRedisPersister",
        colour="sync",
        backend="redis_burr",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={
            "any_saves_answer_as_the_model_does": "the layout has one record for a sequence; one of another position is refused",
            "positions_make_two_records": "the layout has one record for a sequence; one of another position is refused",
            "positions_are_kept_apart_after_saving_again": "the layout has one record for a sequence; one of another position is refused",
            "third_position_is_a_third_record": "the layout has one record for a sequence; one of another position is refused",
            "empty_position_is_a_position": "the layout has one record for a sequence; one of another position is refused",
            "large_states_of_two_positions": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_is_saved_last": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_is_not_by_name": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_may_have_failed": "the layout has one record for a sequence; one of another position is refused",
            "latest_is_not_moved_by_a_late_position": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_a_partition_may_be_another_position": "the layout has one record for a sequence; one of another position is refused",
            "sequence_with_two_positions_gives_the_one_saved_last": "the layout has one record for a sequence; one of another position is refused",
            "sequence_with_two_positions_is_not_by_name": "the layout has one record for a sequence; one of another position is refused",
            "partitions_are_listed_once": "the layout has one record for a sequence; one of another position is refused",
            "list_names_each_application_once": "the layout has one record for a sequence; one of another position is refused",
            "list_counts_another_position": "the layout has one record for a sequence; one of another position is refused",
            "racing_positions_are_all_kept": "the layout has one record for a sequence; one of another position is refused",
            "same_record_again_is_not_saved_last_at_its_sequence": "the layout has one record for a sequence; one of another position is refused",
            "same_record_again_is_not_the_latest_of_its_application": "the layout has one record for a sequence; one of another position is refused",
            "large_state_comes_back": "the layout has one record for a sequence; one of another position is refused",
            "large_states_are_told_apart": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "latest_of_a_partition_may_be_an_older_sequence": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "list_counts_an_older_sequence": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "order_outlives_its_persister": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "any_saves_of_large_numbers_answer_as_the_model_does": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "save_takes_the_highest_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "latest_is_exact_above_2_53": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "latest_is_exact_at_the_highest_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "sequence_above_2_53_is_exact": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "sequence_at_the_end_is_found": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "record_keeps_the_number_of_a_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "colon_keys_are_saved_side_by_side": "the layout does not tell such names apart; what would be mixed is refused",
            "partition_named_like_a_record_is_a_partition": "the layout does not tell such names apart; what would be mixed is refused",
        },
    ),
    Column(
        name="AsyncBurrRedisPersister",
        colour="async",
        backend="redis_burr",
        traits=frozenset(
            ("durable", "network", "connection", "pending_migrations", "list_partition_keys")
        ),
        gaps={
            "any_saves_answer_as_the_model_does": "the layout has one record for a sequence; one of another position is refused",
            "positions_make_two_records": "the layout has one record for a sequence; one of another position is refused",
            "positions_are_kept_apart_after_saving_again": "the layout has one record for a sequence; one of another position is refused",
            "third_position_is_a_third_record": "the layout has one record for a sequence; one of another position is refused",
            "empty_position_is_a_position": "the layout has one record for a sequence; one of another position is refused",
            "large_states_of_two_positions": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_is_saved_last": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_is_not_by_name": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_two_positions_may_have_failed": "the layout has one record for a sequence; one of another position is refused",
            "latest_is_not_moved_by_a_late_position": "the layout has one record for a sequence; one of another position is refused",
            "latest_of_a_partition_may_be_another_position": "the layout has one record for a sequence; one of another position is refused",
            "sequence_with_two_positions_gives_the_one_saved_last": "the layout has one record for a sequence; one of another position is refused",
            "sequence_with_two_positions_is_not_by_name": "the layout has one record for a sequence; one of another position is refused",
            "partitions_are_listed_once": "the layout has one record for a sequence; one of another position is refused",
            "list_names_each_application_once": "the layout has one record for a sequence; one of another position is refused",
            "list_counts_another_position": "the layout has one record for a sequence; one of another position is refused",
            "racing_positions_are_all_kept": "the layout has one record for a sequence; one of another position is refused",
            "same_record_again_is_not_saved_last_at_its_sequence": "the layout has one record for a sequence; one of another position is refused",
            "same_record_again_is_not_the_latest_of_its_application": "the layout has one record for a sequence; one of another position is refused",
            "large_state_comes_back": "the layout has one record for a sequence; one of another position is refused",
            "large_states_are_told_apart": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "latest_of_a_partition_may_be_an_older_sequence": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "list_counts_an_older_sequence": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "order_outlives_its_persister": "the layout knows when an application's last sequence was saved, not that an older one was saved after it",
            "any_saves_of_large_numbers_answer_as_the_model_does": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "save_takes_the_highest_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "latest_is_exact_above_2_53": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "latest_is_exact_at_the_highest_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "sequence_above_2_53_is_exact": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "sequence_at_the_end_is_found": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "record_keeps_the_number_of_a_sequence": "the scores of the sorted set are exact up to 2**53; a larger sequence id is refused",
            "colon_keys_are_saved_side_by_side": "the layout does not tell such names apart; what would be mixed is refused",
            "partition_named_like_a_record_is_a_partition": "the layout does not tell such names apart; what would be mixed is refused",
        },
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
        name="SQLCipherPersister-adopted",
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
        layout="adopted",
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
