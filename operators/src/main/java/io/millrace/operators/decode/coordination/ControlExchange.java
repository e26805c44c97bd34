package io.millrace.operators.decode.coordination;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import io.millrace.proto.ListSessionsRequest;
import io.millrace.proto.SaveBlocksRequest;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionsPage;
import java.util.ArrayList;
import java.util.List;

/** What a client's request needs to know of the subtasks, and what their answers make together. */
interface ControlExchange {
    /** A request to a subtask. */
    record Question(int subtask, ControlRequest request) {}

    /** The first questions; at least one. */
    List<Question> begin();

    /** Takes a subtask's answer, which is not an error, and says what to ask next. */
    List<Question> answered(int subtask, ControlResponse response);

    /** The client's answer, once all questions are answered. */
    ControlResponse result();

    /**
     * The exchange that answers a request.
     *
     * @param parallelism subtasks of Decode
     * @throws ServingException {@code INVALID_REQUEST} naming what is wrong with the request
     */
    static ControlExchange of(ControlRequest request, int parallelism) {
        return switch (request.getKindCase()) {
            case LIST_SESSIONS -> ListSessions.of(request.getListSessions(), parallelism);
            case SAVE_BLOCKS -> new SaveBlocks(parallelism);
            case KIND_NOT_SET ->
                throw new ServingException(ErrorCode.INVALID_REQUEST, "the job's Decode does not know this request");
        };
    }

    /**
     * Asks one subtask after the other until the page is full. The page token names the subtask that goes on, of how
     * many, and that subtask's own token.
     */
    final class ListSessions implements ControlExchange {
        private final int parallelism;
        private final int limit;
        private final int firstSubtask;
        private final String firstToken;
        private final SessionsPage.Builder page = SessionsPage.newBuilder();

        private ListSessions(int parallelism, int limit, int firstSubtask, String firstToken) {
            this.parallelism = parallelism;
            this.limit = limit;
            this.firstSubtask = firstSubtask;
            this.firstToken = firstToken;
        }

        static ListSessions of(ListSessionsRequest request, int parallelism) {
            if (request.getLimit() < 0) {
                throw invalid("limit must not be negative: " + request.getLimit());
            }
            int limit = request.getLimit() == 0
                    ? DecodeSessions.PAGE_SESSIONS_MAX
                    : Math.min(request.getLimit(), DecodeSessions.PAGE_SESSIONS_MAX);
            String token = request.getPageToken();
            if (token.isEmpty()) {
                return new ListSessions(parallelism, limit, 0, "");
            }
            int slash = token.indexOf('/');
            int colon = token.indexOf(':');
            if (slash < 0 || colon < slash) {
                throw invalid("this is no page token: " + token);
            }
            int subtask = number(token, 0, slash);
            if (number(token, slash + 1, colon) != parallelism || subtask >= parallelism) {
                throw invalid("decode was rescaled since the page before; begin with the first page again");
            }
            return new ListSessions(parallelism, limit, subtask, token.substring(colon + 1));
        }

        @Override
        public List<Question> begin() {
            return List.of(question(firstSubtask, firstToken));
        }

        @Override
        public List<Question> answered(int subtask, ControlResponse response) {
            SessionsPage part = response.getSessions();
            page.addAllSessions(part.getSessionsList());
            String next = part.getNextPageToken();
            int nextSubtask = next.isEmpty() ? subtask + 1 : subtask;
            if (nextSubtask == parallelism) {
                return List.of();
            }
            // A subtask that goes on has filled the page as far as it could: its next part may be too large for it.
            if (!next.isEmpty() || page.getSessionsCount() >= limit) {
                page.setNextPageToken(nextSubtask + "/" + parallelism + ":" + next);
                return List.of();
            }
            return List.of(question(nextSubtask, ""));
        }

        @Override
        public ControlResponse result() {
            return ControlResponse.newBuilder().setSessions(page).build();
        }

        private Question question(int subtask, String token) {
            return new Question(
                    subtask,
                    ControlRequest.newBuilder()
                            .setListSessions(ListSessionsRequest.newBuilder()
                                    .setPageToken(token)
                                    .setLimit(limit - page.getSessionsCount()))
                            .build());
        }

        private static int number(String token, int first, int end) {
            try {
                return Integer.parseUnsignedInt(token, first, end, 10);
            } catch (NumberFormatException e) {
                throw invalid("this is no page token: " + token);
            }
        }

        private static ServingException invalid(String message) {
            return new ServingException(ErrorCode.INVALID_REQUEST, message);
        }
    }

    /** Asks all subtasks at once and adds up what they have written. */
    final class SaveBlocks implements ControlExchange {
        private final int parallelism;
        private SaveBlocksResult sum = SaveBlocksResult.getDefaultInstance();

        SaveBlocks(int parallelism) {
            this.parallelism = parallelism;
        }

        @Override
        public List<Question> begin() {
            ControlRequest request = ControlRequest.newBuilder()
                    .setSaveBlocks(SaveBlocksRequest.getDefaultInstance())
                    .build();
            List<Question> questions = new ArrayList<>(parallelism);
            for (int subtask = 0; subtask < parallelism; subtask++) {
                questions.add(new Question(subtask, request));
            }
            return questions;
        }

        @Override
        public List<Question> answered(int subtask, ControlResponse response) {
            SaveBlocksResult part = response.getSaved();
            sum = SaveBlocksResult.newBuilder()
                    .setSubtasks(sum.getSubtasks() + 1)
                    .setSessions(sum.getSessions() + part.getSessions())
                    .setBlocks(sum.getBlocks() + part.getBlocks())
                    .setBytes(sum.getBytes() + part.getBytes())
                    .setSkippedBlocks(sum.getSkippedBlocks() + part.getSkippedBlocks())
                    .build();
            return List.of();
        }

        @Override
        public ControlResponse result() {
            return ControlResponse.newBuilder().setSaved(sum).build();
        }
    }
}
