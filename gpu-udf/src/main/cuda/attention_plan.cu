// attention_plan: which sequences of a step decode attention takes and which prefill, and where the work of each
// begins.
//
// Launch: grid 1, block 32, once a step for each kind of layer (all positions; sliding window), before the layers;
// args PlanArgs. A sequence with at most `decodeRows` rows is decode's, in tiles of 16 pairs (attention.cuh). Where
// its rows see more than one split of 512 positions, each (tile, split) is a unit of its own, and the splits' sums
// go by way of scratch: rows x splits slots, of which there are `slots` for all sequences together. Sequences are
// given slots in order while the running total of what all before them wanted fits; the others' units are whole
// tiles, which walk their splits in one CTA: slower, and the same bits.
#include "attention.cuh"

using namespace millrace;

namespace {

FORCE_INLINE int inclusive_scan(int value) {
    for (int delta = 1; delta < WARP; delta *= 2) {
        int below = shuffle_up(value, delta);
        value += lane_index() >= delta ? below : 0;
    }
    return value;
}

}  // namespace

KERNEL(attention_plan, PlanArgs) {
    int lane = lane_index();
    int sequences = args.step->sequences;
    int32_t* arrays = reinterpret_cast<int32_t*>(args.plan + 1);
    int32_t* unitStart = arrays;
    int32_t* tileStart = arrays + (args.sequencesMax + 1);
    int32_t* combineStart = arrays + 2 * (args.sequencesMax + 1);
    int32_t* slotStart = arrays + 3 * (args.sequencesMax + 1);
    int units = 0;
    int tiles = 0;
    int combineRows = 0;
    int slots = 0;
    for (int first = 0; first < sequences; first += WARP) {
        int sequence = first + lane;
        Run run{0, 0, 0};
        if (sequence < sequences) {
            run = run_of(sequence, args.queryStart, args.contextLengths);
        }
        bool decode = run.rows <= args.decodeRows;
        int firstSplit = run.span(0, args.window).from / SPLIT_KEYS;
        int splits = run.rows == 0 ? 0 : (run.firstPosition + run.rows - 1) / SPLIT_KEYS - firstSplit + 1;
        int pairs = run.rows * args.group;
        int wanted = decode && splits > 1 ? run.rows * splits : 0;
        int slotEnd = slots + inclusive_scan(wanted);
        bool apart = wanted > 0 && slotEnd <= args.slots;
        int pairTiles = (pairs + TILE_PAIRS - 1) / TILE_PAIRS;
        int unitCount = decode ? pairTiles * (apart ? splits : 1) : 0;
        int tileCount = decode ? 0 : (pairs + args.prefillPairs - 1) / args.prefillPairs;
        int unitEnd = units + inclusive_scan(unitCount);
        int tileEnd = tiles + inclusive_scan(tileCount);
        int combineEnd = combineRows + inclusive_scan(apart ? run.rows : 0);
        if (sequence < sequences) {
            unitStart[sequence + 1] = unitEnd;
            tileStart[sequence + 1] = tileEnd;
            combineStart[sequence + 1] = combineEnd;
            slotStart[sequence] = apart ? slotEnd - wanted : -1;
        }
        units = shuffle(unitEnd, WARP - 1);
        tiles = shuffle(tileEnd, WARP - 1);
        combineRows = shuffle(combineEnd, WARP - 1);
        slots = shuffle(slotEnd, WARP - 1);
    }
    if (lane == 0) {
        unitStart[0] = 0;
        tileStart[0] = 0;
        combineStart[0] = 0;
        args.plan->units = units;
        args.plan->tiles = tiles;
        args.plan->combineRows = combineRows;
    }
}
