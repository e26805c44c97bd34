/** What the backend asks of a device, and the device that JCuda's binding of the driver gives. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cuda.device;
