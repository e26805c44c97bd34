/** Blocks as files of their own inside Flink's RocksDB state, and the choice between the stores. */
@org.jspecify.annotations.NullMarked
package io.millrace.kv.rocksdb;
