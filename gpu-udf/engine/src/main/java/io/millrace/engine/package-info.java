/** The engine. */
@org.jspecify.annotations.NullMarked
package io.millrace.engine;
