package io.millrace.model;

import static io.millrace.model.GgufErrors.invalid;
import static io.millrace.model.GgufErrors.invalidAt;
import static io.millrace.model.GgufErrors.shown;

import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A model file's metadata: keys with typed values.
 *
 * <p>Values stay in the file's mapping until they are asked for, and are decoded anew each time, so a vocabulary costs
 * memory only where it is used. A getter without a default refuses a missing key; every getter refuses a value of
 * another type. Both errors are {@code MODEL_FILE_INVALID} and name the file and the key. Integer getters take every
 * integer type of the format if the value fits.
 */
public final class GgufMetadata {
    private final Path file;
    private final ByteBuffer header;
    private final Map<String, Entry> entries;

    /**
     * Where a value lies in the header, whose bytes were all checked to be there.
     *
     * @param elementType the array's element type; the value's own where it is not an array
     * @param count elements of an array; 1 where it is not one
     * @param entryOffset first byte of the key's length
     * @param valueOffset first byte of the value; of the first element of an array
     * @param endOffset first byte behind it
     */
    record Entry(
            GgufValueType type,
            GgufValueType elementType,
            int count,
            int entryOffset,
            int valueOffset,
            int endOffset) {}

    GgufMetadata(Path file, ByteBuffer header, Map<String, Entry> entries) {
        this.file = file;
        this.header = header;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /** The keys, in the file's order. */
    public Set<String> keys() {
        return entries.keySet();
    }

    /** Whether the file has the key. */
    public boolean contains(String key) {
        return entries.containsKey(key);
    }

    /** Returns a string. */
    public String getString(String key) {
        return stringAt(require(key, entry -> entry.type() == GgufValueType.STRING, "a string")
                .valueOffset());
    }

    /** Returns a string, or the default where the key is missing. */
    public String getString(String key, String defaultValue) {
        return contains(key) ? getString(key) : defaultValue;
    }

    /** Returns a string, or null where the key is missing. */
    public @Nullable String findString(String key) {
        return contains(key) ? getString(key) : null;
    }

    /** Returns an integer. */
    public int getInt(String key) {
        return toInt(key, getLong(key));
    }

    /** Returns an integer, or the default where the key is missing. */
    public int getInt(String key, int defaultValue) {
        return contains(key) ? getInt(key) : defaultValue;
    }

    /** Returns an integer. */
    public long getLong(String key) {
        Entry entry = require(key, e -> e.type().isInteger(), "an integer");
        return integerAt(entry.type(), entry.valueOffset());
    }

    /** Returns an integer, or the default where the key is missing. */
    public long getLong(String key, long defaultValue) {
        return contains(key) ? getLong(key) : defaultValue;
    }

    /** Returns a floating-point number. */
    public float getFloat(String key) {
        Entry entry = require(key, e -> e.type().isFloat(), "a float");
        return floatAt(entry.type(), entry.valueOffset());
    }

    /** Returns a floating-point number, or the default where the key is missing. */
    public float getFloat(String key, float defaultValue) {
        return contains(key) ? getFloat(key) : defaultValue;
    }

    /** Returns a truth value. */
    public boolean getBool(String key) {
        return header.get(require(key, entry -> entry.type() == GgufValueType.BOOL, "a bool")
                        .valueOffset())
                != 0;
    }

    /** Returns a truth value, or the default where the key is missing. */
    public boolean getBool(String key, boolean defaultValue) {
        return contains(key) ? getBool(key) : defaultValue;
    }

    /** Returns an array of strings. */
    public String[] getStringArray(String key) {
        Entry entry = require(key, e -> isArrayOf(e, e.elementType() == GgufValueType.STRING), "an array of strings");
        String[] values = new String[entry.count()];
        int offset = entry.valueOffset();
        for (int i = 0; i < values.length; i++) {
            values[i] = stringAt(offset);
            offset += Long.BYTES + (int) header.getLong(offset);
        }
        return values;
    }

    /** Returns an array of strings, or the default where the key is missing. */
    public String[] getStringArray(String key, String[] defaultValue) {
        return contains(key) ? getStringArray(key) : defaultValue;
    }

    /** Returns an array of integers. */
    public int[] getIntArray(String key) {
        Entry entry = require(key, e -> isArrayOf(e, e.elementType().isInteger()), "an array of integers");
        int[] values = new int[entry.count()];
        int elementBytes = entry.elementType().bytesMin();
        for (int i = 0; i < values.length; i++) {
            values[i] = toInt(key, integerAt(entry.elementType(), entry.valueOffset() + i * elementBytes));
        }
        return values;
    }

    /** Returns an array of integers, or the default where the key is missing. */
    public int[] getIntArray(String key, int[] defaultValue) {
        return contains(key) ? getIntArray(key) : defaultValue;
    }

    /** Returns an array of floating-point numbers. */
    public float[] getFloatArray(String key) {
        Entry entry = require(key, e -> isArrayOf(e, e.elementType().isFloat()), "an array of floats");
        float[] values = new float[entry.count()];
        int elementBytes = entry.elementType().bytesMin();
        for (int i = 0; i < values.length; i++) {
            values[i] = floatAt(entry.elementType(), entry.valueOffset() + i * elementBytes);
        }
        return values;
    }

    /** Returns an array of floating-point numbers, or the default where the key is missing. */
    public float[] getFloatArray(String key, float[] defaultValue) {
        return contains(key) ? getFloatArray(key) : defaultValue;
    }

    /** Elements of an array, without decoding it; 1 for a value that is not an array. */
    public int count(String key) {
        return require(key, entry -> true, "a value").count();
    }

    /** Whether the value is an array. */
    boolean isArray(String key) {
        return require(key, entry -> true, "a value").type() == GgufValueType.ARRAY;
    }

    /** Returns the bytes of a key, its type and its value as the file has them. */
    ByteBuffer rawEntry(String key) {
        Entry entry = require(key, e -> true, "a value");
        return header.slice(entry.entryOffset(), entry.endOffset() - entry.entryOffset());
    }

    /** Returns an error about a key's value, with its place in the file. */
    ServingException invalidValue(String key, String problem) {
        Entry entry = entries.get(key);
        String text = "metadata key " + shown(key) + ": " + problem;
        return entry == null ? invalid(file, text) : invalidAt(file, entry.valueOffset(), text);
    }

    private static boolean isArrayOf(Entry entry, boolean elementsFit) {
        return entry.type() == GgufValueType.ARRAY && elementsFit;
    }

    private Entry require(String key, Predicate<Entry> check, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw invalid(file, "metadata key " + shown(key) + " is missing (expected " + expected + ")");
        }
        if (!check.test(entry)) {
            String found = entry.type() == GgufValueType.ARRAY
                    ? "an array of " + entry.elementType()
                    : entry.type().toString();
            throw invalidValue(key, "expected " + expected + ", found " + found);
        }
        return entry;
    }

    private int toInt(String key, long value) {
        if (value != (int) value) {
            throw invalidValue(key, "expected a 32-bit integer, found " + value);
        }
        return (int) value;
    }

    private long integerAt(GgufValueType type, int offset) {
        return switch (type) {
            case UINT8 -> header.get(offset) & 0xFF;
            case INT8 -> header.get(offset);
            case UINT16 -> header.getShort(offset) & 0xFFFF;
            case INT16 -> header.getShort(offset);
            case UINT32 -> header.getInt(offset) & 0xFFFF_FFFFL;
            case INT32 -> header.getInt(offset);
            // An unsigned value above Long.MAX_VALUE comes out negative, and no caller takes a negative one.
            case UINT64, INT64 -> header.getLong(offset);
            case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> throw new IllegalArgumentException(type.toString());
        };
    }

    private float floatAt(GgufValueType type, int offset) {
        return type == GgufValueType.FLOAT32 ? header.getFloat(offset) : (float) header.getDouble(offset);
    }

    private String stringAt(int offset) {
        byte[] bytes = new byte[(int) header.getLong(offset)];
        header.get(offset + Long.BYTES, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
