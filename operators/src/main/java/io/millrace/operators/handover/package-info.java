/** How blocks go from Prefill's engine to Decode's, where these are not one. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.handover;
