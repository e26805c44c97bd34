/** The port, source and sink by which requests and chunks pass in the process of an embedded job. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.local;
