package io.millrace.operators.testing;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A served model whose engine a test made: found by name, since what travels with a job graph is serialised. */
public final class TestingServedModel implements ServedModel {
    private static final long serialVersionUID = 1L;

    private static final Map<String, Engine> ENGINES = new ConcurrentHashMap<>();

    private final String name;
    private final int maxTurnTokens;

    /**
     * Serves an engine.
     *
     * @param name unique to the test
     * @param engine started; the test closes it
     * @param maxTurnTokens most tokens of a turn that the router lets through
     */
    public TestingServedModel(String name, Engine engine, int maxTurnTokens) {
        this.name = requireNonNull(name, "name");
        this.maxTurnTokens = maxTurnTokens;
        replaceEngine(engine);
    }

    /** This model with another engine for a role, in the process: what was made by this name. */
    private TestingServedModel(String name, int maxTurnTokens) {
        this.name = name;
        this.maxTurnTokens = maxTurnTokens;
    }

    /** Serves a role with an engine of its own; without, it has the model's. */
    public TestingServedModel withRole(EngineRole role, Engine engine) {
        ENGINES.put(roleName(role), engine);
        return this;
    }

    @Override
    public TestingServedModel inRole(EngineRole role) {
        return ENGINES.containsKey(roleName(role)) ? new TestingServedModel(roleName(role), maxTurnTokens) : this;
    }

    private String roleName(EngineRole role) {
        return name + "-" + role;
    }

    /** From now on leases are those of another engine. */
    public void replaceEngine(Engine engine) {
        ENGINES.put(name, engine);
    }

    @Override
    public EngineLease lease(String leaseName, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        return requireNonNull(ENGINES.get(name), name).lease(leaseName, listener, maxUnacknowledgedSteps);
    }

    @Override
    public ModelText open() {
        return new TestingModelText(maxTurnTokens);
    }
}
