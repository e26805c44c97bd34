package io.millrace.backend.cuda;

import io.millrace.backend.cuda.device.Device;

/**
 * What an instance has in its device's memory.
 *
 * @param weights address of the weights
 * @param memory address of what steps compute in
 * @param kvBlocks address of the first KV block; the others follow
 * @param arrays where a step's numbers lie
 * @param buffers what steps compute in
 * @param forward a step's launches
 */
record LoadedModel(long weights, long memory, long kvBlocks, StepArrays arrays, Buffers buffers, ForwardPass forward) {
    void free(Device device) {
        device.free(kvBlocks);
        device.free(memory);
        device.free(weights);
    }
}
