/** Agents that work with a whole cluster from outside, and the checks on what they and the topics have recorded. */
@NullMarked
package io.millrace.cluster;

import org.jspecify.annotations.NullMarked;
