/** A job that is disturbed on purpose: failures at the edges of its operators, and what its turns must still say. */
@NullMarked
package io.millrace.durability;

import org.jspecify.annotations.NullMarked;
