/** In-process source and sink. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.local;
