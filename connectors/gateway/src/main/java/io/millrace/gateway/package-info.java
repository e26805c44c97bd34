/** The HTTP gateway. */
@org.jspecify.annotations.NullMarked
package io.millrace.gateway;
