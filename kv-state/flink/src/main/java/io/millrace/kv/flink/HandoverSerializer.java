package io.millrace.kv.flink;

import io.millrace.kv.BlockHash;
import io.millrace.proto.Turn;
import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Flink's serializer of a {@link HandoverRecord}. A part's bytes go from its array to Flink's buffer and from there to
 * a new array, without a message around them:
 *
 * <pre>
 *   turn = | 0 | the message as {@link ProtoSerializer} writes it |
 *   part = | 1 | placement | sender 4 | hash 32 | value bytes 4 | offset 4 | length 4 | bytes |
 * </pre>
 */
public final class HandoverSerializer extends TypeSerializerSingleton<HandoverRecord> {
    private static final long serialVersionUID = 1L;

    /** It holds nothing, so there is one. */
    public static final HandoverSerializer INSTANCE = new HandoverSerializer();

    private static final int TURN = 0;
    private static final int PART = 1;

    /** Bytes of a part's numbers and its hash; its placement and its content come on top. */
    private static final int PART_FIXED_BYTES = 1 + 4 * Integer.BYTES + BlockHash.BYTES;
    /** An id takes up to three bytes a character, and its length five. */
    private static final int ID_BYTES_PER_CHAR_MAX = 3;

    private static final int PLACEMENT_FIXED_BYTES = Integer.BYTES + 5;

    private static final ProtoSerializer<Turn> TURNS = new ProtoSerializer<>(Turn.class);

    /** Bytes at most that a part takes besides its content, for a session. */
    public static int partOverheadBytes(SessionPlacement placement) {
        return PART_FIXED_BYTES
                + PLACEMENT_FIXED_BYTES
                + ID_BYTES_PER_CHAR_MAX * placement.sessionId().length();
    }

    @Override
    public boolean isImmutableType() {
        return false;
    }

    @Override
    public HandoverRecord createInstance() {
        return new HandoverRecord.OfTurn(Turn.getDefaultInstance());
    }

    @Override
    public HandoverRecord copy(HandoverRecord from) {
        if (!(from instanceof HandoverRecord.OfBlock part)) {
            return from;
        }
        byte[] bytes = Arrays.copyOfRange(part.array(), part.from(), part.from() + part.length());
        return new HandoverRecord.OfBlock(
                part.placement(), part.sender(), part.hash(), part.valueBytes(), part.offset(), bytes, 0, bytes.length);
    }

    @Override
    public HandoverRecord copy(HandoverRecord from, HandoverRecord reuse) {
        return copy(from);
    }

    @Override
    public int getLength() {
        return -1;
    }

    @Override
    public void serialize(HandoverRecord value, DataOutputView target) throws IOException {
        if (value instanceof HandoverRecord.OfTurn turn) {
            target.writeByte(TURN);
            TURNS.serialize(turn.turn(), target);
        } else if (value instanceof HandoverRecord.OfBlock part) {
            target.writeByte(PART);
            SessionPlacementSerializer.INSTANCE.serialize(part.placement(), target);
            target.writeInt(part.sender());
            target.writeLong(part.hash().bits0());
            target.writeLong(part.hash().bits1());
            target.writeLong(part.hash().bits2());
            target.writeLong(part.hash().bits3());
            target.writeInt(part.valueBytes());
            target.writeInt(part.offset());
            target.writeInt(part.length());
            target.write(part.array(), part.from(), part.length());
        }
    }

    @Override
    public HandoverRecord deserialize(DataInputView source) throws IOException {
        int kind = source.readUnsignedByte();
        return switch (kind) {
            case TURN -> new HandoverRecord.OfTurn(TURNS.deserialize(source));
            case PART -> part(source);
            default -> throw new IOException(kind + " is no kind of record between Prefill and Decode");
        };
    }

    @Override
    public HandoverRecord deserialize(HandoverRecord reuse, DataInputView source) throws IOException {
        return deserialize(source);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        serialize(deserialize(source), target);
    }

    @Override
    public TypeSerializerSnapshot<HandoverRecord> snapshotConfiguration() {
        return new Snapshot();
    }

    private static HandoverRecord part(DataInputView source) throws IOException {
        SessionPlacement placement = SessionPlacementSerializer.INSTANCE.deserialize(source);
        int sender = source.readInt();
        BlockHash hash = new BlockHash(source.readLong(), source.readLong(), source.readLong(), source.readLong());
        int valueBytes = source.readInt();
        int offset = source.readInt();
        int length = source.readInt();
        if (!HandoverRecord.OfBlock.fits(sender, valueBytes, offset, length)) {
            throw new IOException("no part of a block's value of " + valueBytes + " bytes has " + length + " bytes at "
                    + offset + ", from sender " + sender);
        }
        byte[] bytes = new byte[length];
        source.readFully(bytes);
        return new HandoverRecord.OfBlock(placement, sender, hash, valueBytes, offset, bytes, 0, length);
    }

    /** What a checkpoint remembers of the serializer. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<HandoverRecord> {
        public Snapshot() {
            super(() -> INSTANCE);
        }
    }
}
