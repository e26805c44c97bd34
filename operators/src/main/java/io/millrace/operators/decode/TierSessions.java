package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.decode.coordination.DecodeSessions;
import io.millrace.operators.tiers.SessionTiers;
import io.millrace.operators.tiers.SessionView;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionRecord;
import io.millrace.proto.SessionsPage;
import java.util.List;
import java.util.function.Consumer;

/** Says to the coordinator what the tiers know of sessions. */
final class TierSessions implements DecodeSessions {
    private final SessionTiers tiers;
    private final int subtask;
    private final long blockBytes;

    TierSessions(SessionTiers tiers, int subtask, long blockBytes) {
        this.tiers = requireNonNull(tiers, "tiers");
        this.subtask = subtask;
        this.blockBytes = blockBytes;
    }

    /** The page's token is the last id of the page before. */
    @Override
    public SessionsPage sessions(String pageToken, int limit) throws Exception {
        List<SessionView> views = tiers.sessions(pageToken, limit);
        SessionsPage.Builder page = SessionsPage.newBuilder();
        for (SessionView view : views) {
            page.addSessions(info(view));
        }
        if (views.size() == limit) {
            page.setNextPageToken(views.get(limit - 1).sessionRecord().getSessionId());
        }
        return page.build();
    }

    @Override
    public void saveAll(Consumer<SaveBlocksResult> done) throws Exception {
        tiers.saveAll(report -> done.accept(SaveBlocksResult.newBuilder()
                .setSessions(report.sessions())
                .setBlocks(report.blocks())
                .setBytes(report.bytes())
                .setSkippedBlocks(report.skippedBlocks())
                .build()));
    }

    private SessionInfo info(SessionView view) {
        SessionRecord known = view.sessionRecord();
        return SessionInfo.newBuilder()
                .setSessionId(known.getSessionId())
                .setRunningTurns(view.runningTurns())
                .setTokens(view.tokens())
                .setStoredBlocks(known.getStoredBlocks())
                .setStoredBytes(known.getStoredBytes())
                .setHostBlocks(view.hostBlocks())
                .setHostBytes(view.hostBlocks() * blockBytes)
                .setDeviceBlocks(view.deviceBlocks())
                .setDeviceBytes(view.deviceBlocks() * blockBytes)
                .setCreatedMs(known.getCreatedMs())
                .setLastActiveMs(known.getLastActiveMs())
                .setSubtask(subtask)
                .build();
    }
}
