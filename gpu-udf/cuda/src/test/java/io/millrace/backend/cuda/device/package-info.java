@org.jspecify.annotations.NullMarked
package io.millrace.backend.cuda.device;
