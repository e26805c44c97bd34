/** Model files and what they describe. */
@org.jspecify.annotations.NullMarked
package io.millrace.model;
