/**
 * The engine: continuous batching of sequences over paged, content-addressed KV blocks.
 *
 * <pre>
 *   EngineRegistry --holds--> Engine --leases--> EngineLease        any thread
 *                               |
 *                           EngineCore                              one thread
 *                               |
 *               Scheduler --StepPlan--> StepRunner --Batch--> ModelInstance
 *                   |                       |
 *            BlockPool, BlockTable       Sampler
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.millrace.engine;
