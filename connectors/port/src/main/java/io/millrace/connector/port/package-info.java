/** How a gateway reaches the job. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.port;
