/** Flink serializers of Millrace's messages and keys. */
@org.jspecify.annotations.NullMarked
package io.millrace.kv.flink;
