package io.millrace.kv.flink;

import java.lang.reflect.Type;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInfoFactory;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** Lets Flink find the type of a {@link SessionPlacement} wherever it extracts types by itself. */
public final class SessionPlacementTypeInfoFactory extends TypeInfoFactory<SessionPlacement> {
    @Override
    public TypeInformation<SessionPlacement> createTypeInfo(
            Type type, Map<String, TypeInformation<?>> genericParameters) {
        return SessionPlacementTypeInfo.INSTANCE;
    }
}
