/** What a GPU's engine reaches of what the device could do. */
@org.jspecify.annotations.NullMarked
package io.millrace.bench.cuda;
