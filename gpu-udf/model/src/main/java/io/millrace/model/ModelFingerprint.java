package io.millrace.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;

/** A hash of a model file that reads little of a large one. */
final class ModelFingerprint {
    private static final String SCHEME = "millrace-model-1";
    private static final int PAGE_BYTES = 4096;
    private static final int PAGES_MAX = 16;
    private static final int DIGEST_BYTES = 16;

    private ModelFingerprint() {}

    static String of(MappedFile mapped, long dataStart, Collection<GgufTensor> tensors) {
        MessageDigest digest = sha256();
        digest.update(SCHEME.getBytes(StandardCharsets.UTF_8));
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, mapped.size()));
        digest.update(mapped.slice(0, Math.min(dataStart, mapped.size())));
        for (GgufTensor tensor : tensors) {
            long bytes = tensor.byteCount();
            if (bytes <= (long) PAGES_MAX * PAGE_BYTES) {
                digest.update(mapped.slice(tensor.fileOffset(), bytes));
                continue;
            }
            long spread = bytes - PAGE_BYTES;
            for (int page = 0; page < PAGES_MAX; page++) {
                // Division first: spread may be near the largest long, and the last page must end with the tensor.
                long start = page == PAGES_MAX - 1 ? spread : spread / (PAGES_MAX - 1) * page;
                digest.update(mapped.slice(tensor.fileOffset() + start, PAGE_BYTES));
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
