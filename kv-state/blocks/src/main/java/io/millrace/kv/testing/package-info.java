/** What tests of every module share. */
@org.jspecify.annotations.NullMarked
package io.millrace.kv.testing;
