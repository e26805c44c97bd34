/** The HOST tier: blocks in memory of the TaskManager outside its heap. */
@org.jspecify.annotations.NullMarked
package io.millrace.kv.host;
