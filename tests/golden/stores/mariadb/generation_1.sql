CREATE TABLE `golden` (
  `write_number` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `partition_key` varbinary(512) NOT NULL DEFAULT '',
  `app_id` varbinary(512) NOT NULL,
  `sequence_id` bigint(20) NOT NULL,
  `position` varbinary(512) NOT NULL,
  `status` varbinary(512) NOT NULL,
  `state` longblob NOT NULL,
  `created_at` datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
  `codec` tinyint(4) DEFAULT NULL,
  PRIMARY KEY (`write_number`),
  UNIQUE KEY `partition_key` (`partition_key`,`app_id`,`sequence_id`,`position`),
  KEY `ps_order` (`partition_key`,`write_number`),
  KEY `ps_apps` (`partition_key`,`app_id`,`write_number`)
) ENGINE=InnoDB AUTO_INCREMENT=8 COMMENT='persistry generation 1';
INSERT INTO golden VALUES (1, 'alice', 'chat-1', 0, 'ask', 'completed', '{\"text\":\"café\",\"n\":[1,2.5,null,true]}', '2026-11-22 14:02:45.649028', 0);
INSERT INTO golden VALUES (2, 'alice', 'chat-1', 2, 'think', 'failed', '{\"text\":\"why?\"}', '2026-11-22 14:02:45.649777', 0);
INSERT INTO golden VALUES (3, 'alice', 'a:b{%}', 7, 'step', 'completed', '{\"empty\":{},\"list\":[]}', '2026-11-22 14:02:45.650036', 0);
INSERT INTO golden VALUES (4, '', 'chat-1', 1, 'ask', 'completed', '{\"of\":\"the default partition\"}', '2026-11-22 14:02:45.650238', 0);
INSERT INTO golden VALUES (5, 'alice', 'chat-1', 1, 'ask', 'completed', '{\"text\":\"late\"}', '2026-11-22 14:02:45.650411', 0);
INSERT INTO golden VALUES (6, 'bob', 'chat-2', 9007199254740993, 'end', 'odd', '{\"text\":\"\\u0000 \\ud83d\",\"x\":Infinity}', '2026-11-22 14:02:45.650677', 2);
INSERT INTO golden VALUES (7, 'alice', 'chat-1', 2, 'write', 'completed', '{\"at\":{\"__persistry__\":[\"datetime\",\"2026-11-22T00:00:00+00:00\"]}}', '2026-11-22 14:02:45.650919', 1);
