/** Blocks of keys and values, and the pool and index they live in. */
@org.jspecify.annotations.NullMarked
package io.millrace.kv;
