package io.millrace.durability;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Damages values of blocks where they lie in files, and nothing else. */
final class DamagedValues {
    private static final int ZEROS_OFFSET = 1 + BlockHash.BYTES + Integer.BYTES;
    private static final double SHARE = 0.3;

    private DamagedValues() {}

    /** Flips a bit of the content of some values below a folder; returns of how many. */
    static int damage(Path folder, long seed, int contentBytes) throws IOException {
        Random random = new Random(seed);
        int damaged = 0;
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            boolean changed = false;
            for (int at = 0; at + BlockValue.valueBytes(contentBytes) <= bytes.capacity(); at++) {
                if (isValue(bytes, at, contentBytes)) {
                    if (random.nextDouble() < SHARE) {
                        int where = at + BlockValue.HEADER_BYTES + random.nextInt(contentBytes);
                        bytes.put(where, (byte) (bytes.get(where) ^ 1 << random.nextInt(8)));
                        damaged++;
                        changed = true;
                    }
                    at += BlockValue.valueBytes(contentBytes) - 1;
                }
            }
            if (changed) {
                Files.write(file, bytes.array());
            }
        }
        return damaged;
    }

    private static boolean isValue(ByteBuffer bytes, int at, int contentBytes) {
        if (bytes.get(at) != 1) {
            return false;
        }
        for (int i = ZEROS_OFFSET; i < BlockValue.HEADER_BYTES; i++) {
            if (bytes.get(at + i) != 0) {
                return false;
            }
        }
        ByteBuffer value = bytes.slice(at, BlockValue.valueBytes(contentBytes));
        BlockHash hash = new BlockHash(value.getLong(1), value.getLong(9), value.getLong(17), value.getLong(25));
        return BlockValue.check(hash, value) == BlockValue.Check.OK;
    }
}
