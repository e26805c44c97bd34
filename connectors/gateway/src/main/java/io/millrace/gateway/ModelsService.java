package io.millrace.gateway;

import static io.millrace.gateway.ByteBuilder.utf8;
import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import java.util.List;

/** {@code GET /v1/models} and {@code GET /v1/models/{model}}. */
final class ModelsService {
    static final String MODEL_PARAM = "model";

    private final List<String> modelNames;
    private final ChatRequestParser parser;
    private final long createdSeconds;

    ModelsService(List<String> modelNames, ChatRequestParser parser, long createdSeconds) {
        this.modelNames = List.copyOf(modelNames);
        this.parser = requireNonNull(parser, "parser");
        this.createdSeconds = createdSeconds;
    }

    HttpService list() {
        ByteBuilder out = new ByteBuilder().append(utf8("{\"object\":\"list\",\"data\":["));
        for (int i = 0; i < modelNames.size(); i++) {
            out.append(utf8(i == 0 ? "" : ","));
            model(modelNames.get(i), out);
        }
        byte[] body = out.append(utf8("]}")).take();
        return (ctx, request) -> HttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, body);
    }

    HttpService get() {
        return (ctx, request) -> {
            String name = String.valueOf(ctx.pathParam(MODEL_PARAM));
            parser.checkModel(name);
            ByteBuilder out = new ByteBuilder();
            model(name, out);
            return HttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, out.take());
        };
    }

    private void model(String name, ByteBuilder out) {
        out.append(utf8("{\"id\":")).appendQuoted(name);
        out.append(utf8(",\"object\":\"model\",\"created\":" + createdSeconds + ",\"owned_by\":\"millrace\"}"));
    }
}
