/** Hand-written fakes of the engine's collaborators, for tests of every module. */
@org.jspecify.annotations.NullMarked
package io.millrace.engine.testing;
